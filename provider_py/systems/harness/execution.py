"""`workflow_harness_execution`: starts a Harness FirstGen workflow or pipeline with the mutation `startExecution`.

Destroying it forgets the execution; with `on_destroy = "cancel"` an unfinished one is aborted, for which Harness has a
REST call only. The look-ups before a start are those of Harness' own instructions: application, workflow or pipeline,
execution inputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Iterable, Sequence
from typing import Annotated, Final, TypeVar
from urllib.parse import quote

import harness_client as gql

from provider_py.execution import (
    Execution,
    ExecutionType,
    Missing,
    Phase,
    PollSource,
    Refused,
    Run,
    Started,
    SystemFault,
    Unanswered,
    Unauthorized,
)
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
    warning,
)
from provider_py.systems.harness import lookup, marks, polling, preflight
from provider_py.systems.harness.config import SYSTEM
from provider_py.systems.harness.connection import Harness, omit_nulls
from provider_py.systems.harness.entity import ENTITY
from provider_py.systems.harness.polling import Detail, HarnessStage

R = TypeVar("R")

APPLICATION: Final = ("application", "application_id")
VARIABLES: Final = ("variables", "variable_ids", "sensitive_variables")


@model
class Artifact:
    """An artifact to deploy."""

    source: Annotated[
        str | None, optional("Name of the artifact source. Requires `build_number`.", checks=(not_empty,))
    ] = None
    build_number: Annotated[str | None, optional("Build number or tag.", checks=(not_empty,))] = None
    artifact_id: Annotated[str | None, optional("ID of a collected artifact. Conflicts with `source`.")] = None
    parameters: Annotated[dict[str, str] | None, optional("Parameters of a parameterized source.")] = None


@model
class Manifest:
    """A Helm chart to deploy."""

    helm_chart_id: Annotated[str | None, optional("ID of a collected Helm chart. Conflicts with `source`.")] = None
    source: Annotated[str | None, optional("Name of the manifest source. Requires `version`.")] = None
    version: Annotated[str | None, optional("Version of the chart in the source.")] = None


@model
class HarnessExecution(Execution):
    """A run of a Harness FirstGen workflow or pipeline."""

    application: Annotated[
        str | None,
        optional(
            "Name of the application. Case-sensitive. Conflicts with `application_id`.",
            replace=True,
            checks=(not_empty,),
        ),
    ] = None
    application_id: Annotated[str | None, optional("ID of the application.", replace=True)] = None
    workflow: Annotated[
        str | None,
        optional(
            "Name of the workflow to run. Case-sensitive. Specify exactly one of `workflow`, `workflow_id`, `pipeline` "
            "and `pipeline_id`.",
            replace=True,
            checks=(not_empty,),
        ),
    ] = None
    workflow_id: Annotated[str | None, optional("ID of the workflow to run.", replace=True)] = None
    pipeline: Annotated[
        str | None, optional("Name of the pipeline to run. Case-sensitive.", replace=True, checks=(not_empty,))
    ] = None
    pipeline_id: Annotated[str | None, optional("ID of the pipeline to run.", replace=True)] = None
    variables: Annotated[
        dict[str, str] | None,
        optional(
            "Map of variable values. Environments, services and infrastructure definitions are specified by name.",
            replace=True,
        ),
    ] = None
    variable_ids: Annotated[
        dict[str, str] | None,
        optional("Map of IDs for environment, service and infrastructure definition variables.", replace=True),
    ] = None
    sensitive_variables: Annotated[
        dict[str, str] | None,
        optional(
            "Map of sensitive variable values, which are never stored in the state. To run with changed values, change "
            "`sensitive_variables_version`.",
            write_only=True,
        ),
    ] = None
    sensitive_variables_version: Annotated[
        str | None,
        optional("Version marker for `sensitive_variables`, whose own changes are not detected.", replace=True),
    ] = None
    artifacts: Annotated[
        dict[str, Artifact] | None, optional("Map of artifacts to deploy. Keys are service names.", replace=True)
    ] = None
    manifests: Annotated[
        dict[str, Manifest] | None, optional("Map of Helm charts to deploy. Keys are service names.", replace=True)
    ] = None
    notes: Annotated[str | None, optional("Notes to attach to the execution.", replace=True)] = None
    specific_hosts: Annotated[
        list[str] | None, optional("List of hosts to deploy to, instead of all hosts. Workflows only.", replace=True)
    ] = None
    exclude_hosts_with_same_artifact: Annotated[
        bool | None, optional("Whether to skip hosts that already have the artifact.", replace=True)
    ] = None
    continue_with_default_values: Annotated[
        bool | None,
        optional(
            "Whether to use default values where a pipeline stage would otherwise wait for runtime inputs.",
            replace=True,
        ),
    ] = None
    outputs: Annotated[
        dict[str, str] | None,
        computed(
            "Map of the variable values that the execution ran with, as resolved by Harness: environments, services "
            "and infrastructure definitions are IDs. Null on Harness versions before 2023."
        ),
    ] = None
    stages: Annotated[list[HarnessStage] | None, computed("Stages of the pipeline, in order. Null for a workflow.")] = (
        None
    )


def validate(config: Decoded[HarnessExecution]) -> Iterable[Diagnostic]:
    """Validate arguments against each other."""
    yield from exactly_one(config, APPLICATION, meaning="application")
    yield from exactly_one(config, ENTITY, meaning="workflow or pipeline")
    yield from required_together(config, ("sensitive_variables_version", "sensitive_variables"))
    if config.model is None:
        return
    yield from _check_services(config.model, config.unknown)
    if config.model.specific_hosts is not None and (config.model.pipeline or config.model.pipeline_id):
        yield error(
            "Hosts specified for a pipeline",
            "Harness accepts hosts for workflows only. Remove `specific_hosts`, or run a workflow.",
            ("specific_hosts",),
        )


def _check_services(execution: HarnessExecution, unknown: frozenset[str]) -> Iterable[Diagnostic]:
    """Require exactly one way to specify what is deployed; parts that are not known yet look like None."""
    for service, artifact in ({} if "artifacts" in unknown else execution.artifacts or {}).items():
        if not _is_clear(artifact.artifact_id, (artifact.source, artifact.build_number), artifact.parameters):
            yield error(
                f"Ambiguous artifact for service {service!r}",
                "Specify either `source` and `build_number`, with `parameters` if the source is parameterized, or "
                "`artifact_id`.",
                ("artifacts", Key(service)),
            )
    for service, manifest in ({} if "manifests" in unknown else execution.manifests or {}).items():
        if not _is_clear(manifest.helm_chart_id, (manifest.source, manifest.version)):
            yield error(
                f"Ambiguous manifest for service {service!r}",
                "Specify either `source` and `version`, or `helm_chart_id`.",
                ("manifests", Key(service)),
            )


def _is_clear(identifier: str | None, pair: tuple[str | None, str | None], parameters: object = None) -> bool:
    if identifier is not None:
        return pair == (None, None) and not parameters
    return None not in pair


class HarnessLauncher:
    """Starts executions and reads them back."""

    system = SYSTEM

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._marks = marks.Marks(harness)
        self.source: PollSource[str, Run[Detail]] = PollSource(
            lambda identifiers: polling.poll(harness, identifiers), polling.BATCH, harness.poll_spacing
        )

    async def prepare(self, config: HarnessExecution, unknown: frozenset[str]) -> Sequence[gql.StartExecutionInput]:
        """Resolve the names, check variables and services."""
        if not unknown.isdisjoint(APPLICATION):
            return ()
        application = await lookup.application_id(self._harness, config)
        if not unknown.isdisjoint(ENTITY):
            return ()
        ref = lookup.entity_ref(config.workflow, config.workflow_id, config.pipeline, config.pipeline_id)
        entity = await lookup.entity(self._harness, application, ref)
        if not unknown.isdisjoint(VARIABLES):
            return ()
        configured = {name: getattr(config, name) or {} for name in VARIABLES}
        findings = tuple(preflight.check_variables(entity, configured))
        if findings:
            raise DiagnosticError(*findings)
        request = start_input(config, application, entity)
        await preflight.check_services(
            self._harness,
            application,
            entity,
            request.variable_inputs or [],
            artifacts=None if "artifacts" in unknown else config.artifacts or (),
            manifests=None if "manifests" in unknown else config.manifests or (),
        )
        return (request,)

    async def start(self, part: gql.StartExecutionInput, token: str) -> Started[Detail]:
        """Send `startExecution` once, with a mark in the notes.

        Harness can answer null without an error although it started the execution, so that counts as no answer.
        """
        harness = self._harness
        marked = part.model_copy(update={"notes": marks.with_mark(part.notes, token)})
        response = await harness.with_fallback(
            lambda: harness.ask("startExecution", _started(harness.client.start_execution(input=marked))),
            lambda: harness.ask("startExecution", _started(harness.client.start_execution_older(input=marked))),
        )
        answer = response.start_execution
        execution = answer.execution if answer else None
        if answer is None or execution is None or not execution.id:
            raise Unanswered(SYSTEM, "startExecution was answered without an execution")
        warnings: list[Diagnostic] = []
        if answer.warning_message:
            warnings.append(warning("Harness execution started with a warning", answer.warning_message, ("variables",)))
        return Started(polling.run_of(harness, execution, Detail(application_id=part.application_id)), warnings)

    def now(self) -> float:
        """Return the time by Harness' clock."""
        return self._harness.channel.system_time()

    async def search(
        self, part: gql.StartExecutionInput, token: str, since: float, taken: frozenset[str]
    ) -> Run[Detail] | None:
        """Find the execution whose notes carry the token; raises Unanswered where the list could not be read."""
        return await marks.search(self._harness, part, token, since)

    async def marked(self, part: gql.StartExecutionInput, beginning: str) -> Sequence[tuple[str, Run[Detail]]]:
        """Return the executions of the workflow or pipeline whose marks begin so, of the last `key_search_days`.

        They are listed after the call. Raises Unanswered where they are too many to be listed.
        """
        return await self._marks.beginning(part, beginning)

    def unread(self, key: str) -> Run[Detail]:
        """Return an execution by its ID."""
        return Run(key, None, Phase.ACTIVE, Detail())

    def key(self, part: gql.StartExecutionInput, run: Run[Detail]) -> str:
        """Return the execution's ID, which is enough to find it."""
        return run.id

    def results(self, state: HarnessExecution, runs: Sequence[Run[Detail]]) -> HarnessExecution:
        """Add the stages and the resolved variables.

        Harness shows sensitive ones too, and a state does not know their names. Where there are any, only the variables
        that the other arguments name are kept.
        """
        resolved = runs[0].detail.outputs
        if resolved is not None and state.sensitive_variables_version is not None:
            named = {**(state.variables or {}), **(state.variable_ids or {})}
            resolved = {name: value for name, value in resolved.items() if name in named}
        return dataclasses.replace(state, outputs=resolved, stages=runs[0].detail.stages)

    async def cancel(self, state: HarnessExecution) -> None:
        """Abort the execution; one that has ended or is being aborted already is fine."""
        identifier = state.id or ""
        application = await lookup.application_id(self._harness, state)
        try:
            await _abort(self._harness, application, identifier)
        except (Missing, Unauthorized):
            raise
        except Refused:
            run = (await polling.poll(self._harness, [identifier])).get(identifier)
            if isinstance(run, SystemFault) or (run is not None and not run.phase.ended):
                raise

    def adopt(self, identifier: str, run: Run[Detail]) -> HarnessExecution:
        """Name what the imported execution ran, by IDs."""
        detail = run.detail
        return HarnessExecution(
            application_id=detail.application_id, workflow_id=detail.workflow_id, pipeline_id=detail.pipeline_id
        )


