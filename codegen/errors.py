"""Errors of the build step.

CodegenError        a message for the user; nothing was written
└── SpecError       a specification is wrong, at a place that can be named
"""

from __future__ import annotations


class CodegenError(Exception):
    """The command cannot continue; the message is one line that says what is wrong and, where it can, what to do."""


class SpecError(CodegenError):
    """A specification is wrong: `file` relative to the repository, `location` in it, `reason`."""

    def __init__(self, file: str, location: str, reason: str) -> None:
        """Fold the reason to one line."""
        super().__init__(file, location, reason)
        self.file, self.location, self.reason = file, location, " ".join(reason.split())

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.location, self.reason) if part)
