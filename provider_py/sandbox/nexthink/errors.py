"""Errors in the shapes of the Workflows API and the NQL API."""

from __future__ import annotations

from aiohttp import web


class ApiError(Exception):
    """An error of the Workflows API."""

    def __init__(self, status: int, code: str, details: str) -> None:
        super().__init__(details)
        self.response = web.json_response({"code": code, "details": details}, status=status)


class NqlError(ApiError):
    """An error of the NQL API."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(status, str(code), message)
        body = {"message": message, "code": code, "source": "nql-api"}
        self.response = web.json_response(body, status=status)