def start_input(config: HarnessExecution, application: str, entity: lookup.Entity) -> gql.StartExecutionInput:
    """Return the input of `startExecution`."""
    services: dict[str, gql.ServiceInput] = {}
    for name, artifact in (config.artifacts or {}).items():
        services[name] = gql.ServiceInput(name=name, artifactValueInput=_artifact_input(artifact))
    for name, manifest in (config.manifests or {}).items():
        service = services.setdefault(name, gql.ServiceInput(name=name))
        service.manifest_value_input = _manifest_input(manifest)
    named = {**(config.variables or {}), **(config.sensitive_variables or {})}
    return omit_nulls(
        gql.StartExecutionInput(
            applicationId=application,
            entityId=entity.id,
            executionType=entity.execution_type,
            variableInputs=preflight.variable_inputs(entity, by_name=named, by_id=config.variable_ids),
            serviceInputs=list(services.values()),
            notes=config.notes,
            excludeHostsWithSameArtifact=config.exclude_hosts_with_same_artifact,
            continueWithDefaultValues=config.continue_with_default_values,
            specificHosts=list(config.specific_hosts) if config.specific_hosts is not None else None,
            targetToSpecificHosts=True if config.specific_hosts else None,
        )
    )


def _artifact_input(artifact: Artifact) -> gql.ArtifactValueInput:
    types = gql.ArtifactInputType
    if artifact.artifact_id is not None:
        by_id = gql.ArtifactIdInput(artifactId=artifact.artifact_id)
        return gql.ArtifactValueInput(valueType=types.ARTIFACT_ID, artifactId=by_id)
    source, build = artifact.source or "", artifact.build_number or ""
    if artifact.parameters:
        values = [gql.ParameterValueInput(name=name, value=value) for name, value in artifact.parameters.items()]
        parameterized = gql.ParameterizedArtifactSourceInput(
            artifactSourceName=source, buildNumber=build, parameterValueInputs=list(values)
        )
        return gql.ArtifactValueInput(
            valueType=types.PARAMETERIZED_ARTIFACT_SOURCE, parameterizedArtifactSource=parameterized
        )
    by_number = gql.BuildNumberInput(artifactSourceName=source, buildNumber=build)
    return gql.ArtifactValueInput(valueType=types.BUILD_NUMBER, buildNumber=by_number)


