"""A schema without the types that Python has no name for.

GraphQL may call a type `None`; a class cannot be called that. Such a type is left out, and with it every field of it,
provided that requests can do without.
"""

from __future__ import annotations

import keyword
from typing import Any, Final

from graphql import (
    REMOVE,
    DocumentNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    ListTypeNode,
    NonNullTypeNode,
    TypeDefinitionNode,
    TypeNode,
    Visitor,
    visit,
)

_CLAUSE: Final = "is required, but its type has a name that Python reserves"


def nameable(schema: DocumentNode) -> DocumentNode:
    """Return the schema without types whose names are keywords, and without the fields of these types."""
    left: DocumentNode = visit(schema, _Nameable())
    return left


class _Nameable(Visitor):
    def enter(self, node: Any, *_: Any) -> Any:
        if isinstance(node, TypeDefinitionNode):
            return REMOVE if keyword.iskeyword(node.name.value) else None
        if isinstance(node, FieldDefinitionNode | InputValueDefinitionNode) and keyword.iskeyword(_named(node.type)):
            if isinstance(node, InputValueDefinitionNode) and isinstance(node.type, NonNullTypeNode):
                message = f"{node.name.value} {_CLAUSE}: {_named(node.type)}"
                raise TypeError(message)
            return REMOVE
        return None


def _named(kind: TypeNode) -> str:
    while isinstance(kind, ListTypeNode | NonNullTypeNode):
        kind = kind.type
    name: str = kind.name.value  # type: ignore[attr-defined]  # what is neither a list nor non-null has a name
    return name
