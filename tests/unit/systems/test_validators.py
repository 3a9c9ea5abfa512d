from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import pytest

from provider_py.plugin import (
    Decoded,
    Diagnostic,
    Severity,
    at_most_one,
    exactly_one,
    model,
    optional,
    required_together,
)


@model
class Choice:
    """Three ways of naming something."""

    name: Annotated[str | None, optional("By name.")] = None
    id: Annotated[str | None, optional("By id.")] = None
    url: Annotated[str | None, optional("By address.")] = None


NAMES = ("name", "id", "url")


def decoded(*unknown: str, **values: str) -> Decoded[Choice]:
    return Decoded(Choice(**values), frozenset(unknown))


def paths(said: Iterable[Diagnostic]) -> list[tuple[str | int, ...]]:
    found = list(said)
    assert all(each.severity is Severity.ERROR for each in found)
    return [each.path for each in found]


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (decoded(), [("name",)]),
        (decoded(id="7"), []),
        (decoded(name="a", url="b"), [("url",)]),
        (decoded(name="a", id="7", url="b"), [("id",)]),
        (decoded("url"), []),
        (decoded("url", id="7"), []),
        (decoded("other"), [("name",)]),
        (Decoded(None), []),
    ],
)
def test_exactly_one(config: Decoded[Choice], found: list[tuple[str, ...]]) -> None:
    assert paths(exactly_one(config, NAMES, meaning="thing")) == found


def test_the_message_says_what_to_choose_from() -> None:
    (none,) = exactly_one(decoded(), NAMES, meaning="thing")
    assert none.summary == "Missing thing"
    assert none.detail == "Specify exactly one of `name`, `id`, `url`."
    (several,) = exactly_one(decoded(name="a", url="b"), NAMES, meaning="thing")
    assert several.detail == "Specify only one of `name`, `url`."


@pytest.mark.parametrize(
    ("config", "found"),
    [(decoded(), []), (decoded(id="7"), []), (decoded(id="7", url="b"), [("url",)]), (Decoded(None), [])],
)
def test_at_most_one(config: Decoded[Choice], found: list[tuple[str, ...]]) -> None:
    assert paths(at_most_one(config, NAMES, meaning="thing")) == found


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (decoded(), []),
        (decoded(name="a", id="7"), []),
        (decoded(id="7"), [("name",)]),
        (decoded(name="a"), [("id",)]),
        (decoded("id", name="a"), []),
        (Decoded(None), []),
    ],
)
def test_together(config: Decoded[Choice], found: list[tuple[str, ...]]) -> None:
    assert paths(required_together(config, ("name", "id"))) == found
