"""HTTP as runs need it: explicit time limits, safe retries, a request budget, faults by meaning.

What does not work:

- *Retrying what failed.* A start whose answer was lost may have arrived, and a second one is a second run.
- *Retrying nothing.* An apply of an hour then dies of one 502.
- *httpx2's exceptions as they are.* They tell the mechanism (read error, timeout, status). What a caller has to know is
  whether the request may have had an effect.
- *Following redirects.* A POST becomes a GET, and credentials go to another host.

So every outcome is one of the faults of `errors`, and a request is sent again only if it had no effect (no connection,
or 429) or the system declares it safe to repeat. Pauses grow and follow Retry-After where it names at least
SHORTEST_PAUSE_SECONDS, a date being read by the clock of the system that wrote it; every try is paid from the budget.
When Terraform stops, and at the limit of `sending_within`, every pause and queue ends. A request that waits for its
turn, a token or a connection then is not sent: that is checked last when its first byte is due.

Not guaranteed: a status of REFUSALS is taken at its word. A proxy that answers 404 or 403 to a start that it has passed
on would have it sent again by the next apply.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import httpx2
import tenacity

from provider_py.execution.budget import Budget
from provider_py.execution.errors import (
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
from provider_py.plugin import DiagnosticError, error, shorten

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 10.0
ATTEMPTS: Final = 5
"""How often a request is tried when nothing answers; the pauses between add up to about 15 s."""
PATIENCE_SECONDS: Final = 900.0
"""How long a request is repeated that is answered 429; a run's own time limit usually ends it earlier."""
REFUSALS: Final[Mapping[int, type[Refused]]] = {
    301: Refused,  # moved: what the address names is elsewhere; Harness' answer for a migrated account
    307: Refused,  # the same request is to be sent elsewhere, so here it was not carried out
    308: Refused,  # as 307
    400: Refused,  # the request is invalid; all three systems document it
    401: Unauthorized,  # checked before anything else; all three document it
    402: Refused,  # a licence or plan does not cover the request
    403: Unauthorized,  # checked before anything is done; Nexthink and Cloud Director document it
    404: Missing,  # there is nothing to start; all three document it
    405: Refused,  # the address does not take the method; documented by Cloud Director
    406: Refused,  # Cloud Director does not know the version asked for, and checks that first
    407: Refused,  # the proxy wants to be signed in to, and passes nothing on before
    409: Refused,  # the object's state forbids it; no system compares starts, so it is not "started already"
    410: Refused,  # as 404, for good
    411: Refused,  # the request was not read: no length
    412: Refused,  # a condition is checked before the request is carried out
    413: Refused,  # the request was not read: too long
    414: Refused,  # the address was not read: too long
    415: Refused,  # the body was not read: unknown media type; documented by Cloud Director
    417: Refused,  # the body was not read: an expectation cannot be met
    421: Refused,  # the request reached a host that is not responsible
    422: Refused,  # the request is well-formed and invalid
    423: Refused,  # the object is locked
    426: Refused,  # the request has to use another protocol
    428: Refused,  # the request has to be conditional
    431: Refused,  # the headers were not read: too long
    451: Refused,  # the object is withheld for legal reasons
}
"""The statuses after which a start has certainly had no effect; 429 is another.

Every other status leaves it open: a 303, and by custom a 302, points to the result of a request that was carried out;
a 408 or 425 may come from a proxy that has passed the request on; a 424 tells of a part of several; what no standard
defines (418, 499) says nothing.
"""
_TRANSIENT: Final = (408, 425)
"""Statuses below 500 after which a request that is safe to repeat is repeated."""
SHORTEST_PAUSE_SECONDS: Final = 1.0
"""The shortest pause between two tries. A system that asks for less, 0 or a time that has passed, means none."""
_CONTENT_EXPECTED: Final = ("GET", "POST")
"""The methods of requests that ask for something, where they start nothing; others may be answered with nothing."""
_NEVER_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class ClientOptions(TypedDict, total=False):
    """The arguments of httpx2.AsyncClient that systems and tests use."""

    auth: httpx2.Auth | tuple[str, str] | None
    base_url: str
    event_hooks: Mapping[str, list[Callable[..., Any]]]
    headers: Mapping[str, str]
    params: Mapping[str, str]
    transport: httpx2.AsyncBaseTransport
    trust_env: bool


