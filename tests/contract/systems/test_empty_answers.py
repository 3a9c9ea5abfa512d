"""Empty answers of the systems to look-ups and polls are tried again, and a start is not."""

from __future__ import annotations

import pytest

from tests.support.site import Process, Site, simple
from tests.support.systems import LOOKUPS, POLLS, STARTS, SUCCESS, every_system


@pytest.mark.parametrize("table", [LOOKUPS, POLLS], ids=["look-up", "poll"])
@every_system
async def test_a_run_survives_empty_answers(
    site: Site, process: Process, system: str, table: dict[str, dict[str, str]]
) -> None:
    site.inject_fault(system, table[system], "status", status=200, body="", times=2)
    state = await process.created(simple(system))
    assert state.status == SUCCESS[system]
    assert len(site.runs()) == 1


@every_system
async def test_an_empty_answer_to_a_start_is_not_repeated(site: Site, process: Process, system: str) -> None:
    site.inject_fault(system, STARTS[system], "status", status=200, body="", after=True)
    await process.create(simple(system))
    assert len(site.starts(system)) == 1
    assert len(site.runs()) == 1
