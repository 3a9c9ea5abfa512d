"""What a run's life needs from the process: the time, and Terraform's wish to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from provider_py.execution.errors import Interrupted

T = TypeVar("T")


class Clock(Protocol):
    """Time, passed in so that tests decide how it goes."""

    def time(self) -> float:
        """Return seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""

    async def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""


class SystemClock:
    """The machine's time."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment before the process began."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class Runtime:
    """Shared by everything one provider process does.

    `stop` is set when Terraform asks to stop; `preflight` says whether plans are checked against the systems; `scope`
    is Terraform's workspace, so that the same configuration in two of them stands for two runs.
    """

    stop: asyncio.Event
    clock: Clock = field(default_factory=SystemClock)
    preflight: bool = True
    scope: str = "default"

    async def sleep(self, seconds: float) -> None:
        """Sleep, or raise Interrupted as soon as Terraform asks to stop."""
        await self.unless_stopped(self.clock.sleep(seconds))

    async def unless_stopped(self, work: Coroutine[Any, Any, T], *, seconds: float | None = None) -> T:
        """Do work that may be dropped at any point.

        Raises Interrupted if Terraform asks to stop first, TimeoutError if it is not done within `seconds`.
        """
        task = asyncio.create_task(work)
        stopped = asyncio.create_task(self.stop.wait())
        guards: set[asyncio.Task[Any]] = {stopped}
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
            for each in (task, *guards):
                each.cancel()
