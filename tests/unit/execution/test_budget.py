from __future__ import annotations

import asyncio
import math
import random
from pathlib import Path

import pytest

from provider_py.execution.budget import Budget
from provider_py.execution.errors import Interrupted
from provider_py.execution.runtime import Runtime
from tests.support.clock import VirtualClock, settle


async def spend(budget: Budget, clock: VirtualClock, after: float, spent: list[tuple[int, float]], who: int) -> None:
    await clock.sleep(after)
    await budget.take()
    spent.append((who, clock.monotonic()))


@pytest.mark.parametrize("seed", range(8))
async def test_no_window_ever_holds_more_than_the_budget(seed: int) -> None:
    schedule = random.Random(seed)
    requests, seconds = schedule.randint(1, 7), schedule.choice([1.0, 2.5, 60.0])
    clock = VirtualClock()
    budget = Budget(requests, seconds, Runtime(asyncio.Event(), clock))
    spent: list[tuple[int, float]] = []
    arrivals = [schedule.choice([0.0, schedule.uniform(0, 3 * seconds)]) for _ in range(40)]

    async def everybody() -> None:
        await asyncio.gather(*(spend(budget, clock, at, spent, who) for who, at in enumerate(arrivals)))

    await clock.run(everybody())
    moments = [moment for _, moment in spent]
    assert len(moments) == len(arrivals)
    for first, over in zip(moments, moments[requests:], strict=False):
        assert over - first >= seconds
    longest = math.ceil(len(arrivals) / requests) * (seconds + 0.01)
    assert moments[-1] <= max(arrivals) + longest  # nor does it hold anybody up for nothing


async def test_a_whole_budget_is_spent_at_once() -> None:
    clock = VirtualClock()
    budget = Budget(30, 60, Runtime(asyncio.Event(), clock))
    for _ in range(30):
        await budget.take()
    assert clock.monotonic() == 0


async def test_first_come_first_served() -> None:
    clock = VirtualClock()
    budget = Budget(2, 10, Runtime(asyncio.Event(), clock))
    spent: list[tuple[int, float]] = []

    async def everybody() -> None:
        await asyncio.gather(*(spend(budget, clock, who / 10, spent, who) for who in range(9)))

    await clock.run(everybody())
    assert [who for who, _ in spent] == list(range(9))
    assert spent[-1][1] == pytest.approx(40, abs=1)


async def test_who_waits_is_interrupted_when_terraform_stops() -> None:
    clock, stop = VirtualClock(), asyncio.Event()
    budget = Budget(1, 60, Runtime(stop, clock))
    await budget.take()
    waiting = [asyncio.create_task(budget.take()) for _ in range(3)]
    await settle()
    stop.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [Interrupted] * 3


async def test_who_gives_up_leaves_the_turn_to_the_next() -> None:
    clock = VirtualClock()
    budget = Budget(1, 10, Runtime(asyncio.Event(), clock))
    await budget.take()
    impatient, patient = asyncio.create_task(budget.take()), asyncio.create_task(budget.take())
    await settle()
    impatient.cancel()
    await clock.advance(10.1)
    assert impatient.cancelled()
    assert patient.done()


async def test_look_ups_pass_starts_that_wait() -> None:
    clock = VirtualClock()
    budget = Budget(1, 10, Runtime(asyncio.Event(), clock))
    served: list[str] = []

    async def take(who: str, *, first: bool) -> None:
        await budget.take(first=first)
        served.append(who)

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(take("start 1", first=False))
            group.create_task(take("start 2", first=False))
            group.create_task(take("start 3", first=False))
            await clock.sleep(5)
            assert budget.crowded
            group.create_task(take("look", first=True))

    await clock.run(everybody())
    assert served == ["start 1", "look", "start 2", "start 3"]
    assert not budget.crowded


async def test_processes_with_the_same_account_share_one_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    clock = VirtualClock()
    runtime = Runtime(asyncio.Event(), clock)
    one, other, stranger = (Budget(2, 60, runtime, account=name) for name in ("acme", "acme", "umbrella"))

    async def everybody() -> None:
        await one.take()
        await other.take()
        await stranger.take()
        assert clock.monotonic() == 0
        await other.take()

    await clock.run(everybody())
    assert clock.monotonic() == pytest.approx(60, abs=0.1)
    for budget in (one, other, stranger):
        budget.close()


async def test_a_cache_directory_that_cannot_be_used_keeps_the_budget_to_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    clock = VirtualClock()
    budget = Budget(1, 60, Runtime(asyncio.Event(), clock), account="acme")

    async def everybody() -> None:
        await budget.take()
        await budget.take()

    await clock.run(everybody())
    assert clock.monotonic() == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("seed", range(20))
async def test_nobody_is_forgotten_when_look_ups_pass_starts(seed: int) -> None:
    schedule = random.Random(seed)
    clock = VirtualClock()
    budget = Budget(3, 10, Runtime(asyncio.Event(), clock))
    served: list[int] = []

    async def take(who: int) -> None:
        await clock.sleep(schedule.choice([0, 1, 10, 10, 20, 30]))
        await budget.take(first=schedule.random() < 0.3)
        served.append(who)

    async def everybody() -> None:
        await asyncio.gather(*(take(who) for who in range(40)))

    await asyncio.wait_for(clock.run(everybody()), 5)
    assert sorted(served) == list(range(40))
