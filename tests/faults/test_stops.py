"""Whatever an operation waits for when Terraform asks to stop: it ends at once, says so, and sends nothing more."""

from __future__ import annotations

import asyncio
import dataclasses
import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from provider_py.plugin import Diagnostic
from provider_py.provider import DATA_SOURCES, RESOURCES
from provider_py.sandbox import Fault, FaultKind, Match
from provider_py.systems.harness.application import HarnessApplication
from provider_py.systems.vcd.config import VcdSettings
from tests.support.operations import ROWS, Row, every_operation, outcome
from tests.support.site import Process, Site, simple
from tests.support.waiting import eventually

PROMPTLY: Final = 5.0
"""In real time, for loaded machines; what is waited for would take longer, or says something else in the end."""


def test_the_table_has_the_whole_registry() -> None:
    assert {row.type for row in ROWS} == {type_.name for type_ in (*RESOURCES, *DATA_SOURCES)}


async def assert_it_ends(site: Site, process: Process, operation: asyncio.Task[Sequence[Diagnostic]]) -> str:
    """Stop an operation, and return what it says."""
    assert not operation.done()
    sent = len(site.requests)
    process.stop.set()
    (said,) = await asyncio.wait_for(operation, PROMPTLY)
    await asyncio.sleep(0.1)  # 10 s of the systems' time
    assert len(site.requests) == sent
    return f"{said.summary} {said.detail}"


async def stored(site: Site, row: Row) -> Any:
    """Return the state of an open run, if the operation is about one."""
    if not row.stored:
        return None
    before = await site.process()
    site.script(row.system)
    state = dataclasses.replace(await before.started(simple(row.system)), wait=True)
    await before.close()
    return state


@every_operation()
@pytest.mark.parametrize("kind", ["silence", "429"])
async def test_a_stop_ends_every_operation_on_a_system_that_does_not_answer(site: Site, row: Row, kind: str) -> None:
    """The creation of a trigger is waited for once it is sent, since its answer has the ID."""
    fault = Fault(row.system, FaultKind.SILENCE, Match(), times=None, seconds=0.5 if row.keeps_answer else None)
    if kind == "429":
        pause = {"Retry-After": "600"}
        fault = Fault(row.system, FaultKind.STATUS, Match(), status=429, headers=pause, times=None)
    state, process = await stored(site, row), await site.process()
    site.world.faults.add(fault)
    sent = len(site.requests)
    operation = asyncio.create_task(outcome(row.call(process, state)))
    await eventually(lambda: len(site.requests) > sent, "request")
    if kind == "429":
        await asyncio.sleep(0.05)
    text = await assert_it_ends(site, process, operation)
    assert "interrupted" in text or (kind == "silence" and row.keeps_answer and "journal settle" in text)


@every_operation(lambda row: row.system == "harness")
async def test_a_stop_ends_every_operation_that_waits_for_the_budget(site: Site, row: Row) -> None:
    state = await stored(site, row)
    process = await site.process({"HARNESS_REQUESTS_PER_MINUTE": "1", "XDG_CACHE_HOME": "/dev/null"})
    await process.look_up(HarnessApplication(application="Test App"))
    operation = asyncio.create_task(outcome(row.call(process, state)))
    await asyncio.sleep(0.05)
    if not operation.done():  # the application may be all that is looked up
        assert "interrupted" in await assert_it_ends(site, process, operation)


@every_operation(lambda row: row.system == "vcd" and not row.stored)
async def test_a_stop_ends_every_operation_that_waits_for_a_token_another_process_exchanges(
    site: Site, row: Row, tmp_path: Path
) -> None:
    file = tmp_path / "token.json"
    file.write_text('{"token_type": "Service Account", "refresh_token": "any"}')
    with (file.with_name(".token.json.lock")).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        vcd = VcdSettings(service_account_token_file=str(file))
        process = await site.process({"VCD_API_TOKEN": None}, vcd=vcd)
        operation = asyncio.create_task(outcome(row.call(process, None)))
        await asyncio.sleep(0.2)
        assert "interrupted" in await assert_it_ends(site, process, operation)
    await asyncio.sleep(0.1)
    assert site.requests == []  # the exchange is not made although the lock is free again


@contextmanager
def held(journal: Path) -> Iterator[None]:
    """Hold the journal, as another process does that is stopped at a bad moment."""
    other = sqlite3.connect(journal, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@every_operation(lambda row: row.type.endswith("_execution") and (row.name in {"plan", "create"} or row.stored))
async def test_a_stop_ends_every_operation_that_waits_for_the_journal(site: Site, row: Row) -> None:
    state = await stored(site, dataclasses.replace(row, stored=True))  # which makes the journal
    process = await site.process()
    with held(Path(site.environment["WORKFLOW_JOURNAL"])):
        operation = asyncio.create_task(outcome(row.call(process, state)))
        await asyncio.sleep(0.2)
        assert not operation.done()
        process.stop.set()
        await asyncio.wait_for(operation, PROMPTLY)
    sent = len(site.starts(row.system))
    await asyncio.sleep(0.1)
    assert len(site.starts(row.system)) == sent == 1
