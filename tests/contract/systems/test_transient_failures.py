"""Harness' starting words and request limits, and login hosts that fail between the checks and the start.

Faults in starts, look-ups and polls are in tests/faults.
"""

from __future__ import annotations

import pytest

from provider_py.plugin import Severity
from provider_py.sandbox.faults import Fault, FaultKind, Match
from tests.contract.systems.driving import Driver, only, simple


@pytest.mark.parametrize("status", ["RUNNING", "QUEUED", "PREPARING"])
async def test_an_execution_is_followed_whatever_status_it_starts_with(driver: Driver, status: str) -> None:
    driver.sandbox.world.behaviors.change({"harness": {"starting_status": status, "starting_seconds": 3.0}})
    answer = await driver.create(simple("harness"))
    assert (answer.state.status, list(answer.diagnostics)) == ("SUCCESS", [])


@pytest.mark.parametrize("style", ["graphql", "cloudflare"])
@pytest.mark.parametrize("retry_after", ["none", "seconds", "date"])
async def test_the_request_limit_of_harness_is_waited_out(driver: Driver, style: str, retry_after: str) -> None:
    limits = {"requests_per_minute": 4, "rate_limit_style": style, "retry_after": retry_after}
    driver.sandbox.world.behaviors.change({"harness": limits})
    answer = await driver.create(simple("harness"))
    assert (answer.state.status, list(answer.diagnostics)) == ("SUCCESS", [])
    assert len(driver.runs()) == 1


@pytest.mark.parametrize("system", ["nexthink", "vcd"])
async def test_a_login_host_that_is_down_means_not_started(driver: Driver, system: str) -> None:
    """The token expires between the checks and the start, and the login host does not issue another."""
    await driver.plan(simple(system))
    driver.sandbox.world.advance(7200)
    token = Match(path="/token")
    driver.sandbox.world.faults.add(Fault(system, FaultKind.STATUS, match=token, status=503, times=None))
    answer = await driver.create(simple(system))
    text = only(answer.diagnostics, Severity.ERROR)
    assert "was not started" in text
    assert "Unknown whether" not in text
    assert driver.runs() == []
