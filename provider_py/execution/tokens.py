"""Bearer tokens shared by all requests to a system: fetched once, renewed before they expire or when refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import httpx2

from provider_py.execution.errors import Interrupted, NotStarted, Refused, SystemFault, Unauthorized
from provider_py.execution.runtime import Clock
from provider_py.plugin import protect

MARGIN: Final = 0.1
"""The part of a token's life that is left unused, so that it does not expire on its way."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; `seconds` is how long the system says it lives, None if it does not say."""

    value: str
    seconds: float | None = None


class TokenAuth(httpx2.Auth):
    """Puts a token on every request. A 401 renews it once for all requests that used the refused one."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Clock, credentials: str) -> None:
        """`fetch` gets a new token, or raises SystemFault; `credentials` names the settings it uses."""
        self._credentials = credentials
        self._fetch = fetch
        self._clock = clock
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None
        self._expires = 0.0

    @property
    def token(self) -> Token | None:
        """The token in use, if one was needed so far."""
        return self._token

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send with the current token, and once more with a new one if the system refuses it."""
        token = await self._current(refused=None)
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code == 401:
            token = await self._current(refused=token)
            request.headers["Authorization"] = f"Bearer {token.value}"
            yield request

    async def _current(self, refused: Token | None) -> Token:
        token = self._token
        if token is None or token is refused or self._clock.monotonic() >= self._expires:
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.create_task(self._renew())
                self._renewal.add_done_callback(_heard)
            # Nobody's cancellation may end it half-way: some tokens are dead once they are exchanged.
            token = await asyncio.shield(self._renewal)
        return token

    async def _renew(self) -> Token:
        try:
            token = await self._fetch()
        except (Interrupted, Unauthorized):
            raise
        except Refused as fault:
            advice = f"Check {self._credentials}."
            raise Unauthorized(fault.system, f"no token was given: {fault.reason}", advice=advice) from fault
        except SystemFault as fault:  # whatever the token was for was not sent, and its channel has tried long enough
            raise NotStarted(fault.system, f"no token was given: {fault.reason}", advice=fault.advice) from fault
        protect(token.value)
        ages = float("inf") if token.seconds is None else token.seconds * (1 - MARGIN)
        self._token, self._expires = token, self._clock.monotonic() + ages
        return token


def _heard(renewal: asyncio.Task[Token]) -> None:
    """Look at the outcome, so that asyncio does not report a fault that nobody waits for any more."""
    if not renewal.cancelled():
        renewal.exception()
