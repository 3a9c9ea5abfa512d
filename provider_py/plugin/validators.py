"""Judgements on several attributes together, aware that unknown values may still turn out either way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from provider_py.plugin.diagnostics import Diagnostic, error
from provider_py.plugin.resource import Decoded


def exactly_one(config: Decoded[Any], names: Sequence[str], *, meaning: str) -> Iterable[Diagnostic]:
    """Demand that one of the attributes is given; `meaning` says what they name, for the message."""
    yield from at_most_one(config, names, meaning=meaning)
    if config.model is not None and not _given(config, names) and not config.unknown.intersection(names):
        yield error(f"No {meaning} is given", f"Set exactly one of {_listed(names)}.", (names[0],))


def at_most_one(config: Decoded[Any], names: Sequence[str], *, meaning: str) -> Iterable[Diagnostic]:
    """Demand that no two of the attributes are given."""
    given = _given(config, names)
    if len(given) > 1:
        yield error(
            f"More than one {meaning} is given",
            f"{_listed(given)} exclude each other: keep one of them.",
            (given[1],),
        )


def required_together(config: Decoded[Any], names: Sequence[str]) -> Iterable[Diagnostic]:
    """Demand that all of the attributes are given, or none."""
    given = _given(config, names)
    if given and config.model is not None:
        for name in names:
            if name not in given and name not in config.unknown:
                yield error(f"`{name}` is missing", f"It belongs to `{given[0]}`: set both or neither.", (name,))


def _given(config: Decoded[Any], names: Sequence[str]) -> list[str]:
    return [name for name in names if config.model is not None and getattr(config.model, name) is not None]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
