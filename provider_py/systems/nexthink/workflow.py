"""`workflow_nexthink_workflow`: one workflow by its NQL id, with `GET /api/v1/workflows/details`."""

from __future__ import annotations

from typing import Final

from provider_py.execution.offers import DataSourceKind
from provider_py.plugin.checks import not_empty
from provider_py.plugin.schema import computed, model, required
from provider_py.systems.nexthink.system import Nexthink


@model
class NexthinkTriggerMethods:
    """Ways in which a workflow may be started; null where Nexthink does not say."""

    api: bool | None = computed("Through the API, which runs need.")
    manual: bool | None = computed("By hand.")
    manual_multiple: bool | None = computed("By hand, on several targets at once.")
    scheduler: bool | None = computed("By a schedule.")
    event: bool | None = computed("By an event.")


@model
class NexthinkWorkflowParameter:
    """A parameter of a workflow's version."""

    id: str | None = computed("Its key in `params`.")
    description: str | None = computed("What it is for.")
    allow_custom_value: bool | None = computed("Whether values outside the options are taken.")
    options: list[str] | None = computed("Values to choose from.")


@model
class NexthinkWorkflowVersion:
    """A version of a workflow; at most one is active."""

    version: int | None = computed("Its number.")
    status: str | None = computed("`ACTIVE`, `INACTIVE` or `DRAFT`.")
    uuid: str | None = computed("Its UUID.")
    description: str | None = computed("What it is for.")
    valid: bool | None = computed("Whether Nexthink considers it complete.")
    has_device: bool | None = computed("Whether it runs on devices.")
    has_user: bool | None = computed("Whether it runs on users.")
    parameters: list[NexthinkWorkflowParameter] | None = computed("Its parameters.")


@model
class NexthinkWorkflowDetails:
    """A workflow as Nexthink describes it."""

    id: str | None = computed("NQL id, as Nexthink answers it: with or without its number sign.")
    uuid: str | None = computed("UUID, as events need it.")
    name: str | None = computed("Name.")
    description: str | None = computed("What it is for.")
    status: str | None = computed("`ACTIVE` or `INACTIVE`.")
    updated_at: str | None = computed("When it was last changed (RFC 3339).")
    trigger_methods: NexthinkTriggerMethods | None = computed("Ways in which it may be started.")
    versions: list[NexthinkWorkflowVersion] | None = computed("Its versions.")


@model
class NexthinkWorkflow(NexthinkWorkflowDetails):
    """A Nexthink workflow."""

    workflow: str = required(
        "NQL id of the workflow, such as `#service_restart_and_repair`, or without its number sign.",
        checks=(not_empty,),
    )


async def read(nexthink: Nexthink, config: NexthinkWorkflow) -> NexthinkWorkflow:
    """Look the workflow up."""
    from provider_py.systems.nexthink import catalog  # on first use

    return await catalog.one(nexthink, config)


KIND: Final = DataSourceKind(
    name="nexthink_workflow",
    title="Nexthink workflow",
    system="nexthink",
    model=NexthinkWorkflow,
    description="Describes a Nexthink workflow: how it may be started, its versions and their parameters.",
    read=read,
)
