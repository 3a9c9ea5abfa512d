"""`workflow_harness_trigger`: has Harness start a workflow or pipeline by itself, with the mutations for triggers.

Destroying it deletes the trigger; executions that it started continue. An update sends the whole trigger, as Harness
requires. What Harness answers to a write is the base by which `merge` recognizes later changes from outside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from provider_py.execution import Connector, Missing, ResourceType, SystemFault, from_fault, run_preflight
from provider_py.plugin import ApplyResult, Change, Decoded, Diagnostic, DiagnosticError, Plan, ReadResult, error
from provider_py.systems.harness import lookup, merge, trigger_graphql
from provider_py.systems.harness.connection import Harness
from provider_py.systems.harness.trigger_model import HarnessTrigger, HarnessTriggerAction, validate

TITLE: Final = "Harness trigger"


class HarnessTriggerResource:
    """A trigger."""

    name = "harness_trigger"
    model = HarnessTrigger
    description = (
        "Has Harness FirstGen start a workflow or pipeline on a schedule, on a new artifact, on completion of a "
        "pipeline or through a webhook."
    )
    version = 0

    def __init__(self, connector: Connector[Harness]) -> None:
        self._connector = connector

    def validate(self, config: Decoded[HarnessTrigger]) -> Iterable[Diagnostic]:
        """Validate arguments against each other."""
        return validate(config)

    async def plan(self, change: Change[HarnessTrigger]) -> Plan:
        """Replace where a workflow becomes a pipeline or back, which Harness refuses; check that it exists."""
        planned, prior = change.planned.model, change.prior
        if planned is None or not change.changed:
            return Plan()
        refs = (_ref(trigger.action) for trigger in (prior, planned) if trigger is not None)
        kinds = {ref.kind for ref in refs if ref is not None}
        return Plan(
            unknown=frozenset({"webhook_details"} if prior is not None and "condition" in change.changed else ()),
            replace=[("action",)] if len(kinds) > 1 else (),
            diagnostics=await self._preflight(planned, change.planned.unknown),
        )

    async def create(self, planned: HarnessTrigger, private: bytes) -> ApplyResult[HarnessTrigger]:
        """Create the trigger, once."""
        with _diagnosed(f"Failed to create {TITLE} {planned.name!r}"):
            return _written(planned, await trigger_graphql.create(self._connect(), planned))

    async def read(self, state: HarnessTrigger, private: bytes) -> ReadResult[HarnessTrigger]:
        """Show what was changed outside of Terraform; a trigger that no longer exists leaves the state."""
        with _diagnosed(f"Failed to read {TITLE} {state.name!r}"):
            try:
                remote = await trigger_graphql.read(self._connect(), state.application_id, state.id or "")
            except Missing:
                return ReadResult(None)
        current = merge.merged(state, private, remote)
        return ReadResult(dataclasses.replace(current, webhook_details=remote.webhook_details), private=_base(remote))

    async def update(
        self, prior: HarnessTrigger, planned: HarnessTrigger, private: bytes
    ) -> ApplyResult[HarnessTrigger]:
        """Send the whole trigger."""
        with _diagnosed(f"Failed to update {TITLE} {planned.name!r}"):
            return _written(planned, await trigger_graphql.update(self._connect(), prior.id or "", planned))

    async def delete(self, state: HarnessTrigger, private: bytes) -> ApplyResult[HarnessTrigger]:
        """Delete the trigger; one that no longer exists is fine."""
        with _diagnosed(f"Failed to delete {TITLE} {state.name!r}"):
            await trigger_graphql.delete(self._connect(), state.application_id, state.id or "")
        return ApplyResult(None)

    async def import_state(self, identifier: str) -> ReadResult[HarnessTrigger]:
        """Adopt a trigger by the ID of its application and its own."""
        application, slash, trigger = identifier.partition("/")
        if not (application and slash and trigger):
            detail = "Specify the IDs of the application and the trigger: `<application ID>/<trigger ID>`."
            raise DiagnosticError(error(f"Invalid import ID {identifier!r} for a {TITLE}", detail))
        with _diagnosed(f"Failed to import {TITLE} {identifier!r}"):
            remote = await trigger_graphql.read_in_application(self._connect(), application, trigger)
        return ReadResult(remote, private=_base(remote))

    async def _preflight(self, planned: HarnessTrigger, unknown: frozenset[str]) -> Sequence[Diagnostic]:
        harness, ref = self._connector.open(), _ref(planned.action)
        if harness is None or ref is None or not harness.runtime.preflight or "application_id" in unknown:
            return ()
        check = _check_entity(harness, planned.application_id, ref)
        return await run_preflight(check, f"The {TITLE}", harness.runtime)

    def _connect(self) -> Harness:
        return self._connector.connect(TITLE)


async def _check_entity(harness: Harness, application: str, ref: lookup.EntityRef) -> None:
    if not await lookup.belongs(harness, application, ref.kind, ref.value):
        raise DiagnosticError(lookup.foreign_id(ref.kind, ref.value, ("action", ref.attribute)))


def _ref(action: HarnessTriggerAction) -> lookup.EntityRef | None:
    return lookup.entity_ref(workflow_id=action.workflow_id, pipeline_id=action.pipeline_id)


@contextmanager
def _diagnosed(summary: str) -> Iterator[None]:
    try:
        yield
    except SystemFault as fault:
        raise DiagnosticError(from_fault(fault, summary)) from fault


def _written(planned: HarnessTrigger, remote: HarnessTrigger) -> ApplyResult[HarnessTrigger]:
    state = dataclasses.replace(planned, id=remote.id, webhook_details=remote.webhook_details)
    return ApplyResult(state, private=_base(remote))


def _base(remote: HarnessTrigger) -> bytes:
    """Return the base of later merges; `webhook_details` is a result, so it is always taken over."""
    return merge.snapshot(dataclasses.replace(remote, webhook_details=None))


TYPE: Final = ResourceType(
    name=HarnessTriggerResource.name,
    system="harness",
    model=HarnessTrigger,
    description=HarnessTriggerResource.description,
    make=HarnessTriggerResource,
)
