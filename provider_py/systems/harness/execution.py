"""`workflow_harness_execution`: starts a Harness FirstGen workflow or pipeline with the mutation `startExecution`.

Destroying it forgets the execution; with `on_destroy = "cancel"` an unfinished one is aborted, which Harness offers
as a REST call only. The look-ups are those of Harness' own recipe: application, workflow or pipeline, execution inputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from provider_py.execution.errors import Missing, Refused, SystemFault, Unauthorized
from provider_py.execution.launcher import Started
from provider_py.execution.poller import PollSource
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.run import Execution, Phase, Run
from provider_py.plugin import (
    Decoded,
    Diagnostic,
    DiagnosticError,
    Key,
    computed,
    error,
    exactly_one,
    model,
    not_empty,
    optional,
    required_together,
)
from provider_py.systems.harness.settings import SYSTEM
from provider_py.systems.harness.system import Harness
from provider_py.systems.harness.variables import check

if TYPE_CHECKING:
    from harness_client import StartExecutionInput

PHASES: Final = {
    "SUCCESS": Phase.SUCCEEDED,
    "SKIPPED": Phase.SUCCEEDED,
    "FAILED": Phase.FAILED,
    "ERROR": Phase.FAILED,
    "ABORTED": Phase.FAILED,
    "REJECTED": Phase.FAILED,
    "EXPIRED": Phase.FAILED,
    "PAUSED": Phase.HELD,
    "WAITING": Phase.HELD,
}
"""Final words, and the two that wait for a person; any other, and null while artifacts are collected, is going on."""


@model
class Artifact:
    """The artifact that a service is deployed with."""

    source: Annotated[str | None, optional("Name of the service's artifact source.", checks=(not_empty,))] = None
    build_number: Annotated[str | None, optional("Build number or tag in that source.", checks=(not_empty,))] = None
    artifact_id: Annotated[str | None, optional("Id of a collected artifact, in place of source and build number.")] = (
        None
    )
    parameters: Annotated[dict[str, str] | None, optional("Values for a parameterized artifact source.")] = None


@model
class Manifest:
    """The Helm chart that a service is deployed with."""

    helm_chart_id: Annotated[str | None, optional("Id of a collected Helm chart.")] = None
    source: Annotated[str | None, optional("Name of the service's manifest source.")] = None
    version: Annotated[str | None, optional("Chart version in that source.")] = None


@model
class HarnessStage:
    """A stage of a pipeline's execution."""

    name: Annotated[str | None, computed("Name of the stage, such as `STAGE 1`.")] = None
    status: Annotated[str | None, computed("Its status, `QUEUED` until it is reached.")] = None


@model
class HarnessExecution(Execution):
    """A run of a Harness FirstGen workflow or pipeline."""

    application: Annotated[
        str | None, optional("Name of the application, exact.", replace=True, checks=(not_empty,))
    ] = None
    application_id: Annotated[str | None, optional("Id of the application, in place of its name.", replace=True)] = None
    workflow: Annotated[str | None, optional("Name of the workflow to run.", replace=True, checks=(not_empty,))] = None
    workflow_id: Annotated[str | None, optional("Id of the workflow to run.", replace=True)] = None
    pipeline: Annotated[str | None, optional("Name of the pipeline to run.", replace=True, checks=(not_empty,))] = None
    pipeline_id: Annotated[str | None, optional("Id of the pipeline to run.", replace=True)] = None
    variables: Annotated[
        dict[str, str] | None,
        optional(
            "Values of the workflow's variables; environments, services and infrastructure definitions by name.",
            replace=True,
        ),
    ] = None
    variable_ids: Annotated[
        dict[str, str] | None,
        optional(
            "Values of variables that name an environment, service or infrastructure definition, by id.", replace=True
        ),
    ] = None
    sensitive_variables: Annotated[
        dict[str, str] | None,
        optional(
            "Values of variables that are never stored. Change `sensitive_variables_version` to run with changed ones.",
            write_only=True,
        ),
    ] = None
    sensitive_variables_version: Annotated[
        str | None,
        optional(
            "A text that stands for the content of `sensitive_variables`; a change starts a new run.", replace=True
        ),
    ] = None
    artifacts: Annotated[
        dict[str, Artifact] | None, optional("Artifacts to deploy, by the name of the service.", replace=True)
    ] = None
    manifests: Annotated[
        dict[str, Manifest] | None, optional("Helm charts to deploy, by the name of the service.", replace=True)
    ] = None
    notes: Annotated[str | None, optional("Notes that the execution carries.", replace=True)] = None
    specific_hosts: Annotated[
        list[str] | None, optional("Hosts to deploy to, instead of all; workflows only.", replace=True)
    ] = None
    exclude_hosts_with_same_artifact: Annotated[
        bool | None, optional("Skip hosts that have the artifact already.", replace=True)
    ] = None
    continue_with_default_values: Annotated[
        bool | None,
        optional("Use default values where a pipeline's stage would pause for runtime inputs.", replace=True),
    ] = None
    outputs: Annotated[
        dict[str, str] | None,
        computed(
            "The variables it ran with, as Harness resolved them: environments, services and infrastructure "
            "definitions by id. Null where the server is of a version before 2023."
        ),
    ] = None
    stages: Annotated[
        list[HarnessStage] | None, computed("The stages of a pipeline, in order; null for a workflow.")
    ] = None