class Channel(httpx2.AsyncClient):
    """The one way to a system. A status of 300 and above, or an answer that is not JSON, is raised as a SystemFault."""

    def __init__(
        self,
        system: str,
        runtime: Runtime,
        *,
        timeout: float,
        verify: ssl.SSLContext,
        safe: Callable[[httpx2.Request], bool],
        explain: Callable[[httpx2.Response], str] | None = None,
        credentials: str = "",
        accept: Callable[[httpx2.Response], None] | None = None,
        budget: Budget | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        """`timeout` bounds each phase of one request, in seconds.

        `safe` says which requests may be repeated when their effect is unknown. `explain` reads a vendor's error body.
        `credentials` names the settings to check when they are rejected. `accept` decides about answers other than 429
        and 5xx in place of the default: it raises SystemFault for those that are of no use.
        """
        super().__init__(timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS, pool=None), verify=verify, **options)
        self._system = system
        self._runtime = runtime
        self._safe = safe
        self._explain = explain
        self._credentials = credentials
        self._accept = accept or self._accept_json
        self._budget = budget
        self._ahead: float | None = None

    def system_time(self) -> float:
        """Return seconds since the epoch by the system's clock, as its last answer showed it; before one, by ours."""
        clock = self._runtime.clock
        return clock.time() if self._ahead is None else clock.monotonic() + self._ahead

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request, and send it again where that is safe; raises SystemFault."""
        request.extensions = {**request.extensions, "trace": self._trace}
        started = self._runtime.clock.monotonic()
        retrying = tenacity.AsyncRetrying(
            sleep=self._runtime.sleep,
            wait=_pause,
            before_sleep=self._check_pause,
            retry=tenacity.retry_if_exception(lambda fault: self._repeatable(request, fault)),
            stop=lambda state: self._exhausted(state, started),
            reraise=True,
        )
        response: httpx2.Response = await retrying(self._once, request, partial(super().send, request, **options))
        return response

    async def send_last(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request as it is, once, although Terraform has asked to stop. Raises Unanswered."""
        try:
            return await super().send(request)
        except httpx2.HTTPError as fault:
            raise Unanswered(self._system, f"{_name(request)} was not answered ({_text(fault)})") from fault

    async def _once(self, request: httpx2.Request, send: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        self._runtime.check()
        if self._budget is not None:
            await self._budget.take(first=self._safe(request))
        try:
            response = await send()
        except _NEVER_SENT as fault:
            raise _unreachable(self._system, request, fault) from fault
        except httpx2.LocalProtocolError:  # its message may quote a credential
            message = f"{_name(request)} could not be sent: one of its headers is not valid"
            raise NotStarted(self._system, message, advice="Check the credentials for line breaks.") from None
        except httpx2.TimeoutException as fault:
            message = f"{_name(request)} was not answered within {_seconds(request)} s"
            raise Unanswered(self._system, message) from fault
        except httpx2.HTTPError as fault:
            message = f"the connection was lost before {_name(request)} was answered ({_text(fault)})"
            raise Unanswered(self._system, message) from fault
        there = _moment(response.headers.get("date", ""))
        if there is not None:
            self._ahead = there - self._runtime.clock.monotonic()
        log.debug("%s %s %s answered %d", self._system, request.method, request.url.path, response.status_code)
        self._check(request, response)
        return response

    def _check(self, request: httpx2.Request, response: httpx2.Response) -> None:
        status = response.status_code
        if status == 429:
            reason = f"{_name(request)} was answered 429, too many requests{self._explanation(response)}"
            raise RateLimited(self._system, reason, retry_after=self._requested_pause(response))
        if status >= 500:
            raise Unanswered(self._system, f"{_name(request)} was answered {status}{self._explanation(response)}")
        self._accept(response)

    def _accept_json(self, response: httpx2.Response) -> None:
        request, status = response.request, response.status_code
        if status >= 300:
            decided = status not in _TRANSIENT and self._safe(request)  # what starts nothing may well be refused
            fault = REFUSALS.get(status, Refused if decided else Unanswered)
            advice = f"Check {self._credentials} and its permissions." if fault is Unauthorized else ""
            reason = f"{_name(request)} was answered {status}{self._explanation(response)}"
            raise fault(self._system, reason, advice=advice)
        if not response.content.strip():
            if status == 200 and request.method in _CONTENT_EXPECTED and self._safe(request):
                raise Unanswered(self._system, f"{_name(request)} was answered 200 without content")
        else:
            try:
                response.json()
            except ValueError as fault:
                message = f"the answer to {_name(request)} is not JSON; it may come from a proxy or a login page"
                raise Unanswered(self._system, message) from fault

    def _requested_pause(self, response: httpx2.Response) -> float | None:
        there = _moment(response.headers.get("date", ""))
        now = self._runtime.clock.time() if there is None else there
        return retry_after(response.headers.get("retry-after"), now)

    def _explanation(self, response: httpx2.Response) -> str:
        try:
            text = self._explain(response).strip() if self._explain else ""
        except (ValueError, LookupError, TypeError, AttributeError):
            text = ""
        return f": {shorten(text, 500)}" if text else ""

    async def _trace(self, event: str, _details: object) -> None:
        if event.endswith("send_request_headers.started"):
            self._runtime.check()

    def _repeatable(self, request: httpx2.Request, fault: BaseException) -> bool:
        return isinstance(fault, Unreachable | RateLimited) or (isinstance(fault, Unanswered) and self._safe(request))

    def _check_pause(self, state: tenacity.RetryCallState) -> None:
        """Do not begin a pause after which the request could not be sent any more."""
        fault = _fault(state)
        if isinstance(fault, SystemFault) and state.upcoming_sleep >= self._runtime.seconds_left:
            reason = f"{fault.reason}, and {self._runtime.limit.name} passes before it may be sent again"
            raise NotStarted(self._system, reason, advice=fault.advice) from fault

    def _exhausted(self, state: tenacity.RetryCallState, started: float) -> bool:
        if isinstance(_fault(state), RateLimited):
            return self._runtime.clock.monotonic() - started + state.upcoming_sleep > PATIENCE_SECONDS
        return state.attempt_number >= ATTEMPTS


def retry_after(header: str | None, now: float) -> float | None:
    """Read a Retry-After header, seconds or a date (HTTP's form or ISO 8601), as seconds from `now`.

    None where it names no pause of SHORTEST_PAUSE_SECONDS or more: the pauses then grow by our own measure.
    """
    try:
        seconds = float(header or "")
    except ValueError:
        moment = _moment(header or "")
        seconds = 0.0 if moment is None else moment - now
    return seconds if seconds >= SHORTEST_PAUSE_SECONDS else None


def _moment(text: str) -> float | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        with contextlib.suppress(ValueError, OverflowError):
            moment = parse(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def tls(url: str, ca_file: str | None, *, unverified: bool = False) -> ssl.SSLContext:
    """Return the TLS settings for a system: the machine's certificate authorities and those of `ca_file`.

    Raises OSError or ssl.SSLError if the file cannot be used. For a plain HTTP address the context trusts nobody,
    which saves reading the authorities.
    """
    if not url.lower().startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        context = ssl.create_default_context()
    else:
        import truststore  # lazy: only where OpenSSL has no store, as with Python's own builds for macOS

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    if unverified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def open_tls(block: str, url: str, ca_file: str | None, *, unverified: bool = False) -> ssl.SSLContext:
    """Return the TLS settings as `tls` does; raises DiagnosticError for a `ca_file` that cannot be used."""
    try:
        return tls(url, ca_file, unverified=unverified)
    except (OSError, ssl.SSLError) as fault:
        raise DiagnosticError(
            error(
                "Invalid certificate authority file",
                f"`{block}.ca_file` is {ca_file!r}: {fault}. Set the path of a readable file of PEM certificates.",
                (block, "ca_file"),
            )
        ) from fault


def _pause(state: tenacity.RetryCallState) -> float:
    fault = _fault(state)
    requested = fault.retry_after if isinstance(fault, RateLimited) else None
    return requested if requested is not None else _BACKOFF(state)


_BACKOFF: Final = tenacity.wait_exponential_jitter(initial=SHORTEST_PAUSE_SECONDS, max=30, jitter=1)


def _fault(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _unreachable(system: str, request: httpx2.Request, fault: Exception) -> SystemFault:
    text = _text(fault)
    advice = "Check the address, the network and proxy settings, and try again."
    if "certificate" in text.lower():
        advice = "If its certificate was issued by a private authority, set `ca_file` to that authority's file."
    return Unreachable(system, f"no connection to {request.url.host} could be made ({text})", advice=advice)


def _name(request: httpx2.Request) -> str:
    return f"{request.method} {request.url.host}{request.url.path}"


def _seconds(request: httpx2.Request) -> str:
    read = request.extensions.get("timeout", {}).get("read")
    return f"{read:g}" if read else "the allowed"


def _text(fault: Exception) -> str:
    return str(fault) or type(fault).__name__
