"""The connection to Harness: one channel, one client, one poller and one memory of look-ups for all its resources."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from provider_py.execution.connection import readable, require
from provider_py.execution.errors import Missing, Refused, SystemFault, Unanswered, Unauthorized
from provider_py.execution.lookups import Lookups
from provider_py.execution.runtime import Runtime
from provider_py.plugin import parse_duration
from provider_py.systems.harness.settings import SYSTEM, HarnessSettings

if TYPE_CHECKING:  # imported on first use: a plan that touches no Harness resource must not pay for it
    import httpx2
    from harness_client import Client

    from provider_py.execution.budget import Budget
    from provider_py.execution.transport import Channel

T = TypeVar("T")

WINDOW_SECONDS: Final = 61
"""Harness counts a minute by when requests arrive; one second more allows for their different times on the way."""
_SERVER_PREFIX: Final = re.compile(r"^Exception while fetching data \([^)]*\) : ")
_LIMITS: Final = {
    "deployments in a day in an hour": "It limits deployments in any hour to 40 % of those in a day. Apply again in an "
    "hour.",
    "deployment rate limit reached": "It limits the deployments of an account in any 24 hours. Apply again when older "
    "ones are past that, or have Harness raise the limit.",
    "freeze window": "Apply again when the window is over, or ask who set it for an exception.",
    "deployment freeze is active": "Apply again when the freeze is over.",
}
"""Refusals that time heals, by their words, with what to do: nothing is sent again by itself."""


class FieldUnknown(Refused):
    """The server is older than a field that was asked for; it executed nothing."""


class Harness:
    """A Harness account. Nothing is imported or contacted before the first look-up."""

    def __init__(self, settings: HarnessSettings, runtime: Runtime) -> None:
        """Raises DiagnosticError if a setting is missing."""
        require(SYSTEM, "harness", settings, ("account_id", "api_key"))
        self.settings = settings
        self.runtime = runtime
        self.lookups = Lookups()
        self._is_older = False

    @functools.cached_property
    def channel(self) -> Channel:
        """The HTTP channel with the account's key, time limits and request budget."""
        from provider_py.execution.transport import Channel, open_tls

        settings = self.settings
        return Channel(
            SYSTEM,
            self.runtime,
            timeout=parse_duration(settings.request_timeout or ""),
            verify=open_tls("harness", str(settings.endpoint), settings.ca_file),
            safe=_safe,
            explain=_explain,
            credentials="`harness.api_key` (HARNESS_API_KEY)",
            budget=self._budget,
            headers={"x-api-key": settings.api_key or "", "accept": "application/json"},
            params={"accountId": settings.account_id or ""},
        )

    @functools.cached_property
    def _budget(self) -> Budget:
        from provider_py.execution.budget import Budget

        settings = self.settings
        account = f"{SYSTEM} {settings.endpoint} {settings.account_id}"
        return Budget(settings.requests_per_minute or 1, WINDOW_SECONDS, self.runtime, account=account)

    def poll_spacing(self) -> float:
        """Return the seconds between two polls: half of the budget at most, a tenth of it while starts are waiting."""
        return 60 / (self.settings.requests_per_minute or 1) * (10 if self._budget.crowded else 2)

    @functools.cached_property
    def client(self) -> Client:
        """The generated GraphQL client."""
        from harness_client import Client

        # httpx2 spells out the keyword arguments that the client's protocol leaves open, so types cannot show the fit.
        transport: Any = self.channel
        return Client(url=f"{str(self.settings.endpoint).rstrip('/')}/api/graphql", http_client=transport)

    @asynccontextmanager
    async def asking(self, asked: str) -> AsyncIterator[None]:
        """Turn what the generated client raises into SystemFaults."""
        from harness_client.exceptions import GraphQLClientError, GraphQLClientGraphQLMultiError

        with readable(SYSTEM, asked):
            try:
                yield
            except GraphQLClientGraphQLMultiError as answer:
                raise fault_of([each.message for each in answer.errors]) from answer
            except GraphQLClientError as answer:
                raise Unanswered(SYSTEM, f"the answer to {asked} is not one of GraphQL") from answer

    async def fitting(self, newest: Callable[[], Awaitable[T]], older: Callable[[], Awaitable[T]]) -> T:
        """Ask with the fields of the newest servers; once one is unknown, without them for the process's life.

        A server refuses a request with an unknown field before it executes any of it, so even a start may be sent anew.
        """
        if not self._is_older:
            try:
                return await newest()
            except FieldUnknown:
                self._is_older = True
        return await older()

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if "channel" in self.__dict__:
            await self.channel.aclose()
            self._budget.close()


def fault_of(messages: Sequence[str]) -> SystemFault:
    """Sort the messages of a GraphQL answer's `errors` by what they mean for the request.

    Harness answers 200 with its own words. Only "An error has occurred" (its text for whatever it did not foresee)
    leaves open whether the request had an effect.
    """
    text = "; ".join(_SERVER_PREFIX.sub("", message) for message in messages)
    lowered = text.lower()
    if "fieldundefined" in lowered.replace(" ", ""):
        return FieldUnknown(SYSTEM, text, advice="The server is older than this provider's schema of it.")
    for words, advice in _LIMITS.items():
        if words in lowered:
            return Refused(SYSTEM, text, advice=advice)
    if "not authorized" in lowered or "invalid api key" in lowered or "rights to" in lowered:
        return Unauthorized(SYSTEM, text, advice="Check `harness.api_key` and the permissions of its user groups.")
    if "an error has occurred" in lowered:
        return Unanswered(SYSTEM, text)
    if "does not exist" in lowered or "doesn't exist" in lowered:
        return Missing(SYSTEM, text)
    return Refused(SYSTEM, text)


def rfc3339(moment: object) -> str | None:
    """Write a Harness DateTime (milliseconds since the epoch, as a number or its text) as RFC 3339."""
    if moment is None:
        return None
    return (
        datetime.fromtimestamp(int(str(moment)) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _safe(request: httpx2.Request) -> bool:
    """Queries may be repeated; a mutation is repeated only if it certainly had no effect."""
    if request.method != "POST":
        return request.method in {"GET", "PUT"}
    return str(json.loads(request.content).get("query", "")).lstrip().startswith("query")


def _explain(response: httpx2.Response) -> str:
    """Read the three shapes of error bodies: GraphQL's, the REST envelope's and the gateway's."""
    body = response.json()
    if body.get("errors"):
        return "; ".join(str(each["message"]) for each in body["errors"])
    if body.get("responseMessages"):
        return "; ".join(str(each["message"]) for each in body["responseMessages"])
    return str(body.get("message", ""))
