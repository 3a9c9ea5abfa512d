from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox import Script, World
from provider_py.sandbox.vcd import WORKFLOWS, Workflow

ONBOARD = WORKFLOWS[0]
NAME = {"name": "vmName", "type": "string", "value": {"inputType": "StringParam", "value": "web-1"}}


def url(workflow: Workflow = ONBOARD, *parts: str) -> str:
    return "/".join([f"/cloudapi/workflows/{workflow.item_id}/executions", *parts])


async def start(site: httpx2.AsyncClient) -> str:
    answer = await site.post(url(), json={"parameters": [NAME]})
    assert answer.status_code == 201, answer.text
    id_: str = answer.json()["id"]
    return id_


async def show(site: httpx2.AsyncClient, id_: str) -> dict[str, Any]:
    answer = await site.get(url(ONBOARD, id_))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def state(site: httpx2.AsyncClient, id_: str) -> object:
    body: object = (await site.get(url(ONBOARD, id_, "state"))).json()
    return body


async def test_run_goes_from_initializing_to_completed(site: httpx2.AsyncClient, world: World) -> None:
    answer = await site.post(url(), json={"parameters": [NAME]})
    body = answer.json()
    assert (answer.status_code, body["state"], body["name"]) == (201, "initializing", "Onboard tenant")
    assert body["inputParameters"] == [NAME]
    assert "endDate" not in body
    world.advance(1)
    assert (await show(site, body["id"]))["state"] == "running"
    world.advance(9)
    done = await show(site, body["id"])
    assert done["state"] == "completed"
    assert done["endDate"] > done["startDate"]
    assert {link["rel"] for link in done["relations"]["link"]} == {"up", "remove", "state"}


async def test_outputs_have_the_declared_types(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    assert (await show(site, id_))["outputParameters"] == []
    world.advance(10)
    local = [output for output in (await show(site, id_))["outputParameters"] if output["scope"] == "local"]
    addresses = [{"inputType": "StringParam", "value": f"192.0.2.{number}"} for number in (10, 11)]
    assert {output["name"]: (output["type"], output["value"]) for output in local} == {
        "vmId": ("string", {"inputType": "StringParam", "value": "vm-42"}),
        "ready": ("boolean", {"inputType": "BooleanParam", "value": True}),
        "addresses": ("Array/string", {"inputType": "ArrayParam", "value": addresses}),
    }


async def test_outputs_include_session_values(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.advance(10)
    outputs = (await show(site, id_))["outputParameters"]
    token = {output["name"]: output["value"]["value"] for output in outputs if output["scope"] == "token"}
    assert token["_vcd_sessionToken"] == site.headers["Authorization"].removeprefix("Bearer ")
    assert (token["_vcd_orgName"], token["_vcd_isAdmin"]) == ("acme", "false")
    world.behaviors.change({"vcd": {"session_outputs": False}})
    assert {output["scope"] for output in (await show(site, id_))["outputParameters"]} == {"local"}


async def test_scripted_outputs_are_encoded(site: httpx2.AsyncClient, world: World) -> None:
    outputs: dict[str, object] = {
        "vmId": "vm-7",
        "ready": None,
        "count": 3,
        "labels": {"tier": "gold"},
        "addresses": ["192.0.2.1", 7, None],
        "odd": {"inputType": "Blob", "data": [1]},
    }
    world.runs.scripts.append(Script("vcd", "Onboard tenant", outputs=outputs))
    id_ = await start(site)
    world.advance(10)
    by_name = {output["name"]: output for output in (await show(site, id_))["outputParameters"]}
    assert by_name["vmId"]["value"] == {"inputType": "StringParam", "value": "vm-7"}
    assert "value" not in by_name["ready"]
    assert (by_name["count"]["type"], by_name["count"]["value"]["inputType"]) == ("number", "NumberParam")
    assert by_name["labels"]["value"]["property"][0]["key"] == "tier"
    assert by_name["addresses"]["value"]["value"] == [
        {"inputType": "StringParam", "value": "192.0.2.1"},
        {"inputType": "NumberParam", "value": 7},
        {"inputType": "StringParam"},
    ]
    assert by_name["odd"]["value"] == {"inputType": "Blob", "data": [1]}


@pytest.mark.parametrize("target", ["Onboard tenant", ONBOARD.item_id, ONBOARD.item_uuid, ONBOARD.vro_id])
async def test_failed_run_has_a_reason(site: httpx2.AsyncClient, world: World, target: str) -> None:
    world.runs.scripts.append(Script("vcd", target, ending="failure", reason="no address left"))
    id_ = await start(site)
    world.advance(10)
    body = await show(site, id_)
    assert (body["state"], body["contentException"]) == ("failed", "no address left")
    assert body["currentItemDisplayName"] == "Create machine"
    assert body["outputParameters"] == []


@pytest.mark.parametrize("status", ["waiting", "waiting-signal", "waitingSignal", "suspended", "debugging"])
async def test_held_run_keeps_its_state_until_released(site: httpx2.AsyncClient, world: World, status: str) -> None:
    world.runs.scripts.append(Script("vcd", hold=status))
    id_ = await start(site)
    world.advance(100)
    assert await state(site, id_) == status
    (run,) = world.runs.of("vcd")
    run.release(world.clock())
    world.advance(10)
    assert await state(site, id_) == "completed"


async def test_run_can_end_in_a_vendor_state(site: httpx2.AsyncClient, world: World) -> None:
    world.runs.scripts.append(Script("vcd", ending="FAILED"))
    id_ = await start(site)
    world.advance(10)
    assert await state(site, id_) == "FAILED"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("string", "completed"), ("object", {"state": "completed"}), ("value", {"value": "completed"})],
)
async def test_state_has_several_shapes(site: httpx2.AsyncClient, world: World, shape: str, expected: object) -> None:
    world.behaviors.change({"vcd": {"state_shape": shape}})
    id_ = await start(site)
    world.advance(10)
    assert await state(site, id_) == expected


