"""Bearer tokens shared by all requests to a system: fetched once, renewed before they expire or when refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import httpx

from provider_py.execution.runtime import Clock
from provider_py.plugin.redaction import protect

MARGIN: Final = 0.1
"""The part of a token's life that is left unused, so that it does not expire on its way."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; `seconds` is how long the system says it lives, None if it does not say."""

    value: str
    seconds: float | None = None


class TokenAuth(httpx.Auth):
    """Puts a token on every request. A 401 renews it once for all requests that used the refused one."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Clock) -> None:
        """`fetch` gets a new token; it raises SystemFault."""
        self._fetch = fetch
        self._clock = clock
        self._turn = asyncio.Lock()
        self._token: Token | None = None
        self._expires = 0.0

    @property
    def token(self) -> Token | None:
        """The token in use, if one was needed so far."""
        return self._token

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send with the current token, and once more with a new one if the system refuses it."""
        token = await self._current(refused=None)
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code == 401:
            token = await self._current(refused=token)
            request.headers["Authorization"] = f"Bearer {token.value}"
            yield request

    async def _current(self, refused: Token | None) -> Token:
        async with self._turn:
            stale = self._token is refused or self._clock.monotonic() >= self._expires
            if self._token is None or stale:
                self._token = await self._fetch()
                protect(self._token.value)
                lifetime = self._token.seconds
                ages = float("inf") if lifetime is None else lifetime * (1 - MARGIN)
                self._expires = self._clock.monotonic() + ages
            return self._token
