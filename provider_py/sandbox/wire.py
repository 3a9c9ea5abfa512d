"""What the simulated systems share on the wire: JSON objects, handlers, credentials in headers, OAuth errors."""

from __future__ import annotations

import base64
import binascii
from typing import TypeAlias

from aiohttp import web

JsonObject: TypeAlias = dict[str, object]
"""A JSON object; a value read from one is narrowed before it is used."""


def bearer_token(request: web.Request) -> str:
    """The token of a Bearer header; empty if there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def basic_credentials(request: web.Request) -> tuple[str, str]:
    """User and password of a Basic header; both empty if there is none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")


def oauth_error(error: str, description: str, status: int = 400) -> web.Response:
    """An error of a token endpoint, as RFC 6749 §5.2 has it."""
    return web.json_response({"error": error, "error_description": description}, status=status)
