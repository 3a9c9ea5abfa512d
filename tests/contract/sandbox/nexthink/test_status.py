from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox import Script, World
from provider_py.sandbox.nexthink import CREDENTIALS

NQL = "/api/v2/nql/execute"
QUERY = CREDENTIALS["NEXTHINK_STATUS_QUERY"]


async def start(tenant: httpx2.AsyncClient, devices: int = 1, workflow: str = "#reboot_device") -> dict[str, Any]:
    targets = [{"name": f"DESK-{number:05}"} for number in range(1, devices + 1)]
    answer = await tenant.post("/api/v2/workflows/execute", json={"workflowId": workflow, "devices": targets})
    body: dict[str, Any] = answer.json()
    return body


async def rows(tenant: httpx2.AsyncClient, request_id: str) -> list[dict[str, Any]]:
    answer = await tenant.post(NQL, json={"queryId": QUERY, "parameters": {"request_id": request_id}})
    assert answer.status_code == 200
    data: list[dict[str, Any]] = answer.json()["data"]
    assert answer.json()["rows"] == len(data)
    return data


async def test_rows_lag_behind_the_start(tenant: httpx2.AsyncClient, world: World) -> None:
    started = await start(tenant)
    assert await rows(tenant, started["requestUuid"]) == []
    world.advance(0.3)
    (row,) = await rows(tenant, started["requestUuid"])
    assert row["execution_id"] == started["executionsUuids"][0]
    assert (row["request_id"], row["status"], row["outcome"]) == (started["requestUuid"], "in_progress", None)
    assert (row["workflow.nql_id"], row["device.name"]) == ("#reboot_device", "DESK-00001")


async def test_successful_run_is_reported(tenant: httpx2.AsyncClient, world: World) -> None:
    started = await start(tenant, 2)
    world.advance(10)
    reported = await rows(tenant, started["requestUuid"])
    assert [(row["status"], row["outcome"], row["outcome_details"]) for row in reported] == [
        ("success", "action_taken", "Device rebooted")
    ] * 2


@pytest.mark.parametrize(
    ("ending", "status", "outcome"),
    [("failure", "failure", "failed"), ("expired", "expired", "other"), ("odd_word", "odd_word", None)],
)
async def test_run_ends_as_scripted(
    tenant: httpx2.AsyncClient, world: World, ending: str, status: str, outcome: str | None
) -> None:
    world.runs.scripts.append(Script("nexthink", "reboot_device", ending=ending, reason="disk full"))
    started = await start(tenant)
    world.advance(10)
    (row,) = await rows(tenant, started["requestUuid"])
    assert (row["status"], row["outcome"], row["status_details"]) == (status, outcome, "disk full")


async def test_some_executions_of_a_request_fail(tenant: httpx2.AsyncClient, world: World) -> None:
    world.runs.scripts.append(Script("nexthink", outputs={"failed_executions": 2}))
    started = await start(tenant, 3)
    world.advance(10)
    reported = await rows(tenant, started["requestUuid"])
    assert [row["status"] for row in reported] == ["failure", "failure", "success"]


async def test_cancelled_run_is_reported(tenant: httpx2.AsyncClient, world: World) -> None:
    started = await start(tenant)
    world.runs.cancel(started["requestUuid"], world.clock())
    world.advance(1)
    (row,) = await rows(tenant, started["requestUuid"])
    assert row["status"] == "cancelled"


async def test_held_run_keeps_the_status_of_the_script(tenant: httpx2.AsyncClient, world: World) -> None:
    world.runs.scripts.append(Script("nexthink", hold="waiting_on_device"))
    started = await start(tenant)
    world.advance(500)
    (row,) = await rows(tenant, started["requestUuid"])
    assert row["status"] == "waiting_on_device"


async def test_purged_records_have_no_rows(tenant: httpx2.AsyncClient, world: World) -> None:
    started = await start(tenant)
    world.advance(10)
    world.runs.forget(started["requestUuid"])
    assert await rows(tenant, started["requestUuid"]) == []


