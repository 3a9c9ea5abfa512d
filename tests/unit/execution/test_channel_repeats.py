"""Which requests are repeated, and how often: counted where they arrive."""

from __future__ import annotations

import asyncio
import socket

import httpx2
import pytest
from aiohttp import web

from provider_py.execution import Interrupted, RateLimited, Runtime, Unanswered, Unreachable
from provider_py.execution.budget import Budget
from provider_py.execution.transport import ATTEMPTS, PATIENCE_SECONDS
from tests.support.clock import EPOCH, INSTANT, Clock
from tests.support.http import Answer, cut, page, reply, serving, silence, truncated
from tests.unit.execution.channels import channel, line

UNREADABLE = {
    "server error": reply(503, '{"message": "down for repairs"}'),
    "connection cut": cut,
    "answer cut": truncated,
    "web page": page(),
    "gateway page": page(502),
    "half of a JSON text": reply(200, '{"ok": tr'),
}
unreadable = pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE.keys())


@unreadable
async def test_a_safe_request_is_repeated_until_it_is_answered(answer: Answer) -> None:
    async with line(answer, answer, reply()) as wire:
        assert (await wire.get()).json() == {"ok": True}
        assert len(wire.server.asked) == 3
        assert len(wire.clock.slept) == 2


@unreadable
async def test_a_safe_request_is_repeated_a_limited_number_of_times(answer: Answer) -> None:
    async with line(answer) as wire:
        with pytest.raises(Unanswered):
            await wire.get()
        assert len(wire.server.asked) == ATTEMPTS
        assert sum(wire.clock.slept) == pytest.approx(15, abs=ATTEMPTS)


@unreadable
async def test_an_unsafe_request_is_sent_once(answer: Answer) -> None:
    async with line(answer, reply()) as wire:
        with pytest.raises(Unanswered):
            await wire.post()
        assert len(wire.server.asked) == 1
        assert wire.clock.slept == []


async def test_a_silent_server_is_given_up_at_the_time_limit() -> None:
    async with line(silence, reply(), timeout=0.1) as wire:
        assert (await wire.get()).status_code == 200
        assert len(wire.server.asked) == 2
    async with line(silence, reply(), timeout=0.1) as wire:
        with pytest.raises(Unanswered, match=r"POST 127\.0\.0\.1/things was not answered within 0\.1 s"):
            await wire.post()
        assert len(wire.server.asked) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_that_was_never_sent_is_repeated(method: str) -> None:
    """The port is closed at first; the server listens on it when the pause between two tries is over."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}/things"
        clock = Clock(INSTANT)
        async with channel(Runtime(asyncio.Event(), clock)) as opened:
            with pytest.raises(Unreachable) as caught:
                await opened.request(method, address)
        assert len(clock.slept) == ATTEMPTS - 1
        assert "no connection to 127.0.0.1" in str(caught.value)
        assert "proxy" in caught.value.advice


async def test_an_unsafe_request_is_repeated_until_a_connection_is_made() -> None:
    tries: list[httpx2.Request] = []

    class Flaky(httpx2.AsyncHTTPTransport):
        """Refuses two connections, as a host does that is starting."""

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            tries.append(request)
            if len(tries) < 3:
                raise httpx2.ConnectError("refused")
            return await super().handle_async_request(request)

    async with line(reply(), transport=Flaky()) as wire:
        assert (await wire.post()).status_code == 200
        assert (len(tries), len(wire.server.asked)) == (3, 1)


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("7", 7),
        ("1", 1),
        ("2.5", 2.5),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("2023-11-14T22:13:50Z", 30),
        ("2023-11-14T23:13:50+01:00", 30),
        ("2023-11-14T22:13:50", 30),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_429_is_repeated_after_the_requested_pause(method: str, header: str, pause: float) -> None:
    assert EPOCH == 1_700_000_000
    now = "Tue, 14 Nov 2023 22:13:20 GMT"
    async with line(reply(429, "{}", Retry_After=header, Date=now), reply()) as wire:
        answer = await wire.channel.request(method, f"{wire.server.url}/things")
        assert answer.status_code == 200
        assert wire.clock.slept == [pytest.approx(pause)]
        assert len(wire.server.asked) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *(
            {"Retry_After": text}
            for text in ("", "soon", "0", "-5", "0.001", "nan", "-inf", "Tue, 14 Nov 2023 22:00:00 GMT", "0001-01-01")
        ),
    ],
)
async def test_pauses_grow_when_none_is_requested(headers: dict[str, str]) -> None:
    async with line(*[reply(429, "{}", **headers)] * 8, reply()) as wire:
        await wire.post()
        assert len(wire.server.asked) == 9
        slept = wire.clock.slept
        for pause, least in zip(slept, (1, 2, 4, 8, 16, 30, 30, 30), strict=True):
            assert least <= pause <= min(least + 1, 30)


async def test_429s_are_repeated_for_a_limited_time() -> None:
    async with line(reply(429, "{}", Retry_After="100")) as wire:
        with pytest.raises(RateLimited) as caught:
            await wire.post()
        assert wire.clock.monotonic() <= PATIENCE_SECONDS
        assert len(wire.server.asked) == 10
        assert caught.value.retry_after == 100
        assert "parallelism" in caught.value.advice


async def test_a_requested_pause_beyond_the_limit_fails_at_once() -> None:
    async with line(reply(429, "{}", Retry_After="86400")) as wire:
        with pytest.raises(RateLimited):
            await wire.get()
        assert wire.clock.slept == []


@pytest.mark.parametrize("status", [429, 503])
async def test_a_pause_ends_when_terraform_stops(status: int) -> None:
    stop, clock = asyncio.Event(), Clock()

    async def answer_and_stop(request: web.Request) -> web.StreamResponse:
        stop.set()
        return web.json_response({}, status=status)

    async with serving([answer_and_stop]) as server, channel(Runtime(stop, clock)) as opened:
        with pytest.raises(Interrupted):
            await opened.get(server.url)
        assert len(server.asked) == 1


async def test_every_attempt_is_paid_from_the_budget() -> None:
    clock, stop = Clock(INSTANT), asyncio.Event()
    runtime = Runtime(stop, clock)
    answers = [reply(503, "{}")] * 3
    async with (
        serving([*answers, reply()]) as server,
        channel(runtime, budget=Budget(2, 60, runtime)) as opened,
    ):
        await opened.get(f"{server.url}/things")
        assert len(server.asked) == 4
        assert clock.monotonic() >= 60
