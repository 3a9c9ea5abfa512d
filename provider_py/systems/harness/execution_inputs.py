"""`workflow_harness_execution_inputs`: the query `executionInputs`, which tells what a run must specify."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final

from provider_py.execution import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, DiagnosticError, computed, exactly_one, model, optional
from provider_py.systems.harness import lookup, preflight
from provider_py.systems.harness.application import one_application
from provider_py.systems.harness.connection import Harness
from provider_py.systems.harness.entity import ENTITY, HarnessVariable, OfHarnessEntity, declared


@model
class HarnessServiceInput:
    """A service that a run deploys."""

    id: Annotated[str | None, computed("ID of the service.")] = None
    name: Annotated[
        str | None,
        computed("Name of the service: the key in `artifacts` or `manifests` of `workflow_harness_execution`."),
    ] = None
    artifact_type: Annotated[str | None, computed("Type of the artifacts to deploy, such as `DOCKER`.")] = None


@model
class HarnessExecutionInputs(OfHarnessEntity):
    """What a run of a workflow or pipeline must specify."""

    variables: Annotated[
        dict[str, str] | None, optional("Map of variable values, on which the deployed services may depend.")
    ] = None
    variable_ids: Annotated[
        dict[str, str] | None, optional("Map of IDs for environment, service and infrastructure definition variables.")
    ] = None
    declared_variables: Annotated[list[HarnessVariable] | None, computed("Variables that a run can set.")] = None
    artifact_services: Annotated[list[HarnessServiceInput] | None, computed("Services that require an artifact.")] = (
        None
    )
    manifest_services: Annotated[list[HarnessServiceInput] | None, computed("Services that require a Helm chart.")] = (
        None
    )


def validate(config: Decoded[HarnessExecutionInputs]) -> Iterable[Diagnostic]:
    """Validate arguments against each other."""
    yield from one_application(config)
    yield from exactly_one(config, ENTITY, meaning="workflow or pipeline")


async def read(harness: Harness, config: HarnessExecutionInputs) -> HarnessExecutionInputs:
    """Ask what a run with these variables must specify."""
    application = await lookup.application_id(harness, config)
    entity = await lookup.own_entity(harness, application, config.ref())
    configured = {"variables": config.variables or {}, "variable_ids": config.variable_ids or {}}
    findings = tuple(preflight.check_variables(entity, configured, complete=False))
    if findings:
        raise DiagnosticError(*findings)
    variables = preflight.variable_inputs(entity, by_name=config.variables, by_id=config.variable_ids)
    inputs = await preflight.execution_inputs(harness, application, entity, variables)
    return dataclasses.replace(
        config,
        declared_variables=declared(entity),
        artifact_services=[
            HarnessServiceInput(id=service.id, name=service.name, artifact_type=service.artifact_type)
            for service in inputs.service_inputs or ()
            if service is not None
        ],
        manifest_services=[
            HarnessServiceInput(id=service.id, name=service.name)
            for service in inputs.service_manifest_inputs or ()
            if service is not None
        ],
    )


TYPE: Final = DataSourceType(
    name="harness_execution_inputs",
    title="Harness execution input",
    system="harness",
    model=HarnessExecutionInputs,
    description="Looks up what a run of a Harness FirstGen workflow or pipeline must specify.",
    read=read,
    validate=validate,
)
