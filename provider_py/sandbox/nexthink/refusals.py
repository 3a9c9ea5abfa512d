"""Errors in the shapes of the two APIs."""

from __future__ import annotations

from aiohttp import web


def refusal(status: int, code: str, text: str) -> web.Response:
    """An error of the Workflows API."""
    return web.json_response({"code": code, "details": text}, status=status)


def nql_refusal(status: int, code: int, text: str) -> web.Response:
    """An error of the NQL API."""
    return web.json_response({"message": text, "code": code, "source": "nql-api"}, status=status)
