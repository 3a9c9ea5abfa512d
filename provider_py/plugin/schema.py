"""Typed models as the one source of Terraform schemas.

A resource, a data source or the provider's own configuration is one frozen class whose fields are its attributes:

    @model
    class Greeting:
        name: str = required("Who is greeted.", replace=True, checks=(one_word,))
        shout: bool = optional("Use capitals.", default=False)
        text: str | None = computed("The greeting.")

The protocol schema, the value codec, documentation and Python constructs all derive from `attributes(Greeting)`.

Field types and what Terraform sees:

    str, int, float, bool      string, number, number, bool
    Dynamic                    any value, with the type it was written with
    list[T], dict[str, T]      list, map (never sets: their elements have no path to point an error at)
    another model              nested object; list[Model] and dict[str, Model] nest it in a list or map
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final, TypeAlias, TypeVar, dataclass_transform

ModelT = TypeVar("ModelT")


class Kind(Enum):
    """The primitive types of Terraform's type system that attributes use."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    DYNAMIC = "dynamic"


Dynamic: TypeAlias = Annotated[object, Kind.DYNAMIC]
"""A value of any Terraform type, as Python holds JSON: None, bool, int, float, str, list or dict[str, ...]."""

Check: TypeAlias = Callable[[Any], str | None]
"""Judges one known, non-null value: None if it is fine, else a sentence on what is wrong and what to write."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A string, number, bool or dynamic; `integer` says that Python holds the number as int."""

    kind: Kind
    integer: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one element type."""

    element: Type


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map from strings to one element type."""

    element: Type


@dataclass(frozen=True, slots=True)
class Object:
    """A nested object, described by its own model."""

    model: type


Type: TypeAlias = Primitive | ListOf | MapOf | Object


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a model; `name` and `type` come from the field, the rest from its declaration.

    Exactly one of `required`, `optional`, `computed` holds, but for attributes with a default: those are optional and
    computed, since the plan shows a value that the configuration does not have.
    """

    name: str
    type: Type
    description: str
    required: bool
    optional: bool
    computed: bool
    nullable: bool
    sensitive: bool = False
    write_only: bool = False
    replace: bool = False
    default: object = None
    checks: tuple[Check, ...] = ()
    element_checks: tuple[Check, ...] = ()
    environment: str | None = None
    fallback: object = None
    deprecated: bool = False


_KEY: Final = "terraform"


def required(
    description: str,
    *,
    replace: bool = False,
    sensitive: bool = False,
    write_only: bool = False,
    checks: Sequence[Check] = (),
    element_checks: Sequence[Check] = (),
) -> Any:
    """Declare an attribute that every configuration gives.

    `replace`: a change replaces the resource. `checks` judge the value, `element_checks` each element of a list or map.
    """
    return _declare(
        description,
        required=True,
        replace=replace,
        sensitive=sensitive,
        write_only=write_only,
        checks=tuple(checks),
        element_checks=tuple(element_checks),
    )


def optional(
    description: str,
    *,
    default: Any = None,
    replace: bool = False,
    sensitive: bool = False,
    write_only: bool = False,
    checks: Sequence[Check] = (),
    element_checks: Sequence[Check] = (),
) -> Any:
    """Declare an attribute that a configuration may leave out; with a default the plan shows that instead of null."""
    return _declare(
        description,
        initial=default,
        optional=True,
        computed=default is not None,
        default=default,
        replace=replace,
        sensitive=sensitive,
        write_only=write_only,
        checks=tuple(checks),
        element_checks=tuple(element_checks),
    )


def setting(
    description: str, *, environment: str, fallback: Any = None, sensitive: bool = False, checks: Sequence[Check] = ()
) -> Any:
    """Declare a setting of the provider block: configured, else an environment variable, else fallback.

    Terraform knows no defaults in provider blocks, so the schema shows a plain optional attribute; see `settings.py`.
    """
    return _declare(
        f"{description} Environment variable: `{environment}`.",
        initial=None,
        optional=True,
        environment=environment,
        fallback=fallback,
        sensitive=sensitive,
        checks=tuple(checks),
    )


def computed(description: str, *, sensitive: bool = False) -> Any:
    """Declare a result: only the provider sets it."""
    return _declare(description, initial=None, computed=True, sensitive=sensitive)


def _declare(description: str, *, initial: Any = dataclasses.MISSING, **declared: Any) -> Any:
    return dataclasses.field(default=initial, metadata={_KEY: {"description": description, **declared}})


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(required, optional, setting, computed)
)
def model(cls: type[ModelT]) -> type[ModelT]:
    """Make a class a model: a frozen, keyword-only dataclass whose fields are Terraform attributes."""
    return dataclass(frozen=True, kw_only=True)(cls)


def build(cls: type[ModelT], **values: Any) -> ModelT:
    """Make a model from some of its values; type checkers cannot know which attributes have defaults."""
    return cls(**values)


def attributes(cls: type) -> Mapping[str, Attribute]:
    """Return the attributes of a model by name, in the order of its fields, inherited ones first."""
    return _attributes(cls)


@functools.cache
def _attributes(cls: Any) -> Mapping[str, Attribute]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return types.MappingProxyType(
        {field.name: _attribute(field, hints[field.name]) for field in dataclasses.fields(cls)}
    )


def _attribute(field: dataclasses.Field[Any], hint: Any) -> Attribute:
    declared = {"required": False, "optional": False, "computed": False, **field.metadata[_KEY]}
    bare, nullable = _without_none(hint)
    return Attribute(name=field.name, type=_type(bare), nullable=nullable, **declared)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        arms = [arm for arm in typing.get_args(hint) if arm is not types.NoneType]
        if len(arms) == 1:
            return arms[0], True
    return hint, hint == Dynamic


_PRIMITIVES: Final[Mapping[Any, Primitive]] = {
    str: Primitive(Kind.STRING),
    int: Primitive(Kind.NUMBER, integer=True),
    float: Primitive(Kind.NUMBER),
    bool: Primitive(Kind.BOOL),
    Dynamic: Primitive(Kind.DYNAMIC),
}


def _type(hint: Any) -> Type:
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return ListOf(_type(arguments[0]))
    if origin is dict and arguments[0] is str:
        return MapOf(_type(arguments[1]))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return Object(hint)
    message = f"{hint!r} has no Terraform type; see the table in {__name__}"
    raise TypeError(message)
