"""`workflow_harness_execution_inputs`: the query `executionInputs`, which tells what a run has to be given."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Any, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, DiagnosticError, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness.models import HarnessVariable, InHarnessApplication, declared, one_application
from provider_py.systems.harness.system import Harness
from provider_py.systems.harness.variables import check


@model
class HarnessServiceInput:
    """A service that a run deploys."""

    id: Annotated[str | None, computed("The service's id.")] = None
    name: Annotated[
        str | None, computed("The service's name: the key for `artifacts` or `manifests` of an execution.")
    ] = None
    artifact_type: Annotated[str | None, computed("What it deploys, such as `DOCKER`.")] = None


@model
class HarnessExecutionInputs(InHarnessApplication):
    """What a run of a workflow or pipeline has to be given."""

    workflow: Annotated[str | None, optional("Name of the workflow.", checks=(not_empty,))] = None
    workflow_id: Annotated[str | None, optional("Id of the workflow.", checks=(not_empty,))] = None
    pipeline: Annotated[str | None, optional("Name of the pipeline.", checks=(not_empty,))] = None
    pipeline_id: Annotated[str | None, optional("Id of the pipeline.", checks=(not_empty,))] = None
    variables: Annotated[
        dict[str, str] | None, optional("Values of variables, by name; services may depend on them.")
    ] = None
    variable_ids: Annotated[
        dict[str, str] | None, optional("Values of variables that name an environment or so on, by id.")
    ] = None
    declared_variables: Annotated[list[HarnessVariable] | None, computed("The variables that a run takes.")] = None
    artifact_services: Annotated[list[HarnessServiceInput] | None, computed("The services that need an artifact.")] = (
        None
    )
    manifest_services: Annotated[list[HarnessServiceInput] | None, computed("The services that need a Helm chart.")] = (
        None
    )


def validate(config: Decoded[HarnessExecutionInputs]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    yield from one_application(config)
    targets = ("workflow", "workflow_id", "pipeline", "pipeline_id")
    yield from exactly_one(config, targets, meaning="workflow or pipeline")


async def read(harness: Harness, config: HarnessExecutionInputs) -> HarnessExecutionInputs:
    """Ask what a run with these variables has to be given."""
    from provider_py.systems.harness import calls, entities  # lazy: need the generated client

    application = await entities.application_id(harness, config)
    found = await entities.own_entity(harness, config, application)
    given = {name: getattr(config, name) or {} for name in ("variables", "variable_ids")}
    findings = tuple(check(found, given, complete=False))
    if findings:
        raise DiagnosticError(*findings)
    inputs = calls.variable_values(found, by_name=config.variables, by_id=config.variable_ids)
    needed = await calls.needed_services(harness, application, found, inputs)
    return dataclasses.replace(
        config,
        declared_variables=declared(found),
        artifact_services=_services(needed.service_inputs),
        manifest_services=_services(needed.service_manifest_inputs),
    )


def _services(found: Iterable[Any] | None) -> list[HarnessServiceInput]:
    return [
        HarnessServiceInput(id=each.id, name=each.name, artifact_type=getattr(each, "artifact_type", None))
        for each in found or ()
        if each is not None
    ]


KIND: Final = DataSourceType(
    name="harness_execution_inputs",
    title="Harness execution input",
    system="harness",
    model=HarnessExecutionInputs,
    description="Tells what a run of a Harness FirstGen workflow or pipeline has to be given.",
    read=read,
    validate=validate,
)
