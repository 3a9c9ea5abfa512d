"""Bearer tokens shared by all requests to a system: fetched once, renewed before they expire or when rejected.

What does not work:

- *A token per request.* Login hosts limit how many they issue.
- *Renewal by whoever got a 401.* A hundred requests in flight get one each, and each renewal may revoke the others'.
- *Letting the first requester fetch and the others wait for it.* Its cancellation (a timeout, Ctrl-C) would end the
  exchange half-way, and a service account's token is dead once it is exchanged: the new one must be stored.
- *A failed fetch as the fault of the request.* "No answer" from the login host would read as if a start had been sent.

So one task fetches, shielded from all who wait for it: a stop of Terraform or the limit of a start ends their wait, not
the exchange. Once nobody waits, it sends nothing new. A request that was rejected joins the renewal that is under way,
or finds that a newer token is there already. A request is repeated once, with that token. Faults of the fetch become
NotStarted: what the token was for was not sent.

Not guaranteed: a system that rejects a token after it has acted on the request would act twice; 401 is taken to mean
that it has not. The life of a token is counted from its arrival, on a clock that may stand still while the machine
sleeps; such a token is used until it is rejected.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import httpx2

from provider_py.execution.errors import Interrupted, NotStarted, Refused, SystemFault, Unauthorized
from provider_py.execution.runtime import Limit, Runtime, sending_within
from provider_py.plugin import protect

MARGIN: Final = 0.1
"""The fraction of a token's life that is not used, so that it does not expire on its way."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; `seconds` is its life from now on, None if the system does not say."""

    value: str
    seconds: float | None = None


class TokenAuth(httpx2.Auth):
    """Puts a token on every request. A 401 renews it once for all requests that used the rejected one."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]], runtime: Runtime, credentials: str) -> None:
        """`fetch` returns a new token or raises SystemFault; `credentials` names the settings it uses."""
        self._credentials = credentials
        self._fetch = fetch
        self._runtime = runtime
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None
        self._sending = Limit()
        self._waiting = 0
        self._expires = 0.0

    @property
    def token(self) -> Token | None:
        """The token in use; None before the first request."""
        return self._token

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send with the current token, and once more with a new one if the system rejects it."""
        token = await self._current(rejected=None)
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code == 401:
            token = await self._current(rejected=token)
            request.headers["Authorization"] = f"Bearer {token.value}"
            yield request

    async def _current(self, rejected: Token | None) -> Token:
        token = self._token
        if token is None or token is rejected or self._runtime.clock.monotonic() >= self._expires:
            if self._renewal is None or self._renewal.done():
                with sending_within(self._sending):
                    self._renewal = asyncio.create_task(self._renew())
                self._renewal.add_done_callback(_retrieve_fault)
            token = await self._wait(self._renewal)
        return token

    async def _wait(self, renewal: asyncio.Task[Token]) -> Token:
        self._waiting += 1
        self._sending.at = math.inf
        try:
            return await self._runtime.unless_stopped(asyncio.shield(renewal))
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._sending.at = -math.inf

    async def _renew(self) -> Token:
        try:
            token = await self._fetch()
        except (Interrupted, Unauthorized):
            raise
        except Refused as fault:
            advice = f"Check {self._credentials}."
            raise Unauthorized(fault.system, f"no token was issued: {fault.reason}", advice=advice) from fault
        except SystemFault as fault:
            raise NotStarted(fault.system, f"no token was issued: {fault.reason}", advice=fault.advice) from fault
        protect(token.value)
        life = float("inf") if token.seconds is None else token.seconds * (1 - MARGIN)
        self._token, self._expires = token, self._runtime.clock.monotonic() + life
        return token


def _retrieve_fault(renewal: asyncio.Task[Token]) -> None:
    """Keep asyncio from reporting a fault that nobody waits for any more."""
    if not renewal.cancelled():
        renewal.exception()
