"""`workflow_vcd_workflows`: lists the workflows of the service library."""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import TYPE_CHECKING, Annotated, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import computed, model, not_empty, optional
from provider_py.systems.vcd.system import CloudDirector

if TYPE_CHECKING:
    from provider_py.systems.vcd.library import Item


@model
class VcdListedWorkflow:
    """A workflow in the list."""

    id: Annotated[str | None, computed("Id of the service item, a URN; `workflow_id` of an execution takes it.")] = None
    name: Annotated[str | None, computed("Name of the service item.")] = None
    description: Annotated[str | None, computed("What the workflow does.")] = None
    service_name: Annotated[str | None, computed("Name of the service that the item belongs to.")] = None
    orchestrator_id: Annotated[str | None, computed("Id of the workflow in Orchestrator.")] = None
    can_execute: Annotated[
        bool | None, computed("Whether these credentials may run it; null if Cloud Director does not say.")
    ] = None


@model
class VcdWorkflows:
    """The workflows of Cloud Director's service library that these credentials see."""

    name: Annotated[
        str | None,
        optional("Only workflows of this name, case-sensitive; `*` stands for any characters.", checks=(not_empty,)),
    ] = None
    service_name: Annotated[
        str | None, optional("Only workflows of the service of this name, exact.", checks=(not_empty,))
    ] = None
    workflows: Annotated[list[VcdListedWorkflow] | None, computed("The workflows, sorted by name.")] = None


async def read(director: CloudDirector, config: VcdWorkflows) -> VcdWorkflows:
    """List them."""
    from provider_py.systems.vcd import library

    found = [item for item in await library.listed(director, config.name) if _fits(item, config)]
    return dataclasses.replace(
        config,
        workflows=[
            VcdListedWorkflow(
                id=item.id,
                name=item.name,
                description=item.description,
                service_name=item.service,
                orchestrator_id=item.orchestrator_id,
                can_execute=item.can_execute,
            )
            for item in sorted(found, key=lambda item: (item.name or "", item.id))
        ],
    )


def _fits(item: Item, config: VcdWorkflows) -> bool:
    """Validate here too: the filter in the request may be left out, and servers differ in what it may name."""
    shape = (config.name or "*").replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(item.name or "", shape) and config.service_name in {None, item.service}


KIND: Final = DataSourceType(
    name="vcd_workflows",
    title="Cloud Director workflow",
    system="vcd",
    model=VcdWorkflows,
    description="Lists the workflows of Cloud Director's service library.",
    read=read,
)
