"""`workflow_nexthink_workflow`: one workflow by its NQL id, with `GET /api/v1/workflows/details`."""

from __future__ import annotations

from typing import Annotated, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import computed, model, not_empty, required
from provider_py.systems.nexthink.system import Nexthink


@model
class NexthinkTriggerMethods:
    """Ways in which a workflow may be started; null where Nexthink does not say."""

    api: Annotated[bool | None, computed("Through the API, which runs need.")] = None
    manual: Annotated[bool | None, computed("By hand.")] = None
    manual_multiple: Annotated[bool | None, computed("By hand, on several targets at once.")] = None
    scheduler: Annotated[bool | None, computed("By a schedule.")] = None
    event: Annotated[bool | None, computed("By an event.")] = None


@model
class NexthinkWorkflowParameter:
    """A parameter of a workflow's version."""

    id: Annotated[str | None, computed("Its key in `params`.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None
    allow_custom_value: Annotated[bool | None, computed("Whether values outside the options are taken.")] = None
    options: Annotated[list[str] | None, computed("Values to choose from.")] = None


@model
class NexthinkWorkflowVersion:
    """A version of a workflow; at most one is active."""

    version: Annotated[int | None, computed("Its number.")] = None
    status: Annotated[str | None, computed("`ACTIVE`, `INACTIVE` or `DRAFT`.")] = None
    uuid: Annotated[str | None, computed("Its UUID.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None
    valid: Annotated[bool | None, computed("Whether Nexthink considers it complete.")] = None
    has_device: Annotated[bool | None, computed("Whether it runs on devices.")] = None
    has_user: Annotated[bool | None, computed("Whether it runs on users.")] = None
    parameters: Annotated[list[NexthinkWorkflowParameter] | None, computed("Its parameters.")] = None


@model
class NexthinkWorkflowDetails:
    """A workflow as Nexthink describes it."""

    id: Annotated[str | None, computed("NQL id, as Nexthink answers it: with or without its number sign.")] = None
    uuid: Annotated[str | None, computed("UUID, as events need it.")] = None
    name: Annotated[str | None, computed("Name.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None
    status: Annotated[str | None, computed("`ACTIVE` or `INACTIVE`.")] = None
    updated_at: Annotated[str | None, computed("When it was last changed (RFC 3339).")] = None
    trigger_methods: Annotated[NexthinkTriggerMethods | None, computed("Ways in which it may be started.")] = None
    versions: Annotated[list[NexthinkWorkflowVersion] | None, computed("Its versions.")] = None


@model
class NexthinkWorkflow(NexthinkWorkflowDetails):
    """A Nexthink workflow."""

    workflow: Annotated[
        str,
        required(
            "NQL id of the workflow, such as `#service_restart_and_repair`, or without its number sign.",
            checks=(not_empty,),
        ),
    ]


async def read(nexthink: Nexthink, config: NexthinkWorkflow) -> NexthinkWorkflow:
    """Look the workflow up."""
    from provider_py.systems.nexthink import catalog  # on first use

    return await catalog.one(nexthink, config)


KIND: Final = DataSourceType(
    name="nexthink_workflow",
    title="Nexthink workflow",
    system="nexthink",
    model=NexthinkWorkflow,
    description="Describes a Nexthink workflow: how it may be started, its versions and their parameters.",
    read=read,
)
