"""Errors in Cloud Director's shape."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(eq=False)
class ApiError(Exception):
    """An error: HTTP status, minorErrorCode and message."""

    status: int
    code: str
    message: str

    def body(self, request_id: str) -> bytes:
        """The error object, whose message begins with the request's id."""
        error = {"minorErrorCode": self.code, "message": f"[ {request_id} ] {self.message}", "stackTrace": None}
        return json.dumps(error).encode()


def bad_request(message: str) -> ApiError:
    """Status 400."""
    return ApiError(400, "BAD_REQUEST", message)


def forbidden(message: str) -> ApiError:
    """Status 403, also for objects that do not exist."""
    return ApiError(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", message)


def not_found(message: str) -> ApiError:
    """Status 404."""
    return ApiError(404, "NOT_FOUND", message)


def unauthorized() -> ApiError:
    """Status 401."""
    return ApiError(401, "UNAUTHORIZED", "The session is missing, wrong or expired.")
