from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox.vcd.library import WORKFLOWS, Workflow
from provider_py.sandbox.world import Script, World

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


async def test_a_run_goes_from_initializing_to_completed(site: httpx2.AsyncClient, world: World) -> None:
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
    local = [each for each in (await show(site, id_))["outputParameters"] if each["scope"] == "local"]
    addresses = [{"inputType": "StringParam", "value": f"192.0.2.{number}"} for number in (10, 11)]
    assert {each["name"]: (each["type"], each["value"]) for each in local} == {
        "vmId": ("string", {"inputType": "StringParam", "value": "vm-42"}),
        "ready": ("boolean", {"inputType": "BooleanParam", "value": True}),
        "addresses": ("Array/string", {"inputType": "ArrayParam", "value": addresses}),
    }


async def test_outputs_come_with_the_session(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.advance(10)
    outputs = (await show(site, id_))["outputParameters"]
    token = {each["name"]: each["value"]["value"] for each in outputs if each["scope"] == "token"}
    assert token["_vcd_sessionToken"] == site.headers["Authorization"].removeprefix("Bearer ")
    assert (token["_vcd_orgName"], token["_vcd_isAdmin"]) == ("acme", "false")
    world.behaviors.change({"vcd": {"session_outputs": False}})
    assert {each["scope"] for each in (await show(site, id_))["outputParameters"]} == {"local"}


async def test_scripted_outputs(site: httpx2.AsyncClient, world: World) -> None:
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
    found = {each["name"]: each for each in (await show(site, id_))["outputParameters"]}
    assert found["vmId"]["value"] == {"inputType": "StringParam", "value": "vm-7"}
    assert "value" not in found["ready"]
    assert (found["count"]["type"], found["count"]["value"]["inputType"]) == ("number", "NumberParam")
    assert found["labels"]["value"]["property"][0]["key"] == "tier"
    assert found["addresses"]["value"]["value"] == [
        {"inputType": "StringParam", "value": "192.0.2.1"},
        {"inputType": "NumberParam", "value": 7},
        {"inputType": "StringParam"},
    ]
    assert found["odd"]["value"] == {"inputType": "Blob", "data": [1]}


@pytest.mark.parametrize("target", ["Onboard tenant", ONBOARD.item_id, ONBOARD.item_uuid, ONBOARD.vro_id])
async def test_a_failed_run_says_why(site: httpx2.AsyncClient, world: World, target: str) -> None:
    world.runs.scripts.append(Script("vcd", target, ending="failure", reason="no address left"))
    id_ = await start(site)
    world.advance(10)
    body = await show(site, id_)
    assert (body["state"], body["contentException"]) == ("failed", "no address left")
    assert body["currentItemDisplayName"] == "Create machine"
    assert body["outputParameters"] == []


@pytest.mark.parametrize("word", ["waiting", "waiting-signal", "waitingSignal", "suspended", "debugging"])
async def test_a_run_stays_in_a_word_until_released(site: httpx2.AsyncClient, world: World, word: str) -> None:
    world.runs.scripts.append(Script("vcd", hold=word))
    id_ = await start(site)
    world.advance(100)
    assert await state(site, id_) == word
    (run,) = world.runs.of("vcd")
    run.release(world.clock())
    world.advance(10)
    assert await state(site, id_) == "completed"


async def test_a_run_ends_in_another_word(site: httpx2.AsyncClient, world: World) -> None:
    world.runs.scripts.append(Script("vcd", ending="FAILED"))
    id_ = await start(site)
    world.advance(10)
    assert await state(site, id_) == "FAILED"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("string", "completed"), ("object", {"state": "completed"}), ("value", {"value": "completed"})],
)
async def test_the_state_has_several_shapes(
    site: httpx2.AsyncClient, world: World, shape: str, expected: object
) -> None:
    world.behaviors.change({"vcd": {"state_shape": shape}})
    id_ = await start(site)
    world.advance(10)
    assert await state(site, id_) == expected


