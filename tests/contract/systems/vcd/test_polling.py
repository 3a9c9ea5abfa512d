"""How many requests it takes to wait for many runs, and what becomes of it when the list cannot be relied on."""

from __future__ import annotations

import asyncio

import pytest

from provider_py.execution.errors import SystemFault
from provider_py.execution.run import Phase
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.sandbox.world import RecordedRequest, Script
from provider_py.systems.vcd.polling import ExecutionReader
from tests.contract.systems.vcd.conftest import Life

ONBOARD = WORKFLOWS[0]
ROTATE = next(workflow for workflow in WORKFLOWS if workflow.name == "Rotate keys")
LIST = f"/cloudapi/workflows/{ONBOARD.item_id}/executions"


async def started(life: Life, count: int, *, workflow: str = ONBOARD.item_id, ended: int = 0) -> list[str]:
    """Start runs, the first few of which have ended, and forget the requests that it took."""
    life.world.runs.scripts.append(Script("vcd", seconds=1e6, times=None))
    given = {"parameters": {"vmName": "w"}} if workflow == ONBOARD.item_id else {}
    states = await asyncio.gather(
        *(life.made(workflow_id=workflow, wait=False, triggers={"n": str(n)}, **given) for n in range(count))
    )
    for state in states[:ended]:
        run = life.world.runs.get(str(state.id))
        assert run is not None
        run.finish(life.world.clock())
    life.world.requests.clear()
    return [str(state.import_id) for state in states]


def looks(life: Life) -> tuple[int, int]:
    """Return how many requests went to lists and to single executions."""
    gets = [each for each in life.world.requests if each.method == "GET"]
    lists = [each for each in gets if each.path.endswith("/executions")]
    return len(lists), len(gets) - len(lists)


async def test_a_single_run_is_one_request(life: Life) -> None:
    (key,) = await started(life, 1)
    seen = await ExecutionReader(life.director).poll([key])
    assert looks(life) == (0, 1)
    assert list(seen) == [key]


async def test_a_hundred_waiting_runs_are_two_requests(life: Life) -> None:
    keys = await started(life, 100)
    seen = await ExecutionReader(life.director).poll(keys)
    assert set(seen) == set(keys)
    assert looks(life) == (1, 1)


async def test_those_that_ended_are_asked_for_their_outputs(life: Life) -> None:
    keys = await started(life, 20, ended=3)
    seen = await ExecutionReader(life.director).poll(keys)
    assert looks(life) == (1, 4)
    for place, key in enumerate(keys):
        run = seen[key]
        assert not isinstance(run, SystemFault)
        assert (run.phase is Phase.SUCCEEDED) == (place < 3)
        assert not run.phase.ended or run.detail.outputs


async def test_each_workflow_has_its_own_list(life: Life) -> None:
    keys = await started(life, 3)
    others = await started(life, 2, workflow=ROTATE.item_id)
    seen = await ExecutionReader(life.director).poll([*keys, *others])
    assert set(seen) == {*keys, *others}
    assert looks(life) == (2, 2)


async def test_what_the_list_omits_is_looked_at_singly(life: Life) -> None:
    keys = await started(life, 4)
    life.behave(list_lag=1e7)
    seen = await ExecutionReader(life.director).poll(keys)
    assert set(seen) == set(keys)
    assert looks(life) == (1, 4)


async def test_what_is_gone_is_left_out(life: Life) -> None:
    keys = await started(life, 3)
    life.world.runs.forget(keys[1].rpartition("/")[2])
    assert set(await ExecutionReader(life.director).poll(keys)) == {keys[0], keys[2]}


async def test_a_list_that_may_not_be_read_is_done_without(life: Life) -> None:
    keys = await started(life, 3)
    life.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET", LIST), status=403, times=1))
    assert set(await ExecutionReader(life.director).poll(keys)) == set(keys)
    assert looks(life) == (1, 3)


async def test_a_list_that_stays_behind_is_found_out(life: Life) -> None:
    keys = await started(life, 3)
    watch = ExecutionReader(life.director)
    life.world.advance(2e6)
    assert all(isinstance(run, SystemFault) or run.phase.ended for run in (await watch.poll(keys)).values())

    watch = ExecutionReader(life.director)
    life.behave(list_lag=1.5e6)
    rounds = 0
    while not all(isinstance(run, SystemFault) or run.phase.ended for run in (await watch.poll(keys)).values()):
        rounds += 1
        assert rounds < 4
    life.world.requests.clear()
    await watch.poll(keys)
    assert looks(life) == (0, 3)


async def test_a_fault_of_the_list_is_told_for_each(life: Life) -> None:
    keys = await started(life, 3)
    life.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET", LIST), status=500, times=None))
    seen = await ExecutionReader(life.director).poll(keys)
    assert set(seen) == set(keys)
    assert all(isinstance(each, SystemFault) for each in seen.values())


async def test_a_fault_of_one_leaves_the_others_alone(life: Life) -> None:
    keys = await started(life, 3, ended=1)
    life.world.faults.add(
        Fault("vcd", FaultKind.STATUS, Match("GET", keys[0].rpartition("/")[2]), status=500, times=None)
    )
    seen = await ExecutionReader(life.director).poll(keys)
    assert [isinstance(seen[key], SystemFault) for key in keys] == [True, False, False]


@pytest.mark.parametrize("count", [1, 30])
async def test_waiting_for_many_takes_few_requests(life: Life, count: int) -> None:
    life.world.runs.scripts.append(Script("vcd", seconds=60, times=None))
    answers = await asyncio.gather(
        *(life.made(workflow=ONBOARD.name, parameters={"vmName": f"web-{n}"}) for n in range(count))
    )
    assert {state.status for state in answers} == {"completed"}
    assert len({state.id for state in answers}) == count
    asked: list[RecordedRequest] = [each for each in life.world.requests if each.method == "GET"]
    assert len(asked) < 30 + 3 * count
