"""Differences between two GraphQL schemas, and which of our operations use what is different."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    BreakingChange,
    DangerousChange,
    DangerousChangeType,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Node,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    find_breaking_changes,
    find_dangerous_changes,
    get_named_type,
    type_from_ast,
    visit,
)

from codegen.changes import Change

_HARMLESS: Final = {DangerousChangeType.OPTIONAL_ARG_ADDED, DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED}
"""We do not send what we do not know."""
_WITH_FIELDS: Final = (GraphQLObjectType, GraphQLInterfaceType)
_FIELD: Final = re.compile(r"\b\w+\.\w+\b")
_WORD: Final = re.compile(r"\w+")
_ENUM: Final = re.compile(r"enum type (\w+)")


def compare(old: GraphQLSchema, new: GraphQLSchema, document: DocumentNode) -> list[Change]:
    """Return every breaking and dangerous change, with the operations of the document that it touches."""
    uses = {name: frozenset(_used(old, parts)) for name, parts in _operations(document).items()}
    found: list[BreakingChange | DangerousChange] = [
        *find_breaking_changes(old, new),
        *find_dangerous_changes(old, new),
    ]
    kept = [change for change in found if "DIRECTIVE" not in change.type.name]  # our operations use the standard ones
    return [*(_change(change, uses) for change in kept), *(Change(text) for text in _additions(old, new))]


def _additions(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[str]:
    for name, kind in new.type_map.items():
        known = old.type_map.get(name)
        if known is None:
            yield f"{name} was added."
        elif isinstance(kind, _WITH_FIELDS) and isinstance(known, _WITH_FIELDS):
            yield from (f"{name}.{field} was added." for field in kind.fields if field not in known.fields)


def _change(change: BreakingChange | DangerousChange, uses: Mapping[str, frozenset[str]]) -> Change:
    if change.type in _HARMLESS:
        return Change(change.description)
    subjects = _subjects(change.description)
    return Change(change.description, tuple(name for name, used in uses.items() if used & subjects))


def _subjects(description: str) -> frozenset[str]:
    """Return the field, or the types, that a description is about: graphql-core tells them in its text only."""
    if field := _FIELD.search(description):
        return frozenset({field[0]})
    if enum := _ENUM.search(description):
        return frozenset({enum[1]})
    return frozenset(_WORD.findall(description))


def _operations(document: DocumentNode) -> dict[str, list[Node]]:
    """Return each operation, by name in order, with the fragments that it spreads."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return {
        node.name.value: [node, *_spread(node, fragments, set())]
        for node in sorted(operations, key=lambda node: node.name.value if node.name else "")
        if node.name
    }


def _spread(node: Node, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]) -> Iterator[Node]:
    collector = _Spreads()
    visit(node, collector)
    for name in collector.names:
        if name in fragments and name not in seen:
            seen.add(name)
            yield fragments[name]
            yield from _spread(fragments[name], fragments, seen)


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.names.append(node.name.value)


def _used(schema: GraphQLSchema, parts: Iterable[Node]) -> Iterator[str]:
    """Name the types that an operation gets or sends, and as Type.field every field of theirs that it uses."""
    for part in parts:
        info = TypeInfo(schema)
        collector = _Selections(schema, info)
        visit(part, TypeInfoVisitor(info, collector))
        yield from collector.used
        for variable in getattr(part, "variable_definitions", None) or ():
            kind = type_from_ast(schema, variable.type)
            if kind is not None:
                yield from _sent(get_named_type(kind), set())


def _sent(kind: GraphQLNamedType, seen: set[str]) -> Iterator[str]:
    if kind.name in seen:
        return
    seen.add(kind.name)
    yield kind.name
    if isinstance(kind, GraphQLInputObjectType):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}"
            yield from _sent(get_named_type(field.type), seen)


class _Selections(Visitor):
    def __init__(self, schema: GraphQLSchema, info: TypeInfo) -> None:
        super().__init__()
        self._schema = schema
        self._info = info
        self.used: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, given = self._info.get_parent_type(), self._info.get_type()
        if parent is None:
            return
        self.used.update(f"{owner}.{node.name.value}" for owner in self._with_possible(parent))
        if given is not None:
            self.used.update(self._with_possible(get_named_type(given)))

    def _with_possible(self, kind: GraphQLNamedType) -> list[str]:
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return [kind.name, *(each.name for each in self._schema.get_possible_types(kind))]
        return [kind.name]
