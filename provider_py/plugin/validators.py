"""Rules across several attributes, aware that unknown values may still turn out either way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from provider_py.plugin.diagnostics import Diagnostic, error
from provider_py.plugin.resource import Decoded

M = TypeVar("M")


def exactly_one(config: Decoded[M], names: Sequence[str], *, meaning: str) -> Iterable[Diagnostic]:
    """Require that one of the attributes is set; `meaning` says what they specify: "workflow"."""
    yield from at_most_one(config, names, meaning=meaning)
    if config.model is not None and not _configured(config, names) and not config.unknown.intersection(names):
        yield error(f"Missing {meaning}", f"Specify exactly one of {_listed(names)}.", (names[0],))


def at_most_one(config: Decoded[M], names: Sequence[str], *, meaning: str) -> Iterable[Diagnostic]:
    """Require that no two of the attributes are set."""
    configured = _configured(config, names)
    if len(configured) > 1:
        yield error(
            f"Conflicting arguments for the {meaning}",
            f"Specify only one of {_listed(configured)}.",
            (configured[1],),
        )


def required_together(config: Decoded[M], names: Sequence[str]) -> Iterable[Diagnostic]:
    """Require that all of the attributes are set, or none."""
    configured = _configured(config, names)
    if configured and config.model is not None:
        for name in names:
            if name not in configured and name not in config.unknown:
                yield error(f"Missing `{name}`", f"`{configured[0]}` requires it: set both or neither.", (name,))


def _configured(config: Decoded[M], names: Sequence[str]) -> list[str]:
    return [name for name in names if config.model is not None and getattr(config.model, name) is not None]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