def _manifest_input(manifest: Manifest) -> gql.ManifestValueInput:
    types = gql.ManifestInputType
    if manifest.helm_chart_id is not None:
        return gql.ManifestValueInput(valueType=types.HELM_CHART_ID, helmChartId=manifest.helm_chart_id)
    version = gql.VersionNumberInput(appManifestName=manifest.source or "", versionNumber=manifest.version or "")
    return gql.ManifestValueInput(valueType=types.VERSION_NUMBER, versionNumber=version)


async def _started(request: Awaitable[R]) -> R:
    """Await a start; errors in the fields of an execution mean that it was started."""
    try:
        return await request
    except gql.exceptions.GraphQLClientGraphQLMultiError as answer:
        if (answer.data or {}).get("startExecution") or any(len(error.path or ()) > 1 for error in answer.errors):
            reason = "startExecution was answered with an execution that could not be read"
            raise Unanswered(SYSTEM, reason) from answer
        raise


async def _abort(harness: Harness, application: str, identifier: str) -> None:
    address = f"{harness.config.endpoint}/api/executions/{quote(identifier, safe='')}"
    routing = {"appId": application, "routingId": harness.config.account_id}
    try:
        await harness.channel.put(address, params=routing, json={"executionInterruptType": "ABORT_ALL"})
    except Refused as fault:
        if not any(words in fault.reason for words in ("already been aborted", "in final state")):
            raise


TYPE: Final = ExecutionType(
    name="harness_execution",
    title="Harness execution",
    system="harness",
    model=HarnessExecution,
    description="Runs a Harness FirstGen workflow or pipeline once and waits for it to end.",
    phase=polling.phase,
    keys=lambda state: (state.id,) if state.id else (),
    import_form="the ID of the execution",
    import_key=lambda identifier: identifier or None,
    workflow=lambda state: state.workflow or state.workflow_id or state.pipeline or state.pipeline_id,
    validate=validate,
    launcher=HarnessLauncher,
)
