"""Runs with an `idempotency_key` on several machines: they share nothing but the marks in Harness."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from provider_py.execution.life import Held
from provider_py.plugin import Change, Decoded, Severity
from provider_py.sandbox.world import RunsOfOthers
from provider_py.systems.harness import marks
from provider_py.systems.harness.config import HarnessSettings
from tests.support.harness import operations
from tests.support.site import HOUR, Process, Site, only, simple
from tests.support.systems import STARTS
from tests.support.waiting import eventually

KEY = "nightly restart"
DAY = 24 * HOUR

Machine: TypeAlias = Callable[..., Awaitable[Process]]


@pytest.fixture
def machine(site: Site, tmp_path: Path) -> Machine:
    """Make processes on machines of their own: with an empty journal each."""
    count = 0

    async def make(**settings: Any) -> Process:
        nonlocal count
        count += 1
        return await site.process(journal=str(tmp_path / f"machine-{count}.sqlite"), **settings)

    return make


def keyed(key: str = KEY, **arguments: Any) -> Any:
    return simple("harness", idempotency_key=key, **arguments)


def listings(site: Site) -> int:
    return operations(site).count("recentExecutions")


async def test_an_open_run_of_another_machine_is_joined(site: Site, machine: Machine) -> None:
    site.script("harness")
    first = await (await machine()).started(keyed())
    second = await machine()
    joining = asyncio.create_task(second.create(keyed()))
    await site.until_polled("harness")
    site.finish()
    joined = await joining
    assert joined.state.id == first.id
    assert "It is still open, and is waited for" in only(joined.diagnostics, Severity.WARNING)
    assert len(site.starts("harness")) == 1


async def test_the_result_of_a_run_that_succeeded_elsewhere_is_returned(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed())
    await site.clock.advance(29 * DAY)
    second = await (await machine()).create(keyed())
    assert second.state == first
    text = only(second.diagnostics, Severity.WARNING)
    assert first.id in text
    assert str(first.ended_at) in text
    assert len(site.starts("harness")) == 1


async def test_a_failed_run_of_another_machine_is_followed_by_the_next_attempt(site: Site, machine: Machine) -> None:
    site.script("harness", seconds=0, ending="failure")
    failed = await (await machine()).create(keyed())
    assert "failed with status FAILED" in only(failed.diagnostics)
    second = await (await machine()).created(keyed())
    third = await (await machine()).create(keyed())
    assert third.state.id == second.id != failed.state.id
    assert len(site.starts("harness")) == 2


async def test_a_failed_run_is_returned_where_failures_are_kept(site: Site, machine: Machine) -> None:
    site.script("harness", seconds=0, ending="failure")
    failed = await (await machine()).create(keyed())
    kept = await (await machine()).create(keyed(on_failure="keep"))
    assert kept.state.id == failed.state.id
    assert {diagnostic.severity for diagnostic in kept.diagnostics} == {Severity.WARNING}
    assert len(site.starts("harness")) == 1


async def test_a_run_that_failed_while_it_was_open_elsewhere_is_followed_by_the_next(
    site: Site, machine: Machine
) -> None:
    """The list of executions may lag behind: it is the run's own record that counts."""
    site.script("harness", ending="failure", seconds=1)
    await (await machine()).started(keyed())
    second = await machine()
    launcher = second.launcher("harness")
    await launcher.marked((await launcher.prepare(keyed(), frozenset()))[0], "")
    await site.clock.advance(2 * HOUR)  # past what the next listing reads again
    assert (await second.created(keyed())).status == "SUCCESS"
    assert len(site.starts("harness")) == 2


async def test_other_inputs_are_an_error_before_anything_is_sent(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed())
    site.requests.clear()
    refused = await (await machine()).create(keyed(triggers={"version": "2"}))
    text = only(refused.diagnostics)
    assert first.id in text
    assert "Nothing was started" in text
    assert site.starts("harness") == []


