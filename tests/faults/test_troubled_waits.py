"""What can go wrong while a run is waited for: nothing of it ends the wait early, or starts a second run."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from provider_py.execution.run import Timeouts
from provider_py.plugin import Severity
from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.world import RecordedRequest, Script
from provider_py.systems.vcd.config import VcdSettings
from tests.contract.systems.driving import Driver, driving, only, simple
from tests.faults.scenes import HOUR, LOOKS, PATIENCE, SUCCESS, SYSTEMS
from tests.faults.test_doubtful_starts import IMPATIENT, spoil

TOKENS = {"nexthink": "/oauth2/default/v1/token", "vcd": "/oauth/tenant/acme/token"}
every_system = pytest.mark.parametrize("system", SYSTEMS)


def looks(driver: Driver, system: str) -> Sequence[RecordedRequest]:
    """Return the looks that a system got."""
    match = LOOKS[system]
    return [
        each
        for each in driver.requests
        if each.system == system
        and each.method == match["method"]
        and match.get("path", "") in each.path
        and match.get("body", "") in str(each.body)
    ]


def token_requests(driver: Driver, system: str) -> int:
    """Return how often a token was asked for."""
    return sum(each.path == TOKENS[system] for each in driver.requests)


def hold_back(driver: Driver, system: str, **script: Any) -> None:
    """Have the coming runs of a system last until the test ends them, or go as the script says."""
    driver.sandbox.world.runs.scripts.append(Script(system, times=None, **({"seconds": 24 * HOUR} | script)))


def finish(driver: Driver, **changes: Any) -> None:
    """Let every run end now."""
    world = driver.sandbox.world
    for run in driver.runs():
        for name, value in changes.items():
            setattr(run, name, value)
        run.finish(world.clock())


async def until_looked_at(driver: Driver, system: str, times: int = 1) -> None:
    """Wait for so many further answers to looks."""

    def answered() -> int:
        return sum(each.status is not None for each in looks(driver, system))

    before = answered()
    await come_about(lambda: answered() >= before + times)


async def come_about(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the sandbox tells of nothing by itself
            await asyncio.sleep(0.005)


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
async def test_a_look_that_goes_wrong(served: Sandbox, system: str, kind: str, options: dict[str, Any]) -> None:
    async with driving(served, **IMPATIENT) as driver:
        hold_back(driver, system)
        creation = asyncio.create_task(driver.create(simple(system)))
        await driver.until(system)
        await until_looked_at(driver, system)
        spoil(served, system, LOOKS[system], kind, times=6, **options)  # more than one look tries by itself
        await come_about(lambda: not served.world.faults.faults)
        finish(driver)
        answer = await creation
        assert list(answer.diagnostics) == []
        assert ([answer.state.id], answer.state.status) == ([run.id for run in driver.runs()], SUCCESS[system])


@every_system
async def test_an_unheard_of_status_is_no_end(driver: Driver, system: str) -> None:
    hold_back(driver, system, hold="METAMORPHOSING")
    creation = asyncio.create_task(driver.create(simple(system)))
    await driver.until(system)
    await until_looked_at(driver, system, times=3)
    assert not creation.done()
    finish(driver)
    answer = await creation
    assert list(answer.diagnostics) == []
    assert answer.state.status == SUCCESS[system]


async def test_a_status_of_null_is_no_end(driver: Driver) -> None:
    starting = {"starting_status": "PREPARING", "starting_seconds": float(HOUR)}
    driver.sandbox.world.behaviors.change({"harness": starting})
    creation = asyncio.create_task(driver.create(simple("harness")))
    await driver.until("harness")
    await until_looked_at(driver, "harness", times=2)
    assert not creation.done()
    finish(driver)
    assert (await creation).state.status == "SUCCESS"


@pytest.mark.parametrize(
    ("system", "word", "who"),
    [
        ("harness", "PAUSED", "act in Harness"),
        ("harness", "WAITING", "act in Harness"),
        ("vcd", "waiting", "answer in Orchestrator"),
        ("vcd", "suspended", "resume it in Orchestrator"),
    ],
)
async def test_a_run_that_waits_for_a_person_is_waited_for(
    driver: Driver, system: str, word: str, who: str, caplog: pytest.LogCaptureFixture
) -> None:
    hold_back(driver, system, hold=word)
    with caplog.at_level(logging.INFO, "provider_py"):
        creation = asyncio.create_task(driver.create(simple(system)))
        await driver.until(system)
        await until_looked_at(driver, system, times=2)
        assert not creation.done()
    (line,) = (each for each in caplog.messages if f" is {word} " in each)
    assert who in line
    finish(driver)
    assert (await creation).state.status == SUCCESS[system]


@pytest.mark.parametrize(("system", "missing"), [("harness", "404"), ("vcd", "404"), ("vcd", "403")])
async def test_a_record_that_goes_is_not_a_reason_to_start_again(driver: Driver, system: str, missing: str) -> None:
    driver.sandbox.world.behaviors.change({"vcd": {"missing": missing}})
    hold_back(driver, system)
    creation = asyncio.create_task(driver.create(simple(system)))
    await driver.until(system)
    await until_looked_at(driver, system)
    (run,) = driver.runs()
    driver.sandbox.world.runs.forget(run.id)
    answer = await creation
    assert "There is no record of" in only(answer.diagnostics, Severity.WARNING)
    assert (answer.state.id, answer.state.record_expired) == (run.id, True)

    before = len(driver.requests)
    again = await driver.of(system).read(answer.state, b"")
    assert again.state == answer.state
    assert len(driver.requests) == before
    assert len(driver.starts(system)) == 1


async def test_a_right_that_is_taken_away_is_not_a_record_that_goes(driver: Driver) -> None:
    hold_back(driver, "vcd")
    creation = asyncio.create_task(driver.create(simple("vcd")))
    await driver.until("vcd")
    spoil(driver.sandbox, "vcd", {"method": "GET", "path": "/executions"}, "status", status=403, times=None)
    answer = await creation
    assert "could no longer be followed" in only(answer.diagnostics, Severity.ERROR)
    assert not answer.state.record_expired


async def test_nexthink_shows_no_rows_of_a_request(driver: Driver) -> None:
    hold_back(driver, "nexthink")
    creation = asyncio.create_task(
        driver.create(simple("nexthink", timeouts=Timeouts(create="20s"), poll_interval="1s"))
    )
    await driver.until("nexthink")
    (run,) = driver.runs()
    driver.sandbox.world.runs.forget(run.id)
    answer = await creation
    assert "has not ended in time" in only(answer.diagnostics, Severity.ERROR)
    assert (answer.state.id, answer.state.status) == (run.id, "in_progress")


async def test_each_run_of_a_shared_look_gets_its_own_answer(driver: Driver) -> None:
    hold_back(driver, "harness")
    configs = [simple("harness", triggers={"number": str(number)}, poll_interval="2s") for number in range(5)]
    creations = [asyncio.create_task(driver.create(config)) for config in configs]
    await driver.until("harness", runs=len(configs))
    await until_looked_at(driver, "harness", times=2)
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
async def test_a_revoked_token_is_renewed_once_for_all_who_wait(driver: Driver, system: str) -> None:
    hold_back(driver, system)
    configs = [simple(system, triggers={"number": str(number)}, poll_interval="2s") for number in range(8)]
    creations = [asyncio.create_task(driver.create(config)) for config in configs]
    await driver.until(system, runs=len(configs))
    await until_looked_at(driver, system, times=len(configs))
    assert token_requests(driver, system) == 1
    driver.sandbox.world.advance(2 * HOUR)  # the system forgets its tokens earlier than it said
    await until_looked_at(driver, system, times=2 * len(configs))
    assert token_requests(driver, system) == 2
    finish(driver)
    answers = await asyncio.gather(*creations)
    assert {answer.state.status for answer in answers} == {SUCCESS[system]}
    assert token_requests(driver, system) == 2
    assert len(driver.starts(system)) == len(configs)


@pytest.mark.parametrize("system", ["nexthink", "vcd"])
async def test_a_token_is_renewed_before_it_expires(driver: Driver, system: str) -> None:
    driver.sandbox.world.behaviors.change({system: {"token_seconds": 60}})
    hold_back(driver, system)
    creation = asyncio.create_task(driver.create(simple(system, poll_interval="2s")))
    await come_about(lambda: token_requests(driver, system) >= 3)
    finish(driver)
    assert (await creation).state.status == SUCCESS[system]
    assert all(each.status != 401 for each in driver.requests)
    first, *_, last = (each.at for each in driver.requests if each.path == TOKENS[system])
    assert last - first >= 100


async def test_a_service_account_whose_file_is_lost_does_not_lose_the_run(
    served: Sandbox, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VCD_API_TOKEN")
    file = tmp_path / "token.json"
    file.write_text('{"refresh_token": "sandbox-service-account-token"}')
    async with driving(served, vcd=VcdSettings(service_account_token_file=str(file))) as driver:
        hold_back(driver, "vcd")
        creation = asyncio.create_task(driver.create(simple("vcd")))
        await driver.until("vcd")
        await until_looked_at(driver, "vcd")
        file.unlink()
        served.world.advance(2 * HOUR)
        answer = await creation
        assert "token file cannot be used" in only(answer.diagnostics, Severity.ERROR)
        assert [run.id for run in driver.runs()] == [answer.state.id]
        assert answer.private == b"unfinished"


async def test_a_query_of_the_resource_is_used_for_a_run_that_is_taken_over(served: Sandbox) -> None:
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
