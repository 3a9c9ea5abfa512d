"""The request budget of a system: a sliding window that every request of this machine passes through.

What does not work:

- *Reacting to 429.* By then other users of the account are locked out too.
- *A limit per process.* Terraform runs several provider processes for one apply (aliases, plan beside apply), and an
  account's limit counts them all.
- *A token bucket.* It lets a full bucket and what flows in pass within one window: up to twice the limit.
- *First come, first served alone.* A hundred starts in the queue would hold up the polls of all running ones.
- *One clock.* The time of day is set: back an hour, and every request waits for an hour; forward, and a whole budget
  is free at once. The monotonic clock starts anew with the machine.
- *Waiting for the file's lock.* Whoever waits inside SQLite stops the event loop, and with it every other request.

So the times of requests are kept in a small SQLite file of the user's cache directory, one per system and account, by
both clocks. A request counts while either clock finds it in the last window; one that lies in the future by both is
taken to be sent now. A request is sent when fewer than the limit count. Requests that serve many (look-ups, polls)
pass those that serve one (starts); who is first in the queue tries, alone, and wakes the next. A locked file is tried
again after a short sleep. After LOCK_SECONDS, and while the file cannot be used at all, the process keeps to the budget
for itself, with a warning in the log; it goes on trying, and then enters what it has sent meanwhile.

Not guaranteed: other machines and other programs have no part in it. A clock that is set, or a machine that slept, may
have requests counted for up to a second window.
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
from typing import Final, TypeAlias

from provider_py.execution.runtime import Runtime

log = logging.getLogger(__name__)

LOCK_SECONDS: Final = 5.0
"""How long another process may lock the file, which it needs for a moment only."""
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Moment: TypeAlias = tuple[float, float]
"""The time of day and the monotonic time, in seconds."""


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
        self._own = _Window(requests, seconds, None)
        self._shared = _Window(requests, seconds, file) if account and (file := _file(account)) else None
        self._unshared: list[Moment] = []
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
        clock = self._runtime.clock
        now = (clock.time(), clock.monotonic())
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

    def _pause_alone(self, now: Moment, fault: Exception) -> float | None:
        if _code(fault) in _BUSY:
            self._locked_since = now[1] if self._locked_since is None else self._locked_since
            if now[1] - self._locked_since < LOCK_SECONDS:
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

    def __init__(self, requests: int, seconds: float, file: Path | None) -> None:
        self._requests = requests
        self._seconds = seconds
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def take(self, now: Moment, others: Sequence[Moment] = ()) -> float | None:
        """Count a request, after entering `others`. Returns None, or the seconds after which one may be counted.

        Raises OSError or sqlite3.Error; then nothing was entered.
        """
        values = {"wall": now[0], "monotonic": now[1], "seconds": self._seconds}
        try:
            connection = self._connection = self._connection or self._open()
            with connection:  # commits, or rolls back what raises
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT INTO request VALUES (?, ?)", others)
                connection.execute(_FUTURE_IS_NOW, values)
                connection.execute(_FORGET, values)
                ((count,),) = connection.execute("SELECT count(*) FROM request")
                if count < self._requests:
                    connection.execute("INSERT INTO request VALUES (:wall, :monotonic)", values)
                    return None
                ((left,),) = connection.execute(_LEFT, values | {"surplus": count - self._requests})
                return float(left) + 0.001
        except sqlite3.Error as fault:
            if _code(fault) in _DAMAGED and self._file is not None:
                self.close()
                self._file.unlink(missing_ok=True)
            raise

    def enter(self, moments: Sequence[Moment]) -> None:
        """Count requests that were sent, whatever the limit."""
        connection = self._connection = self._connection or self._open()
        connection.executemany("INSERT INTO request VALUES (?, ?)", moments)

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
            connection.execute("CREATE TABLE IF NOT EXISTS request (wall REAL, monotonic REAL)")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


_FUTURE_IS_NOW: Final = """
UPDATE request SET wall = :wall, monotonic = :monotonic WHERE wall > :wall AND monotonic > :monotonic
"""
_FORGET: Final = """
DELETE FROM request WHERE (wall > :wall OR wall <= :wall - :seconds)
    AND (monotonic > :monotonic OR monotonic <= :monotonic - :seconds)
"""
_LEFT: Final = """
SELECT :seconds + max(
    iif(wall > :wall, -:seconds, wall - :wall), iif(monotonic > :monotonic, -:seconds, monotonic - :monotonic)
) FROM request ORDER BY 1 LIMIT 1 OFFSET :surplus
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
