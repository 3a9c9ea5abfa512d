"""`workflow_nexthink_workflows`: the workflows of an instance, with `GET /api/v1/workflows`.

The published call demands both filters and knows no value for "any". With one of them given, it is made once for each
value of the other; with none, once without filters, which Nexthink answers although it is not published, and for each
pair of values where that is refused.
"""

from __future__ import annotations

from typing import Annotated, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import computed, model, one_of, optional
from provider_py.systems.nexthink.system import Nexthink
from provider_py.systems.nexthink.workflow import NexthinkWorkflowDetails

DEPENDENCIES: Final = ("USER", "DEVICE", "USER_AND_DEVICE", "NONE")
TRIGGER_METHODS: Final = ("API", "MANUAL", "MANUAL_MULTIPLE", "SCHEDULER")


@model
class NexthinkWorkflows:
    """The Nexthink workflows that filters leave."""

    dependency: Annotated[
        str | None,
        optional(
            "What the workflows run on: `USER`, `DEVICE`, `USER_AND_DEVICE` or `NONE`.", checks=(one_of(*DEPENDENCIES),)
        ),
    ] = None
    trigger_method: Annotated[
        str | None,
        optional(
            "How the workflows may be started: `API`, `MANUAL`, `MANUAL_MULTIPLE` or `SCHEDULER`.",
            checks=(one_of(*TRIGGER_METHODS),),
        ),
    ] = None
    active_only: Annotated[bool, optional("Leave out workflows that are not active.")] = False
    workflows: Annotated[list[NexthinkWorkflowDetails] | None, computed("The workflows, each once.")] = None


async def read(nexthink: Nexthink, config: NexthinkWorkflows) -> NexthinkWorkflows:
    """List the workflows."""
    from provider_py.systems.nexthink import catalog  # on first use

    return await catalog.listed(nexthink, config)


KIND: Final = DataSourceType(
    name="nexthink_workflows",
    title="List of Nexthink workflows",
    system="nexthink",
    model=NexthinkWorkflows,
    description="Lists the Nexthink workflows of an instance.",
    read=read,
)