async def test_run_can_be_cancelled(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.advance(2)
    assert (await site.delete(url(ONBOARD, id_, "state"))).status_code == 204
    body = await show(site, id_)
    assert (body["state"], "endDate" in body) == ("canceled", True)


async def test_cancelling_an_ended_run_changes_nothing(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.advance(10)
    assert (await site.delete(url(ONBOARD, id_, "state"))).status_code == 204
    assert await state(site, id_) == "completed"


async def test_record_can_be_deleted_after_the_run_ended(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    assert (await site.delete(url(ONBOARD, id_))).status_code == 400
    world.advance(10)
    assert (await site.delete(url(ONBOARD, id_))).status_code == 204
    assert (await site.get(url(ONBOARD, id_))).status_code == 404


async def test_purged_record_does_not_exist(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.runs.forget(id_)
    world.behaviors.change({"vcd": {"missing": "403"}})
    assert (await site.get(url(ONBOARD, id_))).status_code == 403
    assert (await site.get(url())).json()["total"] == 0


async def test_list_contains_the_runs_of_the_workflow(site: httpx2.AsyncClient, world: World) -> None:
    first, second = await start(site), await start(site)
    await site.post(url(WORKFLOWS[2]), json={"parameters": []})
    body = (await site.get(url())).json()
    assert body["total"] == 2
    assert [execution["id"] for execution in body["executions"]] == [first, second]
    assert "inputParameters" not in body["executions"][0]


async def test_run_of_another_workflow_is_not_found(site: httpx2.AsyncClient) -> None:
    assert (await site.get(url(WORKFLOWS[2], await start(site)))).status_code == 404


@pytest.mark.parametrize(("form", "suffix"), [("colon", "+00:00"), ("short", "+0000")])
async def test_utc_offset_of_dates_has_two_forms(
    site: httpx2.AsyncClient, world: World, form: str, suffix: str
) -> None:
    world.behaviors.change({"vcd": {"date_form": form}})
    assert (await show(site, await start(site)))["startDate"].endswith(suffix)


class TestStart:
    @pytest.mark.parametrize("id_", [ONBOARD.item_id, ONBOARD.item_uuid, ONBOARD.vro_id])
    async def test_workflow_has_three_ids(self, site: httpx2.AsyncClient, world: World, id_: str) -> None:
        path = f"/cloudapi/workflows/{id_}/executions"
        assert (await site.post(path, json={"parameters": [NAME]})).status_code == 201
        world.behaviors.change({"vcd": {"workflow_ids": "urn"}})
        expected = 201 if id_ == ONBOARD.item_id else 404
        assert (await site.post(path, json={"parameters": [NAME]})).status_code == expected

    async def test_colons_of_workflow_id_can_be_percent_encoded(self, site: httpx2.AsyncClient) -> None:
        quoted = ONBOARD.item_id.replace(":", "%3A")
        path = f"/cloudapi/workflows/{quoted}/executions"
        assert (await site.post(path, json={"parameters": [NAME]})).status_code == 201

    @pytest.mark.parametrize(
        ("behavior", "header", "part"),
        [
            ("location_task", "Location", "/api/task/"),
            ("task_header", "X-VMWARE-VCLOUD-TASK-LOCATION", "/api/task/"),
            ("location_execution", "Location", "/executions/"),
        ],
    )
    async def test_start_headers_link_to_the_run(
        self, site: httpx2.AsyncClient, world: World, behavior: str, header: str, part: str
    ) -> None:
        world.behaviors.change({"vcd": {"start_answer": behavior}})
        answer = await site.post(url(), json={"parameters": [NAME]})
        assert answer.status_code == 201
        assert part in answer.headers[header]
        assert (await site.get(answer.headers[header])).status_code == 200

    async def test_start_can_return_only_a_task(self, site: httpx2.AsyncClient, world: World) -> None:
        world.behaviors.change({"vcd": {"start_answer": "task"}})
        answer = await site.post(url(), json={"parameters": [NAME]})
        assert (answer.status_code, answer.content) == (202, b"")
        assert "/api/task/" in answer.headers["Location"]

    async def test_start_without_permission_is_refused(self, site: httpx2.AsyncClient) -> None:
        workflow = next(known for known in WORKFLOWS if not known.can_execute)
        assert (await site.post(url(workflow), json={"parameters": []})).status_code == 403

    async def test_start_of_unknown_workflow_is_refused(self, site: httpx2.AsyncClient) -> None:
        assert (await site.post("/cloudapi/workflows/nothing/executions", json={})).status_code == 404

    async def test_start_without_body_is_refused(self, site: httpx2.AsyncClient, world: World) -> None:
        assert (await site.post(url())).status_code == 400
        assert world.runs.of("vcd") == []


class TestTask:
    async def task(self, site: httpx2.AsyncClient, world: World) -> str:
        world.behaviors.change({"vcd": {"start_answer": "task"}})
        answer = await site.post(url(), json={"parameters": [NAME]})
        return answer.headers["Location"]

    async def test_task_follows_its_run(self, site: httpx2.AsyncClient, world: World) -> None:
        location = await self.task(site, world)
        world.advance(1)
        answer = await site.get(location, headers={"Accept": "application/*+json;version=37.1"})
        assert answer.headers["Content-Type"] == "application/vnd.vmware.vcloud.task+json;version=37.1"
        assert (answer.json()["status"], answer.json()["progress"]) == ("running", None)
        world.advance(10)
        body = (await site.get(location)).json()
        assert body["status"] == "success"
        assert body["endTime"].endswith("+0000")

    async def test_failed_task_has_an_error(self, site: httpx2.AsyncClient, world: World) -> None:
        world.runs.scripts.append(Script("vcd", ending="failure", reason="no address left"))
        location = await self.task(site, world)
        world.advance(10)
        body = (await site.get(location)).json()
        assert (body["status"], body["error"]["message"]) == ("error", "no address left")

    async def test_cancelled_task_is_reported(self, site: httpx2.AsyncClient, world: World) -> None:
        location = await self.task(site, world)
        (run,) = world.runs.of("vcd")
        await site.delete(url(ONBOARD, run.id, "state"))
        body = (await site.get(location)).json()
        assert (body["status"], body["cancelRequested"]) == ("canceled", True)

    async def test_unknown_task_is_forbidden(self, site: httpx2.AsyncClient) -> None:
        assert (await site.get("/api/task/0")).status_code == 403
