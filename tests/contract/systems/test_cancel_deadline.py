"""A cancel that is not answered ends at the deadline of its caller, and sends nothing afterwards."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.site import Process, Site, simple
from tests.support.systems import CANCELLABLE, CANCELS, LOOKUPS

DEADLINE = 30.0


@pytest.mark.parametrize("table", [CANCELS, LOOKUPS], ids=["cancel", "look-up before it"])
@pytest.mark.parametrize("system", CANCELLABLE)
async def test_a_cancel_ends_at_its_deadline(
    site: Site, process: Process, system: str, table: dict[str, dict[str, str]]
) -> None:
    site.script(system)
    state = await process.started(simple(system))
    successor = await site.process()  # which has looked up nothing yet
    site.inject_fault(system, table[system], "silence", times=None)
    runtime = successor.provider._runtime
    began = site.clock.monotonic()
    try:
        await runtime.unless_stopped(successor.launcher(system).cancel(state), seconds=DEADLINE)
    except TimeoutError:
        assert site.clock.monotonic() - began < DEADLINE + 20
    asked = len(site.requests)
    await asyncio.sleep(1.0)  # 100 s of the systems' time
    assert len(site.requests) == asked
