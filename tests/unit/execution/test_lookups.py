from __future__ import annotations

import asyncio

import pytest

from provider_py.execution import Lookups, Unanswered
from tests.support.clock import settle


class System:
    """Answers when released, and counts its look-ups."""

    def __init__(self) -> None:
        self.sent = 0
        self.free = asyncio.Event()
        self.fault: Exception | None = None

    async def look_up(self) -> str:
        self.sent += 1
        await self.free.wait()
        if self.fault is not None:
            raise self.fault
        return f"answer {self.sent}"


async def test_equal_look_ups_in_flight_are_sent_once() -> None:
    system, lookups = System(), Lookups()
    waiting = [asyncio.create_task(lookups.get("name", system.look_up)) for _ in range(20)]
    await settle()
    system.free.set()
    assert await asyncio.gather(*waiting) == ["answer 1"] * 20
    assert system.sent == 1


async def test_an_answer_is_kept_for_its_key_only() -> None:
    system, lookups = System(), Lookups()
    system.free.set()
    assert await lookups.get(("workflow", "a"), system.look_up) == "answer 1"
    assert await lookups.get(("workflow", "a"), system.look_up) == "answer 1"
    assert await lookups.get(("workflow", "b"), system.look_up) == "answer 2"


async def test_a_fault_reaches_every_caller_and_is_not_kept() -> None:
    system, lookups = System(), Lookups()
    system.fault = Unanswered("Harness", "no answer")
    waiting = [asyncio.create_task(lookups.get("name", system.look_up)) for _ in range(3)]
    await settle()
    system.free.set()
    assert await asyncio.gather(*waiting, return_exceptions=True) == [system.fault] * 3
    system.fault = None
    assert await lookups.get("name", system.look_up) == "answer 2"


async def test_a_cancelled_caller_does_not_cancel_the_look_up() -> None:
    system, lookups = System(), Lookups()
    first, second = (asyncio.create_task(lookups.get("name", system.look_up)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    system.free.set()
    assert await second == "answer 1"
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await lookups.get("name", system.look_up) == "answer 1"