async def test_each_key_is_a_run_of_its_own(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed("one"))
    second = await (await machine()).created(keyed("another"))
    assert first.id != second.id
    assert len(site.starts("harness")) == 2


async def test_a_key_whose_start_was_lost_elsewhere_is_joined(site: Site, machine: Machine) -> None:
    site.inject_fault("harness", STARTS["harness"], kind="cut", after=True)
    site.set_behaviors("harness", list_lag=10 * HOUR)
    lost = await (await machine()).create(keyed())
    assert "Unknown whether" in only(lost.diagnostics)
    site.set_behaviors("harness", list_lag=0.0)
    second = await (await machine()).create(keyed())
    assert second.state.id == site.runs("harness")[0].id
    assert len(site.starts("harness")) == 1


async def test_two_that_start_a_key_at_the_same_moment_are_told(site: Site, machine: Machine) -> None:
    machines = [await machine(), await machine()]
    site.inject_fault("harness", STARTS["harness"], kind="delay", seconds=0.5, times=2, after=True)
    results = await asyncio.gather(*(process.create(keyed()) for process in machines))
    runs = {result.state.id for result in results}
    assert len(runs) == len(site.starts("harness")) == 2
    for result in results:
        text = only(result.diagnostics, Severity.WARNING)
        assert "was started twice" in text
        assert all(run in text for run in runs)
    third = await (await machine()).create(keyed())
    assert third.state.id in runs
    assert "already answers" in only(third.diagnostics, Severity.WARNING)
    assert len(site.starts("harness")) == 2


@pytest.mark.parametrize("first_ending", ["failure", "success"])
async def test_of_two_runs_of_one_attempt_the_better_counts(site: Site, machine: Machine, first_ending: str) -> None:
    endings = [first_ending, "success" if first_ending == "failure" else "failure"]
    machines = [await machine(), await machine()]
    site.inject_fault("harness", STARTS["harness"], kind="delay", seconds=0.5, times=2, after=True)
    for ending in endings:
        site.script("harness", seconds=0, ending=ending)
    await asyncio.gather(*(process.create(keyed()) for process in machines))
    (good,) = (run for run in site.runs("harness") if run.ending == "success")
    third = await (await machine()).create(keyed())
    assert third.state.id == good.id
    assert len(site.starts("harness")) == 2


# The search.


def others(site: Site, count: int, **options: Any) -> None:
    site.world.add_others["harness"](RunsOfOthers("harness", "restart", count, **options))


async def test_a_key_is_found_behind_250_newer_executions(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed())
    await site.clock.advance(2 * DAY)
    others(site, 250, apart=60)
    site.requests.clear()
    second = await (await machine()).create(keyed())
    assert second.state.id == first.id
    assert listings(site) == 3


async def test_executions_beyond_the_horizon_are_not_looked_at(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed())
    await site.clock.advance(3 * DAY)
    within = await (await machine(harness=HarnessSettings(key_search_days=4))).create(keyed())
    beyond = await (await machine(harness=HarnessSettings(key_search_days=2))).create(keyed())
    assert within.state.id == first.id
    assert beyond.state.id != first.id


