"""The request budget of a system: a sliding window that every request of this machine passes through.

What does not work:

- *Reacting to 429.* By then other users of the account are locked out too.
- *A limit per process.* Terraform runs several provider processes for one apply (aliases, plan beside apply), and an
  account's limit counts them all.
- *A token bucket.* It lets a full bucket and what flows in pass within one window: up to twice the limit.
- *First come, first served alone.* A hundred starts in the queue would hold up the polls of all running ones.
- *The time of day.* It is set: back an hour, and every request waits for an hour; forward, and a whole budget is free.
- *The monotonic clock alone.* It starts anew with the machine, and in a directory that machines share each has its own.
- *Waiting for the file's lock.* Whoever waits inside SQLite stops the event loop, and with it every other request.

So the times of requests are kept in a small SQLite file of the user's cache directory, one per system and account, by
the monotonic clock and under the name of its origin. Of other origins nothing is known but that they were sent before
this machine started, or by another one: they count until the machine has been up for a window, and are left to their
owners. A request is sent when fewer than the limit count. Requests that serve many (look-ups, polls) pass those that
serve one (starts); who is first in the queue tries, alone, and wakes the next. A locked file is tried again after a
short sleep. After LOCK_SECONDS, and while the file cannot be used at all, the process keeps to the budget for itself,
with a warning in the log; it goes on trying, and then enters what it has sent meanwhile.

Not guaranteed: other machines and other programs have no part in it. Where a machine that slept does not count that
time, its requests before count for longer.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
import logging
import os
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from provider_py.execution.runtime import Clock, Runtime

log = logging.getLogger(__name__)

LOCK_SECONDS: Final = 5.0
"""How long another process may lock the file, which it needs for a moment only."""
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DAY: Final = 86400.0


@dataclass(order=True, slots=True)
class _Ticket:
    """A place in the queue."""

    last: bool
    number: int
    turn: asyncio.Event = field(compare=False, default_factory=asyncio.Event)
    gone: bool = field(compare=False, default=False)


class Budget:
    """Allows at most `requests` in any `seconds`. Further ones wait in order of arrival, after those with `first`."""

    def __init__(self, requests: int, seconds: float, runtime: Runtime, *, account: str | None = None) -> None:
        """The budget is shared by all processes that name the same account; None keeps it to this process."""
        self._own = _Window(requests, seconds, runtime.clock, None)
        self._shared = _Window(requests, seconds, runtime.clock, file) if account and (file := _file(account)) else None
        self._unshared: list[float] = []
        self._locked_since: float | None = None
        self._alone = False
        self._runtime = runtime
        self._queue: list[_Ticket] = []
        self._numbers = itertools.count()
        self._starts = 0

    @property
    def crowded(self) -> bool:
        """Whether requests that others may pass are waiting."""
        return self._starts > 0

    async def take(self, *, first: bool = False) -> None:
        """Wait until a request may be sent, and count it. Raises Interrupted if Terraform stops meanwhile."""
        ticket = _Ticket(not first, next(self._numbers))
        heapq.heappush(self._queue, ticket)
        self._starts += ticket.last
        try:
            while True:
                if self._queue[0] is not ticket:
                    ticket.turn.clear()
                    await self._runtime.unless_stopped(ticket.turn.wait())
                elif (pause := self._pause()) is None:
                    return
                else:
                    await self._runtime.sleep(pause)
        finally:
            self._leave(ticket)

    def _leave(self, ticket: _Ticket) -> None:
        ticket.gone = True
        self._starts -= ticket.last
        while self._queue and self._queue[0].gone:
            heapq.heappop(self._queue)
        if self._queue:
            self._queue[0].turn.set()

    def _pause(self) -> float | None:
        """Return the seconds until the next try; None: a request was counted."""
        now = self._runtime.clock.monotonic()
        if self._shared is None:
            return self._own.take(now)
        try:
            pause = self._shared.take(now, self._unshared)
        except (OSError, sqlite3.Error) as fault:
            return self._pause_alone(now, fault)
        self._unshared, self._locked_since, self._alone = [], None, False
        if pause is None:
            self._own.enter([now])
        return pause

    def _pause_alone(self, now: float, fault: Exception) -> float | None:
        if _code(fault) in _BUSY:
            self._locked_since = now if self._locked_since is None else self._locked_since
            if now - self._locked_since < LOCK_SECONDS:
                return random.uniform(0.01, 0.05)  # noqa: S311 - spreads the tries of several processes
        if not self._alone:
            log.warning("the request budget is kept to this process while it cannot be shared: %s", fault)
            self._alone = True
        pause = self._own.take(now)
        if pause is None:
            self._unshared.append(now)
        return pause

    def close(self) -> None:
        """Close the file."""
        for window in (self._own, self._shared):
            if window is not None:
                window.close()


class _Window:
    """The requests that count at a moment, in a file or (None) in memory. Never waits for a lock."""

    def __init__(self, requests: int, seconds: float, clock: Clock, file: Path | None) -> None:
        self._clock = clock
        self._requests = requests
        self._seconds = seconds
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def take(self, now: float, others: Sequence[float] = ()) -> float | None:
        """Count a request, after entering `others`. Returns None, or the seconds after which one may be counted.

        Raises OSError or sqlite3.Error; then nothing was entered.
        """
        values: dict[str, object] = {"now": now, "seconds": self._seconds, "origin": self._clock.origin()}
        try:
            connection = self._connection = self._connection or self._open()
            with connection:  # commits, or rolls back what raises
                connection.execute("BEGIN IMMEDIATE")
                self._insert(connection, others)
                connection.execute(_FORGET, values | {"old": self._clock.time() - _DAY})
                ((count,),) = connection.execute(_COUNT, values)
                if count < self._requests:
                    self._insert(connection, [now])
                    return None
                ((left,),) = connection.execute(_LEFT, values | {"surplus": count - self._requests})
                return float(left) + 0.001
        except sqlite3.Error as fault:
            if _code(fault) in _DAMAGED and self._file is not None:
                self.close()
                self._file.unlink(missing_ok=True)
            raise

    def enter(self, moments: Sequence[float]) -> None:
        """Count requests that were sent, whatever the limit."""
        connection = self._connection = self._connection or self._open()
        self._insert(connection, moments)

    def _insert(self, connection: sqlite3.Connection, moments: Sequence[float]) -> None:
        rows = [(self._clock.origin(), moment, self._clock.time()) for moment in moments]
        connection.executemany("INSERT INTO sent VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._file is not None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self._file or ":memory:", timeout=0, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # what a crash loses is out of the window after the restart
            connection.execute("CREATE TABLE IF NOT EXISTS sent (origin TEXT, moment REAL, entered REAL)")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


_FORGET: Final = """
DELETE FROM sent
WHERE CASE origin WHEN :origin THEN moment NOT BETWEEN :now - :seconds AND :now + :seconds ELSE entered < :old END
"""
"""Another process may have entered a request after `:now` was read, so what lies a little ahead counts."""
_COUNT: Final = "SELECT count(*) FROM sent WHERE origin = :origin OR :now < :seconds"
_LEFT: Final = """
SELECT :seconds - :now + iif(origin = :origin, moment, 0) FROM sent WHERE origin = :origin OR :now < :seconds
ORDER BY 1 LIMIT 1 OFFSET :surplus
"""


def _file(account: str) -> Path | None:
    name = hashlib.sha256(account.encode()).hexdigest()[:16]
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError as fault:  # no home directory
        log.warning("the request budget is kept to this process: %s", fault)
        return None
    return cache / "terraform-provider-workflow" / f"requests-{name}.sqlite3"


def _code(fault: Exception) -> int:
    return int(getattr(fault, "sqlite_errorcode", 0)) & 0xFF
