"""Faults while a run is waited for: none ends the wait early or starts a second run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from provider_py.execution import Timeouts
from provider_py.plugin import Severity
from tests.support.site import HOUR, IMPATIENT, Process, Site, only, simple
from tests.support.systems import POLLS, SUCCESS, TOKENS, every_fault, every_system
from tests.support.waiting import eventually


@every_system
@every_fault("500", "502 HTML", "200 HTML", "truncated", "cut", "silence", "another shape", "null")
async def test_a_wait_outlasts_faulty_polls(site: Site, system: str, fault: dict[str, Any]) -> None:
    process = await site.process(**IMPATIENT)
    site.script(system, times=None)
    creation = asyncio.create_task(process.create(simple(system)))
    await site.until_started(system)
    await site.until_polled(system)
    site.inject_fault(system, POLLS[system], **fault, times=6)  # more than the channel repeats by itself
    await eventually(lambda: not site.world.faults.faults, "six faulty polls")
    site.finish()
    result = await creation
    assert list(result.diagnostics) == []
    assert ([result.state.id], result.state.status) == ([run.id for run in site.runs()], SUCCESS[system])
    assert len(site.starts(system)) == 1


@every_system
async def test_an_unknown_status_does_not_end_the_wait(site: Site, process: Process, system: str) -> None:
    site.script(system, times=None, hold="METAMORPHOSING")
    creation = asyncio.create_task(process.create(simple(system)))
    await site.until_started(system)
    await site.until_polled(system, times=3)
    assert not creation.done()
    site.finish()
    result = await creation
    assert list(result.diagnostics) == []
    assert result.state.status == SUCCESS[system]


async def test_a_null_status_does_not_end_the_wait(site: Site, process: Process) -> None:
    starting = {"starting_status": "PREPARING", "starting_seconds": HOUR}
    site.set_behaviors("harness", **starting)
    creation = asyncio.create_task(process.create(simple("harness")))
    await site.until_started("harness")
    await site.until_polled("harness", times=2)
    assert not creation.done()
    site.finish()
    assert (await creation).state.status == "SUCCESS"


async def test_a_revoked_permission_is_not_an_expired_record(site: Site, process: Process) -> None:
    site.script("vcd", times=None)
    creation = asyncio.create_task(process.create(simple("vcd")))
    await site.until_started("vcd")
    site.inject_fault("vcd", {"method": "GET", "path": "/executions"}, "status", status=403, times=None)
    result = await creation
    assert "Lost track of" in only(result.diagnostics)
    assert not result.state.record_expired


async def test_a_nexthink_request_without_rows_is_waited_for(site: Site, process: Process) -> None:
    site.script("nexthink", times=None)
    creation = asyncio.create_task(
        process.create(simple("nexthink", timeouts=Timeouts(create="20s"), poll_interval="1s"))
    )
    await site.until_started("nexthink")
    (run,) = site.runs()
    site.world.runs.forget(run.id)
    result = await creation
    assert "timed out" in only(result.diagnostics)
    assert (result.state.id, result.state.status) == (run.id, "in_progress")


async def test_every_run_of_a_shared_poll_gets_its_own_answer(site: Site, process: Process) -> None:
    site.script("harness", times=None)
    configs = [simple("harness", triggers={"number": str(number)}, poll_interval="2s") for number in range(5)]
    creations = [asyncio.create_task(process.create(config)) for config in configs]
    await site.until_started("harness", runs=len(configs))
    await site.until_polled("harness", times=2)
    runs = site.runs()
    site.world.runs.forget(runs[0].id)
    for run, ending in zip(runs[1:], ("success", "failure", "EXPIRED", "success"), strict=True):
        run.ending = ending
        run.finish(site.world.clock())
    results = {result.state.id: result for result in await asyncio.gather(*creations)}
    states = {run: result.state for run, result in results.items()}
    assert "no longer exists" in only(results[runs[0].id].diagnostics)
    assert [states[run.id].status for run in runs[1:]] == ["SUCCESS", "FAILED", "EXPIRED", "SUCCESS"]
    assert len(site.starts("harness")) == len(configs)


@pytest.mark.parametrize("system", TOKENS)
async def test_concurrent_runs_share_one_token_and_renew_a_revoked_one_once(
    site: Site, process: Process, system: str
) -> None:
    site.script(system, times=None)
    configs = [simple(system, triggers={"number": str(number)}, poll_interval="2s") for number in range(8)]
    creations = [asyncio.create_task(process.create(config)) for config in configs]
    await site.until_started(system, runs=len(configs))
    await site.until_polled(system, times=len(configs))
    assert len(site.matching(system, TOKENS)) == 1
    site.world.advance(2 * HOUR)  # the system revokes its tokens earlier than announced
    await site.until_polled(system, times=2 * len(configs))
    assert len(site.matching(system, TOKENS)) == 2
    site.finish()
    results = await asyncio.gather(*creations)
    assert {result.state.status for result in results} == {SUCCESS[system]}
    assert len({result.state.id for result in results}) == len(configs)
    assert len(site.matching(system, TOKENS)) == 2
    assert len(site.starts(system)) == len(configs)


@pytest.mark.parametrize("system", TOKENS)
async def test_a_token_is_renewed_before_it_expires(site: Site, process: Process, system: str) -> None:
    site.set_behaviors(system, token_seconds=60)
    site.script(system, times=None)
    creation = asyncio.create_task(process.create(simple(system, poll_interval="2s")))
    await eventually(lambda: len(site.matching(system, TOKENS)) >= 3, "third token")
    site.finish()
    result = await creation
    assert (result.state.status, list(result.diagnostics)) == (SUCCESS[system], [])
    assert all(request.status != 401 for request in site.requests)
    first, *_, last = (request.at for request in site.matching(system, TOKENS))
    assert last - first >= 100


async def test_a_run_that_is_taken_over_is_polled_with_the_query_of_its_resource(site: Site) -> None:
    config = simple("nexthink", status_query="#workflow_request_status")
    process = await site.process()
    started = await process.started(config)
    await process.close()
    process = await site.process({"NEXTHINK_STATUS_QUERY": None})
    result = await process.create(config)
    assert only(result.diagnostics, Severity.WARNING).startswith(f"Resumed run {started.id} of an earlier apply")
    assert (result.state.id, result.state.status) == (started.id, "success")
    assert len(site.runs()) == 1
