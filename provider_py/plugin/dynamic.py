"""Values of dynamic attributes: their type travels with them, in Terraform's JSON notation.

The type is part of the value: a tuple and a list of the same elements are different values to Terraform, and a state
that returns the other one is "inconsistent". So a value is read together with its type, as `Typed`, and only what the
provider makes itself gets a type inferred from its Python value.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from provider_py.plugin.values import UNKNOWN, Tree, Typed, canonical, from_float, number, type_text

Parsed: TypeAlias = Any
"""What a parser of JSON or msgpack returns."""

Reader: TypeAlias = Callable[[Parsed], Tree]
"""Makes a tree of it."""


def from_msgpack(raw: Parsed) -> Tree:
    """Read the pair of type and value that stands for a dynamic value; untyped nulls and unknowns stand alone."""
    if raw is None or raw is UNKNOWN:
        return raw
    type_json, value = raw
    text = canonical(type_json)
    return Typed(text, _reader(text, from_msgpack)(value))


def from_json(raw: Parsed) -> Tree:
    """Read the object with `type` and `value` that stands for a dynamic value in state files."""
    if raw is None:
        return None
    if not isinstance(raw, dict) or not {"type", "value"} <= raw.keys():
        raise ValueError("a value of a dynamic attribute needs `type` and `value`")
    text = type_text(raw["type"])
    return Typed(text, _reader(text, from_json)(raw["value"]))


@functools.lru_cache(maxsize=512)
def _reader(type_json: str, nested: Reader) -> Reader:
    return _reader_of(json.loads(type_json), nested)


def _reader_of(notation: Parsed, nested: Reader) -> Reader:
    if isinstance(notation, str):
        return {"number": read_number, "dynamic": nested}.get(notation, same)
    constructor, argument = notation[:2]
    if constructor == "object":
        return _object_reader({name: _reader_of(member, nested) for name, member in argument.items()})
    if constructor == "tuple":
        return _tuple_reader([_reader_of(member, nested) for member in argument])
    element = _reader_of(argument, nested)
    return map_reader(element) if constructor == "map" else list_reader(element)


def same(raw: Parsed) -> Tree:
    """Read a value that is its own tree."""
    return raw


def read_number(raw: Parsed) -> Tree:
    """Read a number, which msgpack may hold as an integer, a float or a decimal string."""
    return raw if raw is None or raw is UNKNOWN else number(raw)


def list_reader(reader: Reader) -> Reader:
    """Return the reader of a list from that of its elements."""
    if reader is same:
        return same
    return lambda raw: [reader(element) for element in raw] if isinstance(raw, list) else raw


def map_reader(reader: Reader) -> Reader:
    """Return the reader of a map from that of its elements."""
    if reader is same:
        return same
    return lambda raw: {key: reader(element) for key, element in raw.items()} if isinstance(raw, dict) else raw


def _object_reader(readers: dict[str, Reader]) -> Reader:
    return lambda raw: (
        {name: reader(raw.get(name)) for name, reader in readers.items()} if isinstance(raw, dict) else raw
    )


def _tuple_reader(readers: list[Reader]) -> Reader:
    return lambda raw: (
        [reader(element) for reader, element in zip(readers, raw, strict=True)] if isinstance(raw, list) else raw
    )


def to_python(tree: Tree) -> object:
    """Return a dynamic value as Python holds JSON; UNKNOWN if anything in it is unknown."""
    match tree:
        case Typed():
            return to_python(tree.value)
        case Decimal():
            return float(tree)
        case list():
            elements = [to_python(element) for element in tree]
            return UNKNOWN if UNKNOWN in elements else elements
        case dict():
            members = {key: to_python(element) for key, element in tree.items()}
            return UNKNOWN if UNKNOWN in members.values() else members
        case _:
            return tree


def from_python(value: object) -> Tree:
    """Give a JSON value the type its literal would have in Terraform: objects and tuples."""
    notation, tree = _inferred(value)
    return None if tree is None else Typed(type_text(notation), tree)


def _inferred(value: object) -> tuple[object, Tree]:
    match value:
        case None:
            return "dynamic", None
        case bool():
            return "bool", value
        case int() | float() | Decimal():
            return "number", number(value) if isinstance(value, Decimal) else from_float(value)
        case str():
            return "string", value
        case list() | tuple():
            parts = [_inferred(element) for element in value]
            return ["tuple", [notation for notation, _ in parts]], [tree for _, tree in parts]
        case dict():
            members = {key: _inferred(element) for key, element in value.items()}
            types = {key: notation for key, (notation, _) in members.items()}
            return ["object", types], {key: tree for key, (_, tree) in members.items()}
    message = f"a value of type {type(value).__name__} has no Terraform type; use what JSON can hold"
    raise TypeError(message)
