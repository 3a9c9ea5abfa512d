"""Between trees and models.

Converters are compiled once for each type, so that a list of thousands costs little.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias, TypeVar, cast

from provider_py.plugin import dynamic
from provider_py.plugin.resource import Decoded
from provider_py.plugin.schema import Attribute, ListOf, MapOf, Object, Primitive, Type, TypeName, attributes
from provider_py.plugin.values import UNKNOWN, Tree, from_float, wholly_known

M = TypeVar("M")

Converter: TypeAlias = Callable[[Tree], Tree]
"""Converts a value that is neither None nor UNKNOWN. Where None stands for one, the value needs no conversion."""


def decoded(model: type[M], tree: Mapping[str, Tree]) -> Decoded[M]:
    """Make a model of a block; results are never counted as unknown, since nobody can know them before apply."""
    unknown = frozenset(
        attribute.name
        for attribute in attributes(model).values()
        if not is_result(attribute) and not wholly_known(tree.get(attribute.name))
    )
    value = build(Object(model), tree)
    return Decoded(None if value is UNKNOWN else cast("M", value), unknown)


def build(type_: Type, tree: Tree) -> object:
    """Make the value of one attribute; UNKNOWN if something that it needs is unknown."""
    convert = _builder(type_)
    return tree if tree is None or tree is UNKNOWN or convert is None else convert(tree)


def is_result(attribute: Attribute) -> bool:
    """Whether only the provider sets an attribute."""
    return attribute.computed and not attribute.optional


def dump(model: type, value: object) -> dict[str, Tree]:
    """Make the tree of a model; write-only attributes are null in it."""
    return cast("dict[str, Tree]", _object_dumper(model)(value))


def dump_value(type_: Type, value: object) -> Tree:
    """Make the tree of one attribute's value."""
    dumper = _dumper(type_)
    return value if value is None or dumper is None else dumper(value)


@functools.cache
def _builder(type_: Type) -> Converter | None:
    match type_:
        case Primitive(TypeName.DYNAMIC):
            return dynamic.to_python
        case Primitive(TypeName.NUMBER):
            return _integer if type_.integer else float
        case Primitive():
            return None
        case ListOf():
            return _list_builder(_builder(type_.element))
        case MapOf():
            return _map_builder(_builder(type_.element))
        case Object():
            return _object_builder(type_.model)


def _integer(tree: Tree) -> object:
    return float(tree) if isinstance(tree, Decimal) else tree


def _list_builder(build: Converter | None) -> Converter:
    def convert(tree: list[Tree]) -> object:
        if UNKNOWN in tree:
            return UNKNOWN
        if build is None:
            return list(tree)
        built = [None if element is None else build(element) for element in tree]
        return UNKNOWN if UNKNOWN in built else built

    return convert


def _map_builder(build: Converter | None) -> Converter:
    def convert(tree: dict[str, Tree]) -> object:
        if UNKNOWN in tree.values():
            return UNKNOWN
        if build is None:
            return dict(tree)
        built = {key: None if element is None else build(element) for key, element in tree.items()}
        return UNKNOWN if UNKNOWN in built.values() else built

    return convert


@functools.cache
def _object_builder(model: type) -> Converter:
    builders = {name: _builder(attribute.type) for name, attribute in attributes(model).items()}
    required = [name for name, attribute in attributes(model).items() if attribute.required]
    converted = [(name, build) for name, build in builders.items() if build]
    names = list(builders)

    def convert(tree: dict[str, Tree]) -> object:
        values = {name: tree.get(name) for name in names}
        for name, build in converted:
            value = values[name]
            if value is not None and value is not UNKNOWN:
                values[name] = build(value)
        if UNKNOWN in values.values():
            if any(values[name] is UNKNOWN for name in required):
                return UNKNOWN
            values = {name: None if value is UNKNOWN else value for name, value in values.items()}
        return model(**values)

    return convert


@functools.cache
def _dumper(type_: Type) -> Converter | None:
    match type_:
        case Primitive():
            return {TypeName.DYNAMIC: dynamic.from_python, TypeName.NUMBER: from_float}.get(type_.name)
        case ListOf():
            return _list_dumper(_optionally(_dumper(type_.element)))
        case MapOf():
            return _map_dumper(_optionally(_dumper(type_.element)))
        case Object():
            return _object_dumper(type_.model)


def _list_dumper(dump_element: Converter | None) -> Converter:
    return list if dump_element is None else lambda value: [dump_element(element) for element in value]


def _map_dumper(dump_element: Converter | None) -> Converter:
    return dict if dump_element is None else lambda value: {key: dump_element(item) for key, item in value.items()}


def _optionally(convert: Converter | None) -> Converter | None:
    return None if convert is None else lambda value: None if value is None else convert(value)


@functools.cache
def _object_dumper(model: type) -> Converter:
    dumpers = [
        (name, _always_null if attribute.write_only else _dumper(attribute.type))
        for name, attribute in attributes(model).items()
    ]

    def convert(value: object) -> dict[str, Tree]:
        tree = {}
        for name, dump_attribute in dumpers:
            member = getattr(value, name)
            tree[name] = member if member is None or dump_attribute is None else dump_attribute(member)
        return tree

    return convert


def _always_null(_value: object) -> None:
    return None
