"""Authentication at the simulated Nexthink tenant: client credentials for tokens, tokens for calls."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl

from aiohttp import web

from provider_py.sandbox.nexthink.behaviors import SYSTEM
from provider_py.sandbox.wire import basic_credentials, bearer_token, oauth_error
from provider_py.sandbox.world import World


class Access:
    """The token endpoint and the tokens it has issued."""

    def __init__(self, world: World, client_id: str, client_secret: str) -> None:
        """Accept one client; a reset revokes its tokens."""
        self._world = world
        self._client = (client_id, client_secret)
        self._tokens: dict[str, float] = {}
        world.on_reset(self._tokens.clear)

    def allows(self, request: web.Request) -> bool:
        """Whether the request carries a valid token."""
        return self._tokens.get(bearer_token(request), 0.0) > self._world.clock()

    async def token(self, request: web.Request) -> web.Response:
        """POST the client credentials, get a token."""
        form = dict(parse_qsl(await request.text()))
        if request.content_type != "application/x-www-form-urlencoded":
            return oauth_error("invalid_request", "the body must be a form")
        if self._credentials(request, form) != self._client:
            return oauth_error("invalid_client", "the client's credentials are wrong", 401)
        if form.get("grant_type") != "client_credentials":
            return oauth_error("unsupported_grant_type", "grant_type must be client_credentials")
        if form.get("scope") != "service:integration":
            return oauth_error("invalid_scope", "scope must be service:integration")
        seconds = self._world.behaviors.number(SYSTEM, "token_seconds")
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._world.clock() + seconds
        body = {"token_type": "Bearer", "expires_in": int(seconds), "access_token": token}
        return web.json_response(body | {"scope": "service:integration"})

    def _credentials(self, request: web.Request, form: dict[str, str]) -> tuple[str, str]:
        if self._world.behaviors.text(SYSTEM, "token_auth") == "either" and "client_id" in form:
            return form["client_id"], form.get("client_secret", "")
        return basic_credentials(request)
