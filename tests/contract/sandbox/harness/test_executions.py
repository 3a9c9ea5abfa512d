"""Executions from start to end, read over GraphQL and REST."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.sandbox import Script
from provider_py.sandbox.world import RunsOfOthers
from tests.contract.sandbox.harness.requests import (
    APPLICATION,
    RUN_SECONDS,
    SEED_SERVICES,
    SEED_VARIABLES,
    START,
    WORKFLOW,
    Harness,
    start_input,
    variables,
)

TIMES = "status createdAt startedAt endedAt failureDetails notes"


async def test_execution_runs_and_succeeds(harness: Harness) -> None:
    began = int(harness.world.clock() * 1000)
    execution_id = await harness.start_simple(notes="from a test")
    harness.world.advance(RUN_SECONDS - 1)
    running = await harness.state(execution_id, TIMES)
    harness.world.advance(1)
    ended = await harness.state(execution_id, TIMES)

    common = {"createdAt": began, "startedAt": began, "failureDetails": None, "notes": "from a test"}
    assert running == {"status": "RUNNING", "endedAt": None, **common}
    assert ended == {"status": "SUCCESS", "endedAt": began + RUN_SECONDS * 1000, **common}


@pytest.mark.parametrize("word", ["ERROR", "REJECTED", "EXPIRED", "ABORTED", "SKIPPED", "NEVER_SEEN_BEFORE"])
async def test_execution_ends_as_scripted(harness: Harness, word: str) -> None:
    harness.world.runs.scripts.append(Script("harness", "restart", seconds=5, ending=word))
    execution_id = await harness.start_simple()
    harness.world.advance(5)

    assert await harness.state(execution_id) == word


async def test_failure_has_a_reason(harness: Harness) -> None:
    harness.world.runs.scripts.append(Script("harness", ending="failure", reason="step Deploy failed"))
    execution_id = await harness.start_simple()
    harness.world.advance(RUN_SECONDS)

    assert await harness.state(execution_id, "status failureDetails") == {
        "status": "FAILED",
        "failureDetails": "step Deploy failed",
    }


@pytest.mark.parametrize(
    ("hold", "status"), [("PAUSED", "PAUSED"), ("WAITING", "WAITING"), ("PREPARING", None), ("ODD", "ODD")]
)
async def test_held_execution_keeps_its_status(harness: Harness, hold: str, status: str | None) -> None:
    harness.world.runs.scripts.append(Script("harness", hold=hold))
    execution_id = await harness.start_simple()
    harness.world.advance(10 * RUN_SECONDS)
    held = await harness.state(execution_id, "status endedAt")
    harness.world.runs.of("harness")[0].release(harness.world.clock())
    released = await harness.state(execution_id)
    harness.world.advance(RUN_SECONDS)

    assert held == {"status": status, "endedAt": None}
    assert (released, await harness.state(execution_id)) == ("RUNNING", "SUCCESS")


@pytest.mark.parametrize(("word", "status"), [("QUEUED", "QUEUED"), ("PREPARING", None)])
async def test_execution_can_start_before_it_runs(harness: Harness, word: str, status: str | None) -> None:
    harness.world.behaviors.change({"harness": {"starting_status": word, "starting_seconds": 5.0}})
    restart = await harness.workflow_id("restart")

    started = (await harness.start(restart))["execution"]
    first = await harness.state(started["id"], "status startedAt")
    harness.world.advance(5)

    assert (started["status"], first) == (status, {"status": status, "startedAt": None})
    assert await harness.state(started["id"]) == "RUNNING"


async def test_entity_variables_show_ids(harness: Harness) -> None:
    payload = await harness.start(WORKFLOW, variableInputs=SEED_VARIABLES, serviceInputs=SEED_SERVICES)
    state = await harness.state(
        payload["execution"]["id"],
        "cause { ... on ExecutedByAPIKey { using apiKey { name } } } application { name } "
        "... on WorkflowExecution { inputVariables { name value } artifacts { buildNo } manifests { id } "
        "outcomes { nodes { __typename } } workflow { name } }",
    )

    values = {item["name"]: item["value"] for item in state["inputVariables"]}
    assert list(values) == ["Environment", "InfraDefinition_Kubernetes", "InfraDefinition_Kubernetes2"]
    assert {len(value) for value in values.values()} == {22}
    assert state["cause"] == {"using": "GRAPHQL_API", "apiKey": {"name": "terraform"}}
    assert [artifact["buildNo"] for artifact in state["artifacts"]] == ["stable-perl", "latest"]
    assert (state["manifests"], state["outcomes"], state["workflow"]["name"]) == (
        [],
        {"nodes": []},
        "multi service graphql test",
    )


async def test_url_points_to_the_execution(harness: Harness) -> None:
    workflow = await harness.start_simple()
    pipeline = (await harness.start(await harness.pipeline_id("Approved Pipeline"), "PIPELINE"))["execution"]["id"]

    assert f"/executions/{workflow}/details" in await harness.state(workflow, "executionUrl")
    assert f"/pipeline-execution/{pipeline}/" in await harness.state(pipeline, "executionUrl")


async def test_unknown_variables_only_cause_a_warning(harness: Harness) -> None:
    restart = await harness.workflow_id("restart")

    payload = await harness.start(restart, variableInputs=variables(a="1", b="2"), clientMutationId="mine")

    assert payload["clientMutationId"] == "mine"
    assert payload["warningMessage"] == (
        "Ignoring values for variables: [a,b] as they don't exist in workflow. Workflow Might be modified"
    )


async def test_repeated_mutation_starts_a_second_execution(harness: Harness) -> None:
    restart = await harness.workflow_id("restart")

    first = await harness.start(restart, clientMutationId="same")
    second = await harness.start(restart, clientMutationId="same")

    assert first["execution"]["id"] != second["execution"]["id"]


async def test_start_can_return_null_although_it_runs(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"null_payload": True}})
    restart = await harness.workflow_id("restart")

    answer = (await harness.post(START, start_input(restart, notes="token-1"))).json()
    listed = await harness.data("{ executions(limit: 5) { nodes { notes status } } }")

    assert answer == {"data": {"startExecution": None}}
    assert listed["executions"]["nodes"] == [{"notes": "token-1", "status": "RUNNING"}]


async def test_executions_are_found_by_filters_newest_first(harness: Harness) -> None:
    ids = []
    for note in ("one", "two", "three"):
        ids.append(await harness.start_simple(notes=note))
        harness.world.advance(10)
    restart = await harness.workflow_id("restart")
    query = "query($f: [ExecutionFilter]) { executions(filters: $f, limit: 2) { pageInfo { total } nodes { id } } }"
    since = str(int((harness.world.clock() - 21) * 1000))

    async def find(*filters: dict[str, object]) -> list[str]:
        return [node["id"] for node in (await harness.data(query, {"f": list(filters)}))["executions"]["nodes"]]

    assert await find() == [ids[2], ids[1]]
    assert await find({"execution": {"operator": "IN", "values": [ids[0], ids[2]]}}) == [ids[2], ids[0]]
    assert await find({"workflow": {"operator": "EQUALS", "values": [restart]}}) == [ids[2], ids[1]]
    assert await find({"workflow": {"operator": "EQUALS", "values": ["x"]}}) == []
    assert await find({"applicationId": APPLICATION, "creationTime": {"operator": "BEFORE", "value": since}}) == [
        ids[0]
    ]
    assert await find({"status": {"operator": "IN", "values": ["SUCCESS"]}}) == []


async def test_purged_execution_does_not_exist(harness: Harness) -> None:
    execution_id = await harness.start_simple()
    harness.world.runs.forget(execution_id)

    text = await harness.refusal(f'{{ execution(executionId: "{execution_id}") {{ id }} }}')

    assert text == "Invalid request: Execution does not exist or access is denied"
    assert (await harness.data("{ executions(limit: 5) { nodes { id } } }"))["executions"]["nodes"] == []


async def test_aliases_fail_independently(harness: Harness) -> None:
    execution_id = await harness.start_simple()
    query = f'{{ e0: execution(executionId: "{execution_id}") {{ id }} e1: execution(executionId: "x") {{ id }} }}'

    answer = (await harness.post(query)).json()

    assert answer["data"] == {"e0": {"id": execution_id}, "e1": None}
    assert [error["path"] for error in answer["errors"]] == [["e1"]]
    assert answer["errors"][0]["message"].startswith("Exception while fetching data (/e1) : Invalid request: ")


async def test_abort_takes_effect_later_and_only_once(harness: Harness) -> None:
    execution_id = await harness.start_simple()
    url, query = f"/api/executions/{execution_id}", {"appId": APPLICATION, "routingId": "account"}
    body = {"executionInterruptType": "ABORT_ALL"}

    first = await harness.http.put(url, params=query, json=body)
    during = await harness.state(execution_id)
    second = await harness.http.put(url, params=query, json=body)
    harness.world.advance(1)

    assert first.json()["resource"]["executionUuid"] == execution_id
    assert (during, await harness.state(execution_id)) == ("RUNNING", "ABORTED")
    entry = second.json()["responseMessages"][0]
    assert (second.status_code, entry["code"], entry["message"]) == (
        400,
        "ABORT_ALL_ALREADY",
        "Execution has already been aborted.",
    )


@pytest.mark.parametrize(
    ("application", "body"), [("x", '{"executionInterruptType": "ABORT_ALL"}'), (APPLICATION, "{}"), (APPLICATION, "[")]
)
async def test_invalid_abort_is_refused(harness: Harness, application: str, body: str) -> None:
    execution_id = await harness.start_simple()

    response = await harness.http.put(f"/api/executions/{execution_id}", params={"appId": application}, content=body)

    assert response.status_code == 400
    assert response.json()["responseMessages"][0]["code"] == "INVALID_ARGUMENT"
    assert await harness.state(execution_id) == "RUNNING"


async def test_rest_needs_the_key(harness: Harness) -> None:
    execution_id = await harness.start_simple()
    wrong = {"x-api-key": "wrong"}

    put = await harness.http.put(f"/api/executions/{execution_id}", headers=wrong, json={})
    get = await harness.http.get(f"/api/external/v1/executions/{execution_id}/status", headers=wrong)

    assert (put.status_code, get.status_code) == (401, 401)


async def test_rest_returns_the_internal_status(harness: Harness) -> None:
    execution_id = await harness.start_simple()
    url = f"/api/external/v1/executions/{execution_id}/status"
    harness.world.runs.cancel(execution_id, harness.world.clock() + 5)

    aborting = await harness.http.get(url, params={"accountId": "a", "appId": APPLICATION})
    harness.world.advance(5)
    aborted = await harness.http.get(url, params={"accountId": "a", "appId": APPLICATION})

    assert (aborting.json(), aborted.json()) == ({"status": "DISCONTINUING"}, {"status": "ABORTED"})


PAGE = """query($f: [ExecutionFilter], $limit: Int!, $offset: Int) {
  executions(filters: $f, limit: $limit, offset: $offset) { pageInfo { hasMore } nodes { id createdAt notes } } }"""


async def page(harness: Harness, offset: int = 0, *filters: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    sent = {"f": list(filters), "limit": 1000, "offset": offset}
    answer = (await harness.data(PAGE, sent))["executions"]
    return answer["nodes"], answer["pageInfo"]["hasMore"]


async def test_executions_of_others_fill_the_pages_of_the_list(harness: Harness) -> None:
    own = await harness.start_simple()
    others = RunsOfOthers("harness", "restart", count=250, age=1.0, apart=2.0, notes="nightly")
    harness.world.add_others["harness"](others)
    pages = [await page(harness, offset) for offset in (0, 100, 200)]

    assert [(len(nodes), more) for nodes, more in pages] == [(100, True), (100, True), (51, False)]
    listed = [node for nodes, _ in pages for node in nodes]
    assert (listed[0]["id"], {node["notes"] for node in listed[1:]}) == (own, {"nightly"})
    created = [node["createdAt"] for node in listed]
    assert created == sorted(created, reverse=True)
    assert created[0] - created[1] == 1000
    assert created[1] - created[-1] == 2000 * 249


async def test_pipelines_of_others_are_listed(harness: Harness) -> None:
    harness.world.add_others["harness"](RunsOfOthers("harness", "Test Pipeline"))
    ((node,), _) = await page(harness)
    harness.world.advance(RUN_SECONDS)

    assert await harness.state(node["id"]) == "SUCCESS"


@pytest.mark.parametrize(("heeded", "listed"), [("both", 3), ("after", 6), ("before", 7), ("none", 10)])
async def test_server_may_ignore_conditions_on_times(harness: Harness, heeded: str, listed: int) -> None:
    harness.world.add_others["harness"](RunsOfOthers("harness", "restart", count=10))
    now = int(harness.world.clock() * 1000)
    harness.world.behaviors.change({"harness": {"time_filters": heeded}})
    bounds = [
        {"creationTime": {"operator": "AFTER", "value": now - 5500}},
        {"creationTime": {"operator": "BEFORE", "value": now - 2500}},
    ]

    assert len((await page(harness, 0, *bounds))[0]) == listed


async def test_new_execution_may_be_listed_late(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"list_lag": 5.0}})
    execution_id = await harness.start_simple()

    assert (await page(harness))[0] == []
    harness.world.advance(5)
    assert [node["id"] for node in (await page(harness))[0]] == [execution_id]


async def test_list_may_grow_while_it_is_paged(harness: Harness) -> None:
    execution_id = await harness.start_simple()
    harness.world.behaviors.change({"harness": {"list_growth": 2}})
    sizes = [len((await page(harness))[0]) for _ in range(3)]

    assert sizes == [1, 3, 5]
    assert (await page(harness))[0][-1]["id"] == execution_id
