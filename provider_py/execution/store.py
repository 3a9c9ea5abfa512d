"""Where the journal's rows are kept: what every database has to offer, its schema, and SQLite.

The journal is small and its rules are not, so it asks little of a database: transactions that happen one after another
(`Store.run`), and whether the process that wrote a row still lives (`Session.alive`). Statements are in the SQL that
SQLite and PostgreSQL share, with `?` for values.

SQLite is the default: a file that all provider processes of a working directory share. What does not work there:

- *The WAL.* It needs shared memory, which network file systems lack, and switching to it does not wait for locks: of
  twenty processes that open a new file at once, most fail.
- *A process ID as the sign of life.* Systems use IDs again, and containers all have the same ones.
- *The time of the last sign of life.* A laptop that slept, or a clock that was set, makes the living look dead.

So a file is opened, brought to the current schema and, where it is damaged, set aside under one lock, and every
transaction takes SQLite's write lock first. Each process holds a lock on a file of its own, which the operating system
releases however the process ends.

Not guaranteed: locks on network file systems (NFS, SMB) hold as far as the system implements them.

    JournalError     the database cannot be used; raised before anything is started
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

Value: TypeAlias = str | int | float | None

FILE: Final = "workflow-journal.sqlite3"
MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        """CREATE TABLE workflow_attempt (
    token       TEXT PRIMARY KEY,
    type        TEXT NOT NULL,
    account     TEXT NOT NULL,
    scope       TEXT,
    directory   TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    arguments   TEXT NOT NULL,
    key         TEXT,
    number      INTEGER NOT NULL,
    parts       INTEGER NOT NULL,
    place       TEXT NOT NULL,
    ending      TEXT NOT NULL,
    tenure      INTEGER NOT NULL,
    joins       INTEGER NOT NULL,
    process     TEXT NOT NULL,
    claim       TEXT NOT NULL,
    offered     INTEGER NOT NULL,
    yields_to   TEXT,
    workflow    TEXT,
    status      TEXT,
    url         TEXT,
    ended_at    TEXT,
    sent_at     DOUBLE PRECISION NOT NULL,
    updated_at  DOUBLE PRECISION NOT NULL
)""",
        "CREATE INDEX workflow_attempt_fingerprint ON workflow_attempt (fingerprint)",
        "CREATE UNIQUE INDEX workflow_attempt_key ON workflow_attempt (type, account, key, number)",
        """CREATE TABLE workflow_part (
    token       TEXT NOT NULL,
    part        INTEGER NOT NULL,
    run         TEXT,
    PRIMARY KEY (token, part)
)""",
        "CREATE INDEX workflow_part_run ON workflow_part (run)",
        """CREATE TABLE workflow_process (
    process     TEXT PRIMARY KEY,
    expires_at  DOUBLE PRECISION NOT NULL
)""",
    ),
)
"""The statements that lead from each version of the schema to the next; the first makes version 1 of nothing."""
_VERSION_TABLE: Final = "CREATE TABLE workflow_schema (version INTEGER NOT NULL)"
_BUSY_SECONDS: Final = 30.0
_ABSENT, _FREE, _LOCKED = "absent", "free", "locked"


class JournalError(Exception):
    """The journal cannot be read or written; the message names it and the reason."""


class Session(Protocol):
    """One transaction."""

    def execute(self, statement: str, *values: Value) -> Sequence[tuple[Value, ...]]:
        """Run a statement and return its rows."""

    def alive(self, process: str) -> bool:
        """Whether the process that wrote a row still lives, as far as the database can tell."""

    def doubtful(self, process: str) -> bool:
        """Whether a process counts as living only because its time has not run out yet: in a moment more is known."""

    def abandon(self) -> None:
        """Have this process count as gone, although it may still write."""


class Store(Protocol):
    """A database that holds the journal. Its methods block, and are called in one thread."""

    name: str
    """What messages call it, without credentials."""
    shared: bool
    """Whether other working directories use it too."""
    remote: bool
    """Whether other machines do, so that all who apply may be taken to share it."""
    process: str
    """What this process signs its rows with."""

    def exists(self) -> bool:
        """Whether there may be rows: a journal that nobody has written to need not be opened to be read."""

    def run(self, work: Callable[[Session], T]) -> T:
        """Do work in a transaction of its own, after those of all other processes. Raises JournalError.

        Where it cannot be told whether a transaction took effect, the work is done again: it must find that out.
        """

    def warnings(self) -> Sequence[str]:
        """Return problems that the user should know, each once."""

    def close(self) -> None:
        """Release what was opened; the process counts as gone."""


def migrate(session: Session, *, prepared: bool) -> None:
    """Bring a database to the current schema. Raises JournalError for one of a later version.

    `prepared`: whether it has the table `workflow_schema`. Nothing is created in a database that is current, so that a
    role without that right can work on one.
    """
    if not prepared:
        session.execute(_VERSION_TABLE)
    rows = session.execute("SELECT version FROM workflow_schema")
    version = int(rows[0][0] or 0) if rows else 0
    if version > len(MIGRATIONS):
        message = f"its schema is version {version}, and this version of the provider knows {len(MIGRATIONS)} at most"
        raise JournalError(message)
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            session.execute(statement)
    if version < len(MIGRATIONS):
        session.execute("DELETE FROM workflow_schema")
        session.execute("INSERT INTO workflow_schema (version) VALUES (?)", len(MIGRATIONS))


def schema_sql() -> str:
    """Return the statements that prepare an empty database, for a role that may create tables."""
    version = f"INSERT INTO workflow_schema (version) VALUES ({len(MIGRATIONS)})"  # noqa: S608 - our own number
    statements = [_VERSION_TABLE, *(statement for migration in MIGRATIONS for statement in migration), version]
    return "".join(f"{statement};\n" for statement in statements)


class ProcessLocks:
    """Files that processes of this machine hold locked while they live, in one directory."""

    def __init__(self, directory: Path, prefix: str) -> None:
        self._directory = directory
        self._prefix = prefix
        self._held: tuple[Path, IO[str]] | None = None

    def acquire(self, process: str) -> None:
        """Lock the file of this process; the operating system releases it however the process ends."""
        file = self._file(process)
        while self._held is None:
            stream = file.open("a")
            fcntl.flock(stream, fcntl.LOCK_EX)
            if file.exists() and file.stat().st_ino == os.fstat(stream.fileno()).st_ino:
                self._held = (file, stream)
            else:
                stream.close()  # before it was locked, another process took it for one left behind and removed it

    def holds(self, process: str) -> bool:
        """Whether a process holds its lock."""
        with self._probed(process) as found:
            return found == _LOCKED

    def left_behind(self) -> Sequence[str]:
        """Return the processes whose files are there and not locked: they ended without `release`."""
        names = (file.name for file in self._directory.glob(f"{self._prefix}.*.lock"))
        processes = (name.removeprefix(f"{self._prefix}.").removesuffix(".lock") for name in names)
        return [process for process in processes if not self.holds(process)]

    def remove(self, processes: Sequence[str]) -> None:
        """Remove files that were left behind."""
        for process in processes:
            with self._probed(process) as found:
                if found == _FREE:
                    self._file(process).unlink(missing_ok=True)

    def release(self) -> None:
        """Release and remove the file of this process."""
        if self._held is not None:
            file, stream = self._held
            file.unlink(missing_ok=True)
            stream.close()
            self._held = None

    @contextlib.contextmanager
    def _probed(self, process: str) -> Iterator[str]:
        """Try a lock that is shared, since two processes that try at once must not take each other for the owner."""
        try:
            stream = self._file(process).open()
        except FileNotFoundError:
            yield _ABSENT
            return
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
                found = _FREE
            except BlockingIOError:
                found = _LOCKED
            yield found

    def _file(self, process: str) -> Path:
        return self._directory / f"{self._prefix}.{process}.lock"


class SqliteStore:
    """A journal in a file."""

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        """The file is opened when it is first needed."""
        self.name = repr(str(path))
        self.shared = shared
        self.remote = False
        self.process = secrets.token_hex(8)
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._locks = ProcessLocks(path.parent, path.name)
        self._warnings: list[str] = []

    def exists(self) -> bool:
        """Whether the file is there."""
        return self._connection is not None or self._path.exists()

    def run(self, work: Callable[[Session], T]) -> T:
        """Do work under SQLite's write lock."""
        try:
            connection = self._open()
            with _transaction(connection):
                return work(_SqliteSession(connection, self._locks))
        except (sqlite3.Error, OSError) as fault:
            message = f"the journal {self.name} cannot be used ({fault})"
            raise JournalError(message) from fault

    def warnings(self) -> Sequence[str]:
        """Return what became of a damaged file."""
        warnings, self._warnings = self._warnings, []
        return warnings

    def close(self) -> None:
        """Close the file and release the process's lock."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._locks.release()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._path.with_name(f"{self._path.name}.opening")):
                try:
                    connection = self._connect()
                except sqlite3.DatabaseError as fault:
                    if isinstance(fault, sqlite3.OperationalError):
                        raise
                    self._set_aside(fault)
                    connection = self._connect()
            try:
                self._locks.acquire(self.process)
                self._locks.remove(self._locks.left_behind())
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
            with _transaction(connection):
                session = _SqliteSession(connection, self._locks)
                session.execute("DROP TABLE IF EXISTS start")  # of versions before the schema had one
                prepared = session.execute("SELECT name FROM sqlite_master WHERE name = ?", "workflow_schema")
                migrate(session, prepared=bool(prepared))
                connection.execute("SELECT token, claim FROM workflow_attempt LIMIT 1").fetchall()
        except JournalError as fault:
            connection.close()
            message = f"the journal {self.name} cannot be used ({fault})"
            raise JournalError(message) from fault
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _set_aside(self, fault: Exception) -> None:
        renamed = self._path.with_name(f"{self._path.name}.damaged-{int(time.time())}")
        self._path.replace(renamed)
        for suffix in ("-journal", "-wal", "-shm"):
            self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)
        self._warnings.append(f"The journal {self.name} is damaged ({fault}) and was renamed to {str(renamed)!r}.")


class _SqliteSession:
    def __init__(self, connection: sqlite3.Connection, locks: ProcessLocks) -> None:
        self._connection = connection
        self.alive = locks.holds
        self.abandon = locks.release

    def doubtful(self, process: str) -> bool:
        return False  # the lock of a process says for sure

    def execute(self, statement: str, *values: Value) -> Sequence[tuple[Value, ...]]:
        return self._connection.execute(statement, values).fetchall()


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock that other processes wait for; the file stays, since removing it would let two of them in."""
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
