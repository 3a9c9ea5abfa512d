"""`workflow_vcd_workflow`: looks up one workflow of the service library, and its presentation for the parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final

from provider_py.execution import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.vcd import lookup
from provider_py.systems.vcd.connection import CloudDirector


@model
class VcdWorkflowParameter:
    """An input parameter of a workflow."""

    name: Annotated[str | None, computed("Name of the parameter, to use in `parameters` of an execution.")] = None
    type: Annotated[
        str | None, computed("Orchestrator type, such as `string` or `Array/number`. Null if none is declared.")
    ] = None
    mandatory: Annotated[bool | None, computed("Whether the parameter must be set.")] = None
    description: Annotated[str | None, computed("Description of the parameter.")] = None


@model
class VcdWorkflowOutput:
    """An output parameter of a workflow."""

    name: Annotated[str | None, computed("Name of the parameter, as in `outputs` of an execution.")] = None
    type: Annotated[str | None, computed("Orchestrator type. Null if none is declared.")] = None
    description: Annotated[str | None, computed("Description of the parameter.")] = None


@model
class VcdWorkflow:
    """A workflow that is published in Cloud Director's service library."""

    workflow: Annotated[
        str | None,
        optional(
            "Name of the workflow's service item. Exactly one of `workflow` and `workflow_id` must be set.",
            checks=(not_empty,),
        ),
    ] = None
    workflow_id: Annotated[
        str | None,
        optional(
            "ID of the workflow: the URN or UUID of its service item, or its ID in Orchestrator.",
            checks=(lookup.check_workflow_id,),
        ),
    ] = None
    id: Annotated[str | None, computed("URN of the service item.")] = None
    name: Annotated[str | None, computed("Name of the service item.")] = None
    description: Annotated[str | None, computed("Description of the workflow.")] = None
    service_name: Annotated[str | None, computed("Name of the service that the item belongs to.")] = None
    service_id: Annotated[str | None, computed("URN of the service that the item belongs to.")] = None
    orchestrator_id: Annotated[str | None, computed("ID of the workflow in Orchestrator.")] = None
    can_execute: Annotated[
        bool | None, computed("Whether these credentials may run the workflow. Null if it is not reported.")
    ] = None
    parameters: Annotated[
        list[VcdWorkflowParameter] | None,
        computed("Input parameters, in the order of the presentation. Null if the workflow has no presentation."),
    ] = None
    outputs: Annotated[
        list[VcdWorkflowOutput] | None, computed("Output parameters. Null if the workflow has no presentation.")
    ] = None


def validate(config: Decoded[VcdWorkflow]) -> Iterable[Diagnostic]:
    """Require a name or an ID."""
    return exactly_one(config, ("workflow", "workflow_id"), meaning="workflow")


async def read(director: CloudDirector, config: VcdWorkflow) -> VcdWorkflow:
    """Look up the workflow; what the library does not list has an ID and parameters only."""
    item, form = await lookup.find_workflow(director, config.workflow, config.workflow_id)
    if item.name is None:
        item = await lookup.item_with_id(director, item.id) or item
    return dataclasses.replace(
        config,
        id=item.id,
        name=item.name,
        description=item.description,
        service_name=item.service,
        service_id=item.service_id,
        orchestrator_id=item.orchestrator_id,
        can_execute=item.can_execute,
        parameters=None if form is None else [_input(parameter) for parameter in form.inputs],
        outputs=None if form is None else [_output(parameter) for parameter in form.outputs],
    )


def _input(parameter: lookup.Parameter) -> VcdWorkflowParameter:
    return VcdWorkflowParameter(
        name=parameter.name, type=parameter.type, mandatory=parameter.mandatory, description=parameter.description
    )


def _output(parameter: lookup.Parameter) -> VcdWorkflowOutput:
    return VcdWorkflowOutput(name=parameter.name, type=parameter.type, description=parameter.description)


TYPE: Final = DataSourceType(
    name="vcd_workflow",
    title="Cloud Director workflow",
    system="vcd",
    model=VcdWorkflow,
    description="Looks up a workflow in Cloud Director's service library, with its input and output parameters.",
    read=read,
    validate=validate,
)
