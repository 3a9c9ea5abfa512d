"""The request budget when clocks are set, when other processes hold its file, and when a crowd waits."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from provider_py.execution import Interrupted, Runtime
from provider_py.execution import budget as module
from provider_py.execution.budget import Budget
from tests.support.clock import EPOCH, INSTANT, Clock
from tests.support.http import serving
from tests.unit.execution.channels import channel

ROOT = Path(__file__).parents[3]
HOUR = 3600.0


class AdjustableClock(Clock):
    """A clock whose time of day is set by the test, and whose monotonic time may start anew."""

    def __init__(self, *, wall: float = EPOCH, monotonic: float = 1000.0) -> None:
        super().__init__(INSTANT)
        self.wall, self.start = wall, monotonic

    def time(self) -> float:
        """Return seconds since the epoch, as this machine believes."""
        return self.wall + super().monotonic()

    def monotonic(self) -> float:
        """Return seconds since the machine was started."""
        return self.start + super().monotonic()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def budget(clock: Any, requests: int = 3, seconds: float = 60.0, account: str | None = "acme") -> Budget:
    return Budget(requests, seconds, Runtime(asyncio.Event(), clock), account=account)


async def seconds_until_served(opened: Budget, clock: AdjustableClock) -> float:
    began = clock.monotonic()
    await opened.take()
    return clock.monotonic() - began


@pytest.mark.parametrize("step", [-HOUR, -61.0, -59.0, -1.0, 1.0, 59.0, 61.0, HOUR, 100 * HOUR])
@pytest.mark.parametrize("account", ["acme", None])
async def test_a_step_of_the_clock_neither_holds_requests_up_nor_frees_them(step: float, account: str | None) -> None:
    clock = AdjustableClock()
    opened = budget(clock, account=account)
    for _ in range(3):
        await opened.take()
    clock.wall += step
    assert await seconds_until_served(opened, clock) == pytest.approx(60, abs=1)
    opened.close()


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_the_next_process_counts_the_requests_before_a_step_of_the_clock(step: float) -> None:
    clock = AdjustableClock()
    for _ in range(3):
        opened = budget(clock)
        await opened.take()
        opened.close()
    clock.wall += step
    opened = budget(clock)
    assert await seconds_until_served(opened, clock) == pytest.approx(60, abs=1)
    opened.close()


@pytest.mark.parametrize("step", [-59.0, -30.0, HOUR])
async def test_a_step_of_the_clock_during_a_wait_makes_nobody_wait_longer(step: float) -> None:
    clock = Clock()
    opened = budget(clock, 1)
    await opened.take()

    async def step_meanwhile() -> None:
        await clock.sleep(1)
        clock.step(step)

    async def both() -> None:
        await asyncio.gather(opened.take(), step_meanwhile())

    await clock.run(both())
    assert clock.monotonic() == pytest.approx(60, abs=1)
    opened.close()


@pytest.mark.parametrize(("uptime", "wait"), [(5.0, 55.0), (61.0, 0.0), (1000.0, 0.0)])
async def test_requests_before_a_restart_of_the_machine_count_until_it_has_been_up_for_a_window(
    uptime: float, wait: float
) -> None:
    before = budget(AdjustableClock(monotonic=990.0))
    for _ in range(3):
        await before.take()
    before.close()
    clock = AdjustableClock(monotonic=uptime)
    after = budget(clock)
    assert await seconds_until_served(after, clock) == pytest.approx(wait, abs=1)
    after.close()


async def test_machines_that_share_the_directory_leave_each_other_s_requests_alone() -> None:
    here, there = AdjustableClock(monotonic=1000.0), AdjustableClock(monotonic=500.0)
    one, other = budget(here), budget(there)
    for opened in (one, other) * 3:
        await opened.take()
    for opened, clock in ((one, here), (other, there)):
        assert await seconds_until_served(opened, clock) == pytest.approx(60, abs=1)
        opened.close()


async def test_what_other_machines_have_entered_is_removed_after_a_day(cache: Path) -> None:
    clock = AdjustableClock()
    there, here = budget(AdjustableClock()), budget(clock)
    await there.take()
    clock.wall += 25 * HOUR
    await here.take()
    (rows,) = sqlite3.connect(budget_file(cache)).execute("SELECT count(*) FROM sent")
    assert rows == (1,)
    for opened in (there, here):
        opened.close()


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_a_server_sees_the_budget_kept_across_a_step_of_the_clock(step: float) -> None:
    clock = AdjustableClock()
    runtime = Runtime(asyncio.Event(), clock)
    arrivals: list[float] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        arrivals.append(clock.monotonic())
        return web.json_response({})

    opened = budget(clock)
    async with serving([answer]) as server, channel(runtime, budget=opened) as wire:
        for number in range(7):
            clock.wall += step if number == 2 else 0
            await wire.post(server.url)
    opened.close()
    assert [round(moment - arrivals[0]) for moment in arrivals] == [0, 0, 0, 60, 60, 60, 120]


PROCESS = """
import asyncio, sys, time
from provider_py.execution import Runtime
from provider_py.execution.budget import Budget
from provider_py.execution.runtime import SystemClock

