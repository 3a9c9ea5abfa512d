"""Behaviors: switches for what a vendor leaves open.

A simulation must settle what no document settles: the documents contradict each other or the service, say nothing, or
describe what only some accounts have. Picking one answer would let the provider depend on it unnoticed. Each such
question is therefore a switch: its default is the best-supported answer, and tests set the others. What each one stands
for, and why it is in doubt, is listed in docs/contributing/sandbox.md.
"""

from __future__ import annotations

from collections.abc import Mapping

Changes = Mapping[str, Mapping[str, object]]


class UnknownBehaviorError(ValueError):
    """A switch that does not exist, or a value it cannot take; the message lists the alternatives."""


class Behavior:
    """One switch: its default and, if it is a choice, the alternatives; otherwise any value of the default's type."""

    def __init__(self, default: bool | float | str, *alternatives: str) -> None:
        self.default = default
        self.choices: tuple[object, ...] = (default, *alternatives) if alternatives else ()

    def accepts(self, value: object) -> bool:
        """Whether it can be set to this value."""
        if self.choices:
            return value in self.choices
        if isinstance(self.default, str) or isinstance(value, bool):
            return type(value) is type(self.default)
        return isinstance(value, (int, float)) and not isinstance(self.default, bool)


class Behaviors(dict[str, dict[str, object]]):
    """The current value of every switch, by system and name."""

    def __init__(self) -> None:
        super().__init__()
        self._declared: dict[str, Mapping[str, Behavior]] = {}

    def declare(self, system: str, behaviors: Mapping[str, Behavior]) -> None:
        """Add the switches of a system."""
        self._declared[system] = behaviors
        self.restore()

    def restore(self) -> None:
        """Reset every switch to its default."""
        for system, behaviors in self._declared.items():
            self[system] = {name: behavior.default for name, behavior in behaviors.items()}

    def change(self, changes: Changes) -> None:
        """Set switches: all of them, or none if one is invalid."""
        for system, values in changes.items():
            for name, value in values.items():
                self._check(system, name, value)
        for system, values in changes.items():
            self[system].update(values)

    def _check(self, system: str, name: str, value: object) -> None:
        if system not in self:
            raise UnknownBehaviorError(f"{system}: unknown system; must be one of {', '.join(sorted(self))}")
        behavior = self._declared[system].get(name)
        if behavior is None:
            raise UnknownBehaviorError(f"{system}.{name}: unknown; must be one of {', '.join(sorted(self[system]))}")
        if not behavior.accepts(value):
            choices = ", ".join(map(repr, behavior.choices))
            allowed = f"one of {choices}" if choices else f"of the same type as its default, {behavior.default!r}"
            raise UnknownBehaviorError(f"{system}.{name}: must be {allowed}; got {value!r}")

    def flag(self, system: str, name: str) -> bool:
        """The value of a boolean switch."""
        return self[system][name] is True

    def text(self, system: str, name: str) -> str:
        """The value of a string switch."""
        return str(self[system][name])

    def number(self, system: str, name: str) -> float:
        """The value of a numeric switch."""
        value = self[system][name]
        return float(value) if isinstance(value, (int, float)) else 0.0
