"""`workflow_harness_workflow`: the queries `workflowByName` and `workflow`, with the variables that a run takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness.models import HarnessVariable, InHarnessApplication, declared, one_application
from provider_py.systems.harness.system import Harness


@model
class HarnessWorkflow(InHarnessApplication):
    """A workflow of a Harness FirstGen application."""

    workflow: Annotated[
        str | None, optional("Name of the workflow, exact and case-sensitive.", checks=(not_empty,))
    ] = None
    workflow_id: Annotated[str | None, optional("Id of the workflow, in place of its name.", checks=(not_empty,))] = (
        None
    )
    id: Annotated[str | None, computed("The workflow's id.")] = None
    name: Annotated[str | None, computed("The workflow's name.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None
    variables: Annotated[list[HarnessVariable] | None, computed("The variables that a run of it takes.")] = None


def validate(config: Decoded[HarnessWorkflow]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    yield from one_application(config)
    yield from exactly_one(config, ("workflow", "workflow_id"), meaning="workflow")


async def read(harness: Harness, config: HarnessWorkflow) -> HarnessWorkflow:
    """Look up the workflow in its application."""
    from provider_py.systems.harness import entities  # lazy: needs the generated client

    found = await entities.own_entity(harness, config, await entities.application_id(harness, config))
    return dataclasses.replace(
        config, id=found.id, name=found.name, description=found.description, variables=declared(found)
    )


KIND: Final = DataSourceType(
    name="harness_workflow",
    title="Harness workflow",
    system="harness",
    model=HarnessWorkflow,
    description="Looks up a workflow of Harness FirstGen by its name or id, with the variables that a run of it takes.",
    read=read,
    validate=validate,
)