async def test_query_returns_at_most_a_thousand_rows(tenant: httpx2.AsyncClient, world: World) -> None:
    started = await start(tenant, 1001)
    world.advance(1)
    assert len(await rows(tenant, started["requestUuid"])) == 1000


async def test_times_have_a_zone_only_on_request(tenant: httpx2.AsyncClient, world: World) -> None:
    body = {"queryId": QUERY, "parameters": {"request_id": "x"}}
    assert not (await tenant.post(NQL, json=body)).json()["executionDateTime"].endswith("Z")
    answer = await tenant.post(NQL, json=body, headers={"x-utc-times": "true"})
    assert answer.json()["executionDateTime"].endswith("Z")


class TestEvent:
    @staticmethod
    def url(workflow: str, execution: str) -> str:
        return f"/api/v1/workflows/workflows/{workflow}/execution/{execution}/trigger"

    @staticmethod
    async def gate(tenant: httpx2.AsyncClient) -> str:
        answer = await tenant.get("/api/v1/workflows/details", params={"nqlId": "#approval_gate"})
        uuid: str = answer.json()["uuid"]
        return uuid

    async def test_execution_waits_until_it_is_triggered(self, tenant: httpx2.AsyncClient, world: World) -> None:
        started = await start(tenant, 2, "#approval_gate")
        first, second = started["executionsUuids"]
        gate = await self.gate(tenant)
        world.advance(500)
        assert {row["status"] for row in await rows(tenant, started["requestUuid"])} == {"in_progress"}

        answer = await tenant.post(self.url(gate, first), json={"parameters": {"approved": "yes"}})
        assert answer.json() == [{"requestUuid": started["requestUuid"]}]
        world.advance(10)
        assert [row["status"] for row in await rows(tenant, started["requestUuid"])] == ["success", "in_progress"]

        await tenant.post(self.url(gate, second), json={"parameters": {}})
        world.advance(5)
        assert [row["status"] for row in await rows(tenant, started["requestUuid"])] == ["success", "in_progress"]
        world.advance(5)
        assert {row["status"] for row in await rows(tenant, started["requestUuid"])} == {"success"}

    async def test_answer_can_be_one_object(self, tenant: httpx2.AsyncClient, world: World) -> None:
        world.behaviors.change({"nexthink": {"trigger_shape": "object"}})
        started = await start(tenant, 1, "#approval_gate")
        url = self.url(await self.gate(tenant), started["executionsUuids"][0])
        assert (await tenant.post(url, json={})).json() == {"requestUuid": started["requestUuid"]}

    async def test_second_event_for_an_execution_is_refused(self, tenant: httpx2.AsyncClient) -> None:
        started = await start(tenant, 1, "#approval_gate")
        url = self.url(await self.gate(tenant), started["executionsUuids"][0])
        assert (await tenant.post(url, json={})).status_code == 200
        assert (await tenant.post(url, json={})).json()["code"] == "EXECUTION_NOT_WAITING"

    async def test_event_for_execution_that_does_not_wait_is_refused(self, tenant: httpx2.AsyncClient) -> None:
        started = await start(tenant)
        workflow = (await tenant.get("/api/v1/workflows/details", params={"nqlId": "#reboot_device"})).json()
        answer = await tenant.post(self.url(workflow["uuid"], started["executionsUuids"][0]), json={})
        assert (answer.status_code, answer.json()["code"]) == (400, "EXECUTION_NOT_WAITING")

    async def test_event_for_execution_of_another_workflow_is_refused(self, tenant: httpx2.AsyncClient) -> None:
        started = await start(tenant)
        answer = await tenant.post(self.url(await self.gate(tenant), started["executionsUuids"][0]), json={})
        assert (answer.status_code, answer.json()["code"]) == (400, "EXECUTION_NOT_FOUND")

    async def test_empty_parameter_values_are_refused(self, tenant: httpx2.AsyncClient) -> None:
        started = await start(tenant, 1, "#approval_gate")
        url = self.url(await self.gate(tenant), started["executionsUuids"][0])
        answer = await tenant.post(url, json={"parameters": {"approved": ""}})
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