class Stepped(SystemClock):
    def time(self):
        return time.time() + float(sys.argv[1])

    def monotonic(self):
        self.last = time.monotonic()
        return self.last

async def main():
    clock = Stepped()
    budget = Budget(4, 1.5, Runtime(asyncio.Event(), clock), account="acme")
    for _ in range(4):
        await budget.take()
        print(clock.last, flush=True)
    budget.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_two_processes_share_the_budget_although_their_clocks_differ(cache: Path, step: float) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(offset)],
            cwd=ROOT,
            env={"XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for offset in (0.0, step)
    ]
    moments = sorted(float(line) for process in processes for line in process.communicate(timeout=60)[0].split())
    assert len(moments) == 8
    assert moments[4] - moments[0] >= 1.5
    assert moments[-1] - moments[0] < 15


@asynccontextmanager
async def heartbeat() -> AsyncIterator[list[float]]:
    """Measure the longest time that the event loop stood still."""
    beats = [time.monotonic()]

    async def beat() -> None:
        while True:
            await asyncio.sleep(0.01)
            beats.append(time.monotonic())

    task = asyncio.create_task(beat())
    try:
        yield beats
    finally:
        task.cancel()


def gaps(beats: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(beats))


def budget_file(cache: Path) -> Path:
    (file,) = cache.rglob("*.sqlite3")
    return file


def held(cache: Path) -> sqlite3.Connection:
    """Lock the budget's file, as another process does that is stopped at a bad moment."""
    other = sqlite3.connect(budget_file(cache), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def test_a_locked_file_is_waited_for_without_holding_up_the_event_loop(cache: Path) -> None:
    runtime = Runtime(asyncio.Event())
    one, other = (Budget(3, 60, runtime, account="acme") for _ in range(2))
    await one.take()
    lock = held(cache)
    async with heartbeat() as beats:
        waiting = asyncio.create_task(one.take())
        await asyncio.sleep(1)
        assert not waiting.done()
        lock.execute("ROLLBACK")
        await asyncio.wait_for(waiting, 2)
    assert gaps(beats) < 0.5
    await other.take()
    crowded = asyncio.create_task(other.take())  # the fourth: everything was counted in the file
    await asyncio.sleep(0.2)
    assert not crowded.done()
    crowded.cancel()
    for opened in (one, other, lock):
        opened.close()


async def test_a_lock_that_is_kept_ends_the_sharing_for_a_moment_only(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(INSTANT)
    one, other = budget(clock, 4), budget(clock, 4)
    await one.take()
    lock = held(cache)
    await one.take()
    await one.take()
    assert clock.monotonic() == pytest.approx(module.LOCK_SECONDS, abs=1)
    assert sum(record.levelno == logging.WARNING for record in caplog.records) == 1
    lock.execute("ROLLBACK")
    await one.take()  # counts the two before it in the file as well
    before = clock.monotonic()
    await other.take()
    assert clock.monotonic() - before > 40
    for opened in (one, other, lock):
        opened.close()


async def test_the_process_keeps_to_the_budget_while_it_cannot_share_it(cache: Path) -> None:
    clock = Clock(INSTANT)
    opened = budget(clock, 2)
    await opened.take()
    lock = held(cache)
    await opened.take()
    await opened.take()
    assert clock.monotonic() >= 60
    for closing in (opened, lock):
        closing.close()


async def test_waiting_for_a_locked_file_ends_when_terraform_stops(cache: Path) -> None:
    stop = asyncio.Event()
    opened = Budget(3, 60, Runtime(stop), account="acme")
    await opened.take()
    lock = held(cache)
    waiting = asyncio.create_task(opened.take())
    await asyncio.sleep(0.1)
    began = time.monotonic()
    stop.set()
    with pytest.raises(Interrupted):
        await waiting
    assert time.monotonic() - began < 0.5
    for closing in (opened, lock):
        closing.close()


async def test_a_damaged_file_is_replaced(cache: Path) -> None:
    opened = budget(Clock(INSTANT))
    await opened.take()
    opened.close()
    budget_file(cache).write_bytes(b"not a database " * 100)
    clock = AdjustableClock()
    one, other = budget(clock, 2), budget(clock, 2)
    await one.take()
    await one.take()
    assert await seconds_until_served(other, clock) == pytest.approx(60, abs=1)
    for closing in (one, other):
        closing.close()


@pytest.mark.parametrize("waiters", [100, 1000])
async def test_a_request_that_is_sent_wakes_one_other_request_only(waiters: int) -> None:
    tasks = 0

    def count(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        nonlocal tasks
        tasks += 1
        return asyncio.Task(work, loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(count)  # type: ignore[arg-type]
    clock = Clock()
    opened = budget(clock, 10, 1.0, account=None)

    async def everyone() -> None:
        await asyncio.gather(*(opened.take() for _ in range(waiters)))

    await clock.run(everyone())
    assert tasks <= 8 * waiters
