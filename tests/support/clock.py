"""The clock of the tests, which is passed in so that nothing waits for real time.

Its pace is the number of its seconds that pass in a real one:

STILL      it stands still; `advance` moves it, `run` moves it whenever everybody sleeps. For work without sockets: it
           must be asleep or done.
INSTANT    a sleep passes at once. For one task that talks over real sockets.
otherwise  real time, so many times faster. For several tasks that talk over real sockets.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Coroutine
from itertools import count
from typing import Any, Final, TypeVar

T = TypeVar("T")

STILL: Final = 0.0
INSTANT: Final = math.inf
EPOCH: Final = 1_700_000_000.0
"""2023-11-14T22:13:20Z, the time of day at which still and instant clocks begin; the others have the machine's."""
_TURNS: Final = 60
"""How many turns of the event loop settle every task that is not asleep."""


async def settle() -> None:
    """Let every task go on until it sleeps or ends."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class Clock:
    """Time at a pace of its own; `slept` holds the sleeps that have ended, in seconds of this clock."""

    def __init__(self, pace: float = STILL) -> None:
        self.slept: list[float] = []
        self._pace = pace
        self._real = 0 < pace < INSTANT
        self._epoch = time.time() if self._real else EPOCH
        self._began = time.monotonic()
        self._ahead = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def time(self) -> float:
        """Return seconds since the epoch."""
        return self._epoch + self.monotonic()

    def step(self, seconds: float) -> None:
        """Set the time of day, which no waiting depends on."""
        self._epoch += seconds

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._ahead + ((time.monotonic() - self._began) * self._pace if self._real else 0.0)

    def origin(self) -> str:
        """Return what tells this clock from others, as a machine's start does."""
        return f"clock {id(self)}"

    async def sleep(self, seconds: float) -> None:
        """Sleep at this clock's pace; a clock that stands still wakes whom `advance` or `run` reach."""
        if self._real:
            await asyncio.sleep(max(0.0, seconds) / self._pace)
        elif self._pace == INSTANT or seconds <= 0:
            self._ahead += max(0.0, seconds)
            await asyncio.sleep(0)
        else:
            alarm = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (self._ahead + seconds, next(self._order), alarm))
            await alarm
        self.slept.append(seconds)

    async def advance(self, seconds: float) -> None:
        """Move on. Sleepers of a clock that stands still wake in their order, those of others sleep on."""
        until = self._ahead + seconds
        await settle()
        while (due := self._next()) is not None and due <= until:
            await self._wake(due)
        self._ahead = until
        await settle()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work, moving a clock that stands still on whenever everybody sleeps."""
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
        self._ahead = max(self._ahead, due)
        while self._next() == due:
            heapq.heappop(self._sleepers)[2].set_result(None)
        await settle()
