"""Values of dynamic attributes: their type travels with them, in Terraform's JSON notation."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from provider_py.plugin.values import UNKNOWN, Tree, Typed, canonical, from_float, number, type_text

Pair: TypeAlias = Callable[[Any], Tree]


def from_msgpack(raw: Any) -> Tree:
    """Read the pair of type and value that stands for a dynamic value; untyped nulls and unknowns stand alone."""
    if raw is None or raw is UNKNOWN:
        return raw
    type_json, value = raw
    text = canonical(type_json)
    return Typed(text, _reader(text, from_msgpack)(value))


def from_json(raw: Any) -> Tree:
    """Read the object with `type` and `value` that stands for a dynamic value in state files."""
    if raw is None:
        return None
    if not isinstance(raw, dict) or not {"type", "value"} <= raw.keys():
        raise ValueError("a value of a dynamic attribute needs `type` and `value`")
    text = type_text(raw["type"])
    return Typed(text, _reader(text, from_json)(raw["value"]))


@functools.lru_cache(maxsize=512)
def _reader(type_json: str, nested: Pair) -> Pair:
    return _reader_of(json.loads(type_json), nested)


def _reader_of(notation: Any, nested: Pair) -> Pair:
    if isinstance(notation, str):
        return {"number": _number, "dynamic": nested}.get(notation, _same)
    constructor, argument = notation[:2]
    if constructor == "object":
        return _object_reader({name: _reader_of(each, nested) for name, each in argument.items()})
    if constructor == "tuple":
        return _tuple_reader([_reader_of(each, nested) for each in argument])
    element = _reader_of(argument, nested)
    if element is _same:
        return _same
    return _map_reader(element) if constructor == "map" else _list_reader(element)


def _same(raw: Any) -> Tree:
    return raw


def _number(raw: Any) -> Tree:
    return raw if raw is None or raw is UNKNOWN else number(raw)


def _object_reader(readers: dict[str, Pair]) -> Pair:
    def read(raw: Any) -> Tree:
        return {name: reader(raw.get(name)) for name, reader in readers.items()} if isinstance(raw, dict) else raw

    return read


def _tuple_reader(readers: list[Pair]) -> Pair:
    def read(raw: Any) -> Tree:
        if not isinstance(raw, list):
            return raw
        return [reader(element) for reader, element in zip(readers, raw, strict=True)]

    return read


def _list_reader(reader: Pair) -> Pair:
    return lambda raw: [reader(element) for element in raw] if isinstance(raw, list) else raw


def _map_reader(reader: Pair) -> Pair:
    return lambda raw: {key: reader(element) for key, element in raw.items()} if isinstance(raw, dict) else raw


def to_python(tree: Tree) -> Any:
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


def from_python(value: Any) -> Tree:
    """Give a JSON value the type its literal would have in Terraform: objects and tuples."""
    notation, tree = _inferred(value)
    return None if tree is None else Typed(type_text(notation), tree)


def _inferred(value: Any) -> tuple[Any, Tree]:
    match value:
        case None:
            return "dynamic", None
        case bool():
            return "bool", value
        case int() | float():
            return "number", from_float(value)
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
