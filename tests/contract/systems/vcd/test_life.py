"""The life of a run against every behaviour that Cloud Director is not known not to have."""

from __future__ import annotations

import asyncio

import pytest

from provider_py.execution.private_state import PrivateState
from provider_py.execution.run import Timeouts
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.vcd import BEHAVIORS
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.sandbox.world import Script
from tests.contract.systems.vcd.conftest import Life, Site

ONBOARD = WORKFLOWS[0]
PARAMETERS = {"vmName": "web-1", "size": 2, "notify": True, "tags": ["a", "b"]}
OUTPUTS = {"vmId": "vm-42", "ready": True, "addresses": ["192.0.2.10", "192.0.2.11"]}
FORMS = [{"workflow": ONBOARD.name}] + [
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


def test_the_variants_are_all_there_are() -> None:
    switched = {name for variant in VARIANTS for name in variant}
    assert switched | {"token_seconds"} == set(BEHAVIORS)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: ",".join(f"{k}={v}" for k, v in variant.items()))
async def test_a_run_is_started_once_and_followed_to_its_end(life: Life, variant: dict[str, object]) -> None:
    life.behave(**variant)
    assert (await life.plan(workflow=ONBOARD.name, parameters=PARAMETERS)).diagnostics == ()
    state = await life.made(workflow=ONBOARD.name, parameters=PARAMETERS)
    assert state.status == "completed"
    assert state.outputs == OUTPUTS
    assert state.import_id == f"{ONBOARD.item_id}/{state.id}"
    assert str(state.started_at).endswith("Z")
    assert state.ended_at is not None
    assert (state.task_url is not None) == (variant.get("start_answer") in {"location_task", "task_header", "task"})
    assert [run.id for run in life.world.runs.of("vcd")] == [state.id]


@pytest.mark.parametrize("strict", ["any", "urn"])
@pytest.mark.parametrize("presentation", ["full", "absent"])
@pytest.mark.parametrize("named", FORMS, ids=["name", "urn", "uuid", "orchestrator", "upper-case"])
async def test_a_workflow_goes_by_its_name_and_every_id(
    life: Life, strict: str, presentation: str, named: dict[str, str]
) -> None:
    life.behave(workflow_ids=strict, presentation=presentation)
    state = await life.made(parameters=PARAMETERS, **named)
    assert (state.status, state.outputs) == ("completed", OUTPUTS)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: ",".join(f"{k}={v}" for k, v in variant.items()))
async def test_a_failed_run_tells_its_reason(life: Life, variant: dict[str, object]) -> None:
    life.behave(**variant)
    life.world.runs.scripts.append(Script("vcd", ending="failure", reason="disk full on node 7"))
    answer = await life.create(workflow=ONBOARD.name, parameters=PARAMETERS)
    assert answer.state is not None
    assert (answer.state.status, answer.state.status_message) == ("failed", "disk full on node 7")
    assert answer.state.current_item == "Create machine"
    (said,) = answer.diagnostics
    assert "disk full on node 7" in said.detail


@pytest.mark.parametrize(
    ("word", "ends"),
    [("canceled", True), ("CANCELED", True), ("Cancelled", True), ("Failed", True), ("debugging", False)],
)
async def test_words_for_states_are_read_in_any_spelling(life: Life, word: str, ends: bool) -> None:
    life.world.runs.scripts.append(Script("vcd", ending=word))
    timeouts = None if ends else Timeouts(create="3m")
    answer = await life.create(workflow=ONBOARD.name, parameters=PARAMETERS, timeouts=timeouts)
    assert answer.state is not None
    assert answer.state.status == word
    assert ("failed with status" in answer.diagnostics[0].summary) is ends


@pytest.mark.parametrize("missing", ["404", "403"])
async def test_a_purged_record_is_expired_and_not_run_again(life: Life, missing: str) -> None:
    life.behave(missing=missing)
    life.world.runs.scripts.append(Script("vcd", seconds=1e6))
    state = await life.made(workflow=ONBOARD.name, parameters=PARAMETERS, wait=False)
    life.world.runs.forget(str(state.id))
    seen = (await life.resource.read(state, b"")).state
    assert seen is not None
    assert seen.record_expired is True
    assert len(life.asked("POST", "/executions")) == 1


@pytest.mark.parametrize("missing", ["404", "403"])
@pytest.mark.parametrize("gone", [False, True])
async def test_destroying_cancels_what_is_still_there(life: Life, missing: str, gone: bool) -> None:
    life.behave(missing=missing)
    life.world.runs.scripts.append(Script("vcd", seconds=1e6))
    state = await life.made(workflow=ONBOARD.name, parameters=PARAMETERS, wait=False, on_destroy="cancel")
    if gone:
        life.world.runs.forget(str(state.id))
    assert (await life.resource.delete(state, PrivateState.UNFINISHED.encode())).state is None
    assert all(run.cancelled_at is not None for run in life.world.runs.of("vcd"))
    assert len(life.asked("DELETE", "/state")) == 1


async def test_an_interrupted_run_is_waited_for_by_the_next_process(site: Site) -> None:
    first, second = site.life(), site.life()
    site.world.runs.scripts.append(Script("vcd", seconds=1e6))
    waiting = asyncio.create_task(first.create(workflow=ONBOARD.name, parameters=PARAMETERS))
    await wait_for_a_run(site)
    first.stop.set()
    answer = await waiting
    assert answer.state is not None
    assert "Terraform was interrupted" in answer.diagnostics[0].detail
    site.world.runs.of("vcd")[0].finish(site.world.clock())
    resumed = await second.resource.update(answer.state, answer.state, answer.private)
    assert resumed.state is not None
    assert resumed.state.outputs == OUTPUTS
    assert len(site.world.runs.of("vcd")) == 1


async def wait_for_a_run(site: Site) -> None:
    async with asyncio.timeout(10):
        while not site.world.runs.of("vcd"):  # noqa: ASYNC110 - the run starts on the other side of a socket
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("strict", ["any", "urn"])
@pytest.mark.parametrize("missing", ["404", "403"])
@pytest.mark.parametrize("workflow", [ONBOARD.item_id, ONBOARD.item_uuid, ONBOARD.vro_id])
async def test_an_execution_is_imported_under_any_id_of_its_workflow(
    life: Life, strict: str, missing: str, workflow: str
) -> None:
    state = await life.made(workflow=ONBOARD.name, parameters=PARAMETERS)
    life.behave(workflow_ids=strict, missing=missing)
    imported = (await life.resource.import_state(f"{workflow}/{state.id}")).state
    assert imported is not None
    assert (imported.id, imported.outputs) == (state.id, OUTPUTS)
    assert (await life.resource.read(imported, b"")).state == imported


async def test_a_restricted_workflow_is_told_at_the_plan(life: Life) -> None:
    (said,) = (await life.plan(workflow="Restricted maintenance")).diagnostics
    assert "may not run" in said.summary
    assert said.path == ("workflow",)


async def test_an_answer_that_is_lost_is_looked_for_and_not_repeated(life: Life) -> None:
    life.world.faults.add(Fault("vcd", FaultKind.CUT, Match("POST", "/executions"), after=True))
    date = {"moment": "2026-01-31T12:00:00Z", "vm": "vm-1", "secret": "s3cret"}
    state = await life.made(workflow="Copy values", parameters=date)
    assert state.status == "completed"
    assert len(life.asked("POST", "/executions")) == 1
