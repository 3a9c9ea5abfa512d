"""The control API."""

from __future__ import annotations

import itertools
from typing import Any

import httpx2
import pytest

from provider_py.sandbox import Sandbox

START = """mutation($input: StartExecutionInput!) { startExecution(input: $input) { execution { id status } } }"""
WORKFLOW = """{ workflowByName(workflowName: "restart", applicationId: "naNJDKrUTZKKdKycL5Tx4g") { id } }"""


async def start(harness: httpx2.AsyncClient) -> str:
    answer = (await harness.post("/api/graphql", json={"query": WORKFLOW})).json()
    entity_id = answer["data"]["workflowByName"]["id"]
    body = {"applicationId": "naNJDKrUTZKKdKycL5Tx4g", "entityId": entity_id, "executionType": "WORKFLOW"}
    answer = (await harness.post("/api/graphql", json={"query": START, "variables": {"input": body}})).json()
    return str(answer["data"]["startExecution"]["execution"]["id"])


async def only_run(control: httpx2.AsyncClient) -> dict[str, Any]:
    (run,) = (await control.get("/runs", params={"system": "harness"})).json()
    assert isinstance(run, dict)
    return run


async def test_requests_are_recorded_unchanged(harness: httpx2.AsyncClient, control: httpx2.AsyncClient) -> None:
    await harness.post("/api/graphql?accountId=me", json={"query": "{ nope }"}, headers={"X-Odd": "yes"})
    await harness.get("/nowhere")

    sent, lost = (await control.get("/requests", params={"system": "harness"})).json()
    assert (sent["system"], sent["method"], sent["path"]) == ("harness", "POST", "/gateway/api/graphql")
    assert (sent["query"], sent["body"], sent["status"]) == ({"accountId": "me"}, {"query": "{ nope }"}, 200)
    assert sent["headers"]["x-odd"] == "yes"
    assert (lost["path"], lost["body"], lost["status"]) == ("/gateway/nowhere", "", 404)
    assert (await control.get("/requests", params={"system": "vcd"})).json() == []


async def test_recorded_requests_can_be_cleared(harness: httpx2.AsyncClient, control: httpx2.AsyncClient) -> None:
    await harness.get("/nowhere")
    await control.delete("/requests")

    assert (await control.get("/requests")).json() == []


async def test_script_applies_to_the_next_run(harness: httpx2.AsyncClient, control: httpx2.AsyncClient) -> None:
    script = {"system": "harness", "target": "restart", "seconds": 3, "ending": "failure", "reason": "no disk"}
    assert (await control.post("/scripts", json=script)).status_code == 200
    execution_id = await start(harness)
    await control.post("/clock", json={"advance": 3})

    run = await only_run(control)
    assert (run["id"], run["phase"], run["reason"], run["names"]) == (execution_id, "FAILED", "no disk", ["restart"])
    assert run["ended_at"] == run["started_at"] + 3


async def test_run_can_be_changed_while_it_runs(harness: httpx2.AsyncClient, control: httpx2.AsyncClient) -> None:
    execution_id = await start(harness)

    async def change(**changes: object) -> dict[str, Any]:
        answer = await control.patch(f"/runs/{execution_id}", json=changes)
        assert answer.status_code == 200, answer.text
        run: dict[str, Any] = answer.json()
        return run

    held = await change(hold="PAUSED", reason="wait")
    await control.post("/clock", json={"advance": 60})
    still_held = await only_run(control)
    released = await change(hold=None)
    finished = await change(ending="EXPIRED", finish=True)

    assert (held["phase"], still_held["phase"], released["phase"]) == ("HELD", "HELD", "RUNNING")
    assert (finished["phase"], finished["ending"], finished["reason"]) == ("FAILED", "EXPIRED", "wait")


async def test_runs_of_others_are_added_whatever_the_scripts_say(control: httpx2.AsyncClient) -> None:
    await control.post("/scripts", json={"system": "harness", "ending": "failure", "seconds": 0})
    others = {"system": "harness", "target": "restart", "count": 3, "age": 3600, "apart": 60}
    assert (await control.post("/runs", json=others)).status_code == 200

    runs = (await control.get("/runs")).json()
    assert [run["phase"] for run in runs] == ["SUCCEEDED"] * 3
    assert [later["started_at"] - run["started_at"] for run, later in itertools.pairwise(runs)] == [60, 60]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"system": "vcd", "target": "restart"}, "system: must be one of harness; got 'vcd'"),
        ({"system": "harness", "target": "nothing"}, "target: there is no workflow or pipeline 'nothing'"),
        ({"system": "harness", "target": "restart", "count": 0}, "count"),
    ],
)
async def test_runs_of_others_need_a_target(control: httpx2.AsyncClient, body: dict[str, Any], words: str) -> None:
    answer = await control.post("/runs", json=body)

    assert answer.status_code == 400
    assert words in answer.json()["error"]


