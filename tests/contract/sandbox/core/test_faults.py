"""Every kind of fault, as a client meets it."""

from __future__ import annotations

import asyncio
import json

import httpx2
import pytest

from provider_py.sandbox import Fault, FaultKind, Match, Sandbox

QUERY = {"query": "{ applications(limit: 1) { nodes { name } } }"}
ANSWER = {"data": {"applications": {"nodes": [{"name": "Test App"}]}}}


async def ask(harness: httpx2.AsyncClient) -> httpx2.Response:
    return await harness.post("/api/graphql", json=QUERY)


async def test_fault_returns_status_headers_and_body(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    fault = Fault("harness", FaultKind.STATUS, status=503, headers={"Retry-After": "7"}, body="busy")
    sandbox.world.faults.add(fault)

    struck, following = await ask(harness), await ask(harness)

    assert (struck.status_code, struck.headers["Retry-After"], struck.text) == (503, "7", "busy")
    assert following.json() == ANSWER


async def test_fault_returns_an_html_page(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.HTML, status=200))

    struck = await ask(harness)

    assert (struck.status_code, struck.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert struck.text.startswith("<html>")


async def test_fault_returns_any_json(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.JSON, body={"data": None}))

    struck = await ask(harness)

    assert (struck.status_code, struck.json()) == (200, {"data": None})


@pytest.mark.parametrize("after", [True, False])
async def test_response_is_truncated(sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.TRUNCATE, after=after))

    with pytest.raises(httpx2.RemoteProtocolError):
        await ask(harness)

    assert sandbox.world.requests[-1].status == 200


@pytest.mark.parametrize("after", [True, False])
async def test_closed_connection_has_no_response(sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.CUT, after=after))

    with pytest.raises(httpx2.RemoteProtocolError):
        await ask(harness)

    assert sandbox.world.requests[-1].status is None
    assert (await ask(harness)).json() == ANSWER


@pytest.mark.parametrize(("after", "runs"), [(True, 1), (False, 0)])
async def test_request_is_processed_only_if_the_fault_strikes_after(
    sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool, runs: int
) -> None:
    fault = Fault("harness", FaultKind.STATUS, Match(body="startExecution"), status=502, after=after)
    sandbox.world.faults.add(fault)
    find = '{ workflowByName(workflowName: "restart", applicationId: "naNJDKrUTZKKdKycL5Tx4g") { id } }'
    answer = (await harness.post("/api/graphql", json={"query": find})).json()
    ids = f'applicationId: "naNJDKrUTZKKdKycL5Tx4g", entityId: "{answer["data"]["workflowByName"]["id"]}"'
    query = f"mutation {{ startExecution(input: {{{ids}, executionType: WORKFLOW}}) {{ execution {{ id }} }} }}"

    struck = await harness.post("/api/graphql", json={"query": query})

    assert struck.status_code == 502
    assert len(sandbox.world.runs.of("harness")) == runs


@pytest.mark.parametrize("after", [True, False])
async def test_response_is_delayed(sandbox: Sandbox, harness: httpx2.AsyncClient, after: bool) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.DELAY, seconds=0.2, after=after))
    loop = asyncio.get_running_loop()
    began = loop.time()

    struck = await ask(harness)

    assert struck.json() == ANSWER
    assert loop.time() - began >= 0.2


async def test_silence_lasts_until_the_client_gives_up(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.SILENCE))

    with pytest.raises(httpx2.ReadTimeout):
        await harness.post("/api/graphql", json=QUERY, timeout=0.1)

    assert [request.status for request in sandbox.world.requests] == [None]
    assert (await ask(harness)).json() == ANSWER


async def test_silence_can_end_in_a_closed_connection(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.SILENCE, seconds=0.05, after=True))

    with pytest.raises(httpx2.RemoteProtocolError):
        await ask(harness)

    assert sandbox.world.requests[-1].status is None


async def test_fault_strikes_only_matching_requests(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    for match in (Match(method="GET"), Match(path="/nowhere"), Match(body="startExecution")):
        sandbox.world.faults.add(Fault("harness", FaultKind.CUT, match))
    sandbox.world.faults.add(Fault("vcd", FaultKind.CUT))

    assert (await ask(harness)).json() == ANSWER
    assert len(sandbox.world.faults.faults) == 4


async def test_fault_strikes_the_given_number_of_times(sandbox: Sandbox, harness: httpx2.AsyncClient) -> None:
    sandbox.world.faults.add(Fault("harness", FaultKind.STATUS, Match("post", "graphql"), status=500, times=2))

    assert [(await ask(harness)).status_code for _ in range(3)] == [500, 500, 200]


async def test_faults_can_be_added_and_removed_over_http(
    sandbox: Sandbox, harness: httpx2.AsyncClient, control: httpx2.AsyncClient
) -> None:
    body = {"errors": [{"message": "odd"}]}
    fault = {"system": "harness", "kind": "json", "match": {"method": "POST"}, "body": body, "times": None}
    assert (await control.post("/faults", json=fault)).status_code == 200
    answers = [json.loads((await ask(harness)).text) for _ in range(2)]
    await control.delete("/faults")

    assert answers == [body, body]
    assert (await ask(harness)).json() == ANSWER
    assert [request.status for request in sandbox.world.requests] == [200, 200, 200]
