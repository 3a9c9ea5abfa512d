"""What everything in a provider process shares: time, Terraform's request to stop, and a few settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from provider_py.execution.errors import Interrupted

T = TypeVar("T")


class Clock(Protocol):
    """Time, passed in so that tests control it."""

    def time(self) -> float:
        """Return seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""


class SystemClock:
    """The machine's clocks."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since the machine was started."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class Runtime:
    """Shared by all resources of one provider process.

    `stop` is set when Terraform asks to stop; `preflight` says whether plans are checked against the systems; `scope`
    is Terraform's workspace, which keeps equal runs of two workspaces apart.
    """

    stop: asyncio.Event
    clock: Clock = field(default_factory=SystemClock)
    preflight: bool = True
    scope: str = "default"

    async def sleep(self, seconds: float) -> None:
        """Sleep, or raise Interrupted as soon as Terraform asks to stop."""
        await self.unless_stopped(self.clock.sleep(seconds))

    async def unless_stopped(self, work: Awaitable[T], *, seconds: float | None = None) -> T:
        """Do work that may be cancelled at any `await`.

        Raises Interrupted if Terraform asks to stop first, TimeoutError if the work takes longer than `seconds`.
        """
        task = asyncio.ensure_future(work)
        stopped = asyncio.create_task(self.stop.wait())
        guards: set[asyncio.Task[bool] | asyncio.Task[None]] = {stopped}
        if seconds is not None:
            guards.add(asyncio.create_task(self.clock.sleep(max(0.0, seconds))))
        try:
            await asyncio.wait({task, *guards}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if stopped.done():
                raise Interrupted("Terraform", "the operation was interrupted")
            raise TimeoutError
        finally:
            for pending in (task, *guards):
                pending.cancel()
