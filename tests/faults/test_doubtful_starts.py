"""Every way in which the answer to a start can be spoilt: one run, adopted where the system lets it be found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from provider_py.plugin import Severity
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.server import Sandbox
from provider_py.systems.harness.config import HarnessSettings
from provider_py.systems.nexthink.settings import NexthinkSettings
from provider_py.systems.vcd.settings import VcdSettings
from tests.contract.systems.driving import Driver, driving, only, simple
from tests.faults.scenes import LOOKS, LOOKUPS, STARTS, SUCCESS, SYSTEMS

IMPATIENT = {
    "harness": HarnessSettings(request_timeout="300ms"),
    "nexthink": NexthinkSettings(request_timeout="300ms"),
    "vcd": VcdSettings(request_timeout="300ms"),
}
"""Settings whose requests are given up soon; the environment has the others."""


def spoil(sandbox: Sandbox, system: str, match: Any, kind: str, **fault: Any) -> None:
    """Prepare a fault."""
    sandbox.world.faults.add(Fault(system, FaultKind(kind), Match(**match), **fault))


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("html", {}),
        ("html", {"status": 200}),
        ("truncate", {}),
        ("delay", {"seconds": 1.0}),
        ("json", {"body": {}}),
        ("json", {"body": []}),
        ("json", {"status": 503, "body": {"message": "try again"}}),
    ],
    ids=["502 HTML", "200 HTML", "truncated", "late", "empty object", "empty list", "503"],
)
async def test_a_spoilt_answer(served: Sandbox, system: str, kind: str, options: dict[str, Any]) -> None:
    spoil(served, system, STARTS[system], kind, after=True, **options)
    async with driving(served, **IMPATIENT) as driver:
        answer = await driver.create(simple(system))
        (run,) = driver.runs()
        assert len(driver.starts(system)) == 1
        if system == "nexthink":
            assert answer.state is None
            assert "It is not known whether the Nexthink execution was started" in only(
                answer.diagnostics, Severity.ERROR
            )
        else:
            assert list(answer.diagnostics) == []
            assert (answer.state.id, answer.state.status) == (run.id, SUCCESS[system])


@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_start_that_never_arrived_is_in_doubt_as_well(served: Sandbox, system: str) -> None:
    spoil(served, system, STARTS[system], "cut")
    async with driving(served) as driver:
        answer = await driver.create(simple(system))
        assert answer.state is None
        told = only(answer.diagnostics, Severity.ERROR)
        assert told.startswith("It is not known whether")
        assert driver.runs() == []
        assert len(driver.starts(system)) == 1
    async with driving(served) as driver:
        assert only((await driver.create(simple(system))).diagnostics, Severity.ERROR).startswith("It is not known")
        assert driver.runs() == []


@pytest.mark.parametrize("system", ["harness", "vcd"])
async def test_after_a_while_a_start_that_never_arrived_is_sent(
    served: Sandbox, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(served, system, STARTS[system], "cut")
    async with driving(served) as driver:
        assert (await driver.create(simple(system))).state is None
    monkeypatch.setattr("provider_py.execution.starting.CERTAIN_SECONDS", 0.0)
    async with driving(served) as driver:
        answer = await driver.create(simple(system))
        assert list(answer.diagnostics) == []
        assert [run.id for run in driver.runs()] == [answer.state.id]


@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_refused_start_is_not_in_doubt(served: Sandbox, system: str) -> None:
    refusal = {"status": 400, "body": {"message": "no", "errors": [{"message": "no"}]}}
    spoil(served, system, STARTS[system], "json", **refusal)
    async with driving(served) as driver:
        told = only((await driver.create(simple(system))).diagnostics, Severity.ERROR)
        assert "was not started" in told
        assert (await driver.create(simple(system))).state.status == SUCCESS[system]
        assert len(driver.runs()) == 1


PARTLY = {"data": {"startExecution": {"execution": None}}}


@pytest.mark.parametrize(
    ("body", "began"),
    [
        ({"errors": [{"message": "An error has occurred. Please contact the Harness support team."}]}, True),
        ({"errors": [{"message": "timed out", "path": ["startExecution", "execution", "status"]}], "data": None}, True),
        ({"errors": [{"message": "not readable", "path": ["startExecution"]}], **PARTLY}, True),
        ({"errors": [{"message": "Environment is required", "path": ["startExecution"]}], "data": None}, False),
    ],
    ids=["unforeseen", "in a field", "beside data", "refused"],
)
async def test_errors_in_harness_answer_to_a_start(served: Sandbox, body: Any, began: bool) -> None:
    spoil(served, "harness", STARTS["harness"], "json", body=body, after=began)
    async with driving(served) as driver:
        answer = await driver.create(simple("harness"))
        assert len(driver.runs()) == began
        if began:
            assert list(answer.diagnostics) == []
            assert answer.state.id == driver.runs()[0].id
        else:
            assert "was not started" in only(answer.diagnostics, Severity.ERROR)
            assert (await driver.create(simple("harness"))).state is not None


async def test_cloud_director_names_only_a_task(driver: Driver) -> None:
    driver.sandbox.world.behaviours.change({"vcd": {"start_answer": "task"}})
    answer = await driver.create(simple("vcd"))
    assert [run.id for run in driver.runs()] == [answer.state.id]
    assert len(driver.starts("vcd")) == 1


async def test_an_earlier_run_of_the_same_inputs_is_not_taken_for_a_lost_one(served: Sandbox) -> None:
    served.world.speed = 1.0  # an execution's age is told by the same clock as the answers that list it
    async with driving(served) as driver:
        earlier = await driver.create(simple("vcd", wait=False))
        driver.runs()[0].started_at -= 60
        await driver.provider._journal.forget(earlier.state.import_id)
        spoil(served, "vcd", STARTS["vcd"], "cut", after=True)
        later = await driver.create(simple("vcd", wait=False, triggers={"release": "2"}))
        assert [run.id for run in driver.runs()] == [earlier.state.id, later.state.id]
        spoil(served, "vcd", STARTS["vcd"], "cut")
        driver.runs()[1].started_at -= 60
        await driver.provider._journal.forget(later.state.import_id)
        third = await driver.create(simple("vcd", wait=False, triggers={"release": "3"}))
        assert third.state is None
        assert len(driver.runs()) == 2


@pytest.mark.parametrize("system", ["harness", "vcd"])
async def test_equal_starts_that_are_all_lost_are_told_apart(served: Sandbox, system: str) -> None:
    count = 4
    spoil(served, system, STARTS[system], "cut", after=True, times=count)
    async with driving(served) as driver:
        configs = [simple(system, triggers={"number": str(number)}) for number in range(count)]
        answers = await asyncio.gather(*map(driver.create, configs))
        assert [each for answer in answers for each in answer.diagnostics] == []
        assert sorted(answer.state.id for answer in answers) == sorted(run.id for run in driver.runs())
        assert len(driver.starts(system)) == count


STORMS: Sequence[dict[str, str]] = ({}, {"Retry-After": "20"}, {"Retry-After": "%date"})


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("place", [STARTS, LOOKUPS, LOOKS], ids=["start", "look-up", "look"])
@pytest.mark.parametrize("headers", STORMS, ids=["no header", "seconds", "date"])
async def test_too_many_requests_are_waited_out(
    driver: Driver, system: str, place: Any, headers: dict[str, str]
) -> None:
    given = {name: value.replace("%date", http_date(driver, 20)) for name, value in headers.items()}
    spoil(driver.sandbox, system, place[system], "status", status=429, headers=given, times=2)
    clock = driver.provider._runtime.clock
    began = clock.monotonic()
    answer = await driver.create(simple(system))
    assert list(answer.diagnostics) == []
    assert [run.id for run in driver.runs()] == [answer.state.id]
    refused = [each for each in driver.requests if each.status == 429]
    assert len(refused) == 2
    if headers:
        assert clock.monotonic() - began >= 20


def http_date(driver: Driver, seconds: float) -> str:
    """Write a moment in HTTP's form; times of day are real ones, whatever the pace of the clock."""
    from email.utils import formatdate

    return formatdate(driver.provider._runtime.clock.time() + seconds + 1, usegmt=True)
