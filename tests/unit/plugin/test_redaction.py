"""Secrets in text that leaves the process: none shows, in whatever form and wherever the text is cut."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import time
import urllib.parse
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

import pytest

from provider_py.plugin import (
    DiagnosticError,
    Dynamic,
    model,
    optional,
    pattern,
    protect,
    quoted,
    redact,
    redaction,
    resolve,
    setting,
    shorten,
)
from provider_py.plugin.logging import HclogFormatter
from provider_py.plugin.redaction import MASK, Redactor
from provider_py.plugin.sensitive import protect_values
from provider_py.plugin.values import Typed

SECRET = "hunter2-" + "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """Put an empty redactor in the place of the process's own."""
    empty = Redactor()
    monkeypatch.setattr(redaction, "_PROCESS", empty)
    return empty


@pytest.mark.parametrize("offset", range(0, 120, 3))
def test_a_cut_shows_no_part_of_a_secret(offset: int) -> None:
    protect(SECRET)
    text = "x" * offset + SECRET + "y" * 200
    for shown in (shorten(text, 80), quoted(text), quoted([text])):
        assert SECRET[:4] not in shown
        assert len(shown) <= 80


def test_shorten_marks_what_it_cuts() -> None:
    assert shorten("short", 10) == "short"
    assert shorten("x" * 10, 10) == "x" * 10
    assert shorten("x" * 11, 10) == "x" * 9 + "…"
    assert quoted("x" * 100) == f'"{"x" * 77}…"'


def test_what_is_masked_needs_no_cut() -> None:
    protect(SECRET)
    assert shorten(f"token {SECRET} is wrong", 40) == f"token {MASK} is wrong"


SECRETS = [
    "correct horse battery/staple+42",
    'a"b\nc\\ü',
    "p&q<r>'s\"t",
    "Grüße-日本-😀",
    "x=1;y=2&z=3",
    """ä/<b>&"c"!(d)'\n e""",
    "\udcff from a broken environment",
    "four",
]
ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON of Go": lambda text: (
        json.dumps(text)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    ),
    "JSON of Go in UTF-8": lambda text: (
        json.dumps(text, ensure_ascii=False)[1:-1]
        .replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
    ),
    "JSON in JSON in UTF-8": lambda text: json.dumps(json.dumps(text, ensure_ascii=False), ensure_ascii=False)[3:-3],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "Python": lambda text: repr(text)[1:-1],
    "Python with both quotes": lambda text: repr(f"\"'{text}")[3:-1],
    "URL": lambda text: urllib.parse.quote(text, safe="", errors="surrogatepass"),
    "URL in lower case": lambda text: re.sub(
        "%..", lambda hit: hit[0].lower(), urllib.parse.quote(text, safe="", errors="surrogatepass")
    ),
    "path of a URL": lambda text: urllib.parse.quote(text, errors="surrogatepass"),
    "component of a URL": lambda text: urllib.parse.quote(text, safe="!*'()", errors="surrogatepass"),
    "segments of a URL": lambda text: urllib.parse.quote(text, safe="/!$&'()*+,;=:@", errors="surrogatepass"),
    "form": lambda text: urllib.parse.quote_plus(text, errors="surrogatepass"),
    "HTML": html.escape,
    "HTML without quotes": lambda text: html.escape(text, quote=False),
    "HTML of Go": lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "HTML with a decimal apostrophe": lambda text: html.escape(text).replace("&#x27;", "&#39;"),
    "XML": lambda text: html.escape(text).replace("&#x27;", "&apos;"),
    "Base64": lambda text: base64.b64encode(raw(text)).decode(),
    "Base64 without padding": lambda text: base64.b64encode(raw(text)).decode().rstrip("="),
    "Base64 for URLs": lambda text: base64.urlsafe_b64encode(raw(text)).decode(),
    "Base64 for URLs without padding": lambda text: base64.urlsafe_b64encode(raw(text)).decode().rstrip("="),
}


