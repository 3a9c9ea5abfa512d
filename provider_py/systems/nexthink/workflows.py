"""`workflow_nexthink_workflows`: the workflows of an instance, with `GET /api/v1/workflows`."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Final

from provider_py.execution import DataSourceType
from provider_py.plugin import computed, model, one_of, optional
from provider_py.systems.nexthink.connection import Nexthink
from provider_py.systems.nexthink.lookup import list_workflows
from provider_py.systems.nexthink.workflow import NexthinkWorkflowDetails, details

DEPENDENCIES: Final = ("USER", "DEVICE", "USER_AND_DEVICE", "NONE")
TRIGGER_METHODS: Final = ("API", "MANUAL", "MANUAL_MULTIPLE", "SCHEDULER")


@model
class NexthinkWorkflows:
    """The Nexthink workflows that match filters."""

    dependency: Annotated[
        str | None,
        optional(
            "Return only workflows that run on these targets: `USER`, `DEVICE`, `USER_AND_DEVICE` or `NONE`.",
            checks=(one_of(*DEPENDENCIES),),
        ),
    ] = None
    trigger_method: Annotated[
        str | None,
        optional(
            "Return only workflows that can be started this way: `API`, `MANUAL`, `MANUAL_MULTIPLE` or `SCHEDULER`.",
            checks=(one_of(*TRIGGER_METHODS),),
        ),
    ] = None
    active_only: Annotated[bool, optional("Return only active workflows.")] = False
    workflows: Annotated[list[NexthinkWorkflowDetails] | None, computed("Workflows that match the filters.")] = None


async def read(nexthink: Nexthink, config: NexthinkWorkflows) -> NexthinkWorkflows:
    """Return the workflows that match the filters."""
    workflows = await list_workflows(nexthink, config.dependency, config.trigger_method, active_only=config.active_only)
    return dataclasses.replace(config, workflows=[details(workflow) for workflow in workflows])


TYPE: Final = DataSourceType(
    name="nexthink_workflows",
    title="Nexthink workflow list",
    system="nexthink",
    model=NexthinkWorkflows,
    description="Lists the workflows of a Nexthink instance.",
    read=read,
)
