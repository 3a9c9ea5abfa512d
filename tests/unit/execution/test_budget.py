from __future__ import annotations

import asyncio
import math
import random
from pathlib import Path

import pytest

from provider_py.execution import Interrupted, Runtime
from provider_py.execution.budget import Budget
from tests.support.clock import Clock, settle


async def spend(budget: Budget, clock: Clock, after: float, spent: list[tuple[int, float]], caller: int) -> None:
    await clock.sleep(after)
    await budget.take()
    spent.append((caller, clock.monotonic()))


@pytest.mark.parametrize("seed", range(8))
async def test_no_window_holds_more_than_the_budget(seed: int) -> None:
    schedule = random.Random(seed)
    requests, seconds = schedule.randint(1, 7), schedule.choice([1.0, 2.5, 60.0])
    clock = Clock()
    budget = Budget(requests, seconds, Runtime(asyncio.Event(), clock))
    spent: list[tuple[int, float]] = []
    arrivals = [schedule.choice([0.0, schedule.uniform(0, 3 * seconds)]) for _ in range(40)]

    async def all_callers() -> None:
        await asyncio.gather(*(spend(budget, clock, at, spent, caller) for caller, at in enumerate(arrivals)))

    await clock.run(all_callers())
    moments = [moment for _, moment in spent]
    assert len(moments) == len(arrivals)
    for first, over in zip(moments, moments[requests:], strict=False):
        assert over - first >= seconds
    longest = math.ceil(len(arrivals) / requests) * (seconds + 0.01)
    assert moments[-1] <= max(arrivals) + longest  # and no request waits longer than it must


async def test_a_whole_budget_may_be_spent_at_once() -> None:
    clock = Clock()
    budget = Budget(30, 60, Runtime(asyncio.Event(), clock))
    for _ in range(30):
        await budget.take()
    assert clock.monotonic() == 0


async def test_requests_are_served_in_order_of_arrival() -> None:
    clock = Clock()
    budget = Budget(2, 10, Runtime(asyncio.Event(), clock))
    spent: list[tuple[int, float]] = []

    async def all_callers() -> None:
        await asyncio.gather(*(spend(budget, clock, caller / 10, spent, caller) for caller in range(9)))

    await clock.run(all_callers())
    assert [caller for caller, _ in spent] == list(range(9))
    assert spent[-1][1] == pytest.approx(40, abs=1)


async def test_waiting_requests_are_interrupted_when_terraform_stops() -> None:
    clock, stop = Clock(), asyncio.Event()
    budget = Budget(1, 60, Runtime(stop, clock))
    await budget.take()
    waiting = [asyncio.create_task(budget.take()) for _ in range(3)]
    await settle()
    stop.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Interrupted] * 3


async def test_a_cancelled_request_leaves_its_turn_to_the_next() -> None:
    clock = Clock()
    budget = Budget(1, 10, Runtime(asyncio.Event(), clock))
    await budget.take()
    impatient, patient = asyncio.create_task(budget.take()), asyncio.create_task(budget.take())
    await settle()
    impatient.cancel()
    await clock.advance(10.1)
    assert impatient.cancelled()
    assert patient.done()


async def test_polls_pass_waiting_starts() -> None:
    clock = Clock()
    budget = Budget(1, 10, Runtime(asyncio.Event(), clock))
    served: list[str] = []

    async def take(caller: str, *, first: bool) -> None:
        await budget.take(first=first)
        served.append(caller)

    async def all_callers() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(take("start 1", first=False))
            group.create_task(take("start 2", first=False))
            group.create_task(take("start 3", first=False))
            await clock.sleep(5)
            assert budget.crowded
            group.create_task(take("poll", first=True))

    await clock.run(all_callers())
    assert served == ["start 1", "poll", "start 2", "start 3"]
    assert not budget.crowded


async def test_processes_with_the_same_account_share_one_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    clock = Clock()
    runtime = Runtime(asyncio.Event(), clock)
    one, other, stranger = (Budget(2, 60, runtime, account=name) for name in ("acme", "acme", "umbrella"))

    async def all_callers() -> None:
        await one.take()
        await other.take()
        await stranger.take()
        assert clock.monotonic() == 0
        await other.take()

    await clock.run(all_callers())
    assert clock.monotonic() == pytest.approx(60, abs=0.1)
    for budget in (one, other, stranger):
        budget.close()


async def test_an_unusable_cache_directory_keeps_the_budget_to_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    clock = Clock()
    budget = Budget(1, 60, Runtime(asyncio.Event(), clock), account="acme")

    async def all_callers() -> None:
        await budget.take()
        await budget.take()

    await clock.run(all_callers())
    assert clock.monotonic() == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("seed", range(20))
async def test_every_request_is_served_when_some_pass_others(seed: int) -> None:
    schedule = random.Random(seed)
    clock = Clock()
    budget = Budget(3, 10, Runtime(asyncio.Event(), clock))
    served: list[int] = []

    async def take(caller: int) -> None:
        await clock.sleep(schedule.choice([0, 1, 10, 10, 20, 30]))
        await budget.take(first=schedule.random() < 0.3)
        served.append(caller)

    async def all_callers() -> None:
        await asyncio.gather(*(take(caller) for caller in range(40)))

    await asyncio.wait_for(clock.run(all_callers()), 5)
    assert sorted(served) == list(range(40))
