"""Whoever stops waiting for a request, at a deadline or because Terraform stops, ends its repetitions at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from provider_py.execution import Lookups, Runtime, Unanswered
from provider_py.execution.budget import Budget
from tests.support.clock import Clock, settle
from tests.support.http import reply, serving, silence
from tests.unit.execution.channels import channel

DEADLINE = 20.0
PACE = 100.0


@pytest.mark.parametrize(
    ("answer", "sent"),
    [(silence, 1), (reply(503, "{}"), 5), (reply(429, "{}", Retry_After="60"), 1), (reply(429, "{}"), 5)],
    ids=["silence", "503", "long pause", "short pauses"],
)
async def test_a_deadline_ends_the_repetitions_of_a_request(answer: Any, sent: int) -> None:
    clock = Clock(PACE)
    runtime = Runtime(asyncio.Event(), clock)
    async with serving([answer]) as server, channel(runtime) as opened:
        began = clock.monotonic()
        with pytest.raises((TimeoutError, Unanswered)):
            await runtime.unless_stopped(opened.get(server.url), seconds=DEADLINE)
        assert clock.monotonic() - began < DEADLINE + 10
        await settle()  # a request that is on its way still arrives
        assert 1 <= len(server.asked) <= sent
        asked = len(server.asked)
        await asyncio.sleep(0.5)
        assert len(server.asked) == asked


async def test_a_deadline_ends_the_wait_for_the_budget() -> None:
    runtime = Runtime(asyncio.Event(), Clock(PACE))
    async with serving([reply()]) as server, channel(runtime, budget=Budget(1, 60, runtime)) as opened:
        await opened.get(server.url)
        with pytest.raises(TimeoutError):
            await runtime.unless_stopped(opened.get(server.url), seconds=DEADLINE)
        await asyncio.sleep(0.6)
        assert len(server.asked) == 1
        await opened.get(server.url)  # and whoever waits on is served


async def test_a_look_up_that_nobody_waits_for_is_given_up() -> None:
    clock = Clock(PACE)
    runtime, lookups = Runtime(asyncio.Event(), clock), Lookups()
    async with serving([silence, reply()]) as server, channel(runtime, timeout=60) as opened:
        for answered in (False, True):
            look_up = lookups.get("key", lambda: opened.get(server.url))
            if answered:
                assert (await look_up).status_code == 200
            else:
                with pytest.raises(TimeoutError):
                    await runtime.unless_stopped(look_up, seconds=DEADLINE)
                await settle()
        assert len(server.asked) == 2


async def test_a_look_up_goes_on_while_another_waits_for_it() -> None:
    calls: list[asyncio.Event] = []

    async def look_up() -> str:
        calls.append(asyncio.Event())
        await calls[-1].wait()
        return "answer"

    lookups = Lookups()
    waiting = [asyncio.create_task(lookups.get("key", look_up)) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    await settle()
    calls[0].set()
    assert await asyncio.gather(*waiting[1:]) == ["answer"] * 2
    assert await lookups.get("key", look_up) == "answer"
    assert len(calls) == 1


async def test_a_look_up_is_sent_again_at_once_after_the_last_has_left() -> None:
    calls = 0

    async def look_up() -> int:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0 if calls > 1 else 3600)
        return calls

    lookups = Lookups()
    leaving = asyncio.create_task(lookups.get("key", look_up))
    await settle()
    leaving.cancel()
    await asyncio.sleep(0)
    assert await lookups.get("key", look_up) == 2
    assert await lookups.get("key", look_up) == 2
