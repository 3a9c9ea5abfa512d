"""Every operation has a limit, and once it has passed nothing more is sent."""

from __future__ import annotations

import asyncio

import pytest

from provider_py.execution import LOOKING_SECONDS, Timeouts
from provider_py.plugin import Severity
from provider_py.sandbox import Fault, FaultKind, Match
from tests.support.clock import Clock
from tests.support.operations import Row, every_operation, outcome
from tests.support.site import PACE, Process, Site, only, simple
from tests.support.systems import STARTS, TOKENS, every_system

LIMIT = "60s"


async def assert_nothing_follows(site: Site) -> None:
    sent = len(site.requests)
    await asyncio.sleep(100 / PACE)
    assert len(site.requests) == sent


@every_system
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "600"}], ids=["short pauses", "a long pause"])
async def test_a_start_that_is_put_off_is_given_up_at_its_limit(
    site: Site, process: Process, system: str, headers: dict[str, str]
) -> None:
    assert await process.plan(simple(system)) == ()  # looks up what the start needs
    site.inject_fault(system, STARTS[system], "status", status=429, headers=headers, times=1000)
    result = await process.create(simple(system, timeouts=Timeouts(create=LIMIT)))
    assert "429" in (text := only(result.diagnostics))
    assert "timeouts.create passes before it may be sent again" in text
    assert result.state is None
    assert len(site.starts(system)) <= 6  # after pauses of 1, 2, 4, 8 and 16 seconds
    await assert_nothing_follows(site)


@pytest.mark.parametrize("system", list(TOKENS))
async def test_a_sign_in_for_a_start_is_given_up_at_its_limit(site: Site, process: Process, system: str) -> None:
    assert await process.plan(simple(system)) == ()
    site.inject_fault(system, STARTS[system], "status", status=401)
    site.inject_fault(system, TOKENS[system], "status", status=429, times=1000)
    result = await process.create(simple(system, timeouts=Timeouts(create=LIMIT)))
    assert "timeouts.create passed before the request could be sent" in only(result.diagnostics)
    await assert_nothing_follows(site)
    assert len(site.starts(system)) == 1


async def test_a_start_in_the_queue_for_the_budget_is_given_up_at_its_limit(site: Site) -> None:
    process = await site.process({"HARNESS_REQUESTS_PER_MINUTE": "3"})
    config = simple("harness", timeouts=Timeouts(create="10s"))
    assert await process.plan(config) == ()
    result = await process.create(config)
    assert "timeouts.create passed" in only(result.diagnostics)
    await assert_nothing_follows(site)
    assert site.starts("harness") == []


@every_operation(lambda row: row.name != "create" and not row.stored)
async def test_everything_that_looks_has_a_limit(site: Site, process: Process, row: Row) -> None:
    """A plan goes on with a warning, all else is an error."""
    site.world.faults.add(Fault(row.system, FaultKind.SILENCE, Match(), times=None))
    process.provider._runtime.clock = Clock(4 * LOOKING_SECONDS)
    (said,) = await outcome(row.call(process, None))
    assert said.severity is (Severity.WARNING if row.name == "plan" else Severity.ERROR)
    assert "there was no answer within 1800 s" in said.detail


async def test_a_refresh_that_is_not_answered_ends_with_a_warning(site: Site, process: Process) -> None:
    site.script("harness")
    state = await process.started(simple("harness"))
    site.world.faults.add(Fault("harness", FaultKind.SILENCE, Match(), times=None))
    process.provider._runtime.clock = Clock(4 * LOOKING_SECONDS)
    result = await process.execution("harness").read(state, b"")
    assert result.state == state
    assert "there was no answer within 1800 s" in only(result.diagnostics, Severity.WARNING)
