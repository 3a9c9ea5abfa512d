"""The connection to a Harness account: one HTTP channel, client, request budget and memory of look-ups for all.

Neither the HTTP status nor an error code tells what became of a request: Harness answers 200 to nearly everything and
says in words what went wrong. So `fault_of` goes by those words. Words that it does not recognize count as a refusal of
a look-up, which costs nothing. After a start they leave open whether an execution was started: only the refusals that
Harness is known to check before it starts anything say that none was.

Servers differ in age, and an older one does not know the newest fields. Its version cannot be asked for, so the newest
operation is tried first, and `with_fallback` remembers that a field was unknown. GraphQL validates a request as a whole
before it executes any of it, which makes the second attempt safe even for a start.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, TypeVar, cast

import harness_client as gql

from provider_py.execution import (
    Lookups,
    Missing,
    Refused,
    Runtime,
    SystemFault,
    Unanswered,
    Unauthorized,
    readable,
    rfc3339,
)
from provider_py.execution.budget import Budget
from provider_py.systems.harness.config import SYSTEM, HarnessSettings, resolve_config

if TYPE_CHECKING:  # lazy: httpx2 takes 70 ms, and a plan without Harness resources needs none of it
    import httpx2

    from provider_py.execution.transport import Channel

R = TypeVar("R")
R2 = TypeVar("R2")
Input = TypeVar("Input", bound="gql.base_model.BaseModel")

WINDOW_SECONDS: Final = 61
"""Harness counts a minute by when requests arrive; the extra second allows for varying network latency."""
CLOCK_SKEW_SECONDS: Final = 600
"""How far the clocks of this machine and of Harness may be apart when something is recognized by its age."""
_STARTS: Final = frozenset({"startExecution"})
"""The operations that start something."""
_SERVER_PREFIX: Final = re.compile(r"^Exception while fetching data \([^)]*\) : ")
_LIMITS: Final = {
    "deployments in a day in an hour": "Harness limits the deployments in any hour to 40 % of those in a day. Apply "
    "again in an hour.",
    "deployment rate limit reached": "Harness limits the deployments of an account in any 24 hours. Apply again when "
    "enough time has passed since the earlier ones, or ask Harness to raise the limit.",
    "freeze window": "Apply again when the window is over, or ask its owner for an exception.",
    "deployment freeze is active": "Apply again when the freeze is over.",
}
"""Refusals that pass with time, by their words, each with its advice. Nothing is retried automatically."""
_REFUSED_START: Final = re.compile(
    r"^(invalid (request:|syntax|api key|input for enum)|validation error of type|maximum query depth"
    r"|(field '.*' of )?variable '.*' has (coerced null|an invalid)|the variables input contains)"
    r"|user not authorized|rights to execute|does(n't| not) exist|\brequired\b|cannot find (or collect )?artifact"
    r"|cannot find helm chart|doesnt allow multiple values|deployment rate limit reached|empty pipeline"
    r"|deployment freeze (window.* )?is active|already triggered"
)
"""The refusals that `startExecution` is known to make before it starts anything, in lower case."""
_INNER_FIELD: Final = re.compile(r"^Exception while fetching data \(/\w+/")
"""An error in a field of the answer: the operation itself was carried out."""


class UnknownField(Refused):
    """The server is older than a field of the request; it executed nothing."""


class Harness:
    """A Harness account. Nothing is imported or contacted before the first request."""

    def __init__(self, settings: HarnessSettings, runtime: Runtime) -> None:
        """Raises DiagnosticError if a setting is missing."""
        self.config = resolve_config(settings)
        self.account = f"{SYSTEM} {self.config.endpoint} {self.config.account_id}"
        self.runtime = runtime
        self.lookups = Lookups()
        self._is_older = False
        self._open = AsyncExitStack()

    @functools.cached_property
    def channel(self) -> Channel:
        """The HTTP channel with the account's key, timeouts and request budget."""
        from provider_py.execution.transport import Channel, open_tls  # lazy: imports httpx2

        config = self.config
        channel = Channel(
            SYSTEM,
            self.runtime,
            timeout=config.request_timeout,
            verify=open_tls("harness", config.endpoint, config.ca_file),
            safe=_safe,
            explain=_explain,
            credentials="`harness.api_key` (HARNESS_API_KEY)",
            budget=self._budget,
            headers={"x-api-key": config.api_key, "accept": "application/json"},
            params={"accountId": config.account_id},
        )
        self._open.push_async_callback(channel.aclose)
        return channel

    @functools.cached_property
    def _budget(self) -> Budget:
        config = self.config
        budget = Budget(config.requests_per_minute, WINDOW_SECONDS, self.runtime, account=self.account)
        self._open.callback(budget.close)
        return budget

    def poll_spacing(self) -> float:
        """Return the seconds between two polls: at most half of the budget, a tenth of it while starts are waiting."""
        return 60 / self.config.requests_per_minute * (10 if self._budget.crowded else 2)

    @functools.cached_property
    def client(self) -> gql.Client:
        """The generated GraphQL client."""
        # httpx2 spells out the keyword arguments that the client's protocol leaves open, so mypy sees no match.
        transport = cast("gql.async_base_client.HttpClient", self.channel)
        return gql.Client(url=f"{self.config.endpoint}/api/graphql", http_client=transport)

    async def ask(self, operation: str, request: Awaitable[R]) -> R:
        """Await a request of the generated client; raises SystemFault. `operation` names it in messages."""
        with readable(SYSTEM, operation):
            try:
                response = await request
            except gql.exceptions.GraphQLClientGraphQLMultiError as answer:
                messages = [error.message for error in answer.errors]
                raise fault_of(messages, starting=operation in _STARTS) from answer
            except gql.exceptions.GraphQLClientError as answer:
                raise Unanswered(SYSTEM, f"the answer to {operation} is not a GraphQL response") from answer
        return response

    async def with_fallback(self, newest: Callable[[], Awaitable[R]], older: Callable[[], Awaitable[R2]]) -> R | R2:
        """Ask for the newest fields; once one is unknown, ask without them for the rest of the process."""
        if not self._is_older:
            try:
                return await newest()
            except UnknownField:
                self._is_older = True
        return await older()

    async def close(self) -> None:
        """Close what has been opened."""
        await self._open.aclose()


