"""The provider's registry as constructs and documentation need it: type names, models, descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from codegen.errors import CodegenError
from provider_py.plugin import ListOf, MapOf, Object, Type, attributes

PROVIDER: Final = "workflow"
SOURCE: Final = "workflow-trigger/workflow"


class Entry(Protocol):
    """A resource or a data source of the registry."""

    @property
    def name(self) -> str:
        """The type without the provider's prefix."""

    @property
    def model(self) -> type:
        """The class whose fields are the attributes."""

    @property
    def description(self) -> str:
        """What it is, in Markdown."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The provider block, the resources and the data sources."""

    configuration: type
    resources: Sequence[Entry]
    data_sources: Sequence[Entry]


def load() -> Registry:
    """Read the provider's own registry; vendor clients must be importable."""
    try:
        from provider_py.provider import DATA_SOURCES, RESOURCES, ProviderConfig  # lazy: needs the generated clients
    except ImportError as error:
        message = f"the provider, which constructs and documentation are made from, cannot be imported: {error}"
        raise CodegenError(message) from error
    return Registry(ProviderConfig, tuple(RESOURCES), tuple(DATA_SOURCES))


def full_type(entry: Entry) -> str:
    """Return the type name that configurations use."""
    return f"{PROVIDER}_{entry.name}"


def nested_models(models: Iterable[type]) -> list[type]:
    """Return the models that attributes nest, without duplicates and innermost first."""
    nesting: dict[type, None] = {}
    for model in models:
        for attribute in attributes(model).values():
            nested = nested_model(attribute.type)
            if nested is not None:
                nesting.update(dict.fromkeys(nested_models([nested])))
                nesting[nested] = None
    return list(nesting)


def nested_model(type_: Type) -> type | None:
    """Return the model at the bottom of a type, if there is one."""
    while isinstance(type_, ListOf | MapOf):
        type_ = type_.element
    return type_.model if isinstance(type_, Object) else None
