from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from provider_py.execution import Missing, PollSource, Runtime, SystemFault, Unanswered
from provider_py.execution.poller import Poller, adaptive_interval
from tests.support.clock import Clock, settle

BATCH = 25


class System:
    """Answers polls, and keeps when which runs were polled."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.polls: list[tuple[float, Sequence[str]]] = []
        self.faults: list[Exception] = []
        self.answers: dict[str, str | SystemFault | None] = {}

    async def poll(self, keys: Sequence[str]) -> Mapping[str, str | SystemFault]:
        self.polls.append((self.clock.monotonic(), list(keys)))
        await self.clock.sleep(0.2)
        if self.faults:
            raise self.faults.pop(0)
        answers = {key: self.answers.get(key, f"{key} runs") for key in keys}
        return {key: answer for key, answer in answers.items() if answer is not None}

    def poller(self, spacing: float = 0.0) -> Poller[str, str]:
        runtime = Runtime(asyncio.Event(), self.clock)
        return Poller(PollSource(self.poll, BATCH, lambda: spacing), runtime)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def system(clock: Clock) -> System:
    return System(clock)


@pytest.mark.parametrize("waiters", [1, 25, 26, 100])
async def test_waiting_runs_share_the_requests_of_a_round(system: System, clock: Clock, waiters: int) -> None:
    poller = system.poller()
    keys = [f"run-{number}" for number in range(waiters)]

    async def two_rounds() -> list[str | None]:
        await asyncio.gather(*(poller.next(key, 5) for key in keys))
        return await asyncio.gather(*(poller.next(key, 5) for key in keys))

    assert await clock.run(two_rounds()) == [f"{key} runs" for key in keys]
    assert len(system.polls) == 2 * math.ceil(waiters / BATCH)
    for number in (0, 1):
        share = math.ceil(waiters / BATCH)
        polled = [key for _, batch in system.polls[number * share : (number + 1) * share] for key in batch]
        assert sorted(polled) == sorted(keys)


async def test_a_run_is_polled_when_it_is_due(system: System, clock: Clock) -> None:
    poller = system.poller()
    await clock.run(poller.next("run", 7.5))
    assert system.polls == [(7.5, ["run"])]


async def test_runs_that_are_nearly_due_are_polled_along(system: System, clock: Clock) -> None:
    poller = system.poller()

    async def all_callers() -> None:
        await asyncio.gather(poller.next("due", 10), poller.next("near", 18), poller.next("far", 30))

    await clock.run(all_callers())
    assert [(at, sorted(keys)) for at, keys in system.polls] == [(10, ["due", "near"]), (30, ["far"])]


async def test_an_urgent_poll_is_not_delayed(system: System, clock: Clock) -> None:
    poller = system.poller()
    patient = asyncio.create_task(poller.next("slow", 30))
    await clock.advance(1)
    assert await clock.run(poller.next("at once", 0)) == "at once runs"
    assert system.polls == [(1, ["at once"])]
    await clock.advance(30)
    assert await patient == "slow runs"


async def test_two_callers_for_the_same_run_share_the_poll(system: System, clock: Clock) -> None:
    poller = system.poller()

    async def both() -> list[str | None]:
        return await asyncio.gather(*(poller.next("run", seconds) for seconds in (2, 3)))

    assert await clock.run(both()) == ["run runs"] * 2
    assert system.polls == [(2, ["run"])]


async def test_a_fault_reaches_every_caller_of_the_request_and_the_next_poll_succeeds(
    system: System, clock: Clock
) -> None:
    poller = system.poller()
    fault = Unanswered("Harness", "no answer")
    system.faults = [fault]

    async def all_callers() -> list[str | BaseException | None]:
        return await asyncio.gather(*(poller.next(f"run-{n}", 2) for n in range(BATCH)), return_exceptions=True)

    assert await clock.run(all_callers()) == [fault] * BATCH
    assert await clock.run(poller.next("run-0", 2)) == "run-0 runs"


async def test_every_run_gets_its_own_answer(system: System, clock: Clock) -> None:
    poller = system.poller()
    fault = Missing("Harness", "not visible")
    system.answers = {"refused": fault, "gone": None}

    async def all_callers() -> list[str | BaseException | None]:
        keys = ("refused", "gone", "known")
        return await asyncio.gather(*(poller.next(key, 2) for key in keys), return_exceptions=True)

    assert await clock.run(all_callers()) == [fault, None, "known runs"]
    assert len(system.polls) == 1


async def test_a_cancelled_caller_is_not_polled_for(system: System, clock: Clock) -> None:
    poller = system.poller()
    impatient = asyncio.create_task(poller.next("impatient", 5))
    patient = asyncio.create_task(poller.next("patient", 5))
    twin = asyncio.create_task(poller.next("impatient", 20))
    await settle()
    impatient.cancel()
    await clock.advance(6)
    assert await patient == "patient runs"
    assert system.polls == [(5, ["patient"])]
    await clock.advance(20)
    assert await twin == "impatient runs"


async def test_a_caller_cancelled_during_the_request_does_not_disturb_others(system: System, clock: Clock) -> None:
    poller = system.poller()
    waiting = [asyncio.create_task(poller.next(f"run-{number}", 5)) for number in range(3)]
    await clock.advance(5.1)
    waiting[1].cancel()
    await clock.advance(1)
    assert (await waiting[0], await waiting[2]) == ("run-0 runs", "run-2 runs")


async def test_polling_leaves_room_in_the_budget(system: System, clock: Clock) -> None:
    poller = system.poller(spacing=4)

    async def follow(key: str) -> None:
        for _ in range(4):
            await poller.next(key, 0.5)

    async def all_callers() -> None:
        await asyncio.gather(*(follow(f"run-{number}") for number in range(60)))

    await clock.run(all_callers())
    moments = [at for at, _ in system.polls]
    assert len(moments) > 4
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 4


async def test_frequent_callers_do_not_starve_others(system: System, clock: Clock) -> None:
    poller = system.poller(spacing=4)

    async def hurry(key: str) -> None:
        while True:
            await poller.next(key, 0)

    hurried = [asyncio.create_task(hurry(f"run-{number}")) for number in range(2 * BATCH)]
    await clock.run(poller.next("patient", 10))
    assert clock.monotonic() <= 10 + 3 * 4.2 + 0.2
    for task in hurried:
        task.cancel()


@pytest.mark.parametrize(
    ("age", "seconds"), [(0, 2), (7, 2), (8, 2), (60, 15), (119, pytest.approx(29.8, abs=0.1)), (120, 30), (9999, 30)]
)
def test_the_adaptive_interval_grows_with_the_time_waited(age: float, seconds: float) -> None:
    assert adaptive_interval(age) == seconds
