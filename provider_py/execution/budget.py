"""The request budget of a system: a sliding window that every request of this machine passes through.

What does not work:

- *Reacting to 429.* By then other users of the account are locked out too.
- *A limit per process.* Terraform runs several provider processes for one apply (aliases, plan beside apply), and an
  account's limit counts them all.
- *A token bucket.* It lets a full bucket and what flows in pass within one window: up to twice the limit.
- *First come, first served alone.* A hundred starts in the queue would hold up the polls of all running ones.

So the times of requests are kept in a small SQLite file of the user's cache directory, one per system and account, and
a request is sent when fewer than the limit lie within the last window. Requests that serve many (look-ups, polls) pass
those that serve one (starts).

Not guaranteed: other machines and other programs have no part in it. It uses the wall clock, so a clock that is set
back by an hour makes requests wait for an hour. The lock of the file is waited for in the event loop, for LOCK_SECONDS
at most; if another process keeps it longer, or the file cannot be used, this process counts for itself from then on.
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
"""How long another process may lock the file, which it needs for a moment only."""

Ticket: TypeAlias = tuple[bool, int]


class Budget:
    """Allows at most `requests` in any `seconds`. Further ones wait in order of arrival, after those with `first`."""

    def __init__(self, requests: int, seconds: float, runtime: Runtime, *, account: str | None = None) -> None:
        """The budget is shared by all processes that name the same account; None keeps it to this process."""
        self._rates = [Rate(requests, int(seconds * 1000))]
        self._bucket = _shared(self._rates, account) if account else InMemoryBucket(self._rates)
        self._runtime = runtime
        self._queue: list[Ticket] = []
        self._numbers = itertools.count()
        self._moved = asyncio.Event()

    @property
    def crowded(self) -> bool:
        """Whether requests that others may pass are waiting."""
        return any(last for last, _ in self._queue)

    async def take(self, *, first: bool = False) -> None:
        """Wait until a request may be sent, and count it. Raises Interrupted if Terraform stops meanwhile."""
        ticket = (not first, next(self._numbers))
        heapq.heappush(self._queue, ticket)
        try:
            while (pause := self._pause(ticket)) is not None:
                # The event as it is now: by the time the coroutine runs, the queue may have moved already.
                await self._runtime.unless_stopped(self._change(pause, self._moved))
        finally:
            self._queue.remove(ticket)
            heapq.heapify(self._queue)
            self._moved.set()
            self._moved = asyncio.Event()

    def _pause(self, ticket: Ticket) -> float | None:
        """Return the seconds until the next try; None: a request was counted."""
        if self._queue[0] != ticket:
            return float("inf")
        item = RateItem("request", int(self._runtime.clock.time() * 1000))
        try:
            counted = self._bucket.put(item)
        except (OSError, sqlite3.Error) as fault:  # a lock that another process keeps, a full disk
            log.debug("the request budget is kept to this process from now on: %s", fault)
            self._bucket = InMemoryBucket(self._rates)
            counted = self._bucket.put(item)
        if counted:
            self._bucket.leak(item.timestamp)
            return None
        pause = self._bucket.waiting(item)
        return (pause if isinstance(pause, int) else 0) / 1000 + 0.001

    async def _change(self, seconds: float, moved: asyncio.Event) -> None:
        """Wait so long, or, if that is infinite, until the queue has moved."""
        if seconds == float("inf"):
            await moved.wait()
        else:
            await self._runtime.clock.sleep(seconds)

    def close(self) -> None:
        """Close the file."""
        self._bucket.close()


def _shared(rates: list[Rate], account: str) -> AbstractBucket:
    name = hashlib.sha256(account.encode()).hexdigest()[:16]
    try:
        directory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "terraform-provider-workflow")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = directory / f"budget-{name}.sqlite3"
        connection = sqlite3.connect(file, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")  # what a crash loses is out of the window after the restart
        connection.execute("CREATE TABLE IF NOT EXISTS request (name VARCHAR, item_timestamp INTEGER)")
        return SQLiteBucket(
            rates, connection, "request", FileLock(f"{file}.lock", timeout=LOCK_SECONDS, thread_local=False)
        )
    except (OSError, RuntimeError, sqlite3.Error) as fault:
        log.debug("the request budget is kept to this process: %s", fault)
        return InMemoryBucket(rates)
