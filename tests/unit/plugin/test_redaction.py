"""Secrets in text that leaves the process: none shows, in whatever form and wherever the text is cut."""

from __future__ import annotations

import pytest

from provider_py.plugin import protect, quoted, redaction, shorten
from provider_py.plugin.redaction import MASK, Redactor

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
