"""Waiting for what another task, thread or process does; whoever waits too long fails with what was missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, TypeVar

import pytest

T = TypeVar("T")

PATIENCE: Final = 60.0
"""Real seconds after which a test that waits has failed."""


def wait_until(poll: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Block until `poll` returns something true, and return that; `what` names it."""
    deadline = time.monotonic() + seconds
    while not (result := poll()):
        if time.monotonic() > deadline:
            pytest.fail(f"no {what} within {seconds:g} s")
        time.sleep(0.05)
    return result


async def eventually(poll: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Do the same in an event loop, which goes on meanwhile."""
    deadline = time.monotonic() + seconds
    while not (result := poll()):
        if time.monotonic() > deadline:
            pytest.fail(f"no {what} within {seconds:g} s")
        await asyncio.sleep(0.005)
    return result
