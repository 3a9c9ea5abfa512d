"""Clocks that tests pass in, so that nothing waits for real time.

VirtualClock    stands still; `advance` moves it, `run` moves it whenever everybody sleeps (no sockets: work must be
                asleep or done)
InstantClock    a sleep takes no real time and is remembered; for one task that talks over real sockets
ScaledClock     real time, so many times faster; for several tasks that talk over real sockets
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Coroutine
from itertools import count
from typing import Any, Final, TypeVar

T = TypeVar("T")

EPOCH: Final = 1_700_000_000.0
"""2023-11-14T22:13:20Z, the time of day at which virtual clocks begin."""
_TURNS: Final = 60
"""How many turns of the event loop settle every task that is not asleep."""


async def settle() -> None:
    """Let every task go on until it sleeps or ends."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class VirtualClock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def time(self) -> float:
        """Return seconds since the epoch."""
        return EPOCH + self._now

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Sleep until the test moves the clock so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        alarm = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), alarm))
        await alarm

    async def advance(self, seconds: float) -> None:
        """Move on, waking each sleeper at its time."""
        until = self._now + seconds
        await settle()
        while (due := self._next()) is not None and due <= until:
            await self._wake(due)
        self._now = until
        await settle()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work, moving on whenever everybody sleeps."""
        task = asyncio.create_task(work)
        await settle()
        while not task.done():
            due = self._next()
            if due is None:
                task.cancel()
                raise AssertionError("the work waits for something that no passing of time brings")
            await self._wake(due)
        return task.result()

    def _next(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def _wake(self, due: float) -> None:
        self._now = max(self._now, due)
        while self._next() == due:
            heapq.heappop(self._sleepers)[2].set_result(None)
        await settle()


class InstantClock:
    """Time that passes only by sleeping; `slept` are the sleeps."""

    def __init__(self) -> None:
        self._now = 0.0
        self.slept: list[float] = []

    def time(self) -> float:
        """Return seconds since the epoch."""
        return EPOCH + self._now

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Pass at once."""
        self.slept.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)


class ScaledClock:
    """Real time, `speed` times faster."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._epoch = time.time()

    def time(self) -> float:
        """Return seconds since the epoch, at first those of the machine."""
        return self._epoch + self.monotonic()

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return (time.monotonic() - self._began) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Sleep a fraction of these seconds."""
        await asyncio.sleep(max(0.0, seconds) / self._speed)
