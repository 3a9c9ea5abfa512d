from __future__ import annotations

import asyncio

import pytest

from provider_py.execution.errors import Unanswered
from provider_py.execution.lookups import Lookups
from tests.support.clock import settle


class System:
    """Answers when told, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.free = asyncio.Event()
        self.fault: Exception | None = None

    async def ask(self) -> str:
        self.asked += 1
        await self.free.wait()
        if self.fault is not None:
            raise self.fault
        return f"answer {self.asked}"


async def test_the_same_question_in_flight_is_asked_once() -> None:
    system, lookups = System(), Lookups()
    waiting = [asyncio.create_task(lookups.get("name", system.ask)) for _ in range(20)]
    await settle()
    system.free.set()
    assert await asyncio.gather(*waiting) == ["answer 1"] * 20
    assert system.asked == 1


async def test_an_answer_is_remembered_for_its_key_only() -> None:
    system, lookups = System(), Lookups()
    system.free.set()
    assert await lookups.get(("workflow", "a"), system.ask) == "answer 1"
    assert await lookups.get(("workflow", "a"), system.ask) == "answer 1"
    assert await lookups.get(("workflow", "b"), system.ask) == "answer 2"


async def test_a_fault_reaches_everybody_and_is_not_remembered() -> None:
    system, lookups = System(), Lookups()
    system.fault = Unanswered("Harness", "no answer")
    waiting = [asyncio.create_task(lookups.get("name", system.ask)) for _ in range(3)]
    await settle()
    system.free.set()
    assert await asyncio.gather(*waiting, return_exceptions=True) == [system.fault] * 3
    system.fault = None
    assert await lookups.get("name", system.ask) == "answer 2"


async def test_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    system, lookups = System(), Lookups()
    first, second = (asyncio.create_task(lookups.get("name", system.ask)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    system.free.set()
    assert await second == "answer 1"
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await lookups.get("name", system.ask) == "answer 1"
