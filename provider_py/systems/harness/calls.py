"""The GraphQL calls behind an execution, in and out of the generated client's types. Imported on first use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from harness_client import (
    ArtifactIdInput,
    ArtifactInputType,
    ArtifactValueInput,
    BuildNumberInput,
    ExecutionInputsExecutionInputs,
    ExecutionType,
    ManifestInputType,
    ManifestValueInput,
    ParameterizedArtifactSourceInput,
    ParameterValueInput,
    ServiceInput,
    StartExecutionInput,
    VariableDetails,
    VariableInput,
    VariableValue,
    VariableValueType,
    VersionNumberInput,
)

from provider_py.execution.errors import Missing, Refused
from provider_py.execution.system import unknown_name
from provider_py.plugin.diagnostics import Diagnostic, DiagnosticError, error
from provider_py.systems.harness.settings import SYSTEM
from provider_py.systems.harness.variables import Entity, Variable

if TYPE_CHECKING:
    from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest
    from provider_py.systems.harness.system import Harness

PAGE: Final = 100
"""The most that Harness returns at once, whatever is asked for."""


async def application_id(harness: Harness, config: HarnessExecution) -> str:
    """Return the id of the configured application; raises DiagnosticError if there is none of that name."""
    if config.application is None:
        return config.application_id or ""
    name = config.application
    try:
        return await harness.lookups.get(("application", name), lambda: _application_by_name(harness, name))
    except Missing as fault:
        known = await harness.lookups.get(("applications",), lambda: _applications(harness))
        raise DiagnosticError(unknown_name("Harness application", name, known, "application")) from fault


async def entity(harness: Harness, config: HarnessExecution, application: str) -> Entity:
    """Return the workflow or pipeline to run, with its variables; raises DiagnosticError if there is none."""
    for kind, attribute in (("workflow", "workflow"), ("pipeline", "pipeline")):
        for by, field in (("name", attribute), ("id", f"{attribute}_id")):
            wanted = getattr(config, field)
            if wanted is not None:
                return await _entity(harness, application, kind, by, wanted, field)
    raise Refused(SYSTEM, "neither a workflow nor a pipeline is named")


async def _entity(harness: Harness, application: str, kind: str, by: str, wanted: str, field: str) -> Entity:
    asks = {
        ("workflow", "name"): lambda: _workflow_by_name(harness, application, wanted),
        ("workflow", "id"): lambda: _workflow(harness, wanted),
        ("pipeline", "name"): lambda: _pipeline_by_name(harness, application, wanted),
        ("pipeline", "id"): lambda: _pipeline(harness, wanted),
    }
    try:
        found = await harness.lookups.get((kind, by, application, wanted), asks[kind, by])
    except Missing as fault:
        known = await harness.lookups.get((f"{kind}s", application), lambda: _names(harness, application, kind))
        names = known if by == "name" else ()
        raise DiagnosticError(unknown_name(f"Harness {kind}", wanted, names, field)) from fault
    return found


async def check_services(
    harness: Harness, config: HarnessExecution, application: str, found: Entity, unknown: frozenset[str]
) -> None:
    """Ask which services need an artifact or a chart; raises DiagnosticError for each that has none."""
    inputs = variable_inputs(config, found)
    key = ("inputs", application, found.id, *((each.name, each.variable_value.value) for each in inputs))
    try:
        needed = await harness.lookups.get(key, lambda: _execution_inputs(harness, application, found, inputs))
    except Refused as fault:
        if type(fault) is not Refused and not isinstance(fault, Missing):
            raise
        told = error(
            f"Harness does not accept the variables of {found.kind.lower()} {found.name!r}",
            f"{fault.reason}. Correct `variables`.",
            ("variables",),
        )
        raise DiagnosticError(told) from fault
    findings = []
    if "artifacts" not in unknown:
        findings += _lacking("an artifact", "artifacts", needed.service_inputs, config.artifacts or {})
    if "manifests" not in unknown:
        findings += _lacking("a Helm chart", "manifests", needed.service_manifest_inputs, config.manifests or {})
    if findings:
        raise DiagnosticError(*findings)


def _lacking(
    what: str, attribute: str, services: Iterable[Any] | None, given: Mapping[str, object]
) -> list[Diagnostic]:
    missing = [str(service.name) for service in services or () if service and service.name not in given]
    return [
        error(
            f"Service {name!r} needs {what}",
            f"Add the key {name!r} to `{attribute}` and say there which one to deploy.",
            (attribute,),
        )
        for name in missing
    ]


def start_input(config: HarnessExecution, application: str, found: Entity) -> StartExecutionInput:
    """Write the input of `startExecution`."""
    services: dict[str, ServiceInput] = {}
    for name, artifact in (config.artifacts or {}).items():
        services[name] = ServiceInput(name=name, artifactValueInput=_artifact(artifact))
    for name, manifest in (config.manifests or {}).items():
        chart = _manifest(manifest)
        service = services.setdefault(name, ServiceInput(name=name))
        service.manifest_value_input = chart
    optional: dict[str, Any] = {
        "notes": config.notes,
        "excludeHostsWithSameArtifact": config.exclude_hosts_with_same_artifact,
        "continueWithDefaultValues": config.continue_with_default_values,
        "specificHosts": config.specific_hosts,
        "targetToSpecificHosts": True if config.specific_hosts else None,
    }
    return StartExecutionInput(
        applicationId=application,
        entityId=found.id,
        executionType=ExecutionType(found.kind),
        variableInputs=list(variable_inputs(config, found)),
        serviceInputs=list(services.values()),
        **{name: value for name, value in optional.items() if value is not None},
    )


def variable_inputs(config: HarnessExecution, found: Entity) -> list[VariableInput]:
    """Write the variables in the order of their declaration, since an environment decides on what follows it."""
    values: dict[str, VariableValue] = {}
    for given, kind in (
        (config.variables, VariableValueType.NAME),
        (config.sensitive_variables, VariableValueType.NAME),
        (config.variable_ids, VariableValueType.ID),
    ):
        for name, value in (given or {}).items():
            values[name] = VariableValue(type=kind, value=value)
    order = {variable.name: place for place, variable in enumerate(found.variables)}
    names = sorted(values, key=lambda name: order.get(name, len(order)))
    return [VariableInput(name=name, variableValue=values[name]) for name in names]


def _artifact(artifact: Artifact) -> ArtifactValueInput:
    if artifact.artifact_id is not None:
        chosen = ArtifactIdInput(artifactId=artifact.artifact_id)
        return ArtifactValueInput(valueType=ArtifactInputType.ARTIFACT_ID, artifactId=chosen)
    source, build = artifact.source or "", artifact.build_number or ""
    if artifact.parameters:
        return ArtifactValueInput(
            valueType=ArtifactInputType.PARAMETERIZED_ARTIFACT_SOURCE,
            parameterizedArtifactSource=ParameterizedArtifactSourceInput(
                artifactSourceName=source,
                buildNumber=build,
                parameterValueInputs=[
                    ParameterValueInput(name=name, value=value) for name, value in artifact.parameters.items()
                ],
            ),
        )
    return ArtifactValueInput(
        valueType=ArtifactInputType.BUILD_NUMBER,
        buildNumber=BuildNumberInput(artifactSourceName=source, buildNumber=build),
    )


def _manifest(manifest: Manifest) -> ManifestValueInput:
    if manifest.helm_chart_id is not None:
        return ManifestValueInput(valueType=ManifestInputType.HELM_CHART_ID, helmChartId=manifest.helm_chart_id)
    return ManifestValueInput(
        valueType=ManifestInputType.VERSION_NUMBER,
        versionNumber=VersionNumberInput(appManifestName=manifest.source or "", versionNumber=manifest.version or ""),
    )


async def abort(harness: Harness, application: str, identifier: str) -> None:
    """Abort an execution through REST: GraphQL has no mutation for it."""
    address = f"{str(harness.settings.endpoint).rstrip('/')}/api/executions/{quote(identifier, safe='')}"
    routing = {"appId": application, "routingId": harness.settings.account_id or ""}
    try:
        await harness.channel.put(address, params=routing, json={"executionInterruptType": "ABORT_ALL"})
    except Refused as fault:
        if "already been aborted" not in fault.reason:
            raise


async def _application_by_name(harness: Harness, name: str) -> str:
    async with harness.asking("applicationByName"):
        found = (await harness.client.application_by_name(name=name)).application_by_name
    return _id(found, "application")


async def _applications(harness: Harness) -> Sequence[str]:
    async with harness.asking("applications"):
        page = (await harness.client.applications(limit=PAGE)).applications
    return _listed(page)


async def _names(harness: Harness, application: str, kind: str) -> Sequence[str]:
    from harness_client import IdFilter, IdOperator, PipelineFilter, WorkflowFilter

    only = IdFilter(operator=IdOperator.EQUALS, values=[application])
    async with harness.asking(f"{kind}s"):
        if kind == "workflow":
            return _listed(
                (await harness.client.workflows(limit=PAGE, filters=[WorkflowFilter(application=only)])).workflows
            )
        return _listed(
            (await harness.client.pipelines(limit=PAGE, filters=[PipelineFilter(application=only)])).pipelines
        )


async def _workflow_by_name(harness: Harness, application: str, name: str) -> Entity:
    async with harness.asking("workflowByName"):
        found = (await harness.client.workflow_by_name(workflow_name=name, application_id=application)).workflow_by_name
    return Entity("WORKFLOW", _id(found, "workflow"), name, _variables(found.workflow_variables if found else ()))


async def _workflow(harness: Harness, identifier: str) -> Entity:
    async with harness.asking("workflow"):
        found = (await harness.client.workflow(workflow_id=identifier)).workflow
    return Entity(
        "WORKFLOW",
        _id(found, "workflow"),
        _name(found, identifier),
        _variables(found.workflow_variables if found else ()),
    )


async def _pipeline_by_name(harness: Harness, application: str, name: str) -> Entity:
    async with harness.asking("pipelineByName"):
        found = (await harness.client.pipeline_by_name(pipeline_name=name, application_id=application)).pipeline_by_name
    return Entity("PIPELINE", _id(found, "pipeline"), name, _variables(found.pipeline_variables if found else ()))


async def _pipeline(harness: Harness, identifier: str) -> Entity:
    async with harness.asking("pipeline"):
        found = (await harness.client.pipeline(pipeline_id=identifier)).pipeline
    return Entity(
        "PIPELINE",
        _id(found, "pipeline"),
        _name(found, identifier),
        _variables(found.pipeline_variables if found else ()),
    )


async def _execution_inputs(
    harness: Harness, application: str, found: Entity, inputs: list[VariableInput]
) -> ExecutionInputsExecutionInputs:
    async with harness.asking("executionInputs"):
        answer = await harness.client.execution_inputs(
            entity_id=found.id,
            application_id=application,
            execution_type=ExecutionType(found.kind),
            variable_inputs=list(inputs),
        )
    return answer.execution_inputs or ExecutionInputsExecutionInputs(serviceInputs=[], serviceManifestInputs=[])


def _variables(declared: Iterable[VariableDetails | None] | None) -> Sequence[Variable]:
    return tuple(
        Variable(
            name=each.name,
            type=each.type_ or "",
            required=bool(each.required),
            fixed=bool(each.fixed),
            default=each.default_value,
            allowed=tuple(value for value in each.allowed_values or () if value is not None),
            several=bool(each.allow_multiple_values),
        )
        for each in declared or ()
        if each is not None and each.name is not None
    )


def _id(found: Any, what: str) -> str:
    """Harness answers a missing pipeline with null, a missing workflow with an error; both are Missing here."""
    if found is None or not found.id:
        raise Missing(SYSTEM, f"there is no such {what}")
    return str(found.id)


def _name(found: Any, identifier: str) -> str:
    return str(found.name) if found is not None and found.name else identifier


def _listed(page: Any) -> Sequence[str]:
    return [str(node.name) for node in (page.nodes if page else None) or () if node is not None]
