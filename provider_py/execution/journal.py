"""The journal: what was intended and started on this machine, until Terraform shows that it has it in its state.

A small SQLite file that every provider process of a working directory shares. A row is written, and synced to disk,
before a start is sent; the run's key is added when the answer names it; the row goes when the run is seen in the
state. What is left by a process that is gone belongs to a start whose outcome Terraform does not know, and the next
start of the same thing takes it over. Rows hold hashes, keys of runs and times, never inputs.

    JournalError     the file cannot be used; raised before anything is started
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE: Final = "workflow-journal.sqlite3"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS start (
    token       TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    run         TEXT UNIQUE,
    intended_at REAL NOT NULL,
    owner       TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS start_fingerprint ON start (fingerprint);
"""
_BUSY_SECONDS: Final = 30.0
_IN_STATE: Final = ""
"""The owner of runs that Terraform has in its state, kept only for the sake of an unanswered start like them."""


class JournalError(Exception):
    """The journal cannot be read or written; the text says which file and why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A start: `token` marks it, `run` is the run's key once known, `intended_at` is in seconds since the epoch."""

    token: str
    run: str | None
    intended_at: float


def default_path(environment: Mapping[str, str]) -> Path:
    """Return where the journal is: with Terraform's other data of the working directory."""
    return Path(environment.get("TF_DATA_DIR") or ".terraform") / FILE


def workspace(environment: Mapping[str, str]) -> str:
    """Return the name of Terraform's workspace, by the rules of Terraform itself."""
    if environment.get("TF_WORKSPACE"):
        return environment["TF_WORKSPACE"]
    with contextlib.suppress(OSError):
        chosen = Path(environment.get("TF_DATA_DIR") or ".terraform", "environment").read_text("utf-8").strip()
        return chosen or "default"
    return "default"


