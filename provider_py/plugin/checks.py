"""Checks of single values for `required`, `optional` and `setting`: each returns what is wrong, or None.

The sentence completes "Invalid value for `name`" and says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Sized
from typing import Final

from provider_py.plugin.redaction import shorten
from provider_py.plugin.schema import Check

_DURATION_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = r"(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)"
_QUOTED_LENGTH: Final = 80
_EXAMPLE_URL: Final = 'such as "https://example.com"'


def quoted(value: object) -> str:
    """Return a value as messages show it: strings in quotes, long ones cut."""
    if isinstance(value, str):
        return f'"{shorten(value, _QUOTED_LENGTH - 2)}"'
    return shorten(str(value), _QUOTED_LENGTH)


def pattern(regex: str, expected: str) -> Check:
    """Make a check that a whole string matches; `expected` completes "Must be …"."""
    compiled = re.compile(regex)

    def check(value: str) -> str | None:
        return None if compiled.fullmatch(value) else f"Must be {expected}; got {quoted(value)}"

    return check


def one_of(*values: str) -> Check:
    """Make a check that a string is one of a few words."""
    if not values:
        raise ValueError("one_of needs at least one value")
    choice = ", ".join(map(quoted, values))

    def check(value: str) -> str | None:
        return None if value in values else f"Must be one of: {choice}; got {quoted(value)}"

    return check


def max_length(limit: int) -> Check:
    """Make a check that a string, list or map has at most so many characters or elements."""

    def check(value: Sized) -> str | None:
        if len(value) <= limit:
            return None
        unit = "characters" if isinstance(value, str) else "elements"
        return f"Must have at most {limit} {unit}; got {len(value)}"

    return check


def not_empty(value: Sized) -> str | None:
    """Check that a string has a visible character, or that a list or map has an element."""
    if isinstance(value, str):
        return None if value.strip() else f"Must contain a visible character; got {quoted(value)}"
    return None if len(value) else "Must have at least one element"


def duration(value: str) -> str | None:
    """Check that a string is a duration in Go's notation."""
    try:
        parse_duration(value)
    except ValueError as fault:
        return str(fault)
    return None


def parse_duration(text: str) -> float:
    """Return the seconds of a duration in Go's notation: "45s", "1h30m", "1.5h", "250ms", "0"; raises ValueError."""
    if text == "0":
        return 0.0
    if not re.fullmatch(f"(?:{_DURATION})+", text):
        message = f'Must be a duration such as "45s", "30m" or "1h30m"; got {quoted(text)}'
        raise ValueError(message)
    parts = re.findall(r"([\d.]+)([^\d.]+)", text)
    return sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)


def url(value: str) -> str | None:
    """Check that a string is an absolute http or https URL without credentials."""
    from urllib.parse import urlsplit  # lazy: 3 ms of every start, for configured addresses only

    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return f"Must be a URL {_EXAMPLE_URL}; got {quoted(value)}"
    if "@" in parts.netloc:
        return "Must be a URL without credentials; use the attributes meant for them"
    if valid and not re.search(r"\s", value):
        return None
    return f"Must be a URL {_EXAMPLE_URL}; got {quoted(value)}"
