"""Look-ups are asked once: those in flight at one moment are joined, and answers are kept for the process's life."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Lookups:
    """A process-long memory of what the systems answered; only answers are remembered, never faults."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what `ask` answers for this key, asking only the first time."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(ask())
            task.add_done_callback(lambda done: self._forget_failure(key, done))
        answer: T = await asyncio.shield(task)
        return answer

    def _forget_failure(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._tasks.pop(key, None)
