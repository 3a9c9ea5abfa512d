"""The wire form of values: msgpack or JSON on one side, trees in their one form on the other."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

import msgpack  # type: ignore[import-untyped]

from provider_py.plugin import dynamic
from provider_py.plugin.schema import ListOf, MapOf, Object, Primitive, Type, TypeName, attributes
from provider_py.plugin.values import UNKNOWN, Tree, Typed, number

Reader: TypeAlias = Callable[[Any], Tree]
"""Turns what a parser gives into a tree; None in its place says that the two are the same."""

_UNKNOWN_ON_WIRE: Final = msgpack.ExtType(0, b"\0")


def decode_msgpack(model: type, data: bytes) -> Tree:
    """Read the value of a block: a dict with every attribute, None, or UNKNOWN."""
    if not data:
        return None
    raw = msgpack.unpackb(data, ext_hook=_unknown, strict_map_key=False)
    reader = _reader(Object(model), dynamic.from_msgpack)
    return reader(raw) if reader else raw


def decode_json(model: type, data: bytes) -> Tree:
    """Read a block as state files hold it; attributes the model lacks are dropped, missing ones become null.

    Raises ValueError for text that is no JSON or has a list or map where the model has none, and the reverse.
    """
    raw = json.loads(data, parse_float=Decimal)
    return _shaped(Object(model), raw)


def encode_msgpack(tree: Tree) -> bytes:
    """Write a tree."""
    packed: bytes = msgpack.packb(tree, default=_on_wire)
    return packed


def _unknown(_code: int, _data: bytes) -> Tree:
    """Read any extension as unknown: code 0 is plain, code 12 comes with refinements, others may follow."""
    return UNKNOWN


def _on_wire(value: Any) -> Any:
    if value is UNKNOWN:
        return _UNKNOWN_ON_WIRE
    if isinstance(value, Typed):
        return [value.type.encode(), value.value]
    if isinstance(value, Decimal | int):  # an int comes here if it needs more than 64 bits
        return str(value)
    message = f"a value of type {type(value).__name__} has no Terraform type"
    raise TypeError(message)


@functools.cache
def _reader(type_: Type, read_dynamic: Reader) -> Reader | None:
    match type_:
        case Primitive(TypeName.NUMBER):
            return _number
        case Primitive(TypeName.DYNAMIC):
            return read_dynamic
        case Primitive():
            return None
        case ListOf():
            return _list_reader(_reader(type_.element, read_dynamic))
        case MapOf():
            return _map_reader(_reader(type_.element, read_dynamic))
        case Object():
            readers = {name: _reader(each.type, read_dynamic) for name, each in attributes(type_.model).items()}
            return _object_reader({name: reader for name, reader in readers.items() if reader})


def _number(raw: Any) -> Tree:
    return raw if raw is None or raw is UNKNOWN else number(raw)


def _list_reader(reader: Reader | None) -> Reader | None:
    if reader is None:
        return None
    return lambda raw: [reader(element) for element in raw] if isinstance(raw, list) else raw


def _map_reader(reader: Reader | None) -> Reader | None:
    if reader is None:
        return None
    return lambda raw: {key: reader(element) for key, element in raw.items()} if isinstance(raw, dict) else raw


def _object_reader(readers: dict[str, Reader]) -> Reader | None:
    if not readers:
        return None

    def read(raw: Any) -> Tree:
        if isinstance(raw, dict):
            for name, reader in readers.items():
                raw[name] = reader(raw.get(name))
        return raw

    return read


def _shaped(type_: Type, raw: Any) -> Tree:
    """Fit JSON to a type."""
    if raw is None:
        return None
    match type_:
        case Primitive():
            return _shaped_primitive(type_.name, raw)
        case ListOf():
            return [_shaped(type_.element, element) for element in _expect(raw, list)]
        case MapOf():
            return {key: _shaped(type_.element, element) for key, element in _expect(raw, dict).items()}
        case Object():
            members = _expect(raw, dict)
            return {name: _shaped(each.type, members.get(name)) for name, each in attributes(type_.model).items()}


def _shaped_primitive(type_: TypeName, raw: Any) -> Tree:
    match type_:
        case TypeName.DYNAMIC:
            return dynamic.from_json(raw)
        case TypeName.NUMBER:
            return number(_expect(raw, int, str, Decimal))
        case TypeName.BOOL:
            return _expect(raw, bool)
        case TypeName.STRING:
            return _expect(raw, str)


def _expect(raw: Any, *types: type) -> Any:
    if isinstance(raw, types):
        return raw
    message = f"found {type(raw).__name__} where {types[0].__name__} is expected"
    raise ValueError(message)
