"""The life cycle of a run, against every behavior that a Cloud Director may have."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from provider_py.execution import Timeouts, Unanswered, Unauthorized
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.vcd import BEHAVIORS
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.systems.vcd.execution import VcdExecution
from provider_py.systems.vcd.polling import MAX_CONCURRENT_READS
from provider_py.systems.vcd.workflow import VcdWorkflow
from tests.support.site import Process
from tests.support.waiting import eventually

ONBOARD = WORKFLOWS[0]
PARAMETERS = {"vmName": "web-1", "size": 2, "notify": True, "tags": ["a", "b"]}
OUTPUTS = {"vmId": "vm-42", "ready": True, "addresses": ["192.0.2.10", "192.0.2.11"]}
NAMES_AND_IDS = [{"workflow": ONBOARD.name}] + [
    {"workflow_id": identifier}
    for identifier in (ONBOARD.item_id, ONBOARD.item_uuid, ONBOARD.vro_id, ONBOARD.item_uuid.upper())
]
VARIANTS: list[dict[str, object]] = [
    {},
    *({name: value} for name, behavior in BEHAVIORS.items() for value in behavior.choices[1:]),
    {"session_outputs": False},
    {"list_lag": 3.0},
    {"list_lag": 1e6},
    {"missing": "403", "presentation": "absent"},
    {"workflow_ids": "urn", "presentation": "absent"},
    {"start_answer": "task", "date_form": "short", "missing": "403"},
    {"execution_state": "absent", "state_shape": "object"},
    {"execution_state": "absent", "state_shape": "value"},
]


def test_variants_cover_every_behavior() -> None:
    switched = {name for variant in VARIANTS for name in variant}
    assert switched | {"token_seconds"} == set(BEHAVIORS)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: ",".join(f"{k}={v}" for k, v in variant.items()))
async def test_a_run_is_started_once_and_followed_until_it_finishes(
    process: Process, variant: dict[str, object]
) -> None:
    process.site.set_behaviors("vcd", **variant)
    assert await process.plan(VcdExecution(workflow=ONBOARD.name, parameters=PARAMETERS)) == ()
    state = await process.created(VcdExecution(workflow=ONBOARD.name, parameters=PARAMETERS))
    assert state.status == "completed"
    assert state.outputs == OUTPUTS
    assert state.import_id == f"{ONBOARD.item_id}/{state.id}"
    assert str(state.started_at).endswith("Z")
    assert str(state.ended_at).endswith("Z")
    assert (state.task_url is not None) == (variant.get("start_answer") in {"location_task", "task_header", "task"})
    assert [run.id for run in process.site.runs("vcd")] == [state.id]


@pytest.mark.parametrize("strict", ["any", "urn"])
@pytest.mark.parametrize("presentation", ["full", "absent"])
@pytest.mark.parametrize("named", NAMES_AND_IDS, ids=["name", "urn", "uuid", "orchestrator", "upper-case"])
async def test_a_workflow_is_found_by_name_and_by_every_id(
    process: Process, strict: str, presentation: str, named: dict[str, Any]
) -> None:
    process.site.set_behaviors("vcd", workflow_ids=strict, presentation=presentation)
    state = await process.created(VcdExecution(parameters=PARAMETERS, **named))
    assert (state.status, state.outputs) == ("completed", OUTPUTS)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: ",".join(f"{k}={v}" for k, v in variant.items()))
async def test_a_failed_run_reports_its_reason(process: Process, variant: dict[str, object]) -> None:
    process.site.set_behaviors("vcd", **variant)
    process.site.script("vcd", seconds=None, ending="failure", reason="disk full on node 7")
    result = await process.create(VcdExecution(workflow=ONBOARD.name, parameters=PARAMETERS))
    assert result.state is not None
    assert (result.state.status, result.state.status_message) == ("failed", "disk full on node 7")
    assert result.state.current_item == "Create machine"
    (problem,) = result.diagnostics
    assert "disk full on node 7" in problem.detail


@pytest.mark.parametrize(
    ("state", "ends"),
    [("canceled", True), ("CANCELED", True), ("Cancelled", True), ("Failed", True), ("debugging", False)],
)
async def test_states_are_understood_in_any_spelling(process: Process, state: str, ends: bool) -> None:
    process.site.script("vcd", seconds=None, ending=state)
    timeouts = None if ends else Timeouts(create="3m")
    result = await process.create(VcdExecution(workflow=ONBOARD.name, parameters=PARAMETERS, timeouts=timeouts))
    assert result.state is not None
    assert result.state.status == state
    assert ("failed with status" in result.diagnostics[0].summary) is ends


@pytest.mark.parametrize("strict", ["any", "urn"])
@pytest.mark.parametrize("missing", ["404", "403"])
@pytest.mark.parametrize("workflow", [ONBOARD.item_id, ONBOARD.item_uuid, ONBOARD.vro_id])
async def test_an_execution_is_imported_under_any_id_of_its_workflow(
    process: Process, strict: str, missing: str, workflow: str
) -> None:
    state = await process.created(VcdExecution(workflow=ONBOARD.name, parameters=PARAMETERS))
    process.site.set_behaviors("vcd", workflow_ids=strict, missing=missing)
    imported = (await process.execution("vcd").import_state(f"{workflow}/{state.id}")).state
    assert imported is not None
    assert (imported.id, imported.outputs) == (state.id, OUTPUTS)
    assert (await process.execution("vcd").read(imported, b"")).state == imported


async def test_a_start_whose_answer_is_lost_is_searched_for_and_not_repeated(process: Process) -> None:
    process.site.world.faults.add(Fault("vcd", FaultKind.CUT, Match("POST", "/executions"), after=True))
    parameters = {"moment": "2026-01-31T12:00:00Z", "vm": "vm-1", "secret": "s3cret"}
    state = await process.created(VcdExecution(workflow="Copy values", parameters=parameters))
    assert state.status == "completed"
    assert len(process.site.received("/executions", "POST")) == 1


def search(process: Process, part: Any, taken: frozenset[str] = frozenset()) -> Coroutine[Any, Any, Any]:
    return process.launcher("vcd").search(part, "token", process.launcher("vcd").now() - 3600, taken)  # type: ignore[no-any-return]


async def start_candidates(process: Process, count: int) -> list[Any]:
    """Start runs with inputs of their own, and return what each was started with."""
    launcher = process.launcher("vcd")
    configs = [VcdExecution(workflow=ONBOARD.name, parameters=PARAMETERS | {"size": size}) for size in range(count)]
    parts = [(await launcher.prepare(config, frozenset()))[0] for config in configs]
    await asyncio.gather(*(launcher.start(part, "token") for part in parts))
    process.site.requests.clear()
    return parts


async def test_a_search_reads_its_candidates_concurrently_up_to_a_limit(process: Process) -> None:
    parts = await start_candidates(process, MAX_CONCURRENT_READS + 5)
    process.site.world.faults.add(Fault("vcd", FaultKind.SILENCE, Match("GET", "/executions/"), times=None))
    searching = asyncio.ensure_future(search(process, parts[0]))

    def waiting() -> int:
        return sum(request.status is None for request in process.site.requests)

    await eventually(lambda: waiting() >= MAX_CONCURRENT_READS, "reads of the candidates")
    await process.look_up(VcdWorkflow(workflow=ONBOARD.name))  # while those wait, no further one is read
    assert waiting() == MAX_CONCURRENT_READS
    searching.cancel()


async def test_a_search_tells_candidates_apart_by_their_inputs(process: Process) -> None:
    parts = await start_candidates(process, 5)
    found = [await search(process, part) for part in parts]
    assert len({run.id for run in found}) == 5
    taken = frozenset(f"{ONBOARD.item_id}/{run.id}" for run in found[1:])
    process.site.requests.clear()
    assert (await search(process, parts[0], taken)).id == found[0].id
    assert len(process.site.requests) == 2
    assert await search(process, parts[1], taken) is None


async def test_a_search_with_several_results_has_none(process: Process) -> None:
    (part,) = await start_candidates(process, 1)
    await process.launcher("vcd").start(part, "token")
    with pytest.raises(Unanswered, match="several executions could be the one") as raised:
        await search(process, part)
    assert all(run.id in raised.value.reason for run in process.site.runs("vcd"))


async def test_a_candidate_that_cannot_be_read_fails_the_search(process: Process) -> None:
    parts = await start_candidates(process, 3)
    unreadable = process.site.runs("vcd")[1].id
    process.site.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET", unreadable), status=403, times=None))
    with pytest.raises(Unauthorized):
        await search(process, parts[0])
