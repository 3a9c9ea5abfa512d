"""Systems that fail for a while: waiting goes on, look-ups are repeated, and there is one run, whatever happens."""

from __future__ import annotations

import asyncio
import math

import pytest

from provider_py.plugin import Severity
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.world import Script
from tests.contract.systems.driving import SYSTEMS, Driver, only, simple

STARTS = {
    "harness": Match(body="startExecution("),
    "nexthink": Match(path="/workflows/execute"),
    "vcd": Match(method="POST", path="/executions"),
}
LOOKS = {
    "harness": Match(body="executionStateBatch"),
    "nexthink": Match(path="/nql/execute"),
    "vcd": Match(method="GET", path="/executions/"),
}
WEATHER = {
    "down": {"kind": FaultKind.STATUS, "status": 503},
    "page": {"kind": FaultKind.HTML},
    "login": {"kind": FaultKind.HTML, "status": 200},
    "cut": {"kind": FaultKind.CUT},
    "truncated": {"kind": FaultKind.TRUNCATE},
    "busy": {"kind": FaultKind.STATUS, "status": 429, "headers": {"Retry-After": "2"}},
}

every_system = pytest.mark.parametrize("system", SYSTEMS)
all_weather = pytest.mark.parametrize("weather", WEATHER)


@every_system
@all_weather
async def test_waiting_outlasts_looks_that_fail(driver: Driver, system: str, weather: str) -> None:
    driver.sandbox.world.faults.add(Fault(system, match=LOOKS[system], times=3, **WEATHER[weather]))  # type: ignore[arg-type]
    answer = await driver.create(simple(system))
    assert list(answer.diagnostics) == []
    assert answer.state.status.lower() in {"success", "completed"}
    assert driver.sandbox.world.faults.faults == []
    assert len(driver.starts(system)) == 1


@every_system
@pytest.mark.parametrize("weather", [each for each in WEATHER if each != "busy"])
async def test_a_start_that_was_answered_badly_is_never_sent_again(driver: Driver, system: str, weather: str) -> None:
    """The system gets the start and does as it is told, but its answer is lost."""
    fault = Fault(system, match=STARTS[system], after=True, **WEATHER[weather])  # type: ignore[arg-type]
    driver.sandbox.world.faults.add(fault)
    answer = await driver.create(simple(system))
    assert len(driver.starts(system)) == 1
    (run,) = driver.runs()
    if system == "nexthink":
        assert "It is not known whether" in only(answer.diagnostics, Severity.ERROR)
    else:
        assert (answer.state.id, list(answer.diagnostics)) == (run.id, [])


@every_system
async def test_a_start_that_was_turned_away_is_sent_again(driver: Driver, system: str) -> None:
    busy = Fault(system, FaultKind.STATUS, match=STARTS[system], status=429, headers={"Retry-After": "1"}, times=2)
    driver.sandbox.world.faults.add(busy)
    answer = await driver.create(simple(system))
    assert list(answer.diagnostics) == []
    assert len(driver.starts(system)) == 3
    assert len(driver.runs()) == 1


async def test_a_start_that_harness_answers_with_null_is_found(driver: Driver) -> None:
    driver.sandbox.world.behaviors.change({"harness": {"null_payload": True}})
    answer = await driver.create(simple("harness"))
    assert answer.state.id == driver.runs()[0].id
    assert len(driver.starts("harness")) == 1


@pytest.mark.parametrize("word", ["RUNNING", "QUEUED", "PREPARING"])
async def test_whatever_word_an_execution_starts_with_it_is_followed(driver: Driver, word: str) -> None:
    driver.sandbox.world.behaviors.change({"harness": {"starting_status": word, "starting_seconds": 3.0}})
    answer = await driver.create(simple("harness"))
    assert (answer.state.status, list(answer.diagnostics)) == ("SUCCESS", [])


@pytest.mark.parametrize("style", ["graphql", "cloudflare"])
@pytest.mark.parametrize("retry_after", ["none", "seconds", "date"])
async def test_the_request_limit_of_harness_is_borne(driver: Driver, style: str, retry_after: str) -> None:
    limits = {"requests_per_minute": 4, "rate_limit_style": style, "retry_after": retry_after}
    driver.sandbox.world.behaviors.change({"harness": limits})
    answer = await driver.create(simple("harness"))
    assert (answer.state.status, list(answer.diagnostics)) == ("SUCCESS", [])
    assert len(driver.runs()) == 1


async def test_many_waiting_runs_share_their_looks(driver: Driver) -> None:
    runs = 30
    driver.sandbox.world.runs.scripts.append(Script("harness", seconds=40, times=None))
    answers = await asyncio.gather(
        *(driver.create(simple("harness", notes=f"number {number}", poll_interval="10s")) for number in range(runs))
    )
    assert {answer.state.status for answer in answers} == {"SUCCESS"}
    looks = [each for each in driver.requests if "executionStateBatch" in str(each.body)]
    rounds = math.ceil(50 / 10)
    assert len(looks) <= 2 * rounds * math.ceil(runs / 25)


@pytest.mark.parametrize("system", ["nexthink", "vcd"])
async def test_many_starts_at_once_share_one_token(driver: Driver, system: str) -> None:
    answers = await asyncio.gather(
        *(driver.create(simple(system, triggers={"number": str(number)})) for number in range(10))
    )
    assert len({answer.state.id for answer in answers}) == 10
    assert len([each for each in driver.requests if each.path.endswith("/token")]) == 1


@pytest.mark.parametrize("system", ["nexthink", "vcd"])
async def test_a_token_that_expires_while_a_run_is_waited_for_is_renewed(driver: Driver, system: str) -> None:
    driver.sandbox.world.behaviors.change({system: {"token_seconds": 4}})
    answer = await driver.create(simple(system))
    assert list(answer.diagnostics) == []
    assert len([each for each in driver.requests if each.path.endswith("/token")]) > 1


@pytest.mark.parametrize("system", ["nexthink", "vcd"])
async def test_a_login_host_that_is_down_leaves_the_start_not_started(driver: Driver, system: str) -> None:
    """The token expires between the checks and the start, and no new one can be had."""
    await driver.plan(simple(system))
    driver.sandbox.world.advance(7200)
    token = Match(path="/token")
    driver.sandbox.world.faults.add(Fault(system, FaultKind.STATUS, match=token, status=503, times=None))
    answer = await driver.create(simple(system))
    text = only(answer.diagnostics, Severity.ERROR)
    assert "was not started" in text
    assert "It is not known" not in text
    assert driver.runs() == []
