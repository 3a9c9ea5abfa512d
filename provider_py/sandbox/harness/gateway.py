"""The gate in front of the API: the key, and the limit on requests per minute.

The limit is a sliding window over accepted requests, per account: a client that spreads its requests is never refused,
one that bursts gets the next slot when its oldest request is a minute old. Refused requests do not count. With the
"cloudflare" style the network refuses instead, and blocks the account for a full minute from the refusal, whatever the
window says; every further attempt while the window is full extends the block. A client that retries at once therefore
waits longer than one that pauses, which is what tests of the provider's request budget rely on.
"""

from __future__ import annotations

import base64
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

from provider_py.sandbox.harness.account import ACCOUNT_ID
from provider_py.sandbox.harness.behaviors import SYSTEM
from provider_py.sandbox.wire import JsonObject
from provider_py.sandbox.world import World

API_KEY = base64.b64encode(f"{ACCOUNT_ID}::{'sandbox0' * 10}".encode()).decode()
_MINUTE = 60.0


def envelope(code: str, message: str, resource: object = None) -> JsonObject:
    """The REST envelope of an error."""
    entry: JsonObject = {
        "code": code,
        "level": "ERROR",
        "message": message,
        "exception": None,
        "failureTypes": [],
    }
    return {"metaData": {}, "resource": resource, "responseMessages": [entry]}


def reject_key(world: World, request: web.Request) -> web.Response | None:
    """The response to a request without the account's key; None if it has the key."""
    if request.headers.get("x-api-key") == API_KEY:
        return None
    if world.behaviors.text(SYSTEM, "unauthorized_style") == "graphql":
        return web.json_response({"errors": [{"message": "Invalid Api Key", "locations": []}]}, status=401)
    body = envelope("INVALID_TOKEN", "Token is not valid.")
    return web.json_response(body, status=401, headers={"X-Harness-Error": "INVALID_TOKEN"})


class RequestLimit:
    """The limit on requests in any minute, for the whole account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._accepted: deque[float] = deque()
        self._blocked_until = 0.0

    def reset(self) -> None:
        """Start with an unused limit."""
        self._accepted.clear()
        self._blocked_until = 0.0

    def reject(self) -> web.Response | None:
        """The response to a request over the limit; None if it is accepted, and then counted."""
        limit = int(self._world.behaviors.number(SYSTEM, "requests_per_minute"))
        now = self._world.clock()
        while self._accepted and self._accepted[0] <= now - _MINUTE:
            self._accepted.popleft()
        if not limit:
            return None
        is_full = len(self._accepted) >= limit
        is_cloudflare = self._world.behaviors.text(SYSTEM, "rate_limit_style") == "cloudflare"
        if is_full and is_cloudflare:
            self._blocked_until = max(self._blocked_until, now + _MINUTE)
        if not is_full and now >= self._blocked_until:
            self._accepted.append(now)
            return None
        free_at = max(self._blocked_until, self._accepted[0] + _MINUTE if self._accepted else now)
        return self._rejection(limit, is_cloudflare, free_at - now)

    def _rejection(self, limit: int, is_cloudflare: bool, seconds: float) -> web.Response:
        headers = self._retry_after(seconds)
        if is_cloudflare:
            body: JsonObject = {
                "code": "TOO_MANY_REQUESTS",
                "message": f"Too many requests received, please try again later - Rate-Limit Limit {limit} reached",
                "status": "Error",
            }
        else:
            text = "You've reached your account's rate limit for data queries. Please try again later."
            body = {"errors": [{"message": text, "locations": []}]}
        return web.json_response(body, status=429, headers=headers)

    def _retry_after(self, seconds: float) -> dict[str, str]:
        style = self._world.behaviors.text(SYSTEM, "retry_after")
        if style == "seconds":
            return {"Retry-After": str(int(seconds) + 1)}
        if style == "date":
            now = datetime.fromtimestamp(self._world.clock(), UTC)
            free = now + timedelta(seconds=seconds + 1)
            return {"Date": format_datetime(now, usegmt=True), "Retry-After": format_datetime(free, usegmt=True)}
        return {}
