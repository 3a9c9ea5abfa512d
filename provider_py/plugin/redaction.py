"""Secrets are kept out of all text that leaves the process: one registry, which logs and diagnostics ask."""

from __future__ import annotations

import json
import re
import threading
from typing import Final

MASK: Final = "(sensitive)"
_SHORTEST: Final = 4
"""Shorter values would mask ordinary words rather than secrets."""


class Redactor:
    """A set of secrets and the replacement of each of them in a text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def protect(self, secret: str) -> None:
        """Mask a secret from now on, also where it is quoted as in JSON or Python."""
        if len(secret) < _SHORTEST or secret in self._secrets:
            return
        with self._lock:
            self._secrets.add(secret)
            self._forms |= {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
            self._forms.add(repr(secret)[1:-1])
            self._pattern = None

    def redact(self, text: str) -> str:
        """Return the text with every secret masked; the longest match wins."""
        if not self._forms:
            return text
        return self._compiled().sub(MASK, text)

    def _compiled(self) -> re.Pattern[str]:
        with self._lock:
            if self._pattern is None:
                forms = sorted(self._forms, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, forms)))
            return self._pattern


_PROCESS: Final = Redactor()


def protect(secret: str) -> None:
    """Mask a secret from now on in everything that leaves the process as text."""
    _PROCESS.protect(secret)


def redact(text: str) -> str:
    """Return the text with every secret masked."""
    return _PROCESS.redact(text)


def shorten(text: str, length: int) -> str:
    """Return the text with every secret masked, and cut to `length` characters.

    The only way to cut text: half a secret is not recognized any more.
    """
    text = redact(text)
    return text if len(text) <= length else f"{text[: length - 1]}…"