async def test_purged_run_does_not_exist(harness: httpx2.AsyncClient, control: httpx2.AsyncClient) -> None:
    execution_id = await start(harness)

    assert (await control.delete(f"/runs/{execution_id}")).status_code == 200
    assert (await control.delete(f"/runs/{execution_id}")).status_code == 404
    assert (await control.get("/runs")).json() == []


async def test_behaviors_are_listed_and_changed(control: httpx2.AsyncClient) -> None:
    answer = await control.post("/behaviours", json={"harness": {"requests_per_minute": 5}})

    assert answer.status_code == 200
    listed = (await control.get("/behaviours")).json()
    assert listed["harness"]["requests_per_minute"] == 5
    assert {"harness", "nexthink", "vcd"} == set(listed)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"harness": {"nope": 1}}, "harness.nope: unknown; must be one of aborting_seconds, "),
        ({"nope": {}, "other": {"x": 1}}, "unknown system"),
        (
            {"harness": {"retry_after": "never"}},
            "harness.retry_after: must be one of 'none', 'seconds', 'date'; got 'never'",
        ),
        (
            {"harness": {"null_payload": 1}},
            "harness.null_payload: must be of the same type as its default, False; got 1",
        ),
        ({"harness": 1}, "body: "),
        ([], "body: "),
    ],
)
async def test_invalid_behaviors_change_nothing(control: httpx2.AsyncClient, body: object, named: str) -> None:
    before = (await control.get("/behaviours")).json()

    answer = await control.post("/behaviours", json=body)

    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert (await control.get("/behaviours")).json() == before


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/scripts", {}, "system: Field required"),
        ("/scripts", {"system": "nope"}, "system: must be one of harness, nexthink, vcd; got 'nope'"),
        ("/scripts", {"system": "vcd", "seconds": -1}, "seconds: "),
        ("/scripts", {"system": "vcd", "times": 0}, "times: "),
        ("/scripts", {"system": "vcd", "colour": "red"}, "colour: "),
        ("/faults", {"system": "vcd", "kind": "nope"}, "kind: "),
        ("/faults", {"system": "vcd", "kind": "status", "status": 99}, "status: "),
        ("/faults", {"system": "vcd", "kind": "cut", "match": {"verb": "GET"}}, "match.verb: "),
        ("/clock", {"speed": 0}, "speed: "),
        ("/clock", {"advance": "soon"}, "advance: "),
    ],
)
async def test_invalid_input_names_the_field(
    control: httpx2.AsyncClient, path: str, body: dict[str, object], field: str
) -> None:
    answer = await control.post(path, json=body)

    assert answer.status_code == 400
    assert field in answer.json()["error"]


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
async def test_body_that_is_not_an_object_is_a_400(control: httpx2.AsyncClient, content: str) -> None:
    answer = await control.post("/scripts", content=content)

    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_unknown_paths_answer_in_json(control: httpx2.AsyncClient) -> None:
    answers = [await control.get("/nope"), await control.patch("/runs/nope", json={}), await control.get("/scripts")]

    assert [answer.status_code for answer in answers] == [404, 404, 405]
    assert all(answer.json()["error"] for answer in answers)


async def test_reset_restores_the_initial_state(
    sandbox: Sandbox, harness: httpx2.AsyncClient, control: httpx2.AsyncClient
) -> None:
    await start(harness)
    await control.post("/behaviours", json={"harness": {"requests_per_minute": 5}})
    await control.post("/scripts", json={"system": "harness", "times": None})
    await control.post("/faults", json={"system": "harness", "kind": "cut", "times": None})
    await control.post("/clock", json={"advance": 1000, "speed": 5})

    await control.post("/reset")

    assert (sandbox.world.runs.of(), sandbox.world.runs.scripts, sandbox.world.faults.faults) == ([], [], [])
    assert sandbox.world.requests == []
    assert sandbox.world.behaviors["harness"]["requests_per_minute"] == 30
    assert sandbox.world.speed == 1.0
    listed = (await harness.post("/api/graphql", json={"query": "{ executions(limit: 1) { nodes { id } } }"})).json()
    assert listed == {"data": {"executions": {"nodes": []}}}
