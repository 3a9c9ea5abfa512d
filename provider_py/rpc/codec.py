"""The wire form of values: msgpack or JSON on one side, trees in their one form on the other.

A generic msgpack reader is not enough. Terraform writes one number as an integer, a float or a decimal string,
whichever holds it; an unknown value is an extension whose code depends on what is known about it; the value of a
dynamic attribute comes in a pair with its type. Values that mean the same must compare equal, or every plan shows a
change and every apply is "inconsistent". So each value is brought into one form by a reader made for its type.
Readers are compiled once for each type and skip what needs no change: 25 000 devices are read in a fraction of a
second.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgpack  # type: ignore[import-untyped]

from provider_py.plugin import dynamic
from provider_py.plugin.dynamic import Parsed, Reader, list_reader, map_reader, same
from provider_py.plugin.schema import ListOf, MapOf, Object, Primitive, Type, TypeName, attributes
from provider_py.plugin.values import UNKNOWN, Tree, Typed, number

_UNKNOWN_ON_WIRE: Final = msgpack.ExtType(0, b"\0")


def decode_msgpack(model: type, data: bytes) -> Tree:
    """Read the value of a block: a dict with every attribute, None, or UNKNOWN."""
    if not data:
        return None
    raw = msgpack.unpackb(data, ext_hook=_unknown, strict_map_key=False)
    return _reader(Object(model))(raw)


def decode_json(model: type, data: bytes) -> Tree:
    """Read a block as state files hold it; attributes the model lacks are dropped, missing ones become null.

    Raises ValueError for text that is no JSON or has a list or map where the model has none, and the reverse.
    """
    raw = json.loads(data, parse_float=Decimal)
    return _fit(Object(model), raw)


def encode_msgpack(tree: Tree) -> bytes:
    """Write a tree."""
    packed: bytes = msgpack.packb(tree, default=_on_wire)
    return packed


def encode_block(members: Mapping[str, bytes]) -> bytes:
    """Write a block whose members have been written."""
    packer = msgpack.Packer()
    head: bytes = packer.pack_map_header(len(members))
    return head + b"".join(packer.pack(name) + value for name, value in members.items())


def _unknown(_code: int, _data: bytes) -> Tree:
    """Read any extension as unknown: code 0 is plain, code 12 comes with refinements, others may follow."""
    return UNKNOWN


def _on_wire(value: object) -> object:
    if value is UNKNOWN:
        return _UNKNOWN_ON_WIRE
    if isinstance(value, Typed):
        return [value.type.encode(), value.value]
    if isinstance(value, Decimal | int):  # an int comes here if it needs more than 64 bits
        return str(value)
    message = f"a value of type {type(value).__name__} has no Terraform type"
    raise TypeError(message)


@functools.cache
def _reader(type_: Type) -> Reader:
    match type_:
        case Primitive(TypeName.NUMBER):
            return dynamic.read_number
        case Primitive(TypeName.DYNAMIC):
            return dynamic.from_msgpack
        case Primitive():
            return same
        case ListOf():
            return list_reader(_reader(type_.element))
        case MapOf():
            return map_reader(_reader(type_.element))
        case Object():
            return _object_reader(type_.model)


def _object_reader(model: type) -> Reader:
    readers = {name: _reader(attribute.type) for name, attribute in attributes(model).items()}
    converting = {name: reader for name, reader in readers.items() if reader is not same}
    if not converting:
        return same

    def read(raw: Parsed) -> Tree:
        if isinstance(raw, dict):
            for name, reader in converting.items():
                raw[name] = reader(raw.get(name))
        return raw

    return read


def _fit(type_: Type, raw: Parsed) -> Tree:
    if raw is None:
        return None
    match type_:
        case Primitive():
            return _fit_primitive(type_.name, raw)
        case ListOf():
            return [_fit(type_.element, element) for element in _expect(raw, list)]
        case MapOf():
            return {key: _fit(type_.element, element) for key, element in _expect(raw, dict).items()}
        case Object():
            members = _expect(raw, dict)
            return {
                name: _fit(attribute.type, members.get(name)) for name, attribute in attributes(type_.model).items()
            }


def _fit_primitive(type_: TypeName, raw: Parsed) -> Tree:
    match type_:
        case TypeName.DYNAMIC:
            return dynamic.from_json(raw)
        case TypeName.NUMBER:
            return number(_expect(raw, int, str, Decimal))
        case TypeName.BOOL:
            return _expect(raw, bool)
        case TypeName.STRING:
            return _expect(raw, str)


def _expect(raw: Parsed, *types: type) -> Parsed:
    if isinstance(raw, types):
        return raw
    message = f"expected {types[0].__name__}, got {type(raw).__name__}"
    raise ValueError(message)
