"""Whatever a system says in Retry-After, and whatever the clocks show, it is not asked in a hot loop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from provider_py.execution import RateLimited, Runtime
from provider_py.execution.transport import PATIENCE_SECONDS, SHORTEST_PAUSE_SECONDS, retry_after
from tests.support.clock import EPOCH, Clock
from tests.support.http import reply, serving
from tests.unit.execution.channels import channel, line

MOMENTS = st.datetimes(timezones=st.just(UTC))
HEADERS = st.one_of(
    st.text(),
    st.integers().map(str),
    st.floats().map(str),
    MOMENTS.map(lambda moment: format_datetime(moment, usegmt=True)),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.from_regex(r"[0-9]{1,4}-[0-9]{2}-[0-9]{2}([T ][0-9:.+-]*Z?)?", fullmatch=True),
)


@settings(deadline=None)
@given(header=HEADERS, now=st.floats(0, 4e9))
def test_a_requested_pause_is_never_shorter_than_the_floor(header: str, now: float) -> None:
    pause = retry_after(header, now)
    assert pause is None or pause >= SHORTEST_PAUSE_SECONDS


@settings(deadline=None)
@given(seconds=st.integers(1, 10**6))
def test_a_pause_in_seconds_is_followed(seconds: int) -> None:
    assert retry_after(str(seconds), EPOCH) == seconds


@settings(deadline=None)
@given(seconds=st.integers(1, 10**6))
def test_a_pause_until_a_date_is_followed(seconds: int) -> None:
    moment = datetime.fromtimestamp(EPOCH + seconds, UTC)
    for header in (format_datetime(moment, usegmt=True), moment.isoformat()):
        assert retry_after(header, EPOCH) == seconds


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_date_is_read_by_the_clock_of_the_system_that_named_it(hours: int) -> None:
    there = datetime.fromtimestamp(EPOCH, UTC) + timedelta(hours=hours)
    headers = {
        "Date": format_datetime(there, usegmt=True),
        "Retry_After": format_datetime(there + timedelta(seconds=40), usegmt=True),
    }
    async with line(reply(429, "{}", **headers), reply()) as wire:
        await wire.get()
        assert wire.clock.slept == [40]


@pytest.mark.parametrize(
    ("method", "header"), [("GET", "0"), ("POST", "0"), ("POST", "Tue, 14 Nov 2023 22:13:20 GMT"), ("GET", "0.2")]
)
async def test_a_system_that_asks_for_no_pause_gets_at_most_one_request_a_second(method: str, header: str) -> None:
    clock = Clock(1200)
    arrivals: list[float] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        arrivals.append(clock.monotonic())
        return web.json_response({}, status=429, headers={"Retry-After": header})

    async with serving([refuse]) as server, channel(Runtime(asyncio.Event(), clock)) as opened:
        with pytest.raises(RateLimited):
            await asyncio.wait_for(opened.request(method, server.url), 20)
    assert 20 < len(arrivals) < 40  # in PATIENCE_SECONDS: pauses of 1, 2, 4, 8, 16 and then 30 seconds
    assert all(later - earlier >= SHORTEST_PAUSE_SECONDS for earlier, later in pairwise(arrivals))
    assert arrivals[-1] - arrivals[0] <= PATIENCE_SECONDS + 30
