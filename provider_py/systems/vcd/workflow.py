"""`workflow_vcd_workflow`: looks up one workflow of the service library, and its presentation for the parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.vcd.execution import workflow_id_form
from provider_py.systems.vcd.system import CloudDirector


@model
class VcdWorkflowParameter:
    """An input of a workflow."""

    name: Annotated[str | None, computed("Name, as `parameters` of an execution has it.")] = None
    type: Annotated[
        str | None, computed("Orchestrator type, such as `string` or `Array/number`; null if it is not declared.")
    ] = None
    mandatory: Annotated[bool | None, computed("Whether it must be given.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None


@model
class VcdWorkflowOutput:
    """An output of a workflow."""

    name: Annotated[str | None, computed("Name, as `outputs` of an execution has it.")] = None
    type: Annotated[str | None, computed("Orchestrator type; null if it is not declared.")] = None
    description: Annotated[str | None, computed("What it is.")] = None


@model
class VcdWorkflow:
    """A workflow that is published in Cloud Director's service library."""

    workflow: Annotated[str | None, optional("Name of the workflow's service item, exact.", checks=(not_empty,))] = None
    workflow_id: Annotated[
        str | None,
        optional(
            "Id of the workflow, in place of its name: of the service item (URN or UUID) or of Orchestrator.",
            checks=(workflow_id_form,),
        ),
    ] = None
    id: Annotated[str | None, computed("Id of the service item, a URN.")] = None
    name: Annotated[str | None, computed("Name of the service item.")] = None
    description: Annotated[str | None, computed("What the workflow does.")] = None
    service_name: Annotated[str | None, computed("Name of the service that the item belongs to.")] = None
    service_id: Annotated[str | None, computed("Id of that service, a URN.")] = None
    orchestrator_id: Annotated[str | None, computed("Id of the workflow in Orchestrator.")] = None
    can_execute: Annotated[
        bool | None, computed("Whether these credentials may run it; null if Cloud Director does not say.")
    ] = None
    parameters: Annotated[
        list[VcdWorkflowParameter] | None,
        computed("Its inputs, in the order of its form; null if Cloud Director has no form of it."),
    ] = None
    outputs: Annotated[
        list[VcdWorkflowOutput] | None, computed("Its outputs; null if Cloud Director has no form of it.")
    ] = None


def validate(config: Decoded[VcdWorkflow]) -> Iterable[Diagnostic]:
    """Demand a name or an id."""
    return exactly_one(config, ("workflow", "workflow_id"), meaning="workflow")


async def read(director: CloudDirector, config: VcdWorkflow) -> VcdWorkflow:
    """Look it up."""
    from provider_py.systems.vcd import library, presentation

    item, form = await presentation.find(director, config.workflow, config.workflow_id)
    if item.name is None:
        item = await library.identified(director, item.id) or item
    return dataclasses.replace(
        config,
        id=item.id,
        name=item.name,
        description=item.description,
        service_name=item.service,
        service_id=item.service_id,
        orchestrator_id=item.orchestrator_id,
        can_execute=item.can_execute,
        parameters=[
            VcdWorkflowParameter(
                name=each.name,
                type=each.type,
                mandatory=each.mandatory,
                description=each.description,
            )
            for each in form.inputs
        ]
        if form
        else None,
        outputs=[
            VcdWorkflowOutput(name=each.name, type=each.type, description=each.description) for each in form.outputs
        ]
        if form
        else None,
    )


KIND: Final = DataSourceType(
    name="vcd_workflow",
    title="Cloud Director workflow",
    system="vcd",
    model=VcdWorkflow,
    description="Looks up a workflow of Cloud Director's service library, with its parameters and outputs.",
    read=read,
    validate=validate,
)
