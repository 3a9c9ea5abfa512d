"""Faults while a run is waited for: none ends the wait early or starts a second run."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import Any

import pytest

from provider_py.execution import Timeouts
from provider_py.execution.private_state import PrivateState
from provider_py.plugin import Severity
from provider_py.sandbox.server import Sandbox
from provider_py.systems.vcd.config import VcdSettings
from tests.contract.systems.driving import Driver, driving, only, simple
from tests.faults.in_process import IMPATIENT, finish, keep_running, token_requests, until, until_polled
from tests.faults.scenarios import HOUR, SUCCESS, SYSTEMS, inject_fault
from tests.support.requests import POLLS

every_system = pytest.mark.parametrize("system", SYSTEMS)


@every_system
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 500}),
        ("html", {}),
        ("html", {"status": 200}),
        ("truncate", {"after": True}),
        ("cut", {}),
        ("silence", {"seconds": 1.0}),
        ("json", {"body": {"unheard": "of"}}),
        ("json", {"body": None}),
    ],
    ids=["500", "502 HTML", "200 HTML", "truncated", "cut", "silence", "another shape", "null"],
)
async def test_a_wait_outlasts_faulty_polls(served: Sandbox, system: str, kind: str, options: dict[str, Any]) -> None:
    async with driving(served, **IMPATIENT) as driver:
        keep_running(driver, system)
        creation = asyncio.create_task(driver.create(simple(system)))
        await driver.until(system)
        await until_polled(driver, system)
        inject_fault(served, system, POLLS[system], kind, times=6, **options)  # more than the channel repeats by itself
        await until(lambda: not served.world.faults.faults)
        finish(driver)
        answer = await creation
        assert list(answer.diagnostics) == []
        assert ([answer.state.id], answer.state.status) == ([run.id for run in driver.runs()], SUCCESS[system])
        assert len(driver.starts(system)) == 1


@every_system
async def test_an_unknown_status_does_not_end_the_wait(driver: Driver, system: str) -> None:
    keep_running(driver, system, hold="METAMORPHOSING")
    creation = asyncio.create_task(driver.create(simple(system)))
    await driver.until(system)
    await until_polled(driver, system, times=3)
    assert not creation.done()
    finish(driver)
    answer = await creation
    assert list(answer.diagnostics) == []
    assert answer.state.status == SUCCESS[system]


async def test_a_null_status_does_not_end_the_wait(driver: Driver) -> None:
    starting = {"starting_status": "PREPARING", "starting_seconds": float(HOUR)}
    driver.sandbox.world.behaviors.change({"harness": starting})
    creation = asyncio.create_task(driver.create(simple("harness")))
    await driver.until("harness")
    await until_polled(driver, "harness", times=2)
    assert not creation.done()
    finish(driver)
    assert (await creation).state.status == "SUCCESS"


@pytest.mark.parametrize(
    ("system", "status", "advice"),
    [
        ("harness", "PAUSED", "act in Harness"),
        ("harness", "WAITING", "act in Harness"),
        ("vcd", "waiting", "answer in Orchestrator"),
        ("vcd", "suspended", "resume it in Orchestrator"),
    ],
)
async def test_a_run_that_waits_for_a_person_is_waited_for(
    driver: Driver, system: str, status: str, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    keep_running(driver, system, hold=status)
    with caplog.at_level(logging.INFO, "provider_py"):
        creation = asyncio.create_task(driver.create(simple(system)))
        await driver.until(system)
        await until_polled(driver, system, times=2)
        assert not creation.done()
    (line,) = (message for message in caplog.messages if f" is {status} " in message)
    assert advice in line
    finish(driver)
    assert (await creation).state.status == SUCCESS[system]


@pytest.mark.parametrize(("system", "missing"), [("harness", "404"), ("vcd", "404"), ("vcd", "403")])
async def test_an_expired_record_does_not_start_another_run(driver: Driver, system: str, missing: str) -> None:
    driver.sandbox.world.behaviors.change({"vcd": {"missing": missing}})
    keep_running(driver, system)
    creation = asyncio.create_task(driver.create(simple(system)))
    await driver.until(system)
    await until_polled(driver, system)
    (run,) = driver.runs()
    driver.sandbox.world.runs.forget(run.id)
    answer = await creation
    assert "no longer exists in" in only(answer.diagnostics, Severity.WARNING)
    assert (answer.state.id, answer.state.record_expired) == (run.id, True)

    before = len(driver.requests)
    again = await driver.of(system).read(answer.state, b"")
    assert again.state == answer.state
    assert len(driver.requests) == before
    assert len(driver.starts(system)) == 1


async def test_a_revoked_permission_is_not_an_expired_record(driver: Driver) -> None:
    keep_running(driver, "vcd")
    creation = asyncio.create_task(driver.create(simple("vcd")))
    await driver.until("vcd")
    inject_fault(driver.sandbox, "vcd", {"method": "GET", "path": "/executions"}, "status", status=403, times=None)
    answer = await creation
    assert "Lost track of" in only(answer.diagnostics, Severity.ERROR)
    assert not answer.state.record_expired


async def test_a_nexthink_request_without_rows_is_waited_for(driver: Driver) -> None:
    keep_running(driver, "nexthink")
    creation = asyncio.create_task(
        driver.create(simple("nexthink", timeouts=Timeouts(create="20s"), poll_interval="1s"))
    )
    await driver.until("nexthink")
    (run,) = driver.runs()
    driver.sandbox.world.runs.forget(run.id)
    answer = await creation
    assert "timed out" in only(answer.diagnostics, Severity.ERROR)
    assert (answer.state.id, answer.state.status) == (run.id, "in_progress")


async def test_every_run_of_a_shared_poll_gets_its_own_answer(driver: Driver) -> None:
    keep_running(driver, "harness")
    configs = [simple("harness", triggers={"number": str(number)}, poll_interval="2s") for number in range(5)]
    creations = [asyncio.create_task(driver.create(config)) for config in configs]
    await driver.until("harness", runs=len(configs))
    await until_polled(driver, "harness", times=2)
    runs = driver.runs()
    driver.sandbox.world.runs.forget(runs[0].id)
    for run, ending in zip(runs[1:], ("success", "failure", "EXPIRED", "success"), strict=True):
        run.ending = ending
        run.finish(driver.sandbox.world.clock())
    states = {answer.state.id: answer.state for answer in await asyncio.gather(*creations)}
    assert states[runs[0].id].record_expired
    assert [states[run.id].status for run in runs[1:]] == ["SUCCESS", "FAILED", "EXPIRED", "SUCCESS"]
    assert len(driver.starts("harness")) == len(configs)


@pytest.mark.parametrize("system", ["nexthink", "vcd"])
async def test_concurrent_runs_share_one_token_and_renew_a_revoked_one_once(driver: Driver, system: str) -> None:
    keep_running(driver, system)
    configs = [simple(system, triggers={"number": str(number)}, poll_interval="2s") for number in range(8)]
    creations = [asyncio.create_task(driver.create(config)) for config in configs]
    await driver.until(system, runs=len(configs))
    await until_polled(driver, system, times=len(configs))
    assert len(token_requests(driver, system)) == 1
    driver.sandbox.world.advance(2 * HOUR)  # the system revokes its tokens earlier than announced
    await until_polled(driver, system, times=2 * len(configs))
    assert len(token_requests(driver, system)) == 2
    finish(driver)
    answers = await asyncio.gather(*creations)
    assert {answer.state.status for answer in answers} == {SUCCESS[system]}
    assert len({answer.state.id for answer in answers}) == len(configs)
    assert len(token_requests(driver, system)) == 2
    assert len(driver.starts(system)) == len(configs)


@pytest.mark.parametrize("system", ["nexthink", "vcd"])
async def test_a_token_is_renewed_before_it_expires(driver: Driver, system: str) -> None:
    driver.sandbox.world.behaviors.change({system: {"token_seconds": 60}})
    keep_running(driver, system)
    creation = asyncio.create_task(driver.create(simple(system, poll_interval="2s")))
    await until(lambda: len(token_requests(driver, system)) >= 3)
    finish(driver)
    answer = await creation
    assert (answer.state.status, list(answer.diagnostics)) == (SUCCESS[system], [])
    assert all(request.status != 401 for request in driver.requests)
    first, *_, last = (request.at for request in token_requests(driver, system))
    assert last - first >= 100


async def test_a_lost_service_account_file_does_not_lose_the_run(
    served: Sandbox, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VCD_API_TOKEN")
    file = tmp_path / "token.json"
    file.write_text('{"refresh_token": "sandbox-service-account-token"}')
    async with driving(served, vcd=VcdSettings(service_account_token_file=str(file))) as driver:
        keep_running(driver, "vcd")
        creation = asyncio.create_task(driver.create(simple("vcd")))
        await driver.until("vcd")
        await until_polled(driver, "vcd")
        file.unlink()
        served.world.advance(2 * HOUR)
        answer = await creation
        assert "token file cannot be used" in only(answer.diagnostics, Severity.ERROR)
        assert [run.id for run in driver.runs()] == [answer.state.id]
        assert answer.private == PrivateState.UNFINISHED.encode()


async def test_a_run_that_is_taken_over_is_polled_with_the_query_of_its_resource(served: Sandbox) -> None:
    config = simple("nexthink", status_query="#workflow_request_status")
    async with driving(served) as driver:
        started = await driver.started(config)
    async with driving(served) as driver:
        driver.provider._connection("nexthink").settings = dataclasses.replace(
            driver.provider._connection("nexthink").settings, status_query=None
        )
        answer = await driver.create(config)
        assert list(answer.diagnostics) == []
        assert (answer.state.id, answer.state.status) == (started.id, "success")
        assert len(driver.runs()) == 1
