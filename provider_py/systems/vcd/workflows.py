"""`workflow_vcd_workflows`: lists the workflows of the service library."""

from __future__ import annotations

import dataclasses
import fnmatch
from typing import Annotated, Final

from provider_py.execution import DataSourceType
from provider_py.plugin import computed, model, not_empty, optional
from provider_py.systems.vcd import lookup
from provider_py.systems.vcd.connection import CloudDirector


@model
class VcdListedWorkflow:
    """A workflow in the list."""

    id: Annotated[str | None, computed("URN of the service item, to use as `workflow_id` of an execution.")] = None
    name: Annotated[str | None, computed("Name of the service item.")] = None
    description: Annotated[str | None, computed("Description of the workflow.")] = None
    service_name: Annotated[str | None, computed("Name of the service that the item belongs to.")] = None
    orchestrator_id: Annotated[str | None, computed("ID of the workflow in Orchestrator.")] = None
    can_execute: Annotated[
        bool | None, computed("Whether these credentials may run the workflow. Null if it is not reported.")
    ] = None


@model
class VcdWorkflows:
    """The workflows of Cloud Director's service library that are visible to these credentials."""

    name: Annotated[
        str | None,
        optional("Name of the workflows to list. Case-sensitive; `*` matches any characters.", checks=(not_empty,)),
    ] = None
    service_name: Annotated[
        str | None, optional("Name of the service whose workflows to list. Case-sensitive.", checks=(not_empty,))
    ] = None
    workflows: Annotated[list[VcdListedWorkflow] | None, computed("Matching workflows, sorted by name.")] = None


async def read(director: CloudDirector, config: VcdWorkflows) -> VcdWorkflows:
    """List the workflows. Items are filtered here as well: not every name can be filtered by in the request."""
    items = [item for item in await lookup.list_items(director, config.name) if _matches(item, config)]
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
            for item in sorted(items, key=lambda item: (item.name or "", item.id))
        ],
    )


def _matches(item: lookup.Item, config: VcdWorkflows) -> bool:
    shape = (config.name or "*").replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(item.name or "", shape) and config.service_name in {None, item.service}


TYPE: Final = DataSourceType(
    name="vcd_workflows",
    title="Cloud Director workflow",
    system="vcd",
    model=VcdWorkflows,
    description="Lists the workflows in Cloud Director's service library.",
    read=read,
)
