"""`workflow_harness_execution_inputs`: the query `executionInputs`, which tells what a run has to be given."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Final

from provider_py.execution.offers import DataSourceKind
from provider_py.plugin.checks import not_empty
from provider_py.plugin.diagnostics import Diagnostic, DiagnosticError
from provider_py.plugin.resource import Decoded
from provider_py.plugin.schema import build, computed, model, optional
from provider_py.plugin.validators import exactly_one
from provider_py.systems.harness.models import HarnessVariable, InHarnessApplication, declared, one_application
from provider_py.systems.harness.system import Harness
from provider_py.systems.harness.variables import check


@model
class HarnessServiceInput:
    """A service that a run deploys."""

    id: str | None = computed("The service's id.")
    name: str | None = computed("The service's name: the key for `artifacts` or `manifests` of an execution.")
    artifact_type: str | None = computed("What it deploys, such as `DOCKER`.")


@model
class HarnessExecutionInputs(InHarnessApplication):
    """What a run of a workflow or pipeline has to be given."""

    workflow: str | None = optional("Name of the workflow.", checks=(not_empty,))
    workflow_id: str | None = optional("Id of the workflow.", checks=(not_empty,))
    pipeline: str | None = optional("Name of the pipeline.", checks=(not_empty,))
    pipeline_id: str | None = optional("Id of the pipeline.", checks=(not_empty,))
    variables: dict[str, str] | None = optional("Values of variables, by name; services may depend on them.")
    variable_ids: dict[str, str] | None = optional("Values of variables that name an environment or so on, by id.")
    declared_variables: list[HarnessVariable] | None = computed("The variables that a run takes.")
    artifact_services: list[HarnessServiceInput] | None = computed("The services that need an artifact.")
    manifest_services: list[HarnessServiceInput] | None = computed("The services that need a Helm chart.")


def validate(config: Decoded[HarnessExecutionInputs]) -> Iterable[Diagnostic]:
    """Judge the arguments together."""
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
        build(HarnessServiceInput, id=each.id, name=each.name, artifact_type=getattr(each, "artifact_type", None))
        for each in found or ()
        if each is not None
    ]


KIND: Final = DataSourceKind(
    name="harness_execution_inputs",
    title="Harness execution input",
    system="harness",
    model=HarnessExecutionInputs,
    description="Tells what a run of a Harness FirstGen workflow or pipeline has to be given.",
    read=read,
    validate=validate,
)
