"""Looking at many waiting runs with few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from provider_py.execution.errors import SystemFault
from provider_py.execution.runtime import Runtime

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

SHORTEST_SECONDS: Final = 2.0
LONGEST_SECONDS: Final = 30.0


def adaptive_interval(age: float) -> float:
    """Return the pause before the next look at a run that has been going for `age` seconds."""
    return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, age / 4))


def _no_spacing() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class PollSource(Generic[K, R]):
    """Where a poller reads the state of runs.

    `poll` asks for several runs in one request, answers each with its state or its own fault, and leaves out those the
    system has no record of; `batch` is how many keys it takes. `spacing` returns the seconds that must lie between two
    requests, so that polling leaves most of the account's request budget to others.
    """

    poll: Callable[[Sequence[K]], Awaitable[Mapping[K, R | SystemFault]]]
    batch: int
    spacing: Callable[[], float] = _no_spacing


@dataclass(slots=True)
class _Waiter(Generic[R]):
    due: float
    interval: float
    answer: asyncio.Future[R | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Poller(Generic[K, R]):
    """Polls for all who wait: one per resource type, `batch` runs to a request."""

    def __init__(self, source: PollSource[K, R], runtime: Runtime) -> None:
        self._source = source
        self._runtime = runtime
        self._waiting: dict[K, list[_Waiter[R]]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def next(self, key: K, interval: float) -> R | None:
        """Return the next look at a run, about `interval` seconds from now; None: there is no record of it.

        Raises SystemFault if that look failed; asking again is the way to go on.
        """
        now = self._runtime.clock.monotonic()
        waiter: _Waiter[R] = _Waiter(now + interval, interval)
        self._waiting.setdefault(key, []).append(waiter)
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            return await waiter.answer
        finally:
            self._leave(key, waiter)

    def _leave(self, key: K, waiter: _Waiter[R]) -> None:
        waiters = self._waiting.get(key, [])
        if waiter in waiters:
            waiters.remove(waiter)
        if not waiters:
            self._waiting.pop(key, None)

    async def _run(self) -> None:
        while self._waiting:
            self._changed.clear()
            pause = min(w.due for ws in self._waiting.values() for w in ws) - self._runtime.clock.monotonic()
            if pause > 0:
                await self._changed_within(pause)
                continue
            await self._serve(self._due_keys())
            await self._runtime.clock.sleep(self._source.spacing())

    async def _changed_within(self, seconds: float) -> None:
        sleeper = asyncio.ensure_future(self._runtime.clock.sleep(seconds))
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({sleeper, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            changed.cancel()

    def _due_keys(self) -> list[K]:
        """Return the runs of the next request: those due, and those near enough to it to come along."""
        now = self._runtime.clock.monotonic()
        due = {
            key: min(w.due for w in waiters)
            for key, waiters in self._waiting.items()
            if any(w.due - now <= w.interval / 2 for w in waiters)
        }
        return sorted(due, key=lambda key: due[key])[: self._source.batch]

    async def _serve(self, keys: Sequence[K]) -> None:
        waiters = {key: list(self._waiting[key]) for key in keys}
        try:
            found = await self._source.poll(keys)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is for those who wait to hear and judge
            for waiter in (waiter for group in waiters.values() for waiter in group if not waiter.answer.done()):
                waiter.answer.set_exception(fault)
            return
        for key, group in waiters.items():
            for waiter in group:
                if not waiter.answer.done():
                    self._settle(waiter.answer, found.get(key))

    @staticmethod
    def _settle(answer: asyncio.Future[R | None], look: R | SystemFault | None) -> None:
        if isinstance(look, SystemFault):
            answer.set_exception(look)
        else:
            answer.set_result(look)
