"""Answers to a start that do not say whether it was carried out, through real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.site import Process, Site, only, simple
from tests.support.systems import STARTS, every_system

LOCKED = {"errors": [{"message": "Lock wait timeout exceeded", "path": ["startExecution"]}], "data": None}


@pytest.mark.parametrize(
    "answer", [{"status": 408}, {"status": 303}, {"body": LOCKED}], ids=["408", "303", "unknown words"]
)
async def test_a_run_that_was_started_all_the_same_is_found(
    site: Site, process: Process, answer: dict[str, Any]
) -> None:
    site.inject_fault("harness", STARTS["harness"], "json", **{"body": {}, **answer}, after=True)
    state = await process.created(simple("harness"))
    assert [run.id for run in site.runs()] == [state.id]
    assert len(site.starts("harness")) == 1


@pytest.mark.parametrize("status", [303, 408])
@every_system
async def test_a_start_that_nobody_can_find_is_reported_as_unknown(
    site: Site, process: Process, system: str, status: int
) -> None:
    site.inject_fault(system, STARTS[system], "json", status=status, body={})
    created = await process.create(simple(system))
    assert only(created.diagnostics).startswith("Unknown whether")
    assert site.runs() == []
