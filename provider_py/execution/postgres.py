"""A journal in PostgreSQL, which a team and its CI share.

Every transaction takes one advisory lock first, so transactions happen one after another as they do in a file. The lock
is the transaction's and so are all settings, and no statement is prepared: nothing of a session is relied on, so a
pooler may give each transaction another one.

What does not work:

- *A lock that a process holds while it lives.* A pooler hands its connection to others, and a connection that broke has
  released the lock of a process that lives.
- *Giving up when a connection breaks.* Servers are restarted and fail over. So the work is done again on a new
  connection, also where the answer to COMMIT was lost: the lock makes sure that the first try has ended by then, and
  the work finds out how.
- *Trusting the lease alone.* A process that was suspended finds its lease expired and its attempts taken. So whoever
  acts on an attempt looks in the same transaction whether it is still its own.

A process lives while its lease does: a row with an expiry by the server's clock, renewed by each transaction and
between them by a thread. On the machine and in the directory where it was killed the next process need not wait for
that: it finds the lock of the process released, and ends the lease. Elsewhere it waits, until the lease is renewed or
expires: a run that it started meanwhile could be the second of its wish.

The server is reached as libpq does: what the address leaves out comes from the variables PGHOST, PGPASSWORD,
PGSSLMODE, … and from the password file. User, password and options of the address appear in no message.

Not guaranteed: transactions that a server lost in a fail-over because its replication is asynchronous, and leases
while the server's clock is set forward by more than RENEW_SECONDS: a process may then be taken for dead.

    JournalError     the server cannot be reached or refuses; raised before anything is started
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, cast
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from provider_py.execution.store import JournalError, ProcessLocks, Session, Value, migrate
from provider_py.plugin import protect, redact

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_SECONDS: Final = 10
"""How long one connection may take. The first of a process is not tried again; an address may name several hosts."""
RECONNECT_SECONDS: Final = 30.0
"""How long a connection that broke is tried again before an error says so, in seconds."""
ANSWER_SECONDS: Final = 30.0
"""How long a statement may go without an answer before its connection counts as broken, in seconds."""
LEASE_SECONDS: Final = 60.0
"""How long a process counts as living after its last sign of life, in seconds of the server's clock."""
RENEW_SECONDS: Final = 15.0
"""How often a process that has nothing to write renews its lease, in seconds."""
_LONGEST_PAUSE: Final = 1.0
_ADVISORY_LOCK: Final = int.from_bytes(b"workflow", "big")
_NOW: Final = "extract(epoch FROM clock_timestamp())"
# One message, so one round trip. A transaction of the isolation level REPEATABLE READ, which may be the database's
# default, would not see what the transactions that it waited for have written.
_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
    "SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '10s'; "
    f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"
)
_LOST: Final = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)
"""What a broken connection, a server that shuts down or was demoted, or a transaction that it ended is raised as."""
_SECRETS: Final = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
_FORM: Final = (
    "The address of the journal is not of the form postgresql://user:password@host:port/database; in a user's name or "
    "a password, characters such as @ / % are percent-encoded."
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The times of a store, in seconds; see the constants."""

    reconnect: float = RECONNECT_SECONDS
    answer: float = ANSWER_SECONDS
    lease: float = LEASE_SECONDS
    renew: float = RENEW_SECONDS


class PostgresStore:
    """A journal in a PostgreSQL database."""

    shared = True
    remote = True

    def __init__(
        self,
        address: str,
        locks: Path,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """The server is connected to when it is first needed.

        `locks` is the directory of the locks of processes, if it is there. Raises JournalError for an address that is
        none.
        """
        parameters = _parameters(address)
        if parameters is None:
            raise JournalError(_FORM)
        for secret in filter(None, (parameters.get(name) for name in _SECRETS)):
            protect(secret)
            protect(address)
        self.name = _name(parameters)
        self.process = secrets.token_hex(8)
        self._parameters = _with_defaults(parameters)
        self._locks = ProcessLocks(locks, f"workflow-journal.{platform.node()}")
        self._limits = limits
        self._monotonic = monotonic
        self._sleep = sleep
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._link: _Link | None = None
        self._expiries: dict[str, Value] = {}
        self._threads: Sequence[threading.Thread] = ()
        self._abandoned = False

    def exists(self) -> bool:
        """Return True: whether others have written to it is known only to the server."""
        return True

    def run(self, work: Callable[[Session], T]) -> T:
        """Do work in a transaction, again as often as its connection breaks."""
        with self._mutex:
            deadline: float | None = None
            pause = 0.05
            while True:
                try:
                    return self._transact(self._connected(), work)
                except _LOST as fault:
                    now = self._monotonic()
                    deadline = now + self._limits.reconnect if deadline is None else deadline
                    if not self._threads or now >= deadline:
                        message = f"the journal {self.name} cannot be reached ({_first_line(fault)})"
                        raise JournalError(message) from fault
                    log.info("The journal %s is connected to again (%s).", self.name, _first_line(fault))
                    self._sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                except (psycopg.Error, OSError) as fault:
                    message = f"the journal {self.name} cannot be used ({_first_line(fault)})"
                    raise JournalError(message) from fault

    def warnings(self) -> Sequence[str]:
        """Return nothing: a server reports its problems as errors."""
        return ()

    def close(self) -> None:
        """End the lease and the connection."""
        self._closing.set()
        for thread in self._threads:
            thread.join()
        with self._mutex:
            if self._link is not None:
                with contextlib.suppress(psycopg.Error):
                    self._link.execute("DELETE FROM workflow_process WHERE process = %s", self.process)
                self._disconnect()
            self._locks.release()

    def _transact(self, link: _Link, work: Callable[[Session], T]) -> T:
        try:
            link.execute(f"{_BEGIN}; {self._lease()}")
            result = work(_PostgresSession(link, self.process, self._expiries, self._abandon))
            link.execute("COMMIT")
        except BaseException:
            self._disconnect()
            raise
        return result

    def _connected(self) -> _Link:
        if self._link is None:
            link = _Link(self._parameters, self._monotonic)
            try:
                self._prepare(link)
            except BaseException:
                link.close()
                raise
            self._link = link
            if not self._threads:
                self._threads = [threading.Thread(target=target, daemon=True) for target in (self._renew, self._watch)]
                for thread in self._threads:
                    thread.start()
        return self._link

    def _disconnect(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _prepare(self, link: _Link) -> None:
        """Bring the database to the current schema, and end the leases of processes that ended here."""
        with contextlib.suppress(OSError):  # without it, a process that is killed lives on until its lease expires
            self._locks.acquire(self.process)
        ended = self._locks.left_behind()
        session = _PostgresSession(link, self.process, self._expiries, self._abandon)
        link.execute(_BEGIN)
        prepared = session.execute("SELECT to_regclass('workflow_schema')::text")[0][0] is not None
        try:
            migrate(session, prepared=prepared)
        except psycopg.errors.InsufficientPrivilege as fault:
            if prepared:
                raise
            message = (
                f"the journal {self.name} is not prepared, and its role may not do so ({_first_line(fault)}); as one "
                "that may, run what `workflow-provider journal schema` prints"
            )
            raise JournalError(message) from fault
        except JournalError as fault:
            message = f"the journal {self.name} cannot be used ({fault})"
            raise JournalError(message) from fault
        session.execute(f"DELETE FROM workflow_process WHERE expires_at <= {_NOW}")  # noqa: S608 - no values
        for process in ended:
            session.execute("DELETE FROM workflow_process WHERE process = ?", process)
        link.execute("COMMIT")
        self._locks.remove(ended)

    def _abandon(self) -> None:
        """Give the lease back for good; what is still written needs none."""
        self._abandoned = True
        self._locks.release()
        if self._link is not None:
            self._link.execute("DELETE FROM workflow_process WHERE process = %s", self.process)

    def _lease(self) -> str:
        if self._abandoned:
            return "SELECT 1"
        return (
            "INSERT INTO workflow_process (process, expires_at) "  # noqa: S608 - no values from outside
            f"VALUES ('{self.process}', {_NOW} + {self._limits.lease}) "
            "ON CONFLICT (process) DO UPDATE SET expires_at = excluded.expires_at"
        )

    def _renew(self) -> None:
        """Renew the lease as long as the process lives, over a new connection where the old one broke."""
        while not self._closing.wait(self._limits.renew):
            with self._mutex:
                if self._closing.is_set():
                    return
                try:
                    self._connected().execute(self._lease())
                except (psycopg.Error, OSError, JournalError) as fault:
                    self._disconnect()
                    log.info("The lease at the journal %s is not renewed (%s).", self.name, _first_line(fault))

    def _watch(self) -> None:
        """Cut connections that do not answer: a server behind a proxy may hang and its socket live."""
        while not self._closing.wait(self._limits.answer / 4):
            link = self._link
            if link is not None and link.waited() > self._limits.answer:
                link.cut()


class _PostgresSession:
    def __init__(self, link: _Link, process: str, expiries: dict[str, Value], abandon: Callable[[], None]) -> None:
        """`expiries` has the expiry of each lease as it was first seen."""
        self.abandon = abandon
        self._link = link
        self._process = process
        self._expiries = expiries

    def execute(self, statement: str, *values: Value) -> Sequence[tuple[Value, ...]]:
        return self._link.execute(statement.replace("?", "%s"), *values)

    def alive(self, process: str) -> bool:
        return process == self._process or self._expiry(process) is not None

    def doubtful(self, process: str) -> bool:
        expiry = None if process == self._process else self._expiry(process)
        return expiry is not None and expiry == self._expiries.setdefault(process, expiry)

    def _expiry(self, process: str) -> Value:
        """Return when the lease of a process expires; None where it has or there is none."""
        living = f"SELECT expires_at FROM workflow_process WHERE process = ? AND expires_at > {_NOW}"  # noqa: S608 - no values
        rows = self.execute(living, process)
        return rows[0][0] if rows else None


class _Link:
    """A connection that another thread can cut."""

    def __init__(self, parameters: Mapping[str, str], monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._connection = psycopg.connect(make_conninfo(**parameters), autocommit=True, prepare_threshold=None)
        # Its own descriptor: that of the connection may belong to something else by the time it is cut.
        self._socket = socket.socket(fileno=os.dup(self._connection.fileno()))
        self._asked_at: float | None = None

    def execute(self, statement: str, *values: Value) -> Sequence[tuple[Value, ...]]:
        # psycopg would store an enumeration by the names of its members.
        plain = [str(value) if isinstance(value, str) else value for value in values]
        self._asked_at = self._monotonic()
        try:
            cursor = self._connection.execute(statement.encode(), plain or None)
            return cast(Sequence[tuple[Value, ...]], cursor.fetchall() if cursor.description else ())
        finally:
            self._asked_at = None

    def waited(self) -> float:
        """Return how long a statement has been without an answer, in seconds."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else self._monotonic() - asked_at

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()
        self._socket.close()


def _parameters(address: str) -> Mapping[str, str] | None:
    """Return what an address consists of; None where libpq cannot read it, or finds a part of a password elsewhere.

    libpq ends a user's name at the first `/`, so what follows in a password that is not encoded becomes a port or the
    name of a database, which are no secrets to it. Its own messages quote what it cannot read.
    """
    try:
        parsed = conninfo_to_dict(address)
    except psycopg.Error:
        return None
    parameters = {name: str(value) for name, value in parsed.items() if value is not None}
    ports = parameters.get("port", "").split(",")
    misread = any("@" in parameters.get(name, "") for name in ("host", "port", "dbname"))
    return None if misread or not all(port.isdigit() or not port for port in ports) else parameters


def _name(parameters: Mapping[str, str]) -> str:
    host, port = (parameters.get(name) or os.environ.get(f"PG{name.upper()}", "") for name in ("host", "port"))
    place = quote(host, safe=":[],") + (f":{port}" if port else "")
    return f"'postgresql://{place}/{parameters.get('dbname') or os.environ.get('PGDATABASE', '')}'"


def _with_defaults(parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters with those that the address, or a variable that libpq reads, does not set."""
    defaults = {
        "client_encoding": ("utf-8", None),
        "connect_timeout": (str(CONNECT_SECONDS), "PGCONNECT_TIMEOUT"),
        "fallback_application_name": ("terraform-provider-workflow", None),
        "keepalives_idle": ("10", None),
        "keepalives_interval": ("5", None),
        "keepalives_count": ("3", None),
        "tcp_user_timeout": (str(int(ANSWER_SECONDS * 1000)), None),
        "target_session_attrs": ("read-write", "PGTARGETSESSIONATTRS"),
    }
    missing = {
        name: value
        for name, (value, variable) in defaults.items()
        if name not in parameters and not (variable and os.environ.get(variable))
    }
    return {**missing, **parameters}


def _first_line(fault: Exception) -> str:
    """Return what a fault says, without the hints that libpq adds in further lines."""
    return redact((str(fault).strip().splitlines() or [type(fault).__name__])[0])
