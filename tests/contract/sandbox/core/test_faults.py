"""Each kind of fault, as a client meets it."""

from __future__ import annotations

import asyncio
import json

import httpx2
import pytest

from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.server import Sandbox

QUERY = {"query": "{ applications(limit: 1) { nodes { name } } }"}
ANSWER = {"data": {"applications": {"nodes": [{"name": "Test App"}]}}}


async def ask(harness: httpx2.AsyncClient) -> httpx2.Response:
    return await harness.post("/api/graphql", json=QUERY)


async def test_a_status_with_headers_and_body(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    fault = Fault("harness", FaultKind.STATUS, status=503, headers={"Retry-After": "7"}, body="busy")
    sandbox.world.faults.add(fault)

    hit, next_one = await ask(harness), await ask(harness)

    assert (hit.status_code, hit.headers["Retry-After"], hit.text) == (503, "7", "busy")
    assert next_one.json() == ANSWER


async def test_a_page_instead_of_json(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.HTML, status=200))

    hit = await ask(harness)

    assert (hit.status_code, hit.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert hit.text.startswith("<html>")


async def test_json_of_choice(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.JSON, body={"data": None}))

    hit = await ask(harness)

    assert (hit.status_code, hit.json()) == (200, {"data": None})


@pytest.mark.parametrize("after", [True, False])
async def test_an_answer_cut_short(sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.TRUNCATE, after=after))

    with pytest.raises(httpx2.RemoteProtocolError):
        await ask(harness)

    assert sandbox.world.requests[-1].status == 200


@pytest.mark.parametrize("after", [True, False])
async def test_a_cut_connection_has_no_answer(sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.CUT, after=after))

    with pytest.raises(httpx2.RemoteProtocolError):
        await ask(harness)

    assert sandbox.world.requests[-1].status is None
    assert (await ask(harness)).json() == ANSWER


@pytest.mark.parametrize(("after", "runs"), [(True, 1), (False, 0)])
async def test_only_a_fault_after_lets_the_request_through(
    sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool, runs: int
) -> None:
    fault = Fault("harness", FaultKind.STATUS, Match(body="startExecution"), status=502, after=after)
    sandbox.world.faults.add(fault)
    find = '{ workflowByName(workflowName: "restart", applicationId: "naNJDKrUTZKKdKycL5Tx4g") { id } }'
    found = (await harness.post("/api/graphql", json={"query": find})).json()
    given = f'applicationId: "naNJDKrUTZKKdKycL5Tx4g", entityId: "{found["data"]["workflowByName"]["id"]}"'
    query = f"mutation {{ startExecution(input: {{{given}, executionType: WORKFLOW}}) {{ execution {{ id }} }} }}"

    hit = await harness.post("/api/graphql", json={"query": query})

    assert hit.status_code == 502
    assert len(sandbox.world.runs.of("harness")) == runs


@pytest.mark.parametrize("after", [True, False])
async def test_a_delay(sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.DELAY, seconds=0.2, after=after))
    loop = asyncio.get_running_loop()
    began = loop.time()

    hit = await ask(harness)

    assert hit.json() == ANSWER
    assert loop.time() - began >= 0.2


async def test_silence_lasts_until_the_client_gives_up(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.SILENCE))

    with pytest.raises(httpx2.ReadTimeout):
        await harness.post("/api/graphql", json=QUERY, timeout=0.1)

    assert [request.status for request in sandbox.world.requests] == [None]
    assert (await ask(harness)).json() == ANSWER


async def test_silence_can_end_in_a_cut(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.SILENCE, seconds=0.05, after=True))

    with pytest.raises(httpx2.RemoteProtocolError):
        await ask(harness)

    assert sandbox.world.requests[-1].status is None


async def test_a_fault_hits_only_what_it_matches(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    for match in (Match(method="GET"), Match(path="/nowhere"), Match(body="startExecution")):
        sandbox.world.faults.add(Fault("harness", FaultKind.CUT, match))
    sandbox.world.faults.add(Fault("vcd", FaultKind.CUT))

    assert (await ask(harness)).json() == ANSWER
    assert len(sandbox.world.faults.faults) == 4


async def test_a_fault_hits_as_often_as_it_says(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.STATUS, Match("post", "graphql"), status=500, times=2))

    assert [(await ask(harness)).status_code for _ in range(3)] == [500, 500, 200]


async def test_faults_are_prepared_and_dropped_over_http(
    sandbox: Sandbox, harness: httpx2.AsyncClient, control: httpx2.AsyncClient
) -> None:
    body = {"errors": [{"message": "odd"}]}
    fault = {"system": "harness", "kind": "json", "match": {"method": "POST"}, "body": body, "times": None}
    assert (await control.post("/faults", json=fault)).status_code == 200
    hits = [json.loads((await ask(harness)).text) for _ in range(2)]
    await control.delete("/faults")

    assert hits == [body, body]
    assert (await ask(harness)).json() == ANSWER
    assert [request.status for request in sandbox.world.requests] == [200, 200, 200]
