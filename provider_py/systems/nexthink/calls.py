"""The calls behind an execution, in and out of the generated client's types. Imported on first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from nexthink_client.api.nql import execute_nql_query
from nexthink_client.api.workflows import (
    execute_ea,
    execute_ea_with_external_ids,
    get_all_workflows,
    get_workflow,
)
from nexthink_client.models import (
    DeviceData,
    ExecutionRequest,
    ExecutionRequestParams,
    ExecutionResponse,
    ExternalIdsExecutionRequest,
    ExternalIdsExecutionRequestParams,
    NqlRequest,
    NqlRequestParameters,
    NqlResponse,
    UserData,
    Workflow,
)

from provider_py.execution.connection import readable
from provider_py.execution.errors import Missing, Refused, SystemFault, Unanswered, Unauthorized
from provider_py.execution.messages import unknown_name
from provider_py.execution.run import Phase, Run
from provider_py.plugin import DiagnosticError, attributes, error
from provider_py.systems.nexthink.reports import QUERY, Detail, NexthinkTargetExecution
from provider_py.systems.nexthink.settings import SYSTEM
from provider_py.systems.nexthink.system import Nexthink
from provider_py.systems.nexthink.targets import Request

SOURCE: Final = "terraform-provider-workflow"
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The id of no request."""


async def workflow(nexthink: Nexthink, identifier: str) -> Workflow:
    """Return a workflow's description; raises DiagnosticError if there is none of that id."""
    try:
        return await nexthink.lookups.get(("workflow", identifier), lambda: _workflow(nexthink, identifier))
    except Unauthorized:
        raise
    except Refused as fault:  # Nexthink documents no 404 here, so an unknown id may be answered in any way
        known = await _known_workflows(nexthink)
        if f"#{identifier.removeprefix('#')}" in known:
            raise
        raise DiagnosticError(unknown_name("Nexthink workflow", identifier, known, "workflow")) from fault


async def _workflow(nexthink: Nexthink, identifier: str) -> Workflow:
    with readable(SYSTEM, "the workflow's details"):
        answer = await get_workflow.asyncio(client=nexthink.client, nql_id=identifier, source=SOURCE)
    found = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(found, Workflow):
        raise Missing(SYSTEM, "no workflow of this id is listed")
    return found


async def _known_workflows(nexthink: Nexthink) -> Sequence[str]:
    """Return names to compare with; none where Nexthink does not list workflows without filters."""
    try:
        return await nexthink.lookups.get(("workflows",), lambda: _workflows(nexthink))
    except SystemFault:
        return ()


async def _workflows(nexthink: Nexthink) -> Sequence[str]:
    """Return the ids of all workflows; Nexthink answers them with or without their number sign."""
    with readable(SYSTEM, "the list of workflows"):
        answer = await get_all_workflows.asyncio(client=nexthink.client, source=SOURCE)
    listed = answer if isinstance(answer, list) else []
    return [f"#{each.id.removeprefix('#')}" for each in listed]


async def execute(nexthink: Nexthink, request: Request) -> Run[Detail]:
    """Send one execute request, once. Both lists of targets are always sent: the published API requires them."""
    with readable(SYSTEM, "the execute request"):
        if request.api_version == "v1":
            answer = await execute_ea.asyncio(client=nexthink.client, body=_first_version(request), source=SOURCE)
        else:
            body = _second_version(request)
            answer = await execute_ea_with_external_ids.asyncio(client=nexthink.client, body=body, source=SOURCE)
        if not isinstance(answer, ExecutionResponse):
            raise Unanswered(SYSTEM, "the execute request was answered without a request id")
        identifiers = [str(each) for each in answer.executions_uuids]
        started = datetime.fromtimestamp(nexthink.runtime.clock.time(), UTC).isoformat(timespec="seconds")
        return Run(
            str(answer.request_uuid),
            "in_progress",
            Phase.ACTIVE,
            Detail(identifiers),
            started_at=started.replace("+00:00", "Z"),
        )


def _first_version(request: Request) -> ExecutionRequest:
    params = ExecutionRequestParams()
    params.additional_properties.update(request.params)
    return ExecutionRequest(
        workflow_id=request.workflow,
        devices=[str(device.collector_uid) for device in request.devices],
        users=[str(user.sid) for user in request.users],
        params=params,
    )


def _second_version(request: Request) -> ExternalIdsExecutionRequest:
    params = ExternalIdsExecutionRequestParams()
    params.additional_properties.update(request.params)
    return ExternalIdsExecutionRequest(
        workflow_id=request.workflow,
        devices=[
            DeviceData.from_dict(_given(name=each.name, uid=each.uid, collectorUid=each.collector_uid))
            for each in request.devices
        ],
        users=[UserData.from_dict(_given(uid=each.uid, upn=each.upn, sid=each.sid)) for each in request.users],
        params=params,
    )


def _given(**values: str | None) -> Mapping[str, str]:
    return {name: value for name, value in values.items() if value is not None}


async def report(nexthink: Nexthink, query: str, request: str) -> Sequence[NexthinkTargetExecution]:
    """Return what the saved query reports of a request's executions, about a thousand at most."""
    with readable(SYSTEM, "the status query"):
        parameters = NqlRequestParameters()
        parameters["request_id"] = request
        body = NqlRequest(query_id=query, parameters=parameters)
        answer = await execute_nql_query.asyncio(client=nexthink.client, body=body, x_utc_times=True)
        if not isinstance(answer, NqlResponse):
            raise Unanswered(SYSTEM, "the status query was answered without rows")
        return [target_execution(row.to_dict()) for row in answer.data]


def target_execution(row: Mapping[str, Any]) -> NexthinkTargetExecution:
    """Read a row of the status query; fields it does not list stay empty."""
    names = attributes(NexthinkTargetExecution)
    return NexthinkTargetExecution(**{name: None if row.get(name) is None else str(row[name]) for name in names})


async def check_query(nexthink: Nexthink, query: str) -> None:
    """See that the saved query is there and takes a request's id; raises DiagnosticError."""
    try:
        await nexthink.lookups.get(("query", query), lambda: report(nexthink, query, NOBODY))
    except Unauthorized:
        raise
    except Refused as fault:
        raise DiagnosticError(
            error(
                f"The saved query {query!r} does not report executions",
                f"Nexthink says: {fault.reason}. Save this query under that id (Administration, NQL API queries):\n\n"
                f"{QUERY}",
                ("status_query",),
            )
        ) from fault
