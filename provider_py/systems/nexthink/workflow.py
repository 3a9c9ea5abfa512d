"""`workflow_nexthink_workflow`: one workflow by its NQL ID, with `GET /api/v1/workflows/details`."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Final, TypeVar

import nexthink_client
from nexthink_client import models

from provider_py.execution import DataSourceType
from provider_py.plugin import attributes, computed, model, not_empty, required
from provider_py.systems.nexthink.connection import Nexthink
from provider_py.systems.nexthink.lookup import get_workflow

T = TypeVar("T")


@model
class NexthinkTriggerMethods:
    """Ways to start a workflow; null where Nexthink does not say."""

    api: Annotated[
        bool | None, computed("Whether the API can start the workflow, as `workflow_nexthink_execution` requires.")
    ] = None
    manual: Annotated[bool | None, computed("Whether a user can start the workflow.")] = None
    manual_multiple: Annotated[
        bool | None, computed("Whether a user can start the workflow on several targets at once.")
    ] = None
    scheduler: Annotated[bool | None, computed("Whether a schedule can start the workflow.")] = None
    event: Annotated[bool | None, computed("Whether an event can start the workflow.")] = None


@model
class NexthinkWorkflowParameter:
    """A parameter of a workflow version."""

    id: Annotated[str | None, computed("ID of the parameter: its key in `params`.")] = None
    description: Annotated[str | None, computed("Description of the parameter.")] = None
    allow_custom_value: Annotated[bool | None, computed("Whether values other than `options` are allowed.")] = None
    options: Annotated[list[str] | None, computed("Predefined values.")] = None


@model
class NexthinkWorkflowVersion:
    """A version of a workflow; at most one is active."""

    version: Annotated[int | None, computed("Number of the version.")] = None
    status: Annotated[str | None, computed("Status of the version: `ACTIVE`, `INACTIVE` or `DRAFT`.")] = None
    uuid: Annotated[str | None, computed("UUID of the version.")] = None
    description: Annotated[str | None, computed("Description of the version.")] = None
    valid: Annotated[bool | None, computed("Whether Nexthink considers the version valid.")] = None
    has_device: Annotated[bool | None, computed("Whether the version runs on devices.")] = None
    has_user: Annotated[bool | None, computed("Whether the version runs on users.")] = None
    parameters: Annotated[list[NexthinkWorkflowParameter] | None, computed("Parameters of the version.")] = None


@model
class NexthinkWorkflowDetails:
    """A workflow as Nexthink describes it."""

    id: Annotated[
        str | None, computed("NQL ID of the workflow as Nexthink returns it, with or without the number sign.")
    ] = None
    uuid: Annotated[str | None, computed("UUID of the workflow.")] = None
    name: Annotated[str | None, computed("Name of the workflow.")] = None
    description: Annotated[str | None, computed("Description of the workflow.")] = None
    status: Annotated[str | None, computed("Status of the workflow: `ACTIVE` or `INACTIVE`.")] = None
    updated_at: Annotated[str | None, computed("Time of the last change, in RFC 3339 format.")] = None
    trigger_methods: Annotated[NexthinkTriggerMethods | None, computed("Ways to start the workflow.")] = None
    versions: Annotated[list[NexthinkWorkflowVersion] | None, computed("Versions of the workflow.")] = None


@model
class NexthinkWorkflow(NexthinkWorkflowDetails):
    """A Nexthink workflow."""

    workflow: Annotated[
        str,
        required(
            "NQL ID of the workflow, such as `#service_restart_and_repair`. The number sign may be omitted.",
            checks=(not_empty,),
        ),
    ]


async def read(nexthink: Nexthink, config: NexthinkWorkflow) -> NexthinkWorkflow:
    """Return the workflow; raises DiagnosticError if none has this ID."""
    workflow = details(await get_workflow(nexthink, config.workflow))
    fields = {name: getattr(workflow, name) for name in attributes(NexthinkWorkflowDetails)}
    return dataclasses.replace(config, **fields)


def details(workflow: models.Workflow) -> NexthinkWorkflowDetails:
    """Convert a workflow from the generated client's types."""
    methods = workflow.trigger_methods
    return NexthinkWorkflowDetails(
        id=workflow.id,
        uuid=workflow.uuid,
        name=workflow.name,
        description=_or_none(workflow.description),
        status=workflow.status,
        updated_at=workflow.last_update_time.isoformat() if workflow.last_update_time else None,
        trigger_methods=NexthinkTriggerMethods(
            api=_or_none(methods.api_enabled),
            manual=_or_none(methods.manual_enabled),
            manual_multiple=_or_none(methods.manual_allow_multiple_instances),
            scheduler=_or_none(methods.scheduling_enabled),
            event=_or_none(methods.event_enabled),
        ),
        versions=[_version(version) for version in workflow.versions],
    )


def _version(version: models.WorkflowVersion) -> NexthinkWorkflowVersion:
    parameters = _or_none(version.parameters)
    return NexthinkWorkflowVersion(
        version=version.version,
        status=version.status,
        uuid=_or_none(version.uuid),
        description=_or_none(version.description),
        valid=_or_none(version.valid),
        has_device=_or_none(version.has_device),
        has_user=_or_none(version.has_user),
        parameters=None if parameters is None else [_parameter(parameter) for parameter in parameters],
    )


def _parameter(parameter: models.WorkflowParameter) -> NexthinkWorkflowParameter:
    return NexthinkWorkflowParameter(
        id=parameter.id,
        description=_or_none(parameter.description),
        allow_custom_value=_or_none(parameter.allow_custom_value),
        options=_or_none(parameter.options),
    )


def _or_none(value: T | nexthink_client.types.Unset) -> T | None:
    return None if isinstance(value, nexthink_client.types.Unset) else value


TYPE: Final = DataSourceType(
    name="nexthink_workflow",
    title="Nexthink workflow",
    system="nexthink",
    model=NexthinkWorkflow,
    description="Provides details of a Nexthink workflow: how it can be started, its versions and their parameters.",
    read=read,
)
