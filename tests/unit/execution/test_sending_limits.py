"""What is sent under a limit: nothing new after it, and nothing that was sent is cut off by it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from aiohttp import web

from provider_py.execution import Interrupted, Lookups, NotStarted, Runtime
from provider_py.execution.budget import Budget
from provider_py.execution.runtime import Limit, sending_within
from provider_py.execution.tokens import Token, TokenAuth
from provider_py.execution.transport import Channel
from tests.support.clock import Clock
from tests.support.http import Answer, Server, reply, serving, silence
from tests.support.waiting import eventually
from tests.unit.execution.channels import channel

SECONDS = 60.0
PACE = 200.0
REFUSED = reply(429, '{"message": "slow down"}')
PAUSE_OF_TEN_MINUTES = reply(429, '{"message": "slow down"}', Retry_After="600")


@dataclass
class Line:
    """A channel to a server, on a clock that a limit of SECONDS is measured with."""

    channel: Channel
    server: Server
    runtime: Runtime
    clock: Clock

    async def start(self) -> httpx2.Response:
        """Send what must not be sent twice, under the limit."""
        with sending_within(Limit(self.clock.monotonic() + SECONDS, "timeouts.create", "Acme")):
            return await self.channel.post(f"{self.server.url}/runs")

    async def assert_nothing_follows(self) -> None:
        """Check that nothing is sent in ten minutes to come."""
        asked = len(self.server.asked)
        await asyncio.sleep(600 / PACE / 3)
        assert len(self.server.asked) == asked


@asynccontextmanager
async def line(answers: Sequence[Answer], *, requests: int | None = None, **options: Any) -> AsyncIterator[Line]:
    """Open a channel, which may send so many `requests` in ten minutes."""
    clock = Clock(PACE)
    runtime = Runtime(asyncio.Event(), clock)
    if requests is not None:
        options["budget"] = Budget(requests, 600, runtime)
    async with serving(answers) as server, channel(runtime, **options) as opened:
        yield Line(opened, server, runtime, clock)


async def test_a_requested_pause_beyond_the_limit_is_not_begun() -> None:
    async with line([PAUSE_OF_TEN_MINUTES]) as wire:
        with pytest.raises(NotStarted, match=r"slow down, and timeouts\.create passes before") as caught:
            await wire.start()
        assert wire.clock.slept == []
        assert "parallelism" in caught.value.advice
        assert len(wire.server.asked) == 1


async def test_pauses_end_at_the_limit() -> None:
    async with line([REFUSED]) as wire:
        with pytest.raises(NotStarted):
            await wire.start()
        assert 2 <= len(wire.server.asked) <= 6  # after pauses of 1, 2, 4, 8 and 16 seconds
        await wire.assert_nothing_follows()


async def test_refused_connections_are_not_tried_again_after_the_limit() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}/runs"
        clock = Clock(20)
        async with channel(Runtime(asyncio.Event(), clock)) as opened:
            limit = Limit(clock.monotonic() + 6, "timeouts.create", "Acme")
            with sending_within(limit), pytest.raises(NotStarted, match=r"no connection .* timeouts\.create passes"):
                await opened.post(address)


async def test_the_wait_for_the_budget_ends_at_the_limit() -> None:
    async with line([reply()], requests=1) as wire:
        await wire.start()
        with pytest.raises(NotStarted, match=r"Acme: timeouts\.create passed before the request could be sent"):
            await asyncio.gather(*(wire.start() for _ in range(3)))
        await wire.assert_nothing_follows()
        assert len(wire.server.asked) == 1


async def test_a_request_that_was_sent_is_not_cut_off() -> None:
    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(2 * SECONDS / PACE)
        return web.json_response({"id": "run-1"})

    async with line([late]) as wire:
        began = wire.clock.monotonic()
        assert (await wire.start()).json() == {"id": "run-1"}
        assert wire.clock.monotonic() - began >= SECONDS


@pytest.mark.parametrize("ends", ["limit", "stop"])
async def test_a_request_that_waits_for_a_connection_is_not_sent_any_more(ends: str) -> None:
    """The only connection is taken until after the limit."""
    free = asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        await free.wait()
        return web.json_response({})

    transport = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=1))
    async with line([hold, reply()], transport=transport) as wire:
        first = asyncio.create_task(wire.channel.post(wire.server.url))
        await eventually(lambda: bool(wire.server.asked), "first request")
        second = asyncio.create_task(wire.start())
        await asyncio.sleep(0.1 if ends == "stop" else SECONDS / PACE + 0.1)
        if ends == "stop":
            wire.runtime.stop.set()
        free.set()
        with pytest.raises(Interrupted if ends == "stop" else NotStarted):
            await second
        await first
        assert len(wire.server.asked) == 1


async def test_nothing_is_sent_after_a_stop() -> None:
    async with line([reply()]) as wire:
        wire.runtime.stop.set()
        with pytest.raises(Interrupted):
            await wire.channel.get(wire.server.url)
        assert wire.server.asked == []


@asynccontextmanager
async def signing_in(*answers: Answer) -> AsyncIterator[tuple[Line, Line]]:
    """Open a channel whose token comes from another, which gives these answers."""
    async with line(answers) as login:

        async def fetch() -> Token:
            return Token((await login.channel.post(f"{login.server.url}/token")).json()["token"])

        auth = TokenAuth(fetch, login.runtime, "`acme.token`")
        async with serving([reply()]) as server, channel(login.runtime, auth=auth) as opened:
            yield Line(opened, server, login.runtime, login.clock), login


@pytest.mark.parametrize("answer", [REFUSED, PAUSE_OF_TEN_MINUTES], ids=["short pauses", "a long pause"])
async def test_signing_in_for_a_request_ends_at_its_limit(answer: Answer) -> None:
    async with signing_in(answer) as (wire, login):
        with pytest.raises(NotStarted, match=r"timeouts\.create passed"):
            await wire.start()
        await login.assert_nothing_follows()
        assert wire.server.asked == []


async def test_signing_in_goes_on_for_whoever_waits_longer() -> None:
    answers = [reply(429, "{}", Retry_After="90"), reply(200, '{"token": "a"}')]
    async with signing_in(*answers) as (wire, login):
        short, long = asyncio.create_task(wire.start()), asyncio.create_task(wire.channel.post(wire.server.url))
        with pytest.raises(NotStarted):
            await short
        assert (await long).status_code == 200
        assert len(login.server.asked) == 2


async def test_a_sign_in_under_way_is_kept_although_nobody_waits_for_it_any_more() -> None:
    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(2 * SECONDS / PACE)
        return web.json_response({"token": "a"})

    async with signing_in(late) as (wire, login):
        with pytest.raises(NotStarted):
            await wire.start()
        await asyncio.sleep(1.5 * SECONDS / PACE)
        assert (await wire.start()).status_code == 200
        assert len(login.server.asked) == 1


async def test_the_limit_of_one_caller_is_not_that_of_a_shared_look_up() -> None:
    lookups = Lookups()
    async with line([reply(429, "{}", Retry_After="90"), reply()]) as wire:

        def look_up() -> Awaitable[httpx2.Response]:
            return wire.runtime.unless_stopped(lookups.get("key", lambda: wire.channel.get(wire.server.url)))

        async def limited(call: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
            with sending_within(Limit(wire.clock.monotonic() + SECONDS)):
                return await call()

        short = asyncio.create_task(limited(look_up))
        await asyncio.sleep(0.05)
        long = asyncio.ensure_future(look_up())
        with pytest.raises(NotStarted):
            await short
        assert (await long).status_code == 200


async def test_a_silent_system_costs_no_request_after_the_limit() -> None:
    async with line([silence], timeout=0.5) as wire:
        with sending_within(Limit(wire.clock.monotonic() + SECONDS)), pytest.raises(NotStarted):
            await wire.channel.get(wire.server.url)
        assert len(wire.server.asked) == 1
