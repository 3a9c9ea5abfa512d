"""Secrets are kept out of all text that leaves the process: one registry, which logs and diagnostics ask.

What does not work:

- *One regular expression of all secrets.* It is compiled again for each new one, and 3000 runs with secrets of their
  own, each with a line in the log, keep the process busy for minutes.
- *The secret as it is, and nothing else.* An error page quotes a request as JSON, URL, HTML or Base64.
- *Cutting a text and masking it then.* The half that is left of a secret is not recognized.

So each secret is entered in all of these forms under their first characters; a text is scanned once, by a lookup at
each place, however many secrets there are. `shorten` is the only way to cut a text.

Not guaranteed: other encodings (hex, compression, encryption), text that is broken into lines within a secret, and
values of less than four characters where they are not the whole value of a key: they would mask ordinary words.
"""

from __future__ import annotations

import binascii
import json
import re
import threading
from collections.abc import Iterator
from typing import Final

MASK: Final = "(sensitive)"
_SHORTEST: Final = 4
"""Characters under which forms are entered; shorter secrets are masked only where they are the value of a key."""
_VALUE_OF_KEY: Final = re.compile(r"""([:=]\s*\\?["']?)([^\s"'\\,;&{}()\[\]]{1,3})(?=\\?["']?(?:[\s,;&{}()\[\]]|$))""")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_URL_SAFE: Final = str.maketrans("+/", "-_")
_HTML: Final = (
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"},
)
_GO_JSON: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


class Redactor:
    """A set of secrets and the replacement of each of them in a text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._short: set[str] = set()
        self._index: dict[str, tuple[tuple[int, ...], set[str]]] = {}
        """Lengths, longest first, and forms by their first characters."""
        self._lock = threading.Lock()

    def protect(self, secret: str) -> None:
        """Mask a secret from now on, also in the encodings that answers and logs have it in."""
        if secret in self._secrets:
            return
        with self._lock:
            self._secrets.add(secret)
            if 0 < len(secret) < _SHORTEST:
                self._short.add(secret)
            for form in _forms(secret) if len(secret) >= _SHORTEST else ():
                if len(form) >= _SHORTEST:
                    self._enter(form)

    def _enter(self, form: str) -> None:
        lengths, forms = self._index.get(form[:_SHORTEST], ((), set()))
        forms.add(form)
        lengths = tuple(sorted({*lengths, len(form)}, reverse=True))
        self._index[form[:_SHORTEST]] = (lengths, forms)

    def redact(self, text: str) -> str:
        """Return the text with every secret masked; secrets that overlap have one mask."""
        if self._index:
            text = self._masked(text)
        if self._short:
            text = _VALUE_OF_KEY.sub(lambda m: m[1] + MASK if m[2] in self._short else m[0], text)
        return text

    def _masked(self, text: str) -> str:
        parts: list[str] = []
        begin = end = 0
        for start, stop in self._occurrences(text):
            if start >= end:
                parts += [MASK] * (end > 0) + [text[end:start]]
                begin = start
            end = max(end, stop)
        return "".join([*parts, MASK, text[end:]]) if end > begin else text

    def _occurrences(self, text: str) -> Iterator[tuple[int, int]]:
        index = self._index
        starts = [start for start in range(len(text)) if text[start : start + _SHORTEST] in index]
        for start in starts:
            lengths, forms = index[text[start : start + _SHORTEST]]
            length = next((length for length in lengths if text[start : start + length] in forms), 0)
            if length:
                yield start, start + length


def _forms(secret: str) -> set[str]:
    """Return a secret as it is and as texts have it that quote it."""
    data = secret.encode("utf-8", "surrogatepass")
    escaped = json.dumps(secret)[1:-1]
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    python = repr(secret)[1:-1]
    return {
        secret,
        escaped,
        plain,
        escaped.replace("/", "\\/"),
        _replaced(escaped, _GO_JSON),
        _replaced(plain, _GO_JSON),
        json.dumps(escaped)[1:-1],
        json.dumps(plain, ensure_ascii=False)[1:-1],
        python,
        repr(f"'{secret}\"")[2:-2],
        *(_replaced(secret, entities) for entities in _HTML),
        *_url_forms(data),
        *_base64_forms(data),
    }


def _replaced(text: str, replacements: dict[str, str]) -> str:
    return text.translate({ord(character): replacement for character, replacement in replacements.items()})


def _url_forms(data: bytes) -> Iterator[str]:
    """Yield percent-encodings: with and without slashes, with either sign for a space, in either case."""
    for kept in (b"", b"/", b"!*'()", b"/!$&'()*+,;=:@"):
        safe = _UNRESERVED.union(kept)
        for template in ("%%%02X", "%%%02x"):
            quoted = "".join(chr(byte) if byte in safe else template % byte for byte in data)
            yield quoted
            yield quoted.replace("%20", "+")


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield the whole Base64, and what any text around the secret leaves of it at each of the three alignments."""
    whole = binascii.b2a_base64(data, newline=False).decode()
    forms = [whole, whole.rstrip("=")]
    for before in range(3):
        encoded = binascii.b2a_base64(bytes(before) + data, newline=False).decode()
        forms.append(encoded[(8 * before + 5) // 6 : 8 * (before + len(data)) // 6])
    for form in forms:
        yield form
        yield form.translate(_URL_SAFE)


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
