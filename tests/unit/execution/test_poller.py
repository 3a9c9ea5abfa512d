from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from provider_py.execution.errors import Missing, SystemFault, Unanswered
from provider_py.execution.poller import Poller, PollSource, adaptive_interval
from provider_py.execution.runtime import Runtime
from tests.support.clock import VirtualClock, settle

BATCH = 25


class System:
    """Answers looks, and keeps when which runs were asked for."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.looks: list[tuple[float, Sequence[str]]] = []
        self.faults: list[Exception] = []
        self.answers: dict[str, str | SystemFault | None] = {}

    async def look(self, keys: Sequence[str]) -> Mapping[str, str | SystemFault]:
        self.looks.append((self.clock.monotonic(), list(keys)))
        await self.clock.sleep(0.2)
        if self.faults:
            raise self.faults.pop(0)
        answers = {key: self.answers.get(key, f"{key} runs") for key in keys}
        return {key: answer for key, answer in answers.items() if answer is not None}

    def poller(self, spacing: float = 0.0) -> Poller[str, str]:
        runtime = Runtime(asyncio.Event(), self.clock)
        return Poller(PollSource(self.look, BATCH, lambda: spacing), runtime)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def system(clock: VirtualClock) -> System:
    return System(clock)


@pytest.mark.parametrize("waiters", [1, 25, 26, 100])
async def test_all_who_wait_share_the_looks_of_a_round(system: System, clock: VirtualClock, waiters: int) -> None:
    poller = system.poller()
    keys = [f"run-{number}" for number in range(waiters)]

    async def two_rounds() -> list[str | None]:
        await asyncio.gather(*(poller.next(key, 5) for key in keys))
        return await asyncio.gather(*(poller.next(key, 5) for key in keys))

    assert await clock.run(two_rounds()) == [f"{key} runs" for key in keys]
    assert len(system.looks) == 2 * math.ceil(waiters / BATCH)
    for number in (0, 1):
        share = math.ceil(waiters / BATCH)
        asked = [key for _, batch in system.looks[number * share : (number + 1) * share] for key in batch]
        assert sorted(asked) == sorted(keys)


async def test_a_look_is_taken_when_it_is_due(system: System, clock: VirtualClock) -> None:
    poller = system.poller()
    await clock.run(poller.next("run", 7.5))
    assert system.looks == [(7.5, ["run"])]


async def test_who_is_nearly_due_comes_along_and_who_is_not_waits(system: System, clock: VirtualClock) -> None:
    poller = system.poller()

    async def everybody() -> None:
        await asyncio.gather(poller.next("due", 10), poller.next("near", 18), poller.next("far", 30))

    await clock.run(everybody())
    assert [(at, sorted(keys)) for at, keys in system.looks] == [(10, ["due", "near"]), (30, ["far"])]


async def test_a_more_urgent_look_is_not_held_up(system: System, clock: VirtualClock) -> None:
    poller = system.poller()
    patient = asyncio.create_task(poller.next("slow", 30))
    await clock.advance(1)
    assert await clock.run(poller.next("at once", 0)) == "at once runs"
    assert system.looks == [(1, ["at once"])]
    await clock.advance(30)
    assert await patient == "slow runs"


async def test_two_who_ask_for_the_same_run_share_the_look(system: System, clock: VirtualClock) -> None:
    poller = system.poller()

    async def both() -> list[str | None]:
        return await asyncio.gather(*(poller.next("run", seconds) for seconds in (2, 3)))

    assert await clock.run(both()) == ["run runs"] * 2
    assert system.looks == [(2, ["run"])]


async def test_the_fault_of_a_look_reaches_each_who_waits_for_it_and_the_next_look_is_taken(
    system: System, clock: VirtualClock
) -> None:
    poller = system.poller()
    fault = Unanswered("Harness", "no answer")
    system.faults = [fault]

    async def everybody() -> list[str | BaseException | None]:
        return await asyncio.gather(*(poller.next(f"run-{n}", 2) for n in range(BATCH)), return_exceptions=True)

    assert await clock.run(everybody()) == [fault] * BATCH
    assert await clock.run(poller.next("run-0", 2)) == "run-0 runs"


async def test_each_run_has_its_own_answer(system: System, clock: VirtualClock) -> None:
    poller = system.poller()
    fault = Missing("Harness", "not visible")
    system.answers = {"refused": fault, "gone": None}

    async def everybody() -> list[str | BaseException | None]:
        keys = ("refused", "gone", "known")
        return await asyncio.gather(*(poller.next(key, 2) for key in keys), return_exceptions=True)

    assert await clock.run(everybody()) == [fault, None, "known runs"]
    assert len(system.looks) == 1


async def test_who_gives_up_is_not_asked_for_and_harms_nobody(system: System, clock: VirtualClock) -> None:
    poller = system.poller()
    impatient = asyncio.create_task(poller.next("impatient", 5))
    patient = asyncio.create_task(poller.next("patient", 5))
    twin = asyncio.create_task(poller.next("impatient", 20))
    await settle()
    impatient.cancel()
    await clock.advance(6)
    assert await patient == "patient runs"
    assert system.looks == [(5, ["patient"])]
    await clock.advance(20)
    assert await twin == "impatient runs"


async def test_who_gives_up_during_the_look_harms_nobody(system: System, clock: VirtualClock) -> None:
    poller = system.poller()
    waiting = [asyncio.create_task(poller.next(f"run-{number}", 5)) for number in range(3)]
    await clock.advance(5.1)
    waiting[1].cancel()
    await clock.advance(1)
    assert (await waiting[0], await waiting[2]) == ("run-0 runs", "run-2 runs")


async def test_polling_leaves_room_in_the_budget(system: System, clock: VirtualClock) -> None:
    poller = system.poller(spacing=4)

    async def follow(key: str) -> None:
        for _ in range(4):
            await poller.next(key, 0.5)

    async def everybody() -> None:
        await asyncio.gather(*(follow(f"run-{number}") for number in range(60)))

    await clock.run(everybody())
    moments = [at for at, _ in system.looks]
    assert len(moments) > 4
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 4


async def test_nobody_is_passed_over_by_those_who_ask_more_often(system: System, clock: VirtualClock) -> None:
    poller = system.poller(spacing=4)

    async def hurry(key: str) -> None:
        while True:
            await poller.next(key, 0)

    hurried = [asyncio.create_task(hurry(f"run-{number}")) for number in range(2 * BATCH)]
    await clock.run(poller.next("patient", 10))
    assert clock.monotonic() <= 10 + 3 * 4.2 + 0.2
    for each in hurried:
        each.cancel()


@pytest.mark.parametrize(
    ("age", "seconds"), [(0, 2), (7, 2), (8, 2), (60, 15), (119, pytest.approx(29.8, abs=0.1)), (120, 30), (9999, 30)]
)
def test_the_interval_grows_with_the_age_of_a_run(age: float, seconds: float) -> None:
    assert adaptive_interval(age) == seconds
