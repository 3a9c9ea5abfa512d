"""Checks of single values for `required` and `optional`: each returns what is wrong and what to write, or None."""

from __future__ import annotations

import re
from collections.abc import Sized
from typing import Final

from provider_py.plugin.schema import Check

_DURATION_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = r"(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)"
_SHOWN: Final = 80


def quoted(value: object) -> str:
    """Return a value the way a message shows it: strings in quotes, long ones cut."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 2]}…{text[-1]}"


def pattern(regex: str, hint: str) -> Check:
    """Make a check that a whole string matches; `hint` completes "… is not valid; write …"."""
    compiled = re.compile(regex)

    def check(value: str) -> str | None:
        return None if compiled.fullmatch(value) else f"{quoted(value)} is not valid; write {hint}"

    return check


def one_of(*values: str) -> Check:
    """Make a check that a string is one of a few words."""
    if not values:
        raise ValueError("one_of needs at least one value")
    words = [quoted(value) for value in values]
    choice = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"

    def check(value: str) -> str | None:
        return None if value in values else f"{quoted(value)} is not one of the values allowed; write {choice}"

    return check


def max_length(limit: int) -> Check:
    """Make a check that a string, list or map has at most so many characters or elements."""

    def check(value: Sized) -> str | None:
        if len(value) <= limit:
            return None
        if isinstance(value, str):
            return f"A text of {len(value)} characters is not allowed; write at most {limit}"
        return f"A collection of {len(value)} elements is not allowed; write at most {limit}"

    return check


def not_empty(value: Sized) -> str | None:
    """Check that a string has a visible character, or that a list or map has an element."""
    if isinstance(value, str):
        return None if value.strip() else f"{quoted(value)} is not a value; write at least one visible character"
    return None if len(value) else "An empty collection is not allowed; write at least one element"


def duration(value: str) -> str | None:
    """Check that a string is a duration as Go writes it."""
    try:
        parse_duration(value)
    except ValueError as fault:
        return str(fault)
    return None


def parse_duration(text: str) -> float:
    """Return the seconds of a duration as Go writes it: "45s", "1h30m", "1.5h", "250ms", "0"."""
    if text == "0":
        return 0.0
    if not re.fullmatch(f"(?:{_DURATION})+", text):
        message = f'{quoted(text)} is not a duration; write numbers with units, such as "45s", "30m" or "1h30m"'
        raise ValueError(message)
    parts = re.findall(r"([\d.]+)([^\d.]+)", text)
    return sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)


def url(value: str) -> str | None:
    """Check that a string is an absolute http or https address without credentials."""
    from urllib.parse import urlsplit  # lazy: start-up

    try:
        parts = urlsplit(value)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return f'{quoted(value)} is not a URL; write an address such as "https://example.com"'
    if "@" in parts.netloc:
        return "A URL with credentials is not allowed; write it without them and use the attributes meant for them"
    if fits and not re.search(r"\s", value):
        return None
    return f'{quoted(value)} is not a URL; write an address such as "https://example.com"'
