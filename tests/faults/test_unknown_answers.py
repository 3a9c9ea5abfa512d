"""Answers to a start that do not say whether it was carried out, through real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import Severity
from provider_py.sandbox.server import Sandbox
from tests.contract.systems.driving import SYSTEMS, driving, only, simple
from tests.faults.scenarios import inject_fault
from tests.support.requests import STARTS

LOCKED = {"errors": [{"message": "Lock wait timeout exceeded", "path": ["startExecution"]}], "data": None}


@pytest.mark.parametrize(
    "answer", [{"status": 408}, {"status": 303}, {"body": LOCKED}], ids=["408", "303", "unknown words"]
)
async def test_a_run_that_was_started_all_the_same_is_found(served: Sandbox, answer: dict[str, Any]) -> None:
    inject_fault(served, "harness", STARTS["harness"], "json", **{"body": {}, **answer}, after=True)
    async with driving(served) as driver:
        created = await driver.create(simple("harness"))
        assert list(created.diagnostics) == []
        assert [run.id for run in driver.runs()] == [created.state.id]
        assert len(driver.starts("harness")) == 1


@pytest.mark.parametrize("status", [303, 408])
@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_start_that_nobody_can_find_is_reported_as_unknown(served: Sandbox, system: str, status: int) -> None:
    inject_fault(served, system, STARTS[system], "json", status=status, body={})
    async with driving(served) as driver:
        created = await driver.create(simple(system))
        assert only(created.diagnostics, Severity.ERROR).startswith("Unknown whether")
        assert driver.runs() == []
