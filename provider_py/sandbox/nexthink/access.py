"""Who may call the simulated Nexthink tenant: client credentials for tokens, tokens for calls."""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import parse_qsl

from aiohttp import web

from provider_py.sandbox.world import World


class Access:
    """The token endpoint and the tokens it gave."""

    def __init__(self, world: World, client_id: str, client_secret: str) -> None:
        """Accept one client; its tokens are lost on each reset."""
        self._world = world
        self._client = (client_id, client_secret)
        self._tokens: dict[str, float] = {}
        world.on_reset(self._tokens.clear)

    def knows(self, request: web.Request) -> bool:
        """Whether the request carries a token that is still good."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._tokens.get(token.strip(), 0.0) > self._world.clock()

    async def token(self, request: web.Request) -> web.Response:
        """POST the client credentials, get a token."""
        form = dict(parse_qsl(await request.text()))
        if request.content_type != "application/x-www-form-urlencoded":
            return _refused("invalid_request", "the body must be a form")
        if self._credentials(request, form) != self._client:
            return _refused("invalid_client", "the client's credentials are wrong", 401)
        if form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", "grant_type must be client_credentials")
        if form.get("scope") != "service:integration":
            return _refused("invalid_scope", "scope must be service:integration")
        seconds = self._world.behaviours.number("nexthink", "token_seconds")
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._world.clock() + seconds
        answer = {"token_type": "Bearer", "expires_in": int(seconds), "access_token": token}
        return web.json_response(answer | {"scope": "service:integration"})

    def _credentials(self, request: web.Request, form: dict[str, str]) -> tuple[str, str]:
        if self._world.behaviours.text("nexthink", "token_auth") == "either" and "client_id" in form:
            return form["client_id"], form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return (user, password) if scheme.lower() == "basic" else ("", "")


def _refused(error: str, description: str, status: int = 400) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
