"""Terraform's values inside the layer: plain Python trees, plus what Python has no word for.

A tree is None, bool, int, Decimal (every number that is not whole), str, a list, a dict with string keys, `Typed` for a
value of a dynamic attribute, or UNKNOWN. Trees are compared with ==, which is exact because numbers have one form.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias

from provider_py.plugin.schema import ListOf, MapOf, Object, Primitive, Type, attributes

Tree: TypeAlias = Any


class Unknown(Enum):
    """The type of UNKNOWN."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that Terraform will only know during apply."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The value of a dynamic attribute with its type, as canonical JSON of Terraform's type notation."""

    type: str
    value: Tree


_LONGEST_INTEGER: Final = 400
"""Decimal exponents beyond this stay decimals: 1e999999999 is a short text and a huge integer."""


def number(value: float | str | Decimal) -> int | Decimal:
    """Return a number in its one form; Terraform writes numbers as integers, floats or decimal strings."""
    if isinstance(value, int):
        return value
    exact = Decimal(value)
    if exact.is_finite() and exact.adjusted() < _LONGEST_INTEGER and exact == exact.to_integral_value():
        return int(exact)
    return exact


def from_float(value: float) -> int | Decimal:
    """Return the number a float was written as: 0.1 is a tenth and not the nearest binary fraction."""
    return value if isinstance(value, int) else number(repr(value))


def wholly_known(tree: Tree) -> bool:
    """Whether there is no unknown value in a tree."""
    if isinstance(tree, dict):
        tree = tree.values()
    elif isinstance(tree, Typed):
        return wholly_known(tree.value)
    elif not isinstance(tree, list):
        return tree is not UNKNOWN
    return UNKNOWN not in tree and all(
        wholly_known(element) for element in tree if isinstance(element, dict | list | Typed)
    )


def equivalent(tree: Tree, other: Tree) -> bool:
    """Whether two values are known and the same as JSON, whatever their types in Terraform."""
    if isinstance(tree, Typed):
        return equivalent(tree.value, other)
    if isinstance(other, Typed):
        return equivalent(tree, other.value)
    if isinstance(tree, list) and isinstance(other, list):
        return len(tree) == len(other) and all(map(equivalent, tree, other))
    if isinstance(tree, dict) and isinstance(other, dict):
        return tree.keys() == other.keys() and all(equivalent(value, other[key]) for key, value in tree.items())
    return type(tree) is type(other) and tree is not UNKNOWN and bool(tree == other)


_LONGEST_COUNT: Final = 3
"""Digits of numbers that are not worth a secret: versions, counts and switches."""


def texts(tree: Tree) -> list[str]:
    """Return every string and every longer number in a tree as text, keys of maps left out."""
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, int | Decimal) and not isinstance(tree, bool):
        return [str(tree)] if len(str(tree)) > _LONGEST_COUNT else []
    if isinstance(tree, Typed):
        return texts(tree.value)
    elements = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [text for element in elements for text in texts(element)]


def canonical(type_json: bytes | str) -> str:
    """Return the one text of a type given as JSON."""
    return _canonical(bytes(type_json) if isinstance(type_json, bytes | bytearray) else type_json.encode())


@functools.lru_cache(maxsize=512)
def _canonical(type_json: bytes) -> str:
    return type_text(json.loads(type_json))


def type_text(notation: object) -> str:
    """Return the JSON of a type in Terraform's notation, such as ["list", "string"]."""
    return json.dumps(notation, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def notation(type_: Type) -> object:
    """Return an attribute's type in Terraform's notation."""
    match type_:
        case Primitive():
            return type_.name.value
        case ListOf():
            return ["list", notation(type_.element)]
        case MapOf():
            return ["map", notation(type_.element)]
        case Object():
            members = attributes(type_.model).items()
            return ["object", {name: notation(attribute.type) for name, attribute in members}]
