"""A journal that another process holds when Terraform stops: nobody waits for it, and nothing is lost by that."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from provider_py.execution.journal import Journal, Kind
from provider_py.execution.life import Place, Wish
from provider_py.execution.scope import Scope
from provider_py.execution.store import JournalError, SqliteStore
from tests.support.waiting import eventually

WISH = Wish("job", "acme", "here", "inputs")


@asynccontextmanager
async def opened(path: Path, stop: asyncio.Event) -> AsyncIterator[Journal]:
    journal = Journal(SqliteStore(path), lambda: 1.0, Scope("here", None), stop=stop)
    try:
        yield journal
    finally:
        await journal.close()


def places(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [place for (place,) in connection.execute("SELECT place FROM workflow_attempt")]
    finally:
        connection.close()


async def test_a_claim_that_is_given_up_is_not_made_later(tmp_path: Path) -> None:
    path, stop = tmp_path / "journal", asyncio.Event()
    async with opened(path, stop) as journal:
        await journal.known_runs(Kind("job", "acme"))
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        claiming = asyncio.create_task(journal.claim(WISH, 1))
        await asyncio.sleep(0)
        stop.set()
        with pytest.raises(JournalError, match="interrupted"):
            await claiming
        holder.close()
    assert places(path) == []


async def test_a_claim_that_was_made_although_it_was_given_up_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database answers only after the journal has stopped waiting for it."""
    path, stop = tmp_path / "journal", asyncio.Event()
    monkeypatch.setattr("provider_py.execution.journal.STOP_SECONDS", 0.0)
    async with opened(path, stop) as journal:
        await journal.known_runs(Kind("job", "acme"))
        stop.set()
        for _ in range(20):
            with contextlib.suppress(JournalError):
                claim = await journal.claim(WISH, 1)
                await journal.not_sent(claim.attempt, 0)
    assert places(path) == []


async def test_what_became_of_a_start_is_written_when_the_journal_is_free(tmp_path: Path) -> None:
    path, stop = tmp_path / "journal", asyncio.Event()
    async with opened(path, stop) as journal:
        claim = await journal.claim(WISH, 1)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        stop.set()
        with pytest.raises(JournalError, match="interrupted"):
            await journal.named(claim.attempt, 0, "run-1")
        holder.close()
        await eventually(lambda: places(path) == [Place.STARTED], "ID in the journal")
