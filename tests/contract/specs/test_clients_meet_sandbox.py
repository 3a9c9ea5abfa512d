"""The generated clients against the simulated systems, in every shape these can answer in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from nexthink_client import AuthenticatedClient as NexthinkClient
from nexthink_client.api.nql import execute_nql_query
from nexthink_client.api.workflows import (
    execute_ea_with_external_ids,
    get_all_workflows,
    get_workflow,
    trigger_thinklet,
)
from nexthink_client.models import (
    DeviceData,
    ExecutionResponse,
    ExternalIdsExecutionRequest,
    NqlRequest,
    NqlRequestParameters,
    NqlResponse,
    ThinkletTriggerRequest,
    ThinkletTriggerResponse,
    Workflow,
)
from vcd_client import AuthenticatedClient as VcdClient
from vcd_client.api.service_library import query_service_items
from vcd_client.api.tasks import get_task
from vcd_client.api.workflows import (
    cancel_workflow_execution,
    get_all_workflow_executions,
    get_workflow_execution,
    get_workflow_execution_state,
    get_workflow_presentation,
    start_workflow_execution,
)
from vcd_client.models import (
    ArrayParam,
    ExecutionContext,
    ExecutionStateObject,
    Presentation,
    PresentationExecutionsList,
    ServiceItems,
    StringParam,
    StringParamInputType,
    Task,
    UnknownParam,
    WsParameter,
    WsWorkflowExecution,
)

from provider_py.sandbox import Script, World, nexthink, vcd
from provider_py.sandbox.vcd import WORKFLOWS, access
from tests.contract.sandbox.serving import serve, sign_in, still_world

ONBOARD = WORKFLOWS[0].item_id
CONTEXT = ExecutionContext([WsParameter("vmName", value=StringParam(StringParamInputType.STRINGPARAM, value="web-1"))])


@pytest.fixture
def world() -> World:
    return still_world()


@pytest.fixture
async def tenant(world: World) -> AsyncIterator[NexthinkClient]:
    credentials = nexthink.CREDENTIALS
    form = {"grant_type": "client_credentials", "scope": "service:integration"}
    auth = httpx2.BasicAuth(credentials["NEXTHINK_CLIENT_ID"], credentials["NEXTHINK_CLIENT_SECRET"])
    async with serve(nexthink.application, world) as http:
        token = await sign_in(http, nexthink.TOKEN_PATH, form, auth)
        async with NexthinkClient(base_url(http), token, raise_on_unexpected_status=True) as client:
            yield client


@pytest.fixture
async def site(world: World) -> AsyncIterator[VcdClient]:
    form = {"grant_type": "refresh_token", "refresh_token": access.API_TOKEN}
    accept = {"Accept": "application/*+json;version=37.1, application/json;version=37.1"}
    async with serve(vcd.application, world) as http:
        token = await sign_in(http, f"/oauth/tenant/{access.ORG}/token", form)
        async with VcdClient(base_url(http), token, headers=accept, raise_on_unexpected_status=True) as client:
            yield client


def base_url(http: httpx2.AsyncClient) -> str:
    return str(http.base_url).rstrip("/")


async def run_gate(tenant: NexthinkClient) -> tuple[str, ExecutionResponse]:
    workflow = await get_workflow.asyncio(client=tenant, nql_id="#approval_gate")
    assert isinstance(workflow, Workflow)
    body = ExternalIdsExecutionRequest(workflow.id, devices=[DeviceData(name="LAPTOP-01")])
    started = await execute_ea_with_external_ids.asyncio(client=tenant, body=body)
    assert isinstance(started, ExecutionResponse)
    return workflow.uuid, started


async def test_nexthink_workflows_are_read(tenant: NexthinkClient, world: World) -> None:
    workflows = await get_all_workflows.asyncio(client=tenant)
    assert isinstance(workflows, list)
    assert None in {known.description for known in workflows}
    world.behaviors.change({"nexthink": {"details_shape": "array"}})
    details = await get_workflow.asyncio(client=tenant, nql_id="#reboot_device")
    assert isinstance(details, list)
    assert [version.status for version in details[0].versions] == ["INACTIVE", "ACTIVE", "DRAFT"]


@pytest.mark.parametrize("shape", ["array", "object"])
async def test_nexthink_runs_are_started_triggered_and_followed(
    tenant: NexthinkClient, world: World, shape: str
) -> None:
    world.behaviors.change({"nexthink": {"trigger_shape": shape}})
    workflow, started = await run_gate(tenant)
    answer = await trigger_thinklet.asyncio(
        workflow, started.executions_uuids[0], client=tenant, body=ThinkletTriggerRequest()
    )
    triggered = answer[0] if isinstance(answer, list) else answer
    assert isinstance(triggered, ThinkletTriggerResponse)
    assert triggered.request_uuid == started.request_uuid
    world.advance(20)
    parameters = NqlRequestParameters()
    parameters["request_id"] = started.request_uuid
    query = NqlRequest(nexthink.CREDENTIALS["NEXTHINK_STATUS_QUERY"], parameters)
    rows = await execute_nql_query.asyncio(client=tenant, body=query, x_utc_times=True)
    assert isinstance(rows, NqlResponse)
    assert [row["status"] for row in rows.data] == ["success"]


async def test_vcd_workflows_are_found_and_described(site: VcdClient) -> None:
    items = await query_service_items.asyncio(client=site, filter_="name==Onboard tenant")
    assert isinstance(items, ServiceItems)
    assert items.values
    assert items.values[0].id == ONBOARD
    presentation = await get_workflow_presentation.asyncio(ONBOARD, client=site)
    assert isinstance(presentation, Presentation)
    assert [parameter.name for parameter in presentation.input_parameters or []] == ["vmName", "size", "notify", "tags"]


async def test_vcd_outputs_of_unknown_kinds_are_kept(site: VcdClient, world: World) -> None:
    world.runs.scripts.append(Script("vcd", outputs={"odd": {"inputType": "Blob", "data": [1]}}))
    started = await start_workflow_execution.asyncio(ONBOARD, client=site, body=CONTEXT)
    assert isinstance(started, WsWorkflowExecution)
    world.advance(10)
    run = await get_workflow_execution.asyncio(ONBOARD, str(started.id), client=site)
    assert isinstance(run, WsWorkflowExecution)
    values = {parameter.name: parameter.value for parameter in run.output_parameters or []}
    assert isinstance(values["addresses"], ArrayParam)
    assert isinstance(values["odd"], UnknownParam)
    assert values["odd"]["data"] == [1]


@pytest.mark.parametrize("shape", ["string", "object", "value"])
async def test_vcd_states_are_read_in_every_shape(site: VcdClient, world: World, shape: str) -> None:
    world.behaviors.change({"vcd": {"state_shape": shape}})
    started = await start_workflow_execution.asyncio(ONBOARD, client=site, body=CONTEXT)
    assert isinstance(started, WsWorkflowExecution)
    await cancel_workflow_execution.asyncio_detailed(ONBOARD, str(started.id), client=site)
    answer = await get_workflow_execution_state.asyncio(ONBOARD, str(started.id), client=site)
    words = {answer.state, answer.value} if isinstance(answer, ExecutionStateObject) else {answer}
    assert "canceled" in words


@pytest.mark.parametrize("form", ["colon", "short"])
async def test_vcd_tasks_and_lists_are_read(site: VcdClient, world: World, form: str) -> None:
    world.behaviors.change({"vcd": {"start_answer": "task", "date_form": form}})
    answer = await start_workflow_execution.asyncio_detailed(ONBOARD, client=site, body=CONTEXT)
    assert answer.status_code == 202
    task = await get_task.asyncio(answer.headers["Location"].rpartition("/")[2], client=site)
    assert isinstance(task, Task)
    assert (task.status, task.progress) == ("running", None)
    runs = await get_all_workflow_executions.asyncio(ONBOARD, client=site)
    assert isinstance(runs, PresentationExecutionsList)
    assert [run.state for run in runs.executions or []] == ["initializing"]
