from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from aiohttp import web

from provider_py.execution import (
    Interrupted,
    Missing,
    NotStarted,
    RateLimited,
    Refused,
    Runtime,
    SystemFault,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from provider_py.execution.tokens import Token, TokenAuth
from provider_py.plugin import DiagnosticError, error, redact
from tests.support.clock import INSTANT, Clock, settle
from tests.support.http import serving
from tests.unit.execution.channels import CREDENTIALS, channel

Send = Callable[[], Awaitable[httpx2.Response]]


class Login:
    """Issues tokens and counts them; its API accepts only the newest one."""

    def __init__(self, seconds: float | None = None) -> None:
        self.issued = 0
        self.seconds = seconds
        self.fault: Exception | None = None
        self.seen: list[str] = []

    @property
    def newest(self) -> str:
        return f"token-number-{self.issued}"

    async def fetch(self) -> Token:
        await asyncio.sleep(0.01)
        if self.fault is not None:
            raise self.fault
        self.issued += 1
        return Token(self.newest, self.seconds)

    async def api(self, request: web.Request) -> web.StreamResponse:
        token = request.headers["authorization"].removeprefix("Bearer ")
        self.seen.append(token)
        return web.json_response({}, status=200 if token == self.newest else 401)


@pytest.fixture
def clock() -> Clock:
    return Clock(INSTANT)


@asynccontextmanager
async def signed_in(login: Login, clock: Clock) -> AsyncIterator[Send]:
    auth = TokenAuth(login.fetch, Runtime(asyncio.Event(), clock), CREDENTIALS)
    async with serving([login.api]) as server, channel(Runtime(asyncio.Event(), clock), auth=auth) as opened:
        yield lambda: opened.post(server.url)


async def test_concurrent_requests_share_one_token(clock: Clock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        answers = await asyncio.gather(*(send() for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        await send()
        assert login.issued == 1


async def test_a_token_is_renewed_before_it_expires(clock: Clock) -> None:
    login = Login(seconds=900)
    async with signed_in(login, clock) as send:
        await send()
        await clock.sleep(800)
        await send()
        assert login.issued == 1
        await clock.sleep(20)
        await send()
        assert login.issued == 2
        assert login.seen == ["token-number-1"] * 2 + ["token-number-2"]


@pytest.mark.parametrize("step", [-86400.0, 86400.0])
async def test_a_step_of_the_time_of_day_changes_nothing_about_a_token_s_life(clock: Clock, step: float) -> None:
    login = Login(seconds=900)
    async with signed_in(login, clock) as send:
        await send()
        clock.step(step)
        await send()
        assert login.issued == 1
        await clock.sleep(820)
        await send()
        assert login.issued == 2


async def test_a_token_without_a_lifetime_is_used_until_it_is_rejected(clock: Clock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        await send()
        await clock.sleep(10**6)
        await send()
        assert login.issued == 1


async def test_a_rejected_token_is_renewed_once_for_all_requests(clock: Clock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        await send()
        login.issued = 7  # the system has dropped the token
        answers = await asyncio.gather(*(send() for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert login.issued == 8
        assert login.seen.count("token-number-8") == 10


async def test_a_new_token_that_is_rejected_too_is_an_error(clock: Clock) -> None:
    login = Login()

    async def refuse(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    auth = TokenAuth(login.fetch, Runtime(asyncio.Event(), clock), CREDENTIALS)
    async with serving([refuse]) as server, channel(Runtime(asyncio.Event(), clock), auth=auth) as opened:
        with pytest.raises(Unauthorized):
            await opened.post(server.url)
        assert (login.issued, len(server.asked)) == (2, 2)


@pytest.mark.parametrize(
    ("fault", "raised"),
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
async def test_without_a_token_nothing_is_sent_or_repeated(
    clock: Clock, fault: SystemFault, raised: type[SystemFault]
) -> None:
    """The channel that fetches tokens repeats by itself; a request that lacks one must not look as if it was sent."""
    login = Login()
    login.fault = fault
    async with signed_in(login, clock) as send:
        with pytest.raises(SystemFault) as caught:
            await send()
        assert type(caught.value) is raised
        assert "the reason" in caught.value.reason
        if type(fault) in {Refused, Missing}:
            assert CREDENTIALS in caught.value.advice
        assert (login.seen, clock.slept) == ([], [])
        login.fault = None
        assert (await send()).status_code == 200


async def test_a_failed_renewal_means_not_started(clock: Clock) -> None:
    login = Login()
    async with signed_in(login, clock) as send:
        await send()
        login.issued, login.fault = 7, Unanswered("Acme", "the login host is down")
        with pytest.raises(NotStarted, match="the login host is down"):
            await send()


async def test_diagnostics_about_the_credentials_are_passed_on(clock: Clock) -> None:
    login = Login()
    login.fault = DiagnosticError(error("The token file cannot be read", "Make it readable."))
    async with signed_in(login, clock) as send:
        with pytest.raises(DiagnosticError):
            await send()


async def test_concurrent_requests_share_a_failing_fetch() -> None:
    fetched = 0
    clock = Clock()

    async def fetch() -> Token:
        nonlocal fetched
        fetched += 1
        await clock.sleep(15)
        raise Unreachable("Acme", "no connection")

    auth = TokenAuth(fetch, Runtime(asyncio.Event(), clock), CREDENTIALS)

    async def begin() -> None:
        await anext(auth.async_auth_flow(httpx2.Request("GET", "http://acme.invalid")))

    async def all_callers() -> list[BaseException | None]:
        return await asyncio.gather(*(begin() for _ in range(50)), return_exceptions=True)

    results = await clock.run(all_callers())
    assert {type(result) for result in results} == {NotStarted}
    assert (fetched, clock.monotonic()) == (1, 15)


async def test_a_fetch_continues_when_its_caller_is_cancelled() -> None:
    """A service account's token is dead once it is exchanged, so the exchange must come to its end."""
    clock = Clock()
    kept: list[str] = []

    async def fetch() -> Token:
        await clock.sleep(1)
        kept.append("rewritten")
        return Token("token-number-1")

    auth = TokenAuth(fetch, Runtime(asyncio.Event(), clock), CREDENTIALS)
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


async def test_tokens_are_masked_in_output(clock: Clock) -> None:
    login = Login()
    login.issued = 41
    async with signed_in(login, clock) as send:
        await send()
    assert redact("Bearer token-number-42") == "Bearer (sensitive)"
