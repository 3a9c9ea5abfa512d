"""The simulated tenant's fleet."""

from __future__ import annotations

from typing import Any

from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.targets import Device
from tests.support.site import Process


def fleet(count: int) -> list[Device]:
    """Return the first devices of the tenant's fleet."""
    return [Device(name=f"DESK-{number:05}") for number in range(1, count + 1)]


def laptops(count: int = 1) -> list[Device]:
    """Return some of the tenant's laptops."""
    return [Device(name=f"LAPTOP-{number:02}") for number in range(1, count + 1)]


async def run(process: Process, **arguments: Any) -> NexthinkExecution:
    """Create an execution, which has to succeed, and return its state."""
    state: NexthinkExecution = await process.created(NexthinkExecution(**arguments))
    return state
