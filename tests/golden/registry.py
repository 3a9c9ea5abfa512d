"""A small registry with every kind of attribute, in place of the provider's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from codegen.registry import Registry
from provider_py.plugin.checks import one_of
from provider_py.plugin.diagnostics import Diagnostic, error
from provider_py.plugin.resource import Decoded
from provider_py.plugin.schema import Dynamic, computed, model, optional, required, setting


@model
class Settings:
    """A connection."""

    token: str | None = setting("Its token.", environment="TOY_TOKEN", sensitive=True)


@model
class ProviderConfig:
    """Toys of one system."""

    toys: Settings | None = optional("Where the toys are.")
    strict: bool | None = setting("Whether to be strict.", environment="TOY_STRICT")


@model
class Wheel:
    """A wheel."""

    size: int = required("Inches.")
    colours: list[str] | None = optional("Colours, outer first.")


@model
class Look:
    """One look at a toy."""

    word: str | None = computed("The word.")
    score: float | None = computed("The score.")


@model
class Toy:
    """A toy."""

    name: str = required('Its name, as in """toy""".', replace=True)
    mood: str = optional("Its mood.", default="calm", checks=(one_of("calm", "wild"),))
    secret: str | None = optional("Never stored.", write_only=True)
    wheels: list[Wheel] | None = optional("Its wheels.")
    spare: Wheel | None = optional("The spare wheel.")
    by_place: dict[str, Wheel] | None = optional("Wheels by place.")
    notes: dict[str, str] | None = optional("Notes.")
    loud: bool | None = optional("Whether it is loud.")
    extra: Dynamic = optional("Anything.")
    id: str | None = computed("Its id.")
    fqn: str | None = computed("A name that the toolkits have a member of.")
    looks: list[Look] | None = computed("Looks.")
    groups: dict[str, list[str]] | None = computed("Names by group.")
    heavy: bool | None = computed("Whether it is heavy.")
    weight: float | None = computed("Its weight.")
    anything: Dynamic = computed("Anything.")


@model
class ToyBox:
    """A box."""

    label: str = required("Its label.")
    count_of_toys: int | None = computed("How many toys.")


@dataclass(frozen=True)
class Entry:
    name: str
    model: type[Any]
    description: str
    validate: Callable[[Decoded[Any]], Iterable[Diagnostic]]


def validate_toy(config: Decoded[Toy]) -> Iterable[Diagnostic]:
    if config.model and config.model.loud and config.model.mood == "calm" and "mood" not in config.unknown:
        yield error("A calm toy is not loud", "Set `mood` to `wild`", ("loud",))


RESOURCES = (Entry("pets_toy", Toy, "A toy that runs.", validate_toy),)
DATA_SOURCES = (Entry("pets_box", ToyBox, "A box of toys.", lambda _: ()),)
REGISTRY = Registry(ProviderConfig, RESOURCES, DATA_SOURCES)
