"""Errors of the build step.

CodegenError        a message for the user, with nothing written
└── SpecError       a specification is wrong, at a place that can be named
"""

from __future__ import annotations


class CodegenError(Exception):
    """Generation cannot go on; the message is one line and says what to do."""


class SpecError(CodegenError):
    """A specification is wrong: `file` relative to the repository, `location` in it, `reason`."""

    def __init__(self, file: str, location: str, reason: str) -> None:
        """Name the place; the text is folded to one line."""
        super().__init__(file, location, reason)
        self.file, self.location, self.reason = file, location, " ".join(reason.split())

    def __str__(self) -> str:
        """Give file, location and reason on one line."""
        return ": ".join(part for part in (self.file, self.location, self.reason) if part)
