"""The ways a resolver refuses, with the prefixes of the server's own messages."""

from __future__ import annotations


class RefusalError(Exception):
    """The server's text as it is, without a prefix."""


def invalid(message: str) -> RefusalError:
    """A request the server calls invalid."""
    return RefusalError(f"Invalid request: {message}")


def denied(detail: str = "Not authorized") -> RefusalError:
    """A request the key has no right to make."""
    return RefusalError(f"User not authorized: {detail}")