async def test_cancelling(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.advance(2)
    assert (await site.delete(url(ONBOARD, id_, "state"))).status_code == 204
    body = await show(site, id_)
    assert (body["state"], "endDate" in body) == ("canceled", True)


async def test_cancelling_what_has_ended_changes_nothing(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.advance(10)
    assert (await site.delete(url(ONBOARD, id_, "state"))).status_code == 204
    assert await state(site, id_) == "completed"


async def test_records_are_deleted_once_the_run_ended(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    assert (await site.delete(url(ONBOARD, id_))).status_code == 400
    world.advance(10)
    assert (await site.delete(url(ONBOARD, id_))).status_code == 204
    assert (await site.get(url(ONBOARD, id_))).status_code == 404


async def test_the_vendor_purges_records(site: httpx2.AsyncClient, world: World) -> None:
    id_ = await start(site)
    world.runs.forget(id_)
    world.behaviors.change({"vcd": {"missing": "403"}})
    assert (await site.get(url(ONBOARD, id_))).status_code == 403
    assert (await site.get(url())).json()["total"] == 0


async def test_the_list_has_the_workflows_runs(site: httpx2.AsyncClient, world: World) -> None:
    first, second = await start(site), await start(site)
    await site.post(url(WORKFLOWS[2]), json={"parameters": []})
    body = (await site.get(url())).json()
    assert body["total"] == 2
    assert [each["id"] for each in body["executions"]] == [first, second]
    assert "inputParameters" not in body["executions"][0]


async def test_another_workflows_run_is_not_there(site: httpx2.AsyncClient) -> None:
    assert (await site.get(url(WORKFLOWS[2], await start(site)))).status_code == 404


@pytest.mark.parametrize(("form", "suffix"), [("colon", "+00:00"), ("short", "+0000")])
async def test_dates_have_two_forms(site: httpx2.AsyncClient, world: World, form: str, suffix: str) -> None:
    world.behaviors.change({"vcd": {"date_form": form}})
    assert (await show(site, await start(site)))["startDate"].endswith(suffix)


class TestStart:
    @pytest.mark.parametrize("id_", [ONBOARD.item_id, ONBOARD.item_uuid, ONBOARD.vro_id])
    async def test_a_workflow_has_three_ids(self, site: httpx2.AsyncClient, world: World, id_: str) -> None:
        path = f"/cloudapi/workflows/{id_}/executions"
        assert (await site.post(path, json={"parameters": [NAME]})).status_code == 201
        world.behaviors.change({"vcd": {"workflow_ids": "urn"}})
        expected = 201 if id_ == ONBOARD.item_id else 404
        assert (await site.post(path, json={"parameters": [NAME]})).status_code == expected

    async def test_the_colons_of_an_id_may_be_quoted(self, site: httpx2.AsyncClient) -> None:
        quoted = ONBOARD.item_id.replace(":", "%3A")
        path = f"/cloudapi/workflows/{quoted}/executions"
        assert (await site.post(path, json={"parameters": [NAME]})).status_code == 201

    @pytest.mark.parametrize(
        ("kind", "header", "part"),
        [
            ("location_task", "Location", "/api/task/"),
            ("task_header", "X-VMWARE-VCLOUD-TASK-LOCATION", "/api/task/"),
            ("location_execution", "Location", "/executions/"),
        ],
    )
    async def test_headers_point_at_the_run(
        self, site: httpx2.AsyncClient, world: World, kind: str, header: str, part: str
    ) -> None:
        world.behaviors.change({"vcd": {"start_answer": kind}})
        answer = await site.post(url(), json={"parameters": [NAME]})
        assert answer.status_code == 201
        assert part in answer.headers[header]
        assert (await site.get(answer.headers[header])).status_code == 200

    async def test_a_start_answers_a_task_only(self, site: httpx2.AsyncClient, world: World) -> None:
        world.behaviors.change({"vcd": {"start_answer": "task"}})
        answer = await site.post(url(), json={"parameters": [NAME]})
        assert (answer.status_code, answer.content) == (202, b"")
        assert "/api/task/" in answer.headers["Location"]

    async def test_no_right_to_execute(self, site: httpx2.AsyncClient) -> None:
        workflow = next(each for each in WORKFLOWS if not each.can_execute)
        assert (await site.post(url(workflow), json={"parameters": []})).status_code == 403

    async def test_an_unknown_workflow(self, site: httpx2.AsyncClient) -> None:
        assert (await site.post("/cloudapi/workflows/nothing/executions", json={})).status_code == 404

    async def test_a_body_is_needed(self, site: httpx2.AsyncClient, world: World) -> None:
        assert (await site.post(url())).status_code == 400
        assert world.runs.of("vcd") == []


class TestTask:
    async def task(self, site: httpx2.AsyncClient, world: World) -> str:
        world.behaviors.change({"vcd": {"start_answer": "task"}})
        answer = await site.post(url(), json={"parameters": [NAME]})
        return answer.headers["Location"]

    async def test_a_task_follows_its_run(self, site: httpx2.AsyncClient, world: World) -> None:
        location = await self.task(site, world)
        world.advance(1)
        answer = await site.get(location, headers={"Accept": "application/*+json;version=37.1"})
        assert answer.headers["Content-Type"] == "application/vnd.vmware.vcloud.task+json;version=37.1"
        assert (answer.json()["status"], answer.json()["progress"]) == ("running", None)
        world.advance(10)
        body = (await site.get(location)).json()
        assert body["status"] == "success"
        assert body["endTime"].endswith("+0000")

    async def test_a_failed_task_has_an_error(self, site: httpx2.AsyncClient, world: World) -> None:
        world.runs.scripts.append(Script("vcd", ending="failure", reason="no address left"))
        location = await self.task(site, world)
        world.advance(10)
        body = (await site.get(location)).json()
        assert (body["status"], body["error"]["message"]) == ("error", "no address left")

    async def test_a_cancelled_task(self, site: httpx2.AsyncClient, world: World) -> None:
        location = await self.task(site, world)
        (run,) = world.runs.of("vcd")
        await site.delete(url(ONBOARD, run.id, "state"))
        body = (await site.get(location)).json()
        assert (body["status"], body["cancelRequested"]) == ("canceled", True)

    async def test_an_unknown_task_is_forbidden(self, site: httpx2.AsyncClient) -> None:
        assert (await site.get("/api/task/0")).status_code == 403