async def test_a_search_that_cannot_reach_the_horizon_starts_nothing(
    site: Site, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MAX_PAGES", 2)
    others(site, 250, apart=HOUR)
    process = await machine()
    text = only((await process.create(keyed())).diagnostics)
    assert "was not started" in text
    assert "the latest 199 executions of the workflow do not reach back to 20" in text
    assert "key_search_days" in text
    before = listings(site)
    assert "key_search_days" in only((await process.create(keyed("another"))).diagnostics)
    assert listings(site) == before, "they have not become fewer"
    assert site.starts("harness") == []
    lower = await machine(harness=HarnessSettings(key_search_days=5))
    assert (await lower.created(keyed())).status == "SUCCESS"


@pytest.mark.parametrize("fault", [{"status": 500}, {"kind": "json", "body": {"data": {"executions": 1}}}])
async def test_a_search_that_fails_starts_nothing(site: Site, machine: Machine, fault: dict[str, Any]) -> None:
    site.inject_fault("harness", {"method": "POST", "body": "recentExecutions"}, times=None, **fault)
    text = only((await (await machine()).create(keyed())).diagnostics)
    assert "was not started" in text
    assert "Unknown whether" not in text
    assert site.starts("harness") == []


async def test_an_interrupt_ends_the_search(site: Site, machine: Machine) -> None:
    process = await machine()
    site.inject_fault("harness", {"method": "POST", "body": "recentExecutions"}, kind="silence", times=None)
    creating = asyncio.create_task(process.create(keyed()))
    await eventually(lambda: listings(site) > 0, "a listing")
    process.stop.set()
    assert "interrupted" in only((await creating).diagnostics)
    assert site.starts("harness") == []


async def test_thirty_keys_of_one_workflow_are_searched_for_together(site: Site, machine: Machine) -> None:
    others(site, 250, apart=HOUR)
    first = await machine()
    states = await asyncio.gather(*(first.created(keyed(f"key {number}")) for number in range(30)))
    assert len({state.id for state in states}) == len(site.starts("harness")) == 30
    looks_after = listings(site) - 3
    assert 1 <= looks_after <= 30, "one page for each look after a start at most"
    site.requests.clear()
    second = await machine()
    joined = await asyncio.gather(*(second.create(keyed(f"key {number}")) for number in range(30)))
    assert {result.state.id for result in joined} == {state.id for state in states}
    assert listings(site) == 3
    assert len(site.requests) <= 10
    assert site.starts("harness") == []


async def test_a_look_tells_of_what_was_started_before_it(site: Site, machine: Machine) -> None:
    """A listing that was taken, or has begun, before a start cannot tell of it."""
    process = await machine()
    launcher = process.launcher("harness")
    (part,) = await launcher.prepare(keyed(), frozenset())
    listing = {"method": "POST", "body": "recentExecutions"}
    site.inject_fault("harness", listing, kind="delay", seconds=0.3, after=True)
    early = asyncio.create_task(launcher.marked(part, ""))
    await eventually(lambda: listings(site) == 1, "a listing")
    await launcher.start(part, "k.1.f")
    together = await asyncio.gather(*(launcher.marked(part, "k.") for _ in range(5)))
    assert await early == []
    assert [[mark for mark, _ in marked] for marked in together] == [["k.1.f"]] * 5
    assert listings(site) == 2


# What a state holds.


async def test_notes_in_the_state_stay_as_configured(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed(notes="by night"))
    second = await (await machine()).create(keyed(notes="by night"))
    assert first.notes == second.state.notes == "by night"


# What an entry of a state closes, where the journal does not know its run.


async def replace(process: Process, prior: Any, planned: Any) -> Any:
    """Replace an entry as an apply does, its delete half first."""
    resource = process.execution("harness")
    names = [field.name for field in dataclasses.fields(prior)]
    changed = frozenset(name for name in names if getattr(prior, name) != getattr(planned, name))
    await resource.plan(Change(prior, Decoded(planned), changed))
    private = (await resource.plan(Change(None, Decoded(planned), frozenset()))).private
    await resource.delete(prior, private)
    return await resource.create(planned, private)


async def test_a_run_is_replaced_on_a_machine_that_did_not_start_it(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed())
    second = await replace(await machine(), first, keyed(triggers={"version": "2"}))
    assert list(second.diagnostics) == []
    assert second.state.id != first.id


async def test_a_run_is_destroyed_on_a_machine_that_did_not_start_it(site: Site, machine: Machine) -> None:
    first = await (await machine()).created(keyed())
    process = await machine()
    await process.execution("harness").delete(first, Held().encode())
    assert (await process.created(keyed())).id != first.id
