"""How many requests waiting for many runs takes, and what happens when the list cannot be relied on."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from provider_py.execution import Phase, SystemFault
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.systems.vcd.execution import VcdExecution
from provider_py.systems.vcd.polling import ExecutionReader
from tests.support.site import Process

ONBOARD = WORKFLOWS[0]
ROTATE = next(workflow for workflow in WORKFLOWS if workflow.name == "Rotate keys")
LIST = f"/cloudapi/workflows/{ONBOARD.item_id}/executions"


async def start_runs(process: Process, count: int, *, workflow: str = ONBOARD.item_id, ended: int = 0) -> list[str]:
    """Start runs, of which the first `ended` have finished, clear the recorded requests, and return the keys."""
    process.site.script("vcd", seconds=1e6, times=None)
    parameters = {"vmName": "w"} if workflow == ONBOARD.item_id else None
    config = VcdExecution(workflow_id=workflow, parameters=parameters)
    states = await asyncio.gather(
        *(process.started(dataclasses.replace(config, triggers={"n": str(n)})) for n in range(count))
    )
    for state in states[:ended]:
        run = process.site.world.runs.get(str(state.id))
        assert run is not None
        run.finish(process.site.world.clock())
    process.site.requests.clear()
    return [str(state.import_id) for state in states]


def reads(process: Process) -> tuple[int, int]:
    """Return how many requests read lists and single executions."""
    gets = [request for request in process.site.requests if request.method == "GET"]
    lists = [request for request in gets if request.path.endswith("/executions")]
    return len(lists), len(gets) - len(lists)


async def test_a_single_run_takes_one_request(process: Process) -> None:
    (key,) = await start_runs(process, 1)
    answers = await ExecutionReader(process.connection("vcd")).poll([key])
    assert reads(process) == (0, 1)
    assert list(answers) == [key]


async def test_a_hundred_waiting_runs_take_two_requests(process: Process) -> None:
    keys = await start_runs(process, 100)
    answers = await ExecutionReader(process.connection("vcd")).poll(keys)
    assert set(answers) == set(keys)
    assert reads(process) == (1, 1)


async def test_finished_executions_are_read_singly_for_their_outputs(process: Process) -> None:
    keys = await start_runs(process, 20, ended=3)
    answers = await ExecutionReader(process.connection("vcd")).poll(keys)
    assert reads(process) == (1, 4)
    for index, key in enumerate(keys):
        run = answers[key]
        assert not isinstance(run, SystemFault)
        assert (run.phase is Phase.SUCCEEDED) == (index < 3)
        assert not run.phase.ended or run.detail.outputs


async def test_each_workflow_has_its_own_list(process: Process) -> None:
    keys = await start_runs(process, 3)
    others = await start_runs(process, 2, workflow=ROTATE.item_id)
    answers = await ExecutionReader(process.connection("vcd")).poll([*keys, *others])
    assert set(answers) == {*keys, *others}
    assert reads(process) == (2, 2)


async def test_executions_missing_from_the_list_are_read_singly(process: Process) -> None:
    keys = await start_runs(process, 4)
    process.site.set_behaviors("vcd", list_lag=1e7)
    answers = await ExecutionReader(process.connection("vcd")).poll(keys)
    assert set(answers) == set(keys)
    assert reads(process) == (1, 4)


async def test_executions_that_do_not_exist_are_left_out(process: Process) -> None:
    keys = await start_runs(process, 3)
    process.site.world.runs.forget(keys[1].rpartition("/")[2])
    assert set(await ExecutionReader(process.connection("vcd")).poll(keys)) == {keys[0], keys[2]}


async def test_executions_are_read_singly_if_the_list_is_forbidden(process: Process) -> None:
    keys = await start_runs(process, 3)
    process.site.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET", LIST), status=403, times=1))
    assert set(await ExecutionReader(process.connection("vcd")).poll(keys)) == set(keys)
    assert reads(process) == (1, 3)


async def test_a_list_that_lags_behind_is_no_longer_used(process: Process) -> None:
    keys = await start_runs(process, 3)
    reader = ExecutionReader(process.connection("vcd"))
    process.site.world.advance(2e6)
    assert all(isinstance(run, SystemFault) or run.phase.ended for run in (await reader.poll(keys)).values())

    reader = ExecutionReader(process.connection("vcd"))
    process.site.set_behaviors("vcd", list_lag=1.5e6)
    rounds = 0
    while not all(isinstance(run, SystemFault) or run.phase.ended for run in (await reader.poll(keys)).values()):
        rounds += 1
        assert rounds < 4
    process.site.requests.clear()
    await reader.poll(keys)
    assert reads(process) == (0, 3)


async def test_a_fault_of_the_list_is_reported_for_every_execution(process: Process) -> None:
    keys = await start_runs(process, 3)
    process.site.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET", LIST), status=500, times=None))
    answers = await ExecutionReader(process.connection("vcd")).poll(keys)
    assert set(answers) == set(keys)
    assert all(isinstance(answer, SystemFault) for answer in answers.values())


async def test_a_fault_of_one_execution_does_not_affect_the_others(process: Process) -> None:
    keys = await start_runs(process, 3, ended=1)
    process.site.world.faults.add(
        Fault("vcd", FaultKind.STATUS, Match("GET", keys[0].rpartition("/")[2]), status=500, times=None)
    )
    answers = await ExecutionReader(process.connection("vcd")).poll(keys)
    assert [isinstance(answers[key], SystemFault) for key in keys] == [True, False, False]


@pytest.mark.parametrize("count", [1, 100])
async def test_waiting_for_many_runs_takes_few_requests(process: Process, count: int) -> None:
    process.site.script("vcd", seconds=60, times=None)
    states = await asyncio.gather(
        *(process.created(VcdExecution(workflow=ONBOARD.name, parameters={"vmName": f"web-{n}"})) for n in range(count))
    )
    assert {state.status for state in states} == {"completed"}
    assert len({state.id for state in states}) == count
    gets = [request for request in process.site.requests if request.method == "GET"]
    assert len(gets) < 30 + 3 * count
    assert len(process.site.starts("vcd")) == count
    if count == 100:
        polls = [request for request in gets if "/executions" in request.path]
        assert any(request.path.endswith("/executions") for request in polls)
        assert len(polls) < 150  # polling every run on its own would take about 600