def raw(text: str) -> bytes:
    """Return the bytes of a text, whatever is in it."""
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_every_form_is_masked(encode: Callable[[str], str], secret: str) -> None:
    protect(secret)
    assert redact(f"<{encode(secret)}>") == f"<{MASK}>"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_nothing_of_a_secret_can_be_read_within_a_longer_base64_text(
    encode: Callable[[bytes], bytes], before: int, secret: str
) -> None:
    """What remains beside the mask are the characters that the secret shares with its neighbours: a few bits."""
    protect(secret)
    encoded = encode(b"u" * before + raw(secret) + b"tail").decode()
    shown = redact(encoded)
    assert MASK in shown
    left, right = shown.split(MASK)
    assert encoded.startswith(left)
    assert encoded.endswith(right)
    hidden = len(encoded) - len(left) - len(right)
    assert hidden * 6 >= len(raw(secret)) * 8 - 2 * 4 - 2


def test_overlapping_secrets_leave_nothing_between() -> None:
    for secret in ("abcd-efgh", "efgh-ijkl", "cd-ef"):
        protect(secret)
    assert redact("[abcd-efgh-ijkl] [xcd-efx] abcd-efghabcd-efgh") == f"[{MASK}] [x{MASK}x] {MASK}{MASK}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"pin": "abc"}', f'{{"pin": "{MASK}"}}'),
        ("pin=abc", f"pin={MASK}"),
        ("?pin=abc&next=1", f"?pin={MASK}&next=1"),
        ('{\\"pin\\":\\"abc\\"}', f'{{\\"pin\\":\\"{MASK}\\"}}'),
        ("pin: abc, next", f"pin: {MASK}, next"),
        ("an abc of words: abcd", "an abc of words: abcd"),
        ("12:abc:45", "12:abc:45"),
    ],
)
def test_a_short_secret_is_masked_where_it_is_the_value_of_a_key(text: str, shown: str) -> None:
    protect("abc")
    assert redact(text) == shown


def test_the_cost_is_linear_in_the_number_of_secrets() -> None:
    """3000 secrets with a line of the log after each took minutes with one regular expression."""
    line = "POST example.com/api/executions answered 200: the run of %s is running"

    def seconds(count: int, prefix: str) -> float:
        redactor = Redactor()
        began = time.process_time()
        for number in range(count):
            secret = f"{prefix}{number:06d}-secret"
            redactor.protect(secret)
            assert redactor.redact(line % secret) == line % MASK
        return time.process_time() - began

    seconds(100, "warm")
    assert seconds(3000, "") < 5
    assert seconds(3000, "eyJhbGciOi") < 5, "secrets that begin alike"


@model
class Settings:
    """Settings of a system."""

    api_key: Annotated[str | None, setting("Key.", environment="ACME_KEY", sensitive=True)] = None
    pin: Annotated[
        str | None, setting("Pin.", environment="ACME_PIN", sensitive=True, checks=(pattern("[0-9]+", "digits"),))
    ] = None
    url: Annotated[str | None, setting("URL.", environment="ACME_URL")] = None


def test_sensitive_settings_are_protected_wherever_they_come_from() -> None:
    resolve(Settings, Settings(pin="123456"), {"ACME_KEY": "from-the-environment", "ACME_URL": "https://acme.example"})
    assert redact("from-the-environment 123456 https://acme.example") == f"{MASK} {MASK} https://acme.example"


def test_a_sensitive_variable_that_is_refused_is_not_shown() -> None:
    with pytest.raises(DiagnosticError) as refused:
        resolve(Settings, None, {"ACME_PIN": "hunter2-pin"})
    (problem,) = refused.value.diagnostics
    assert "hunter2" not in redact(problem.detail)
    assert MASK in redact(problem.detail)


@model
class Inputs:
    """Sensitive inputs of any type."""

    values: Annotated[Dynamic, optional("Values.", sensitive=True)] = None
    code: Annotated[int | None, optional("Code.", write_only=True)] = None


def test_numbers_are_secrets_too() -> None:
    values = Typed('["object",{}]', {"pin": 987654, "share": Decimal("0.12345"), "few": [12, True, "tail-secret"]})
    protect_values(Inputs, {"values": values, "code": 13579})
    assert redact("987654 0.12345 12 True tail-secret 13579") == f"{MASK} {MASK} 12 True {MASK} {MASK}"


def test_a_number_in_a_log_line_is_masked() -> None:
    protect("987654")
    record = logging.LogRecord("x", logging.INFO, "file", 1, "sent", (), None)
    record.pin, record.tries = 987654, 3
    line = json.loads(HclogFormatter().format(record))
    assert (line["pin"], line["tries"]) == (MASK, 3)
