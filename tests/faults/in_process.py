"""The provider in the test's own process: prepared runs, polls that were answered, and waiting for either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from provider_py.sandbox.world import RecordedRequest, Script
from provider_py.systems.harness.config import HarnessSettings
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.vcd.config import VcdSettings
from tests.contract.systems.driving import Driver
from tests.faults.scenarios import HOUR, PATIENCE
from tests.support.requests import POLLS, matches

IMPATIENT: Final = {
    "harness": HarnessSettings(request_timeout="300ms"),
    "nexthink": NexthinkSettings(request_timeout="300ms"),
    "vcd": VcdSettings(request_timeout="300ms"),
}
"""Settings with a short request timeout; the others come from the environment."""
TOKEN_PATHS: Final = {"nexthink": "/oauth2/default/v1/token", "vcd": "/oauth/tenant/acme/token"}


def polls(driver: Driver, system: str) -> Sequence[RecordedRequest]:
    """Return the polls that a system received."""
    return [
        request
        for request in driver.requests
        if request.system == system and matches(POLLS[system], request.method, request.path, request.body)
    ]


def token_requests(driver: Driver, system: str) -> Sequence[RecordedRequest]:
    """Return the requests for a token."""
    return [request for request in driver.requests if request.path == TOKEN_PATHS[system]]


def keep_running(driver: Driver, system: str, **script: Any) -> None:
    """Have the next runs of a system last until the test finishes them, or as the script says."""
    driver.sandbox.world.runs.scripts.append(Script(system, times=None, **({"seconds": 24 * HOUR} | script)))


def finish(driver: Driver) -> None:
    """Let every run end successfully now."""
    world = driver.sandbox.world
    for run in driver.runs():
        run.finish(world.clock())


async def until_polled(driver: Driver, system: str, times: int = 1) -> None:
    """Wait for so many further answers to polls."""

    def answered() -> int:
        return sum(request.status is not None for request in polls(driver, system))

    before = answered()
    await until(lambda: answered() >= before + times)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the sandbox announces nothing
            await asyncio.sleep(0.005)
