"""Every fault in the answer to a start: one run, taken over where the system lets it be found."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from provider_py.execution import Timeouts
from provider_py.execution.starting import CERTAIN_SECONDS
from tests.support.site import HOUR, IMPATIENT, Process, Site, only, simple
from tests.support.systems import (
    CANCELLABLE,
    LOOKUPS,
    POLLS,
    SEARCHES,
    STARTS,
    SUCCESS,
    every_fault,
    every_system,
)


@every_system
@every_fault("502 HTML", "200 HTML", "cut", "truncated", "late", "empty object", "empty list", "503 JSON")
async def test_a_faulty_answer_does_not_repeat_the_start(site: Site, system: str, fault: dict[str, Any]) -> None:
    site.inject_fault(system, STARTS[system], **fault, after=True)
    process = await site.process(**IMPATIENT)
    result = await process.create(simple(system))
    (run,) = site.runs()
    assert len(site.starts(system)) == 1
    if system == "nexthink":
        assert result.state is None
        text = only(result.diagnostics)
        assert "Unknown whether the Nexthink execution started" in text
    else:
        assert list(result.diagnostics) == []
        assert (result.state.id, result.state.status) == (run.id, SUCCESS[system])


@every_system
async def test_a_start_that_never_arrived_is_unanswered_as_well(site: Site, system: str) -> None:
    site.inject_fault(system, STARTS[system], "cut")
    process = await site.process()
    result = await process.create(simple(system))
    assert result.state is None
    assert only(result.diagnostics).startswith("Unknown whether")
    assert site.runs() == []
    assert len(site.starts(system)) == 1


@every_system
@pytest.mark.parametrize(("limit", "step"), [("60s", 0.0), ("10m", -HOUR), ("10m", HOUR)])
async def test_a_start_that_never_arrived_is_sent_after_it_was_searched_for_long_enough(
    site: Site, system: str, limit: str, step: float
) -> None:
    """Whatever the time of day seems to be: the start of an earlier process is watched for by this one."""
    site.inject_fault(system, STARTS[system], "cut")
    config = simple(system, timeouts=Timeouts(create=limit))
    process = await site.process()
    assert (await process.create(config)).state is None
    await process.close()
    process = await site.process()
    site.clock.step(step)
    began = site.clock.monotonic()
    result = await process.create(config)
    if limit == "60s" or system == "nexthink":
        assert only(result.diagnostics).startswith("Unknown whether")
        assert len(site.starts(system)) == 1
    else:
        assert list(result.diagnostics) == []
        assert [run.id for run in site.runs()] == [result.state.id]
        assert site.clock.monotonic() - began >= CERTAIN_SECONDS


@pytest.mark.parametrize("system", CANCELLABLE)
async def test_a_search_that_fails_is_no_proof_that_a_start_did_not_arrive(site: Site, system: str) -> None:
    site.inject_fault(system, STARTS[system], "cut", after=True)
    search = SEARCHES[system]
    site.inject_fault(system, search, "status", status=403, times=1000)
    process = await site.process()
    assert (await process.create(simple(system))).state is None
    await process.close()
    process = await site.process()
    result = await process.create(simple(system))
    assert only(result.diagnostics).startswith("Unknown whether")
    assert len(site.starts(system)) == 1


@pytest.mark.parametrize("system", CANCELLABLE)
@pytest.mark.parametrize("step", [-HOUR, HOUR])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_start_is_found_although_the_clock_is_wrong_or_set(
    site: Site, system: str, step: float, when: str
) -> None:
    if when == "before":
        site.clock.step(step)
    site.inject_fault(system, STARTS[system], "cut", after=True)
    site.inject_fault(system, SEARCHES[system], "status", status=403, times=3)
    process = await site.process()
    assert (await process.create(simple(system))).state is None
    await process.close()
    if when == "after":
        site.clock.step(step)
    process = await site.process()
    result = await process.create(simple(system))
    assert [run.id for run in site.runs()] == [result.state.id]
    assert len(site.starts(system)) == 1


@every_system
async def test_a_refused_start_is_not_unanswered(site: Site, system: str) -> None:
    refusal = {"status": 400, "body": {"message": "no", "errors": [{"message": "no"}]}}
    site.inject_fault(system, STARTS[system], "json", **refusal)
    process = await site.process()
    result = await process.create(simple(system))
    assert "was not started" in only(result.diagnostics)
    assert (await process.create(simple(system))).state.status == SUCCESS[system]
    assert len(site.runs()) == 1


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
async def test_errors_of_harness_tell_whether_a_start_had_an_effect(site: Site, body: Any, starts: bool) -> None:
    site.inject_fault("harness", STARTS["harness"], "json", body=body, after=starts)
    process = await site.process()
    result = await process.create(simple("harness"))
    assert len(site.runs()) == starts
    if starts:
        assert list(result.diagnostics) == []
        assert result.state.id == site.runs()[0].id
    else:
        assert "was not started" in only(result.diagnostics)
        assert (await process.create(simple("harness"))).state is not None


async def test_a_run_is_found_when_harness_answers_with_null(site: Site, process: Process) -> None:
    site.set_behaviors("harness", null_payload=True)
    result = await process.create(simple("harness"))
    assert [run.id for run in site.runs()] == [result.state.id]
    assert len(site.starts("harness")) == 1


async def test_a_run_is_found_when_cloud_director_names_only_a_task(site: Site, process: Process) -> None:
    site.set_behaviors("vcd", start_answer="task")
    result = await process.create(simple("vcd"))
    assert [run.id for run in site.runs()] == [result.state.id]
    assert len(site.starts("vcd")) == 1


async def test_an_earlier_run_of_the_same_inputs_is_not_taken_for_the_lost_one(site: Site, tmp_path: Path) -> None:
    process = await site.process()
    earlier = await process.create(simple("vcd", wait=False))
    site.runs()[0].started_at -= HOUR
    process = await site.process({"WORKFLOW_JOURNAL": str(tmp_path / "second")})  # which knows nothing of the first
    site.inject_fault("vcd", STARTS["vcd"], "cut", after=True)
    later = await process.create(simple("vcd", wait=False, triggers={"release": "2"}))
    assert [run.id for run in site.runs()] == [earlier.state.id, later.state.id]
    site.inject_fault("vcd", STARTS["vcd"], "cut")
    site.runs()[1].started_at -= HOUR
    process = await site.process({"WORKFLOW_JOURNAL": str(tmp_path / "third")})
    third = await process.create(simple("vcd", wait=False, triggers={"release": "3"}))
    assert third.state is None
    assert len(site.runs()) == 2


@pytest.mark.parametrize("system", CANCELLABLE)
async def test_equal_lost_starts_are_told_apart(site: Site, system: str) -> None:
    count = 4
    site.inject_fault(system, STARTS[system], "cut", after=True, times=count)
    process = await site.process()
    configs = [simple(system, triggers={"number": str(number)}) for number in range(count)]
    results = await asyncio.gather(*map(process.create, configs))
    assert [diagnostic for result in results for diagnostic in result.diagnostics] == []
    assert sorted(result.state.id for result in results) == sorted(run.id for run in site.runs())
    assert len(site.starts(system)) == count


RETRY_AFTER: Sequence[dict[str, str]] = ({}, {"Retry-After": "20"}, {"Retry-After": "%date"})


@every_system
@pytest.mark.parametrize("requests", [STARTS, LOOKUPS, POLLS], ids=["start", "look-up", "poll"])
@pytest.mark.parametrize("headers", RETRY_AFTER, ids=["no header", "seconds", "date"])
async def test_a_429_is_waited_out(
    site: Site, process: Process, system: str, requests: Any, headers: dict[str, str]
) -> None:
    sent = {name: value.replace("%date", http_date(site, 20)) for name, value in headers.items()}
    site.inject_fault(system, requests[system], "status", status=429, headers=sent, times=2)
    began = site.clock.monotonic()
    result = await process.create(simple(system))
    assert list(result.diagnostics) == []
    assert [run.id for run in site.runs()] == [result.state.id]
    assert len([request for request in site.requests if request.status == 429]) == 2
    assert len(site.starts(system)) == (3 if requests is STARTS else 1)
    if headers:
        assert site.clock.monotonic() - began >= 20


def http_date(site: Site, seconds: float) -> str:
    """Format the time so many seconds from now as HTTP does."""
    return formatdate(site.clock.time() + seconds + 1, usegmt=True)
