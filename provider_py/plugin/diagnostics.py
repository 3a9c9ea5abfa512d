"""Errors and warnings as Terraform shows them: a short summary, a detail that says what to do next, the attribute.

DiagnosticError     raised to end an operation; carries the diagnostics that say why
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, TypeAlias


class Key(str):
    """A step of a path into a map; a plain string names an attribute, an int an element of a list."""

    __slots__ = ()


Path: TypeAlias = tuple[str | int, ...]
"""Where in a configuration: ("devices", 3, "name"), ("variables", Key("Environment")); () is the whole block."""


def format_path(path: Path) -> str:
    """Format a path as Terraform formats references: devices[3].name, variables["Environment"]."""
    text = ""
    for step in path:
        if isinstance(step, Key):
            text += f'["{step}"]'
        elif isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


class Severity(Enum):
    """Terraform stops at an error and goes on after a warning."""

    ERROR = 1
    WARNING = 2


class Diagnostic(NamedTuple):
    """One message to the user: `summary` is title-like, `detail` says what to do, `path` where."""

    severity: Severity
    summary: str
    detail: str
    path: Path = ()


def error(summary: str, detail: str, path: Path = ()) -> Diagnostic:
    """Make an error."""
    return Diagnostic(Severity.ERROR, summary, detail, path)


def warning(summary: str, detail: str, path: Path = ()) -> Diagnostic:
    """Make a warning."""
    return Diagnostic(Severity.WARNING, summary, detail, path)


class DiagnosticError(Exception):
    """The operation cannot go on; `diagnostics` say why and what to do."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        """Carry at least one diagnostic of severity ERROR."""
        super().__init__("; ".join(diagnostic.summary for diagnostic in diagnostics))
        self.diagnostics = diagnostics


def has_error(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them stops Terraform."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
