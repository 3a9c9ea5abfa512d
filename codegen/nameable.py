"""A schema without the types that Python cannot name.

GraphQL may call a type `None`; a class cannot be called that. Such a type is left out, and with it every field of it,
provided that requests can do without them.
"""

from __future__ import annotations

import keyword

from graphql import (
    REMOVE,
    DocumentNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    ListTypeNode,
    Node,
    NonNullTypeNode,
    TypeDefinitionNode,
    TypeNode,
    Visitor,
    VisitorAction,
    visit,
)


def nameable(schema: DocumentNode) -> DocumentNode:
    """Return the schema without types whose names are keywords, and without the fields of these types.

    Raise TypeError for an input field that such a type makes impossible to send.
    """
    remaining: DocumentNode = visit(schema, _Nameable())
    return remaining


class _Nameable(Visitor):
    def enter(self, node: Node, *_: object) -> VisitorAction:
        if isinstance(node, TypeDefinitionNode):
            return REMOVE if keyword.iskeyword(node.name.value) else None
        if isinstance(node, FieldDefinitionNode | InputValueDefinitionNode) and keyword.iskeyword(_name(node.type)):
            if isinstance(node, InputValueDefinitionNode) and isinstance(node.type, NonNullTypeNode):
                clause = f"is required, but its type has a name that Python reserves: {_name(node.type)}"
                message = f"{node.name.value} {clause}"
                raise TypeError(message)
            return REMOVE
        return None


def _name(node: TypeNode) -> str:
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    name: str = node.name.value  # type: ignore[attr-defined]  # what is neither a list nor non-null has a name
    return name
