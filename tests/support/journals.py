"""Journals as processes have them: each its own store on one database, of either kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import psycopg

from provider_py.execution.journal import Claim, Journal, Kind
from provider_py.execution.life import Attempt, Wait, Wish
from provider_py.execution.postgres import Limits, PostgresStore
from provider_py.execution.scope import Scope
from provider_py.execution.store import FILE, Session, SqliteStore, Store, Value
from tests.support.clock import Clock
from tests.support.postgres import Server

T = TypeVar("T")

HERE: Final = "here"
KIND: Final = Kind("vcd_execution", "account")
TABLES: Final = ("workflow_attempt", "workflow_part", "workflow_process")


class Database:
    """A database for one test, and the stores and journals on it."""

    def __init__(self, directory: Path, server: Server | None, *, repeating: bool = False) -> None:
        """Without a server it is a file in the directory. `repeating`: every transaction loses its first answer."""
        self.path = directory / "kept" / FILE
        self.locks = directory
        self.clock = Clock()
        self.journals: list[Journal] = []
        self.name = "postgres"
        self.server = server
        self._repeating = repeating
        if server is not None:
            self.name = server.shared
            with contextlib.suppress(psycopg.errors.UndefinedTable):
                server.execute(f"TRUNCATE {', '.join(TABLES)}", self.name)

    def store(self, limits: Limits | None = None) -> Store:
        """Return a store as a further process would open it."""
        store: Store
        if self.server is None:
            store = SqliteStore(self.path)
        else:
            store = PostgresStore(self.server.address(self.name), self.locks, limits=limits or Limits())
        return Repeating(store) if self._repeating else store

    def open(
        self, scope: str | None = HERE, *, state: Path | None = None, adopts: bool = True, store: Store | None = None
    ) -> Journal:
        """Return a journal as a further process would open it."""
        journal = Journal(store or self.store(), self.clock.time, Scope(scope, state), adopts=adopts)
        self.journals.append(journal)
        return journal

    async def claim(self, journal: Journal, asked: Wish) -> Claim:
        """Claim as a create does: it waits where a lease may run out, while the living renew theirs."""
        claim = await journal.claim(asked, 1)
        while isinstance(claim.decision, Wait) and asked.key is None:
            assert self.server is not None, "a lock leaves no doubt"
            living = "expires_at > extract(epoch FROM clock_timestamp())"
            self.server.execute(f"UPDATE workflow_process SET expires_at = expires_at + 1 WHERE {living}", self.name)
            claim = await journal.claim(asked, 1)
        return claim

    def rows(self, columns: str) -> Sequence[tuple[Value, ...]]:
        """Return columns of all attempts."""
        store = self.store()
        try:
            return store.run(lambda session: session.execute(f"SELECT {columns} FROM workflow_attempt"))
        finally:
            store.close()

    async def close(self) -> None:
        """Close all journals; closing twice does no harm."""
        for journal in self.journals:
            await journal.close()


class Repeating:
    """A store that is never told whether a transaction took effect, and so does all work twice."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.name, self.shared, self.remote, self.process = store.name, store.shared, store.remote, store.process

    def exists(self) -> bool:
        return self._store.exists()

    def run(self, work: Callable[[Session], T]) -> T:
        self._store.run(work)
        return self._store.run(work)

    def warnings(self) -> Sequence[str]:
        return self._store.warnings()

    def close(self) -> None:
        self._store.close()


def wish(
    fingerprint: str = "same",
    key: str | None = None,
    *,
    scope: str | None = HERE,
    waits: bool = True,
    judges: bool = True,
    arguments: Mapping[str, str] | None = None,
) -> Wish:
    return Wish(
        KIND.type, KIND.account, scope, fingerprint, arguments or {}, key, waits=waits, judges=judges, workflow="patch"
    )


async def started(journal: Journal, asked: Wish, *runs: str) -> Attempt:
    """Start a run of so many parts and return its attempt as claimed."""
    claim = await journal.claim(asked, len(runs))
    for part, run in enumerate(runs):
        if part:
            await journal.sending(claim.attempt, part)
        await journal.named(claim.attempt, part, run)
    return claim.attempt


def decided(claim: Claim) -> str:
    """Return the kind of the decision and the runs it is about."""
    runs = ",".join(run or "?" for run in claim.attempt.runs)
    return f"{type(claim.decision).__name__} {runs}".strip()