CONNECTION: Final = Harness
"""What the provider connects with when a resource first needs the system."""


def omit_nulls(value: Input) -> Input:
    """Have an input, and those in it, leave out the fields that are None: sent as null they would be values."""
    for name in tuple(value.model_fields_set):
        field = getattr(value, name)
        if field is None:
            value.model_fields_set.discard(name)
        for part in field if isinstance(field, list) else [field]:
            if isinstance(part, gql.base_model.BaseModel):
                omit_nulls(part)
    return value


def fault_of(messages: Sequence[str], *, starting: bool = False) -> SystemFault:
    """Return the fault that the messages of a GraphQL answer's `errors` stand for.

    `starting`: the request may have started something, so Unanswered for whatever is not known to refuse that.
    """
    text = "; ".join(_SERVER_PREFIX.sub("", message) for message in messages)
    lowered = text.lower()
    if "an error has occurred" in lowered or (starting and not (messages and all(map(_refuses_start, messages)))):
        return Unanswered(SYSTEM, text)
    if "fieldundefined" in lowered.replace(" ", ""):
        return UnknownField(SYSTEM, text, advice="The server is older than the schema that this provider uses.")
    for words, advice in _LIMITS.items():
        if words in lowered:
            return Refused(SYSTEM, text, advice=advice)
    if "not authorized" in lowered or "invalid api key" in lowered or "rights to" in lowered:
        return Unauthorized(SYSTEM, text, advice="Check `harness.api_key` and the permissions of its user groups.")
    if "does not exist" in lowered or "doesn't exist" in lowered:
        return Missing(SYSTEM, text)
    return Refused(SYSTEM, text)


def _refuses_start(message: str) -> bool:
    text = _SERVER_PREFIX.sub("", message).lower()
    return _INNER_FIELD.match(message) is None and _REFUSED_START.search(text) is not None


def timestamp(moment: int | str | None) -> str | None:
    """Format a Harness DateTime, milliseconds since the epoch as a number or as text, as RFC 3339."""
    return None if moment is None else rfc3339(int(moment) / 1000, "milliseconds")


def _safe(request: httpx2.Request) -> bool:
    """Queries may be repeated; a mutation is repeated only if it certainly had no effect."""
    if request.method != "POST":
        return request.method in {"GET", "PUT"}
    return str(json.loads(request.content).get("query", "")).lstrip().startswith("query")


def _explain(response: httpx2.Response) -> str:
    """Read the three shapes of error bodies: GraphQL's, the REST envelope's and the gateway's."""
    body = response.json()
    errors = body.get("errors") or body.get("responseMessages")
    if errors:
        return "; ".join(str(error["message"]) for error in errors)
    return str(body.get("message", ""))
