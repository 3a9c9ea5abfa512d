"""The request budget of a system: a sliding window that every request of this machine passes through.

Terraform starts several provider processes for one apply, and an account's limit counts them all, so the window is
kept in a small file of the user's cache directory, by system and account.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
import logging
import os
import sqlite3
from pathlib import Path
from typing import Final, TypeAlias

from filelock import FileLock
from pyrate_limiter import AbstractBucket, InMemoryBucket, Rate, RateItem, SQLiteBucket

from provider_py.execution.runtime import Runtime

log = logging.getLogger(__name__)

LOCK_SECONDS: Final = 5.0
"""How long another process may keep the file, which it needs for a moment only."""

Ticket: TypeAlias = tuple[bool, int]


class Budget:
    """At most `requests` in any `seconds`; further ones wait their turn.

    Requests that go first (look-ups and looks at runs: few, and each serves many) pass those that do not (starts);
    among equals it is first come first served.
    """

    def __init__(self, requests: int, seconds: float, runtime: Runtime, *, account: str | None = None) -> None:
        """Share the budget with all processes that name the same account; None keeps it to this process."""
        self._rates = [Rate(requests, int(seconds * 1000))]
        self._bucket = _shared(self._rates, account) if account else InMemoryBucket(self._rates)
        self._runtime = runtime
        self._queue: list[Ticket] = []
        self._numbers = itertools.count()
        self._moved = asyncio.Event()

    @property
    def crowded(self) -> bool:
        """Whether requests that do not go first are waiting."""
        return any(last for last, _ in self._queue)

    async def take(self, *, first: bool = False) -> None:
        """Spend one request; waits until there is one to spend, raises Interrupted if Terraform stops meanwhile."""
        ticket = (not first, next(self._numbers))
        heapq.heappush(self._queue, ticket)
        try:
            while (pause := self._pause(ticket)) is not None:
                # The event of this moment: by the time the coroutine runs, the queue may have moved already.
                await self._runtime.unless_stopped(self._change(pause, self._moved))
        finally:
            self._queue.remove(ticket)
            heapq.heapify(self._queue)
            self._moved.set()
            self._moved = asyncio.Event()

    def _pause(self, ticket: Ticket) -> float | None:
        """Return the seconds until it is worth trying again; None: a request was spent."""
        if self._queue[0] != ticket:
            return float("inf")
        item = RateItem("request", int(self._runtime.clock.time() * 1000))
        try:
            spent = self._bucket.put(item)
        except (OSError, sqlite3.Error) as fault:  # a lock that another process keeps, a full disk
            log.debug("the request budget is kept to this process from now on: %s", fault)
            self._bucket = InMemoryBucket(self._rates)
            spent = self._bucket.put(item)
        if spent:
            self._bucket.leak(item.timestamp)
            return None
        pause = self._bucket.waiting(item)
        return (pause if isinstance(pause, int) else 0) / 1000 + 0.001

    async def _change(self, seconds: float, moved: asyncio.Event) -> None:
        """Wait this long, or, where that is endless, until the queue has moved."""
        if seconds == float("inf"):
            await moved.wait()
        else:
            await self._runtime.clock.sleep(seconds)

    def close(self) -> None:
        """Let go of the file."""
        self._bucket.close()


def _shared(rates: list[Rate], account: str) -> AbstractBucket:
    name = hashlib.sha256(account.encode()).hexdigest()[:16]
    try:
        directory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "terraform-provider-workflow")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = directory / f"budget-{name}.sqlite3"
        connection = sqlite3.connect(file, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")  # what a crash of the machine loses is a minute old by then
        connection.execute("CREATE TABLE IF NOT EXISTS request (name VARCHAR, item_timestamp INTEGER)")
        return SQLiteBucket(
            rates, connection, "request", FileLock(f"{file}.lock", timeout=LOCK_SECONDS, thread_local=False)
        )
    except (OSError, RuntimeError, sqlite3.Error) as fault:
        log.debug("the request budget is kept to this process: %s", fault)
        return InMemoryBucket(rates)
