"""Typed models as the one source of Terraform schemas.

A resource, a data source or the provider's own configuration is one frozen class whose fields are its attributes:

    @model
    class Greeting:
        name: Annotated[str, required("Who is greeted.", replace=True, checks=(one_word,))]
        shout: Annotated[bool, optional("Use capitals.")] = False
        text: Annotated[str | None, computed("The greeting.")] = None

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
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Final, TypeAlias, TypedDict, TypeVar, Unpack, dataclass_transform

ModelT = TypeVar("ModelT")


class TypeName(Enum):
    """The primitive types of Terraform's type system that attributes use."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    DYNAMIC = "dynamic"


Dynamic: TypeAlias = Annotated[object, TypeName.DYNAMIC]
"""A value of any Terraform type, as Python holds JSON: None, bool, int, float, str, list or dict[str, ...]."""

Check: TypeAlias = Callable[[Any], str | None]
"""Validates one known, non-null value: None if it is valid, else a sentence on what is wrong and what to write."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A string, number, bool or dynamic; `integer` says that Python holds the number as int."""

    name: TypeName
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Declaration:
    """What a model says of an attribute besides its name, type and default."""

    description: str
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    write_only: bool = False
    replace: bool = False
    deprecated: bool = False
    checks: tuple[Check, ...] = ()
    element_checks: tuple[Check, ...] = ()
    environment: str | None = None
    fallback: object = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attribute(Declaration):
    """One attribute of a model; `name`, `type` and `default` come from the field.

    Exactly one of `required`, `optional`, `computed` holds, but for attributes with a default: those are optional and
    computed, since the plan shows a value that the configuration does not have.
    """

    name: str
    type: Type
    nullable: bool
    default: object = None


class Options(TypedDict, total=False):
    """What can be declared of an argument.

    `replace`: a change replaces the resource. `checks` validate the value, `element_checks` each element of a list or
    map.
    """

    replace: bool
    sensitive: bool
    write_only: bool
    deprecated: bool
    checks: tuple[Check, ...]
    element_checks: tuple[Check, ...]


def required(description: str, **options: Unpack[Options]) -> Declaration:
    """Declare an attribute that every configuration must set."""
    return Declaration(description=description, required=True, **options)


def optional(description: str, **options: Unpack[Options]) -> Declaration:
    """Declare an attribute that a configuration may omit; the plan then shows the field's default instead of null."""
    return Declaration(description=description, optional=True, **options)


def setting(
    description: str,
    *,
    environment: str,
    fallback: object = None,
    sensitive: bool = False,
    checks: tuple[Check, ...] = (),
) -> Declaration:
    """Declare a setting of the provider block: configured, else an environment variable, else fallback.

    Terraform knows no defaults in provider blocks, so the schema shows a plain optional attribute; see `settings.py`.
    """
    return Declaration(
        description=f"{description} Environment variable: `{environment}`.",
        optional=True,
        environment=environment,
        fallback=fallback,
        sensitive=sensitive,
        checks=checks,
    )


def computed(description: str, *, sensitive: bool = False) -> Declaration:
    """Declare a result: only the provider sets it."""
    return Declaration(description=description, computed=True, sensitive=sensitive)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def model(cls: type[ModelT]) -> type[ModelT]:
    """Make a class a model: a frozen, keyword-only dataclass whose fields are Terraform attributes.

    Models share their methods. Those that dataclass would compile for each take half a millisecond at every start.
    """
    made = dataclass(init=False, repr=False, eq=False)(cls)
    for name in ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"):
        setattr(made, name, vars(_ModelMethods)[name])
    return made


class _ModelMethods:
    """What dataclass would compile for a frozen, keyword-only class."""

    def __init__(self, **values: object) -> None:
        cls: type = type(self)
        defaults = _defaults(cls)
        state = {**defaults, **values}
        wrong = [name for name, value in state.items() if value is dataclasses.MISSING or name not in defaults]
        if wrong:
            message = f"{cls.__qualname__} misses or does not have {', '.join(wrong)}"
            raise TypeError(message)
        vars(self).update(state)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __setattr__(self, name: str, _value: object) -> None:
        raise dataclasses.FrozenInstanceError(name)

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(name)


@functools.cache
def _defaults(cls: type) -> Mapping[str, object]:
    """Return the default of each attribute of a model, MISSING where there is none."""
    return {field.name: field.default for field in _fields(cls)}


def _fields(cls: type) -> tuple[dataclasses.Field[object], ...]:
    return dataclasses.fields(cls)


_DECLARED: Final = tuple(field.name for field in dataclasses.fields(Declaration))


def attributes(cls: type) -> Mapping[str, Attribute]:
    """Return the attributes of a model by name, in the order of its fields, inherited ones first."""
    return _attributes(cls)


def attributes_within(type_: Type) -> Iterator[Attribute]:
    """Return every attribute inside a type, at any depth."""
    match type_:
        case ListOf() | MapOf():
            yield from attributes_within(type_.element)
        case Object():
            for attribute in attributes(type_.model).values():
                yield attribute
                yield from attributes_within(attribute.type)


@functools.cache
def _attributes(cls: type) -> Mapping[str, Attribute]:
    inherited = [attributes(base) for base in cls.__bases__ if base is not object]
    # Without locals, since a function that an annotation calls may have the name of an attribute.
    hints = inspect.get_annotations(cls, locals={}, eval_str=True)
    own = {field.name: _attribute(field, hints[field.name]) for field in _fields(cls) if field.name in hints}
    return types.MappingProxyType({name: own for base in inherited for name, own in base.items()} | own)


def _attribute(field: dataclasses.Field[object], hint: object) -> Attribute:
    *_, declaration = typing.get_args(hint) or (None,)
    if not isinstance(declaration, Declaration):
        message = f"the field `{field.name}` is declared neither as required, optional, computed nor as a setting"
        raise TypeError(message)
    bare, nullable = _without_none(_undeclared(hint))
    default = None if field.default is dataclasses.MISSING else field.default
    declared = {name: getattr(declaration, name) for name in _DECLARED}
    if declaration.optional and default is not None:
        declared["computed"] = True
    return Attribute(name=field.name, type=_type(bare), nullable=nullable, default=default, **declared)


def _undeclared(hint: object) -> object:
    """Return the type that a field is annotated with, without its declaration."""
    bare, *metadata = typing.get_args(hint)
    inner = tuple(item for item in metadata if not isinstance(item, Declaration))
    return Annotated[bare, *inner] if inner else bare


def _without_none(hint: object) -> tuple[object, bool]:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        arms = [arm for arm in typing.get_args(hint) if arm is not types.NoneType]
        if len(arms) == 1:
            return arms[0], True
    return hint, hint == Dynamic


_PRIMITIVES: Final[Mapping[object, Primitive]] = {
    str: Primitive(TypeName.STRING),
    int: Primitive(TypeName.NUMBER, integer=True),
    float: Primitive(TypeName.NUMBER),
    bool: Primitive(TypeName.BOOL),
    Dynamic: Primitive(TypeName.DYNAMIC),
}


def _type(hint: object) -> Type:
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
