"""Switches for what is doubtful about a vendor, or only sometimes so: a name, a default, sometimes a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Changes = Mapping[str, Mapping[str, object]]


class UnknownBehaviourError(ValueError):
    """A switch that does not exist, or a value it cannot take; the message lists what there is."""


class Behaviours(dict[str, dict[str, object]]):
    """The present value of every switch by system and name."""

    def __init__(self) -> None:
        """Start without any switch; systems declare theirs."""
        super().__init__()
        self._defaults: dict[str, dict[str, object]] = {}
        self._choices: dict[str, dict[str, tuple[object, ...]]] = {}

    def declare(
        self, system: str, defaults: Mapping[str, object], choices: Mapping[str, Sequence[object]] | None = None
    ) -> None:
        """Add the switches of a system."""
        self._defaults[system] = dict(defaults)
        self._choices[system] = {name: tuple(values) for name, values in (choices or {}).items()}
        self[system] = dict(defaults)

    def restore(self) -> None:
        """Put every switch back to its default."""
        for system, defaults in self._defaults.items():
            self[system] = dict(defaults)

    def change(self, changes: Changes) -> None:
        """Set switches; nothing is changed if any of them cannot be."""
        for system, values in changes.items():
            for name, value in values.items():
                self._check(system, name, value)
        for system, values in changes.items():
            self[system].update(values)

    def _check(self, system: str, name: str, value: object) -> None:
        if system not in self:
            raise UnknownBehaviourError(f"{system}: unknown system; there are {', '.join(sorted(self))}")
        if name not in self[system]:
            raise UnknownBehaviourError(f"{system}.{name}: unknown; there are {', '.join(sorted(self[system]))}")
        choices = self._choices[system].get(name)
        if choices is not None and value not in choices:
            raise UnknownBehaviourError(f"{system}.{name}: {value!r} is none of {', '.join(map(repr, choices))}")
        default = self._defaults[system][name]
        if choices is None and default is not None and not _same_kind(default, value):
            raise UnknownBehaviourError(f"{system}.{name}: {value!r} is not of the kind of its default {default!r}")

    def flag(self, system: str, name: str) -> bool:
        """The value of a switch that is on or off."""
        return self[system][name] is True

    def text(self, system: str, name: str) -> str:
        """The value of a switch that is a word."""
        return str(self[system][name])

    def number(self, system: str, name: str) -> float:
        """The value of a switch that is a number."""
        value = self[system][name]
        return float(value) if isinstance(value, (int, float)) else 0.0


def _same_kind(default: object, value: object) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float))
    return isinstance(value, type(default))
