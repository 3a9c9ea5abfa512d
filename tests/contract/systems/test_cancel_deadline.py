"""A cancel that is not answered ends at the deadline of its caller, and sends nothing afterwards."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from provider_py.execution import Timeouts
from provider_py.plugin import DiagnosticError
from tests.support.site import Process, Site, only, simple
from tests.support.systems import CANCELLABLE, CANCELS, TITLES

DEADLINE = 30.0


@pytest.mark.parametrize("system", CANCELLABLE)
async def test_a_cancel_ends_at_its_deadline(site: Site, process: Process, system: str) -> None:
    site.script(system)
    state = await process.started(simple(system))
    successor = await site.process()  # which has looked up nothing yet
    site.inject_fault(system, CANCELS[system], "silence", times=None)
    state = dataclasses.replace(state, on_destroy="cancel", timeouts=Timeouts(delete=f"{DEADLINE:g}s"))
    began = site.clock.monotonic()
    with pytest.raises(DiagnosticError) as caught:
        await successor.execution(system).delete(state, b"")
    assert site.clock.monotonic() - began < DEADLINE + 20
    assert only(caught.value.diagnostics).startswith(f"Timed out cancelling {TITLES[system]} {state.id}")
    asked = len(site.requests)
    await asyncio.sleep(1.0)  # 100 s of the systems' time
    assert len(site.requests) == asked
