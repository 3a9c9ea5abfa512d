"""The GraphQL calls behind an execution, in and out of the generated client's types. Imported on first use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    VariableInput,
    VariableValue,
    VariableValueType,
    VersionNumberInput,
)

from provider_py.execution.errors import Missing, Refused
from provider_py.plugin import Diagnostic, DiagnosticError, error
from provider_py.systems.harness.entities import elsewhere
from provider_py.systems.harness.variables import Entity

if TYPE_CHECKING:
    from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest
    from provider_py.systems.harness.system import Harness

_ELSEWHERE: Final = re.compile(r"(Workflow|Pipeline) \S+ doesn't exist in the specified application")
"""What Harness says of an id that is good, but not in this application."""


async def needed_services(
    harness: Harness, application: str, found: Entity, inputs: list[VariableInput]
) -> ExecutionInputsExecutionInputs:
    """Ask which services need an artifact or a chart, given the variables."""
    key = ("inputs", application, found.id, *((each.name, each.variable_value.value) for each in inputs))
    return await harness.lookups.get(key, lambda: _execution_inputs(harness, application, found, inputs))


async def check_services(
    harness: Harness, config: HarnessExecution, application: str, found: Entity, unknown: frozenset[str]
) -> None:
    """Ask which services need an artifact or a chart; raises DiagnosticError for each that has none."""
    try:
        needed = await needed_services(harness, application, found, variable_inputs(config, found))
    except Refused as fault:
        if type(fault) is not Refused and not isinstance(fault, Missing):
            raise
        if _ELSEWHERE.search(fault.reason):
            raise DiagnosticError(elsewhere(found.kind.lower(), found.id)) from fault
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
    named = {**(config.variables or {}), **(config.sensitive_variables or {})}
    return variable_values(found, by_name=named, by_id=config.variable_ids)


def variable_values(
    found: Entity, *, by_name: Mapping[str, str] | None, by_id: Mapping[str, str] | None
) -> list[VariableInput]:
    """Write values of variables, by the names or by the ids of what they stand for."""
    values: dict[str, VariableValue] = {}
    for given, kind in ((by_name, VariableValueType.NAME), (by_id, VariableValueType.ID)):
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
        if not any(words in fault.reason for words in ("already been aborted", "in final state")):
            raise


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