class Journal:
    """One process's hold on the file. SQLite runs in a thread of its own, so that nothing waits for the disk."""

    def __init__(self, path: Path, time: Callable[[], float]) -> None:
        """Open nothing yet: plans of finished runs need no journal."""
        self.path = path
        self._time = time
        self._owner = secrets.token_hex(8)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._connection: sqlite3.Connection | None = None
        self._lease: IO[str] | None = None
        self._left: set[str] | None = None
        self._warnings: list[str] = []

    async def intend(self, fingerprint: str) -> Entry:
        """Record, durably, that a run is about to be started."""
        return await self._do(lambda: self._intend(fingerprint))

    async def take_over(self, fingerprint: str) -> Entry | None:
        """Return a start of the same thing that a process left behind, if there is one; it is this process's now."""
        return await self._do(lambda: self._take_over(fingerprint)) if self._in_use() else None

    async def started(self, entry: Entry, run: str) -> None:
        """Record the key of the run that was started."""
        await self._do(lambda: self._write("UPDATE start SET run = ? WHERE token = ?", run, entry.token))

    async def drop(self, entry: Entry) -> None:
        """Forget a start that certainly did not happen."""
        await self._do(lambda: self._write("DELETE FROM start WHERE token = ?", entry.token))

    async def leave(self, fingerprint: str, run: str) -> Entry:
        """Record a run that Terraform is dropping from its state although it is to be taken up again."""
        return await self._do(lambda: self._leave(fingerprint, run))

    async def claim(self, runs: Iterable[str]) -> None:
        """Terraform has these runs in its state: the journal need not keep them.

        A journal that cannot be used is only logged: nothing is started here, and the next start says it.
        """
        if not self._in_use():
            return
        try:
            if self._left is None:
                self._left = await self._do(self._left_by_others)
            for run in self._left.intersection(runs):
                await self._do(lambda run=run: self._claim(run))  # type: ignore[misc]
                self._left.discard(run)
        except JournalError as fault:
            log.warning("%s", fault)

    async def settle(self, fingerprint: str) -> None:
        """Drop an unanswered start that a process left behind: its run was found and is in the state now."""
        if self._in_use():
            await self._do(lambda: self._settle(fingerprint))

    async def forget(self, run: str) -> None:
        """Drop a run that is not to be taken up again."""
        if self._in_use():
            await self._do(lambda: self._write("DELETE FROM start WHERE run = ?", run))

    async def known_runs(self) -> frozenset[str]:
        """Return the keys of all runs in the journal, which a search for a lost one must not find."""
        return frozenset(await self._do(self._known_runs))

    def warnings(self) -> list[str]:
        """Return what the user should hear of the file, once."""
        said, self._warnings = self._warnings, []
        return said

    async def close(self) -> None:
        """Let go of the file; what is not claimed yet is for the next process."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _in_use(self) -> bool:
        return self._connection is not None or self.path.exists()

    async def _do(self, work: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                return work()
            except (sqlite3.Error, OSError) as fault:
                message = f"the journal {str(self.path)!r} cannot be used ({fault})"
                raise JournalError(message) from fault

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _intend(self, fingerprint: str) -> Entry:
        entry = Entry(secrets.token_hex(8), None, self._time())
        self._write(
            "INSERT INTO start (token, fingerprint, intended_at, owner) VALUES (?, ?, ?, ?)",
            entry.token,
            fingerprint,
            entry.intended_at,
            self._owner,
        )
        return entry

    def _take_over(self, fingerprint: str) -> Entry | None:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT token, run, intended_at, owner FROM start WHERE fingerprint = ? AND owner NOT IN (?, ?) "
                "ORDER BY run IS NULL, intended_at",
                (fingerprint, self._owner, _IN_STATE),
            ).fetchall()
            for token, run, intended_at, owner in rows:
                if not self._alive(owner):
                    connection.execute("UPDATE start SET owner = ? WHERE token = ?", (self._owner, token))
                    return Entry(token, run, intended_at)
        return None

    def _settle(self, fingerprint: str) -> None:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT token, owner FROM start WHERE fingerprint = ? AND run IS NULL", (fingerprint,)
            ).fetchall()
            for token, owner in rows:
                if owner != self._owner and not self._alive(owner):
                    connection.execute("DELETE FROM start WHERE token = ?", (token,))
                    return

    def _leave(self, fingerprint: str, run: str) -> Entry:
        self._write("DELETE FROM start WHERE run = ?", run)
        entry = self._intend(fingerprint)
        self._write("UPDATE start SET run = ? WHERE token = ?", run, entry.token)
        return Entry(entry.token, run, entry.intended_at)

    def _claim(self, run: str) -> None:
        """Drop a run, or keep it while a search for an unanswered start like it must not find it."""
        with self._transaction() as connection:
            connection.execute("UPDATE start SET owner = ? WHERE run = ?", (_IN_STATE, run))
            connection.execute(
                "DELETE FROM start WHERE owner = ? "
                "AND fingerprint NOT IN (SELECT fingerprint FROM start WHERE run IS NULL)",
                (_IN_STATE,),
            )

    def _left_by_others(self) -> set[str]:
        query = "SELECT run FROM start WHERE run IS NOT NULL AND owner != ?"
        return {str(run) for (run,) in self._connected().execute(query, (self._owner,)).fetchall()}

    def _known_runs(self) -> set[str]:
        rows = self._connected().execute("SELECT run FROM start WHERE run IS NOT NULL").fetchall()
        return {str(run) for (run,) in rows}

    def _write(self, statement: str, *values: Any) -> None:
        with self._transaction() as connection:
            connection.execute(statement, values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = self._opened()
            except sqlite3.DatabaseError as fault:
                if isinstance(fault, sqlite3.OperationalError):
                    raise
                self._set_aside(fault)
                self._connection = self._opened()
            self._lease = self._held()
            for file in self.path.parent.glob(f"{self.path.name}.*.lock"):
                self._alive(file.name.removeprefix(f"{self.path.name}.").removesuffix(".lock"))
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
            connection.execute("SELECT token, fingerprint, run, intended_at, owner FROM start LIMIT 1").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _set_aside(self, fault: Exception) -> None:
        aside = self.path.with_name(f"{self.path.name}.damaged-{int(self._time())}")
        self.path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(f"{self.path.name}{suffix}").unlink(missing_ok=True)
        self._warnings.append(
            f"The journal {str(self.path)!r} is damaged ({fault}) and was set aside as {str(aside)!r}."
        )

    def _held(self) -> IO[str]:
        """Lock this process's own file; the system lets go of the lock when the process ends, however it ends."""
        file = self._lease_file(self._owner)
        while True:
            stream = file.open("a")
            fcntl.flock(stream, fcntl.LOCK_EX)
            if file.exists() and file.stat().st_ino == os.fstat(stream.fileno()).st_ino:
                return stream
            stream.close()  # another process took it for a dead one's, before it was locked, and removed it

    def _alive(self, owner: str) -> bool:
        file = self._lease_file(owner)
        if not file.exists():
            return False
        with file.open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            file.unlink(missing_ok=True)
        return False

    def _lease_file(self, owner: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{owner}.lock")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lease is not None:
            self._lease_file(self._owner).unlink(missing_ok=True)
            self._lease.close()
            self._lease = None
