"""Polling many waiting runs with few requests.

What does not work:

- *A loop per run.* A hundred runs at one request each every few seconds exhaust an account's budget, which starts need
  as well, although a system answers for 25 runs in one request.
- *Fixed rounds for all.* A run that was just started, or a user who set `poll_interval = "1s"`, waits for the slowest.
- *Full batches first.* Those who ask more often would always fill them, and the patient would never be served.

So everyone who waits says when their next poll is due, and one task serves them all. It sleeps until the earliest is
due, and takes along whoever is past half of their interval; where more are due than a request holds, the longest
overdue go first. Between two requests lies the spacing of the source, so that polling leaves room in the budget.

Not guaranteed: the interval is a wish. A poll may come at half of it, and comes later where the spacing or the request
itself takes longer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from provider_py.execution.errors import Interrupted, SystemFault
from provider_py.execution.runtime import Runtime

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

SHORTEST_SECONDS: Final = 2.0
LONGEST_SECONDS: Final = 30.0


def adaptive_interval(age: float) -> float:
    """Return the seconds until the next poll of a run after waiting for it for `age` seconds."""
    return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, age / 4))


def _no_spacing() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class PollSource(Generic[K, R]):
    """Where a poller reads the state of runs.

    `poll` reads up to `batch` runs in one request. It returns the state or the fault of each, and leaves out those that
    the system has no record of. `spacing` returns the least seconds between two requests.
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
    """Polls for everyone who waits for runs of one resource type."""

    def __init__(self, source: PollSource[K, R], runtime: Runtime) -> None:
        self._source = source
        self._runtime = runtime
        self._waiting: dict[K, list[_Waiter[R]]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def next(self, key: K, interval: float) -> R | None:
        """Return the state of a run about `interval` seconds from now; None: the system has no record of it.

        Raises SystemFault if that poll failed; the next call polls again. Raises Interrupted if Terraform stops first.
        """
        now = self._runtime.clock.monotonic()
        waiter: _Waiter[R] = _Waiter(now + interval, interval)
        self._waiting.setdefault(key, []).append(waiter)
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            return await self._runtime.unless_stopped(waiter.answer)
        finally:
            self._leave(key, waiter)

    def _leave(self, key: K, waiter: _Waiter[R]) -> None:
        waiters = self._waiting.get(key, [])
        if waiter in waiters:
            waiters.remove(waiter)
        if not waiters:
            self._waiting.pop(key, None)

    async def _run(self) -> None:
        with contextlib.suppress(Interrupted):  # whoever waits is told by `next`
            while self._waiting:
                self._changed.clear()
                pause = min(w.due for ws in self._waiting.values() for w in ws) - self._runtime.clock.monotonic()
                if pause > 0:
                    with contextlib.suppress(TimeoutError):
                        await self._runtime.unless_stopped(self._changed.wait(), seconds=pause)
                    continue
                await self._serve(self._due_keys())
                await self._runtime.sleep(self._source.spacing())

    def _due_keys(self) -> list[K]:
        """Return the runs of the next request, the longest due first."""
        now = self._runtime.clock.monotonic()
        due = {
            key: min(w.due for w in waiters)
            for key, waiters in self._waiting.items()
            if any(w.due - now <= w.interval / 2 for w in waiters)
        }
        return sorted(due, key=lambda key: due[key])[: self._source.batch]

    async def _serve(self, keys: Sequence[K]) -> None:
        waiters = {key: list(self._waiting[key]) for key in keys}
        answers: Mapping[K, R | Exception]
        try:
            answers = await self._source.poll(keys)
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever waits has to handle it
            answers = dict.fromkeys(keys, fault)
        for key, group in waiters.items():
            state = answers.get(key)
            for future in (waiter.answer for waiter in group if not waiter.answer.done()):
                if isinstance(state, Exception):
                    future.set_exception(state)
                else:
                    future.set_result(state)
