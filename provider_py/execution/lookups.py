"""Look-ups are sent once: equal ones in flight are joined, and their answers kept for the life of the process.

A look-up whose last caller has left (at a deadline, or because Terraform stops) is given up: nobody is there to bound
its repetitions. A caller under a limit of `sending_within` bounds its own wait.

Not guaranteed: that a kept answer is still true. A process lives as long as one plan or apply.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable
from typing import TypeVar, cast

from provider_py.execution.runtime import Limit, sending_within

T = TypeVar("T")


class Lookups:
    """What the systems answered, by look-up; faults are not kept."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[object]] = {}
        self._callers: Counter[asyncio.Task[object]] = Counter()

    async def get(self, key: Hashable, look_up: Callable[[], Coroutine[object, None, T]]) -> T:
        """Return the answer for a key, calling `look_up` only the first time."""
        task = self._tasks.get(key)
        if task is None:
            with sending_within(Limit()):  # others may wait longer than the caller's limit
                task = self._tasks[key] = asyncio.create_task(look_up())
            task.add_done_callback(lambda done: self._forget_failure(key, done))
        self._callers[task] += 1
        try:
            return cast("T", await asyncio.shield(task))
        finally:
            self._callers[task] -= 1
            if not self._callers[task]:
                del self._callers[task]
                if not task.done():
                    task.cancel()
                    self._tasks.pop(key)

    def _forget_failure(self, key: Hashable, task: asyncio.Task[object]) -> None:
        if (task.cancelled() or task.exception() is not None) and self._tasks.get(key) is task:
            self._tasks.pop(key)
