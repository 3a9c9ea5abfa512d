"""What every status from 300 to 599 means for a start, and for a request that may be repeated."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from provider_py.execution import (
    Missing,
    NotStarted,
    RateLimited,
    Refused,
    Runtime,
    SystemFault,
    Unanswered,
    Unauthorized,
)
from provider_py.execution.transport import ATTEMPTS
from tests.support.clock import INSTANT, Clock
from tests.support.http import reply
from tests.unit.execution.channels import channel, line

NOT_STARTED = {
    301: Refused,
    307: Refused,
    308: Refused,
    400: Refused,
    401: Unauthorized,
    402: Refused,
    403: Unauthorized,
    404: Missing,
    405: Refused,
    406: Refused,
    407: Refused,
    409: Refused,
    410: Refused,
    411: Refused,
    412: Refused,
    413: Refused,
    414: Refused,
    415: Refused,
    417: Refused,
    421: Refused,
    422: Refused,
    423: Refused,
    426: Refused,
    428: Refused,
    429: RateLimited,
    431: Refused,
    451: Refused,
}
"""The closed list of the answers after which nothing was started."""
WORTH_REPEATING = {408, 425, *range(500, 600)}


async def outcome(method: str, status: int) -> tuple[SystemFault, int]:
    """Send a request that is always answered with this status; return the fault and how often it was sent."""
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(status, json={"message": "the reason"}, headers={"retry-after": "600"})

    async with channel(Runtime(asyncio.Event(), Clock(INSTANT)), transport=httpx2.MockTransport(answer)) as opened:
        with pytest.raises(SystemFault, match=str(status)) as caught:
            await opened.request(method, "http://127.0.0.1/things")
    return caught.value, len(sent)


@pytest.mark.parametrize("status", range(300, 600))
async def test_a_start_counts_as_not_started_only_after_a_status_of_the_closed_list(status: int) -> None:
    fault, sent = await outcome("POST", status)
    assert type(fault) is NOT_STARTED.get(status, Unanswered)
    assert isinstance(fault, NotStarted) is (status in NOT_STARTED)
    assert sent == (2 if status == 429 else 1)
    assert "the reason" in fault.reason


@pytest.mark.parametrize("status", range(300, 600))
async def test_a_request_that_starts_nothing_is_repeated_only_where_that_may_help(status: int) -> None:
    fault, sent = await outcome("GET", status)
    assert type(fault) is NOT_STARTED.get(status, Unanswered if status in WORTH_REPEATING else Refused)
    assert sent == (ATTEMPTS if status in WORTH_REPEATING else 2 if status == 429 else 1)


@pytest.mark.parametrize("status", [302, 303, 408, 418, 424, 425, 499])
async def test_an_ambiguous_answer_over_a_socket_leaves_open_whether_a_start_arrived(status: int) -> None:
    async with line(reply(status, "{}", Location="https://elsewhere.example"), reply()) as wire:
        with pytest.raises(Unanswered):
            await wire.post()
        assert len(wire.server.asked) == 1
