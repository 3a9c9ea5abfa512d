"""The journal: the starts of this working directory that Terraform may not have in its state.

Terraform saves a state when a create returns, and nothing of a create that does not. What does not work in its place:

- *Keeping starts in memory.* The case that matters is the process that is gone.
- *A process ID as the owner of a row.* Systems use IDs again, and containers all have the same ones.
- *The time of the last sign of life.* A laptop that slept, or a clock that was set, makes the living look dead.
- *Deleting a row when the create returns.* Terraform may be killed before it has written the state.
- *Keeping it for the next equal create.* After `-target`, `state rm` or in another state that is a wish of its own, and
  would silently be answered by an older run.

So a small SQLite file is shared by every provider process of a working directory. A row is written, and synced to disk,
before a start is sent; the run's key is added when the answer names it. Each process holds a lock on a file of its own,
which the operating system releases however the process ends: rows whose owner's lock is free were left behind, and the
next start of the same fingerprint takes one over. A process that ends in order gives its answered runs to _ANSWERED,
from whom nobody takes them, unless the directory holds an `errored.tfstate`: then Terraform could not write the state.
Runs that it answered with an error while they were open it keeps, for the create that replaces their entries. A row
goes when another process is shown its run in a state. Until an unanswered start of the same fingerprint is settled it
stays with _IN_STATE as its owner, so that a search for the lost run does not find this one. Rows hold hashes, keys of
runs and times, never inputs.

Not guaranteed:

- That the state has a run that was answered in order: Shutdown comes before a remote state is written, so a host that
  dies in between loses it.
- Anything on network file systems (NFS, SMB): neither the WAL nor the locks can be relied on there.
- That the first opening succeeds in several processes at once: the switch to WAL does not wait for a lock, and fails
  with "database is locked".
- That a file of a later version is understood: the schema has no version.

    JournalError     the file cannot be used; raised before anything is started
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeVar

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
"""The owner of runs that a state holds, kept only for an unanswered start of the same fingerprint."""
_ANSWERED: Final = "answered"
"""The owner of runs whose answers have left a process that ended in order."""
_ANSWERED_SECONDS: Final = 30 * 86400.0
"""How long the rows of such runs are kept that no later process is shown in a state."""
ERRORED_STATE: Final = Path("errored.tfstate")
"""What Terraform leaves in the working directory when it could not write the state."""


class JournalError(Exception):
    """The journal cannot be read or written; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A start: `token` marks it, `run` is the run's key once known, `intended_at` is in seconds since the epoch."""

    token: str
    run: str | None
    intended_at: float


def default_path(environment: Mapping[str, str]) -> Path:
    """Return the path in Terraform's data directory."""
    return Path(environment.get("TF_DATA_DIR") or ".terraform") / FILE


def workspace(environment: Mapping[str, str]) -> str:
    """Return the name of the selected workspace, as Terraform itself finds it."""
    if environment.get("TF_WORKSPACE"):
        return environment["TF_WORKSPACE"]
    with contextlib.suppress(OSError):
        selected = Path(environment.get("TF_DATA_DIR") or ".terraform", "environment").read_text("utf-8").strip()
        return selected or "default"
    return "default"


