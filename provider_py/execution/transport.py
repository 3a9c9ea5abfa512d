"""HTTP as runs need it: explicit time limits, retries only where they are safe, a request budget, faults by meaning."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

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
from provider_py.plugin import DiagnosticError, error

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 10.0
ATTEMPTS: Final = 5
"""How often a request is tried when nothing answers; with the pauses between, about 15 s besides the time limits."""
PATIENCE_SECONDS: Final = 900.0
"""How long answers of 429 are borne in a row; a run's own time limit usually ends earlier."""
_NEVER_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Channel(httpx2.AsyncClient):
    """The one way to a system. An answer of status 400 and above, or one that is not JSON, is raised as a SystemFault.

    `safe` tells which requests may be repeated when their effect is unknown. Any request is repeated when it certainly
    had none: no connection was made, or the answer was 429.
    """

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
        **options: Any,
    ) -> None:
        """`timeout` bounds each phase of one request, in seconds; `explain` reads a vendor's error body.

        `credentials` names the settings to check when they are not accepted. `accept` replaces the judgement of answers
        other than 429 and 5xx: it raises SystemFault for one that is of no use.
        """
        super().__init__(timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS, pool=None), verify=verify, **options)
        self._system = system
        self._runtime = runtime
        self._safe = safe
        self._explain = explain
        self._credentials = credentials
        self._accept = accept or self._accept_json
        self._budget = budget

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request until it is answered; raises SystemFault."""
        started = self._runtime.clock.monotonic()
        retrying = tenacity.AsyncRetrying(
            sleep=self._runtime.sleep,
            wait=_pause,
            retry=tenacity.retry_if_exception(lambda fault: self._repeatable(request, fault)),
            stop=lambda state: self._exhausted(state, started),
            reraise=True,
        )
        response: httpx2.Response = await retrying(self._once, request, options)
        return response

    async def _once(self, request: httpx2.Request, options: dict[str, Any]) -> httpx2.Response:
        if self._budget is not None:
            await self._budget.take(first=self._safe(request))
        try:
            response = await super().send(request, **options)
        except _NEVER_SENT as fault:
            raise _unreachable(self._system, request, fault) from fault
        except httpx2.LocalProtocolError:  # its text may quote a credential
            message = f"{_named(request)} could not be written: HTTP does not allow one of its headers"
            raise NotStarted(self._system, message, advice="Is there a line break in a credential?") from None
        except httpx2.TimeoutException as fault:
            message = f"{_named(request)} was not answered within {_seconds(request)} s"
            raise Unanswered(self._system, message) from fault
        except httpx2.HTTPError as fault:
            message = f"the connection was lost before {_named(request)} was answered ({_text(fault)})"
            raise Unanswered(self._system, message) from fault
        log.debug("%s %s %s answered %d", self._system, request.method, request.url.path, response.status_code)
        self._check(request, response)
        return response

    def _check(self, request: httpx2.Request, response: httpx2.Response) -> None:
        status = response.status_code
        if status == 429:
            reason = f"{_named(request)} was answered 429, too many requests{self._said(response)}"
            raise RateLimited(self._system, reason, retry_after=self._asked_pause(response))
        if status >= 500:
            raise Unanswered(self._system, f"{_named(request)} was answered {status}{self._said(response)}")
        self._accept(response)

    def _accept_json(self, response: httpx2.Response) -> None:
        request, status = response.request, response.status_code
        if status >= 300:
            kind = {401: Unauthorized, 403: Unauthorized, 404: Missing}.get(status, Refused)
            advice = f"Check {self._credentials} and its permissions." if kind is Unauthorized else ""
            reason = f"{_named(request)} was answered {status}{self._said(response)}"
            raise kind(self._system, reason, advice=advice)
        if response.content:
            try:
                response.json()
            except ValueError as fault:
                message = f"the answer to {_named(request)} is not JSON; is a proxy or a login page in between?"
                raise Unanswered(self._system, message) from fault

    def _asked_pause(self, response: httpx2.Response) -> float | None:
        return retry_after(response.headers.get("retry-after"), self._runtime.clock.time())

    def _said(self, response: httpx2.Response) -> str:
        try:
            text = self._explain(response).strip() if self._explain else ""
        except (ValueError, LookupError, TypeError, AttributeError):
            text = ""
        return f": {text[:500]}" if text else ""

    def _repeatable(self, request: httpx2.Request, fault: BaseException) -> bool:
        return isinstance(fault, Unreachable | RateLimited) or (isinstance(fault, Unanswered) and self._safe(request))

    def _exhausted(self, state: tenacity.RetryCallState, started: float) -> bool:
        if isinstance(_fault(state), RateLimited):
            return self._runtime.clock.monotonic() - started + state.upcoming_sleep > PATIENCE_SECONDS
        return state.attempt_number >= ATTEMPTS


def retry_after(header: str | None, now: float) -> float | None:
    """Read a Retry-After header, seconds or a date (HTTP's form or ISO 8601), as seconds from `now`."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(header)
        except ValueError:
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, moment.timestamp() - now)
    return None


def tls(url: str, ca_file: str | None, *, unverified: bool = False) -> ssl.SSLContext:
    """Make the TLS settings for a system: the machine's certificate authorities, and those of `ca_file` besides.

    Raises OSError or ssl.SSLError if the file cannot be used. For a plain HTTP address the context trusts nobody,
    which saves reading the authorities.
    """
    if not url.lower().startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    paths = ssl.get_default_verify_paths()
    bundled = None
    if not (paths.cafile or (paths.capath and any(Path(paths.capath).iterdir()))):
        import certifi  # only where the system has no store of its own

        bundled = certifi.where()
    context = ssl.create_default_context(cafile=bundled)
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    if unverified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def open_tls(block: str, url: str, ca_file: str | None, *, unverified: bool = False) -> ssl.SSLContext:
    """Make the TLS settings as `tls` does; raises DiagnosticError on the `ca_file` that cannot be used."""
    try:
        return tls(url, ca_file, unverified=unverified)
    except (OSError, ssl.SSLError) as fault:
        raise DiagnosticError(
            error(
                "The file of certificate authorities cannot be used",
                f"`{block}.ca_file` is {ca_file!r}: {fault}. Name a readable file of PEM certificates.",
                (block, "ca_file"),
            )
        ) from fault


def _pause(state: tenacity.RetryCallState) -> float:
    fault = _fault(state)
    asked = fault.retry_after if isinstance(fault, RateLimited) else None
    return asked if asked is not None else _BACKOFF(state)


_BACKOFF: Final = tenacity.wait_exponential_jitter(initial=1, max=30, jitter=1)


def _fault(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _unreachable(system: str, request: httpx2.Request, fault: Exception) -> SystemFault:
    text = _text(fault)
    advice = "Check the address, the network and proxy settings, and try again."
    if "certificate" in text.lower():
        advice = "If its certificate comes from a private authority, name that authority's file in `ca_file`."
    return Unreachable(system, f"no connection to {request.url.host} could be made ({text})", advice=advice)


def _named(request: httpx2.Request) -> str:
    return f"{request.method} {request.url.host}{request.url.path}"


def _seconds(request: httpx2.Request) -> str:
    read = request.extensions.get("timeout", {}).get("read")
    return f"{read:g}" if read else "the allowed"


def _text(fault: Exception) -> str:
    return str(fault) or type(fault).__name__
