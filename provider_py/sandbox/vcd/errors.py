"""Errors as Cloud Director answers them."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal: HTTP status, minorErrorCode and message."""

    status: int
    code: str
    message: str

    def body(self, request_id: str) -> bytes:
        """The error object; messages begin with the request's id."""
        shown = {"minorErrorCode": self.code, "message": f"[ {request_id} ] {self.message}", "stackTrace": None}
        return json.dumps(shown).encode()


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BAD_REQUEST", message)


def forbidden(message: str) -> ApiError:
    """403, which also stands for what does not exist."""
    return ApiError(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", message)


def not_found(message: str) -> ApiError:
    """404."""
    return ApiError(404, "NOT_FOUND", message)


def unauthorized() -> ApiError:
    """401."""
    return ApiError(401, "UNAUTHORIZED", "The session is missing, wrong or expired.")
