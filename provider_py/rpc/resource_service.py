"""The methods of Terraform's provider service that concern managed resources: decode, delegate, encode."""

from __future__ import annotations

from typing import Any

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.defaults import with_write_only
from provider_py.plugin.diagnostics import DiagnosticError, error, has_error
from provider_py.plugin.plan import plan
from provider_py.plugin.resource import AnyResource, ApplyResult, Registered
from provider_py.plugin.sensitive import protect_values
from provider_py.plugin.validation import refuse_write_only, validate_config
from provider_py.plugin.values import Tree
from provider_py.rpc import blocks
from provider_py.rpc.codec import decode_json
from provider_py.rpc.diagnostics import attribute_path, encode, missing_state, not_served


class ResourceService:
    """Serves the managed resources, by their full names."""

    def __init__(self, provider: str, resources: Registered[AnyResource]) -> None:
        self._names = {f"{provider}_{name}": name for name in resources.names}
        self._resources = resources

    async def validate(self, request: pb.ValidateResourceConfig.Request) -> pb.ValidateResourceConfig.Response:
        """Validate a configuration."""
        resource = self._named(request.type_name)
        config = blocks.required(resource.model, request.config)
        problems = [*validate_config(resource, config)]
        if not request.client_capabilities.write_only_attributes_allowed:
            problems.extend(refuse_write_only(resource.model, config))
        return pb.ValidateResourceConfig.Response(diagnostics=encode(problems))

    async def upgrade(self, request: pb.UpgradeResourceState.Request) -> pb.UpgradeResourceState.Response:
        """Fit a stored state to the current schema: drop attributes it does not have, set missing ones to null."""
        resource = self._named(request.type_name)
        try:
            tree = decode_json(resource.model, request.raw_state.json)
        except ValueError as fault:
            raise DiagnosticError(
                error(
                    "Unreadable resource state",
                    f"The stored state of this {request.type_name} does not match its schema: {fault}. Restore a "
                    "backup of the state, or remove the resource with `terraform state rm` and import it.",
                )
            ) from fault
        if tree is not None:
            protect_values(resource.model, tree)
        return pb.UpgradeResourceState.Response(upgraded_state=blocks.write(tree))

    async def read(self, request: pb.ReadResource.Request) -> pb.ReadResource.Response:
        """Refresh."""
        resource = self._named(request.type_name)
        state = blocks.read(resource.model, request.current_state)
        if state is None:
            return pb.ReadResource.Response(new_state=request.current_state, private=request.private)
        result = await resource.read(blocks.known(resource.model, state), request.private)
        written = blocks.write_model(resource.model, result.state, state)
        return pb.ReadResource.Response(
            new_state=written.value,
            diagnostics=encode([*result.diagnostics, *written.diagnostics]),
            private=result.private or request.private,
        )

    async def plan(self, request: pb.PlanResourceChange.Request) -> pb.PlanResourceChange.Response:
        """Plan a creation, an update or a destruction."""
        resource = self._named(request.type_name)
        proposed = blocks.read(resource.model, request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(
                planned_state=request.proposed_new_state, planned_private=request.prior_private
            )
        prior = blocks.read(resource.model, request.prior_state)
        config = blocks.required(resource.model, request.config)
        planned = await plan(resource, prior, proposed, config, request.prior_private)
        return pb.PlanResourceChange.Response(
            planned_state=blocks.write(planned.state),
            requires_replace=map(attribute_path, planned.replace),
            planned_private=planned.private,
            diagnostics=encode(planned.diagnostics),
        )

    async def apply(self, request: pb.ApplyResourceChange.Request) -> pb.ApplyResourceChange.Response:
        """Create, update or destroy."""
        resource = self._named(request.type_name)
        planned = blocks.read(resource.model, request.planned_state)
        result = await _apply(resource, planned, request)
        diagnostics = list(result.diagnostics)
        if result.state is None and planned is not None:
            new_state = request.prior_state
            if not has_error(diagnostics):
                diagnostics.append(missing_state(request.type_name))
        else:
            written = blocks.write_model(resource.model, result.state, planned)
            new_state = written.value
            diagnostics.extend(written.diagnostics)
        return pb.ApplyResourceChange.Response(
            new_state=new_state, private=result.private or request.planned_private, diagnostics=encode(diagnostics)
        )

    async def import_state(self, request: pb.ImportResourceState.Request) -> pb.ImportResourceState.Response:
        """Import by id."""
        resource = self._named(request.type_name)
        result = await resource.import_state(request.id)
        diagnostics = list(result.diagnostics)
        if result.state is None:
            if not has_error(diagnostics):
                detail = f'{request.type_name} with the id "{request.id}" does not exist. Check the import id.'
                diagnostics.append(error("Cannot import non-existent remote object", detail))
            return pb.ImportResourceState.Response(diagnostics=encode(diagnostics))
        written = blocks.write_model(resource.model, result.state)
        imported = pb.ImportResourceState.ImportedResource(
            type_name=request.type_name, state=written.value, private=result.private
        )
        return pb.ImportResourceState.Response(
            imported_resources=[imported], diagnostics=encode([*diagnostics, *written.diagnostics])
        )

    def _named(self, type_name: str) -> AnyResource:
        if type_name not in self._names:
            raise not_served("resource type", type_name)
        return self._resources[self._names[type_name]]


async def _apply(
    resource: AnyResource, planned: dict[str, Tree] | None, request: pb.ApplyResourceChange.Request
) -> ApplyResult[Any]:
    prior = blocks.read(resource.model, request.prior_state)
    before = None if prior is None else blocks.known(resource.model, prior)
    private = request.planned_private
    if planned is None:
        return ApplyResult(None) if before is None else await resource.delete(before, private)
    config = blocks.required(resource.model, request.config)
    after = blocks.known(resource.model, with_write_only(resource.model, planned, config))
    if before is None:
        return await resource.create(after, private)
    return await resource.update(before, after, private)
