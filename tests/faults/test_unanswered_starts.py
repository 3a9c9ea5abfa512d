"""Every fault in the answer to a start: one run, taken over where the system lets it be found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any

import pytest

from provider_py.plugin import Severity
from provider_py.sandbox.server import Sandbox
from tests.contract.systems.driving import Driver, driving, only, simple
from tests.faults.in_process import IMPATIENT
from tests.faults.scenarios import SUCCESS, SYSTEMS, inject_fault
from tests.support.requests import LOOKUPS, POLLS, STARTS


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("html", {}),
        ("html", {"status": 200}),
        ("cut", {}),
        ("truncate", {}),
        ("delay", {"seconds": 1.0}),
        ("json", {"body": {}}),
        ("json", {"body": []}),
        ("json", {"status": 503, "body": {"message": "try again"}}),
    ],
    ids=["502 HTML", "200 HTML", "cut", "truncated", "late", "empty object", "empty list", "503"],
)
async def test_a_faulty_answer_does_not_repeat_the_start(
    served: Sandbox, system: str, kind: str, options: dict[str, Any]
) -> None:
    inject_fault(served, system, STARTS[system], kind, after=True, **options)
    async with driving(served, **IMPATIENT) as driver:
        answer = await driver.create(simple(system))
        (run,) = driver.runs()
        assert len(driver.starts(system)) == 1
        if system == "nexthink":
            assert answer.state is None
            text = only(answer.diagnostics, Severity.ERROR)
            assert "Unknown whether the Nexthink execution started" in text
        else:
            assert list(answer.diagnostics) == []
            assert (answer.state.id, answer.state.status) == (run.id, SUCCESS[system])


@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_start_that_never_arrived_is_unanswered_as_well(served: Sandbox, system: str) -> None:
    inject_fault(served, system, STARTS[system], "cut")
    async with driving(served) as driver:
        answer = await driver.create(simple(system))
        assert answer.state is None
        assert only(answer.diagnostics, Severity.ERROR).startswith("Unknown whether")
        assert driver.runs() == []
        assert len(driver.starts(system)) == 1
    async with driving(served) as driver:
        answer = await driver.create(simple(system))
        assert only(answer.diagnostics, Severity.ERROR).startswith("Unknown whether")
        assert driver.runs() == []


@pytest.mark.parametrize("system", ["harness", "vcd"])
async def test_a_start_that_never_arrived_is_sent_after_a_while(
    served: Sandbox, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject_fault(served, system, STARTS[system], "cut")
    async with driving(served) as driver:
        assert (await driver.create(simple(system))).state is None
    monkeypatch.setattr("provider_py.execution.starting.CERTAIN_SECONDS", 0.0)
    async with driving(served) as driver:
        answer = await driver.create(simple(system))
        assert list(answer.diagnostics) == []
        assert [run.id for run in driver.runs()] == [answer.state.id]


@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_refused_start_is_not_unanswered(served: Sandbox, system: str) -> None:
    refusal = {"status": 400, "body": {"message": "no", "errors": [{"message": "no"}]}}
    inject_fault(served, system, STARTS[system], "json", **refusal)
    async with driving(served) as driver:
        answer = await driver.create(simple(system))
        assert "was not started" in only(answer.diagnostics, Severity.ERROR)
        assert (await driver.create(simple(system))).state.status == SUCCESS[system]
        assert len(driver.runs()) == 1


PARTIAL = {"data": {"startExecution": {"execution": None}}}


@pytest.mark.parametrize(
    ("body", "starts"),
    [
        ({"errors": [{"message": "An error has occurred. Please contact the Harness support team."}]}, True),
        ({"errors": [{"message": "timed out", "path": ["startExecution", "execution", "status"]}], "data": None}, True),
        ({"errors": [{"message": "not readable", "path": ["startExecution"]}], **PARTIAL}, True),
        ({"errors": [{"message": "Environment is required", "path": ["startExecution"]}], "data": None}, False),
    ],
    ids=["unforeseen", "in a field", "beside data", "refused"],
)
async def test_errors_of_harness_tell_whether_a_start_had_an_effect(served: Sandbox, body: Any, starts: bool) -> None:
    inject_fault(served, "harness", STARTS["harness"], "json", body=body, after=starts)
    async with driving(served) as driver:
        answer = await driver.create(simple("harness"))
        assert len(driver.runs()) == starts
        if starts:
            assert list(answer.diagnostics) == []
            assert answer.state.id == driver.runs()[0].id
        else:
            assert "was not started" in only(answer.diagnostics, Severity.ERROR)
            assert (await driver.create(simple("harness"))).state is not None


async def test_a_run_is_found_when_harness_answers_with_null(driver: Driver) -> None:
    driver.sandbox.world.behaviors.change({"harness": {"null_payload": True}})
    answer = await driver.create(simple("harness"))
    assert [run.id for run in driver.runs()] == [answer.state.id]
    assert len(driver.starts("harness")) == 1


async def test_a_run_is_found_when_cloud_director_names_only_a_task(driver: Driver) -> None:
    driver.sandbox.world.behaviors.change({"vcd": {"start_answer": "task"}})
    answer = await driver.create(simple("vcd"))
    assert [run.id for run in driver.runs()] == [answer.state.id]
    assert len(driver.starts("vcd")) == 1


async def test_an_earlier_run_of_the_same_inputs_is_not_taken_for_the_lost_one(served: Sandbox) -> None:
    served.world.speed = 1.0  # so that the age of an execution and the list that shows it use the same clock
    async with driving(served) as driver:
        earlier = await driver.create(simple("vcd", wait=False))
        driver.runs()[0].started_at -= 60
        await driver.provider._journal.forget(earlier.state.import_id)
        inject_fault(served, "vcd", STARTS["vcd"], "cut", after=True)
        later = await driver.create(simple("vcd", wait=False, triggers={"release": "2"}))
        assert [run.id for run in driver.runs()] == [earlier.state.id, later.state.id]
        inject_fault(served, "vcd", STARTS["vcd"], "cut")
        driver.runs()[1].started_at -= 60
        await driver.provider._journal.forget(later.state.import_id)
        third = await driver.create(simple("vcd", wait=False, triggers={"release": "3"}))
        assert third.state is None
        assert len(driver.runs()) == 2


@pytest.mark.parametrize("system", ["harness", "vcd"])
async def test_equal_lost_starts_are_told_apart(served: Sandbox, system: str) -> None:
    count = 4
    inject_fault(served, system, STARTS[system], "cut", after=True, times=count)
    async with driving(served) as driver:
        configs = [simple(system, triggers={"number": str(number)}) for number in range(count)]
        answers = await asyncio.gather(*map(driver.create, configs))
        assert [diagnostic for answer in answers for diagnostic in answer.diagnostics] == []
        assert sorted(answer.state.id for answer in answers) == sorted(run.id for run in driver.runs())
        assert len(driver.starts(system)) == count


RETRY_AFTER: Sequence[dict[str, str]] = ({}, {"Retry-After": "20"}, {"Retry-After": "%date"})


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("requests", [STARTS, LOOKUPS, POLLS], ids=["start", "look-up", "poll"])
@pytest.mark.parametrize("headers", RETRY_AFTER, ids=["no header", "seconds", "date"])
async def test_a_429_is_waited_out(driver: Driver, system: str, requests: Any, headers: dict[str, str]) -> None:
    sent = {name: value.replace("%date", http_date(driver, 20)) for name, value in headers.items()}
    inject_fault(driver.sandbox, system, requests[system], "status", status=429, headers=sent, times=2)
    clock = driver.provider._runtime.clock
    began = clock.monotonic()
    answer = await driver.create(simple(system))
    assert list(answer.diagnostics) == []
    assert [run.id for run in driver.runs()] == [answer.state.id]
    assert len([request for request in driver.requests if request.status == 429]) == 2
    assert len(driver.starts(system)) == (3 if requests is STARTS else 1)
    if headers:
        assert clock.monotonic() - began >= 20


def http_date(driver: Driver, seconds: float) -> str:
    """Format the time so many seconds from now as HTTP does."""
    return formatdate(driver.provider._runtime.clock.time() + seconds + 1, usegmt=True)
