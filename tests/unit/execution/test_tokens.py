from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from aiohttp import web

from provider_py.execution.errors import (
    Interrupted,
    Missing,
    NotStarted,
    RateLimited,
    Refused,
    SystemFault,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from provider_py.execution.runtime import Runtime
from provider_py.execution.tokens import Token, TokenAuth
from provider_py.plugin import DiagnosticError, error, redact
from tests.support.clock import InstantClock, VirtualClock, settle
from tests.support.http import serving
from tests.unit.execution.channels import CREDENTIALS, channel

Send = Callable[[], Awaitable[httpx2.Response]]


class Login:
    """Gives tokens, and counts them; the API below takes the newest one only."""

    def __init__(self, seconds: float | None = None) -> None:
        self.given = 0
        self.seconds = seconds
        self.fault: Exception | None = None
        self.seen: list[str] = []

    @property
    def newest(self) -> str:
        return f"token-number-{self.given}"

    async def fetch(self) -> Token:
        await asyncio.sleep(0.01)
        if self.fault is not None:
            raise self.fault
        self.given += 1
        return Token(self.newest, self.seconds)

    async def api(self, request: web.Request) -> web.StreamResponse:
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        return web.json_response({}, status=200 if token == self.newest else 401)


@pytest.fixture
def clock() -> InstantClock:
    return InstantClock()


@asynccontextmanager
async def signed_in(login: Login, clock: InstantClock) -> AsyncIterator[Send]:
    auth = TokenAuth(login.fetch, clock, CREDENTIALS)
    async with serving([login.api]) as server, channel(Runtime(asyncio.Event(), clock), auth=auth) as opened:
        yield lambda: opened.post(server.url)


async def test_requests_at_one_moment_share_one_token(clock: InstantClock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        answers = await asyncio.gather(*(send() for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        await send()
        assert login.given == 1


async def test_a_token_is_renewed_before_it_expires(clock: InstantClock) -> None:
    login = Login(seconds=900)
    async with signed_in(login, clock) as send:
        await send()
        await clock.sleep(800)
        await send()
        assert login.given == 1
        await clock.sleep(20)
        await send()
        assert login.given == 2
        assert login.seen == ["token-number-1"] * 2 + ["token-number-2"]


async def test_a_token_without_a_life_time_is_used_until_it_is_refused(clock: InstantClock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        await send()
        await clock.sleep(10**6)
        await send()
        assert login.given == 1


async def test_a_refused_token_is_renewed_once_for_all(clock: InstantClock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        await send()
        login.given = 7  # the system has dropped the token
        answers = await asyncio.gather(*(send() for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert login.given == 8
        assert login.seen.count("token-number-8") == 10


async def test_a_new_token_that_is_refused_too_is_the_end(clock: InstantClock) -> None:
    login = Login()

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    auth = TokenAuth(login.fetch, clock, CREDENTIALS)
    async with serving([refuse]) as server, channel(Runtime(asyncio.Event(), clock), auth=auth) as opened:
        with pytest.raises(Unauthorized):
            await opened.post(server.url)
        assert (login.given, len(server.asked)) == (2, 2)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Unauthorized("Acme", "the reason"), Unauthorized),
        (Refused("Acme", "the reason"), Unauthorized),
        (Missing("Acme", "the reason"), Unauthorized),
        (Unreachable("Acme", "the reason"), NotStarted),
        (RateLimited("Acme", "the reason"), NotStarted),
        (Unanswered("Acme", "the reason"), NotStarted),
        (Interrupted("Acme", "the reason"), Interrupted),
    ],
)
async def test_without_a_token_nothing_is_sent_and_nothing_is_tried_again(
    clock: InstantClock, fault: SystemFault, kind: type[SystemFault]
) -> None:
    """The channel that fetches tokens repeats by itself; a request that needs one must not look sent."""
    login = Login()
    login.fault = fault
    async with signed_in(login, clock) as send:
        with pytest.raises(SystemFault) as caught:
            await send()
        assert type(caught.value) is kind
        assert "the reason" in caught.value.reason
        if type(fault) in {Refused, Missing}:
            assert CREDENTIALS in caught.value.advice
        assert (login.seen, clock.slept) == ([], [])
        login.fault = None
        assert (await send()).status_code == 200


async def test_a_renewal_that_fails_leaves_a_refused_start_not_started(clock: InstantClock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        await send()
        login.given, login.fault = 7, Unanswered("Acme", "the login host is down")
        with pytest.raises(NotStarted, match="the login host is down"):
            await send()


async def test_findings_about_the_credentials_pass_as_they_are(clock: InstantClock) -> None:
    login = Login()
    login.fault = DiagnosticError(error("The token file cannot be read", "Make it readable."))
    async with signed_in(login, clock) as send:
        with pytest.raises(DiagnosticError):
            await send()


async def test_many_requests_share_a_failing_fetch() -> None:
    asked = 0
    clock = VirtualClock()

    async def fetch() -> Token:
        nonlocal asked
        asked += 1
        await clock.sleep(15)
        raise Unreachable("Acme", "no connection")

    auth = TokenAuth(fetch, clock, CREDENTIALS)

    async def begin() -> None:
        await anext(auth.async_auth_flow(httpx2.Request("GET", "http://acme.invalid")))

    async def everybody() -> list[BaseException | None]:
        return await asyncio.gather(*(begin() for _ in range(50)), return_exceptions=True)

    results = await clock.run(everybody())
    assert {type(result) for result in results} == {NotStarted}
    assert (asked, clock.monotonic()) == (1, 15)


async def test_a_fetch_goes_on_when_who_asked_for_it_gives_up() -> None:
    """A service account's token is dead once it is exchanged, so the exchange must come to its end."""
    clock = VirtualClock()
    kept: list[str] = []

    async def fetch() -> Token:
        await clock.sleep(1)
        kept.append("rewritten")
        return Token("token-number-1")

    auth = TokenAuth(fetch, clock, CREDENTIALS)
    request = httpx2.Request("GET", "http://acme.invalid")
    impatient = asyncio.create_task(anext(auth.async_auth_flow(request)))
    await settle()
    impatient.cancel()
    await clock.advance(2)
    assert impatient.cancelled()
    assert kept == ["rewritten"]
    await clock.run(anext(auth.async_auth_flow(request)))
    assert kept == ["rewritten"]
    assert auth.token == Token("token-number-1")


async def test_tokens_are_masked_in_everything_that_is_printed(clock: InstantClock) -> None:
    login = Login()
    login.given = 41
    async with signed_in(login, clock) as send:
        await send()
    assert redact("Bearer token-number-42") == "Bearer (sensitive)"