class Journal:
    """One process's access to the file, in a thread of its own, so that the event loop never waits for the disk."""

    def __init__(self, path: Path, time: Callable[[], float]) -> None:
        """The file is opened when first needed: plans of finished runs need none."""
        self.path = path
        self._time = time
        self._owner = secrets.token_hex(8)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._connection: sqlite3.Connection | None = None
        self._lock: IO[str] | None = None
        self._left_behind: set[str] | None = None
        self._owed: set[str] = set()
        self._parked: set[str] = set()
        self._warnings: list[str] = []

    async def intend(self, fingerprint: str) -> Entry:
        """Record durably that a run is about to be started."""
        return await self._do(lambda: self._intend(fingerprint))

    async def take_over(self, fingerprint: str) -> Entry | None:
        """Return a start of this fingerprint that an ended process left behind; it is this process's from now on."""
        return await self._do(lambda: self._take_over(fingerprint)) if self._in_use() else None

    async def record_run(self, entry: Entry, run: str) -> None:
        """Record the key of the run that was started."""
        await self._do(lambda: self._write("UPDATE start SET run = ? WHERE token = ?", run, entry.token))

    async def discard(self, entry: Entry) -> None:
        """Delete a start that had no effect."""
        await self._do(lambda: self._write("DELETE FROM start WHERE token = ?", entry.token))

    async def hand_over(self, fingerprint: str, run: str) -> Entry:
        """Record a run that Terraform drops from its state although it is to be resumed."""
        return await self._do(lambda: self._hand_over(fingerprint, run))

    async def confirm_stored(self, runs: Iterable[str]) -> None:
        """Delete the rows of runs that Terraform has in its state; those of this process stay for the next one.

        An unusable file is only logged: nothing is started here, and the next start reports it.
        """
        if not self._in_use():
            return
        try:
            if self._left_behind is None:
                self._left_behind = await self._do(self._runs_of_others)
            for run in self._left_behind.intersection(runs):
                await self._do(functools.partial(self._confirm_stored, run))
                self._left_behind.discard(run)
        except JournalError as fault:
            log.warning("%s", fault)

    async def discard_unanswered(self, fingerprint: str) -> None:
        """Delete one unanswered start that a process left behind: a state has its run now."""
        if self._in_use():
            await self._do(lambda: self._discard_unanswered(fingerprint))

    async def forget(self, run: str) -> None:
        """Delete a run that is not to be resumed."""
        if self._in_use():
            await self._do(lambda: self._write("DELETE FROM start WHERE run = ?", run))

    def keep(self, runs: Iterable[str]) -> None:
        """Keep runs for the next create of their inputs: whatever this process answers, it does not settle them."""
        self._owed.update(runs)

    def release(self, runs: Iterable[str]) -> None:
        """Take back what `keep` said."""
        self._owed.difference_update(runs)

    def park(self, runs: Iterable[str]) -> None:
        """Keep runs that were dropped from a state for the rest of this process, in which an equal create may "
        "follow.
        """
        self._parked.update(runs)

    async def known_runs(self) -> frozenset[str]:
        """Return the keys of all runs in the journal, which a search for a lost one must not return."""
        return frozenset(await self._do(self._known_runs))

    def warnings(self) -> list[str]:
        """Return problems of the file that the user should know, each once."""
        warnings, self._warnings = self._warnings, []
        return warnings

    async def close(self, *, orderly: bool = False) -> None:
        """Close the file. An orderly end is one after which the host has every answer, as far as can be known.

        Rows without an answer are for the next process, and after any other end all rows are.
        """
        if orderly and self._in_use() and (self._connection is not None or self._parked):
            with contextlib.suppress(JournalError):
                await self._do(self._settle_answered)
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
            *(entry.token, fingerprint, entry.intended_at, self._owner),
        )
        return entry

    def _take_over(self, fingerprint: str) -> Entry | None:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT token, run, intended_at, owner FROM start WHERE fingerprint = ? AND owner NOT IN (?, ?, ?) "
                "ORDER BY run IS NULL, intended_at",
                (fingerprint, self._owner, _IN_STATE, _IN_STATE if ERRORED_STATE.exists() else _ANSWERED),
            ).fetchall()
            for token, run, intended_at, owner in rows:
                if not self._is_alive(owner):
                    connection.execute("UPDATE start SET owner = ? WHERE token = ?", (self._owner, token))
                    self._parked.discard(run)
                    return Entry(token, run, intended_at)
        return None

    def _settle_answered(self) -> None:
        with self._transaction() as connection:
            rows = connection.execute("SELECT run FROM start WHERE run IS NOT NULL AND owner = ?", (self._owner,))
            answered = {str(run) for (run,) in rows.fetchall()} - self._owed
            connection.executemany("UPDATE start SET owner = ? WHERE run = ?", [(_ANSWERED, run) for run in answered])
            connection.executemany("DELETE FROM start WHERE run = ?", [(run,) for run in self._parked])
            kept_since = self._time() - _ANSWERED_SECONDS
            connection.execute("DELETE FROM start WHERE owner = ? AND intended_at < ?", (_ANSWERED, kept_since))

    def _discard_unanswered(self, fingerprint: str) -> None:
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT token, owner FROM start WHERE fingerprint = ? AND run IS NULL", (fingerprint,)
            ).fetchall()
            for token, owner in rows:
                if owner != self._owner and not self._is_alive(owner):
                    connection.execute("DELETE FROM start WHERE token = ?", (token,))
                    return

    def _hand_over(self, fingerprint: str, run: str) -> Entry:
        self._write("DELETE FROM start WHERE run = ?", run)
        entry = self._intend(fingerprint)
        self._write("UPDATE start SET run = ? WHERE token = ?", run, entry.token)
        return Entry(entry.token, run, entry.intended_at)

    def _confirm_stored(self, run: str) -> None:
        with self._transaction() as connection:
            connection.execute("UPDATE start SET owner = ? WHERE run = ?", (_IN_STATE, run))
            connection.execute(
                "DELETE FROM start WHERE owner = ? "
                "AND fingerprint NOT IN (SELECT fingerprint FROM start WHERE run IS NULL)",
                (_IN_STATE,),
            )

    def _runs_of_others(self) -> set[str]:
        query = "SELECT run FROM start WHERE run IS NOT NULL AND owner != ?"
        return {str(run) for (run,) in self._open().execute(query, (self._owner,)).fetchall()}

    def _known_runs(self) -> set[str]:
        rows = self._open().execute("SELECT run FROM start WHERE run IS NOT NULL").fetchall()
        return {str(run) for (run,) in rows}

    def _write(self, statement: str, *values: str | float) -> None:
        with self._transaction() as connection:
            connection.execute(statement, values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = self._connect()
            except sqlite3.DatabaseError as fault:
                if isinstance(fault, sqlite3.OperationalError):
                    raise
                self._rename_damaged(fault)
                self._connection = self._connect()
            self._lock = self._acquire_lock()
            for file in self.path.parent.glob(f"{self.path.name}.*.lock"):
                self._is_alive(file.name.removeprefix(f"{self.path.name}.").removesuffix(".lock"))
        return self._connection

    def _connect(self) -> sqlite3.Connection:
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

    def _rename_damaged(self, fault: Exception) -> None:
        renamed = self.path.with_name(f"{self.path.name}.damaged-{int(self._time())}")
        self.path.replace(renamed)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(f"{self.path.name}{suffix}").unlink(missing_ok=True)
        self._warnings.append(
            f"The journal {str(self.path)!r} is damaged ({fault}) and was renamed to {str(renamed)!r}."
        )

    def _acquire_lock(self) -> IO[str]:
        file = self._lock_file(self._owner)
        while True:
            stream = file.open("a")
            fcntl.flock(stream, fcntl.LOCK_EX)
            if file.exists() and file.stat().st_ino == os.fstat(stream.fileno()).st_ino:
                return stream
            stream.close()  # before it was locked, another process took it for one left behind and removed it

    def _is_alive(self, owner: str) -> bool:
        file = self._lock_file(owner)
        if not file.exists():
            return False
        with file.open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            file.unlink(missing_ok=True)
        return False

    def _lock_file(self, owner: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{owner}.lock")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock_file(self._owner).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None
