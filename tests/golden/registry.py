"""A small registry with every kind of attribute, in place of the provider's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from codegen.registry import Registry
from provider_py.plugin import Decoded, Diagnostic, Dynamic, computed, error, model, one_of, optional, required, setting


@model
class Settings:
    """A connection."""

    token: Annotated[str | None, setting("Its token.", environment="TOY_TOKEN", sensitive=True)] = None


@model
class ProviderConfig:
    """Toys of one system."""

    toys: Annotated[Settings | None, optional("Where the toys are.")] = None
    strict: Annotated[bool | None, setting("Whether to be strict.", environment="TOY_STRICT")] = None


@model
class Wheel:
    """A wheel."""

    size: Annotated[int, required("Inches.")]
    colours: Annotated[list[str] | None, optional("Colours, outer first.")] = None


@model
class Look:
    """One look at a toy."""

    word: Annotated[str | None, computed("The word.")] = None
    score: Annotated[float | None, computed("The score.")] = None


@model
class Toy:
    """A toy."""

    name: Annotated[str, required('Its name, as in """toy""".', replace=True)]
    mood: Annotated[str, optional("Its mood.", checks=(one_of("calm", "wild"),))] = "calm"
    secret: Annotated[str | None, optional("Never stored.", write_only=True)] = None
    wheels: Annotated[list[Wheel] | None, optional("Its wheels.")] = None
    spare: Annotated[Wheel | None, optional("The spare wheel.")] = None
    by_place: Annotated[dict[str, Wheel] | None, optional("Wheels by place.")] = None
    notes: Annotated[dict[str, str] | None, optional("Notes.")] = None
    loud: Annotated[bool | None, optional("Whether it is loud.")] = None
    extra: Annotated[Dynamic, optional("Anything.")] = None
    id: Annotated[str | None, computed("Its id.")] = None
    fqn: Annotated[str | None, computed("A name that the toolkits have a member of.")] = None
    looks: Annotated[list[Look] | None, computed("Looks.")] = None
    groups: Annotated[dict[str, list[str]] | None, computed("Names by group.")] = None
    heavy: Annotated[bool | None, computed("Whether it is heavy.")] = None
    weight: Annotated[float | None, computed("Its weight.")] = None
    anything: Annotated[Dynamic, computed("Anything.")] = None


@model
class ToyBox:
    """A box."""

    label: Annotated[str, required("Its label.")]
    count_of_toys: Annotated[int | None, computed("How many toys.")] = None


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