def validate(config: Decoded[HarnessExecution]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    yield from exactly_one(config, ("application", "application_id"), meaning="application")
    yield from exactly_one(
        config, ("workflow", "workflow_id", "pipeline", "pipeline_id"), meaning="workflow or pipeline"
    )
    yield from required_together(config, ("sensitive_variables_version", "sensitive_variables"))
    given = config.model
    if given is None:
        return
    yield from _check_services(given, config.unknown)
    if given.specific_hosts is not None and (given.pipeline or given.pipeline_id):
        yield error(
            "A pipeline cannot be limited to hosts",
            "Remove `specific_hosts`, or run a workflow: Harness takes hosts for workflows only.",
            ("specific_hosts",),
        )


def _check_services(given: HarnessExecution, unknown: frozenset[str]) -> Iterable[Diagnostic]:
    """Demand that what is deployed is named in exactly one way; parts that are not known yet look like None."""
    for service, artifact in ({} if "artifacts" in unknown else given.artifacts or {}).items():
        if not _is_clear(artifact.artifact_id, (artifact.source, artifact.build_number), artifact.parameters):
            yield error(
                f"The artifact of service {service!r} is not clear",
                "Give either `source` and `build_number`, with `parameters` if the source has any, or `artifact_id`.",
                ("artifacts", Key(service)),
            )
    for service, manifest in ({} if "manifests" in unknown else given.manifests or {}).items():
        if not _is_clear(manifest.helm_chart_id, (manifest.source, manifest.version)):
            yield error(
                f"The manifest of service {service!r} is not clear",
                "Give either `source` and `version`, or `helm_chart_id`.",
                ("manifests", Key(service)),
            )


def _is_clear(identifier: str | None, pair: tuple[str | None, str | None], besides: object = None) -> bool:
    if identifier is not None:
        return pair == (None, None) and not besides
    return None not in pair


def phase(status: str | None) -> Phase:
    """Return what a status means."""
    return PHASES.get(status or "", Phase.ACTIVE)


@dataclass(frozen=True, slots=True)
class Detail:
    """What only a Harness execution has."""

    application_id: str | None = None
    workflow_id: str | None = None
    pipeline_id: str | None = None
    outputs: dict[str, str] | None = None
    stages: list[HarnessStage] | None = None


class HarnessLauncher:
    """Starts executions and reads them back; the modules that need the generated client are imported on first use."""

    system = SYSTEM

    def __init__(self, harness: Harness) -> None:
        """Work on a connection."""
        self._harness = harness
        self.source: PollSource[str, Run[Detail]] = PollSource(self._look, 25, harness.poll_spacing)

    async def prepare(self, config: HarnessExecution, unknown: frozenset[str]) -> Sequence[StartExecutionInput]:
        """Resolve the names, check variables and artifacts."""
        from provider_py.systems.harness import calls, entities

        if unknown & {"application", "application_id"}:
            return ()
        application = await entities.application_id(self._harness, config)
        if unknown & {"workflow", "workflow_id", "pipeline", "pipeline_id"}:
            return ()
        entity = await entities.entity(self._harness, config, application)
        if unknown & {"variables", "variable_ids", "sensitive_variables"}:
            return ()
        given = {name: getattr(config, name) or {} for name in ("variables", "variable_ids", "sensitive_variables")}
        findings = tuple(check(entity, given))
        if findings:
            raise DiagnosticError(*findings)
        await calls.check_services(self._harness, config, application, entity, unknown)
        return (calls.start_input(config, application, entity),)

    async def start(self, part: StartExecutionInput, token: str) -> Started[Detail]:
        """Send `startExecution` once."""
        from provider_py.systems.harness import runs

        return await runs.start(self._harness, part, token)

    async def search(
        self, part: StartExecutionInput, token: str, since: float, taken: frozenset[str]
    ) -> Run[Detail] | None:
        """Find the execution whose notes carry the token."""
        from provider_py.systems.harness import runs

        return await runs.search(self._harness, part, token, since)

    def key(self, part: StartExecutionInput, run: Run[Detail]) -> str:
        """An execution's id is enough to find it."""
        return run.id

    def results(self, state: HarnessExecution, runs: Sequence[Run[Detail]]) -> HarnessExecution:
        """Add the stages and the resolved variables.

        Harness shows sensitive ones too, and a state does not tell their names: beside them only those count that are
        named in the configuration.
        """
        resolved = runs[0].detail.outputs
        if resolved is not None and state.sensitive_variables_version is not None:
            named = {**(state.variables or {}), **(state.variable_ids or {})}
            resolved = {name: value for name, value in resolved.items() if name in named}
        return dataclasses.replace(state, outputs=resolved, stages=runs[0].detail.stages)

    async def cancel(self, state: HarnessExecution) -> None:
        """Abort the execution; one that is over or being aborted already is fine."""
        from provider_py.systems.harness import calls, entities, runs

        identifier = state.id or ""
        application = await entities.application_id(self._harness, state)
        try:
            await calls.abort(self._harness, application, identifier)
        except Refused as fault:
            if isinstance(fault, Missing | Unauthorized):
                raise
            look = (await runs.look(self._harness, [identifier])).get(identifier)
            if isinstance(look, SystemFault) or (look is not None and not look.phase.ended):
                raise

    def adopt(self, identifier: str, run: Run[Detail]) -> HarnessExecution:
        """Name what the imported execution ran, by ids."""
        detail = run.detail
        return HarnessExecution(
            application_id=detail.application_id,
            workflow_id=detail.workflow_id,
            pipeline_id=detail.pipeline_id,
        )

    async def _look(self, keys: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
        from provider_py.systems.harness import runs

        return await runs.look(self._harness, keys)


KIND: Final = ExecutionType(
    name="harness_execution",
    title="Harness execution",
    system="harness",
    model=HarnessExecution,
    description="Runs a Harness FirstGen workflow or pipeline, once, and waits for its end.",
    phase=phase,
    keys=lambda state: (state.id,) if state.id else (),
    import_form="the id of the execution",
    import_key=lambda identifier: identifier or None,
    validate=validate,
    launcher=HarnessLauncher,
)
