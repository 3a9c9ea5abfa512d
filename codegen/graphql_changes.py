"""Differences between two GraphQL schemas, and which of our operations use what is different.

graphql-core finds the differences, but says what they are about in prose only. So the names are read back from its
text, and each operation is reduced to the same names: the types that it receives or sends, and their fields it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

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
"""Our operations do not send what they do not know."""
_WITH_FIELDS: Final = (GraphQLObjectType, GraphQLInterfaceType)
_FIELD: Final = re.compile(r"\b\w+\.\w+\b")
_WORD: Final = re.compile(r"\w+")
_ENUM: Final = re.compile(r"enum type (\w+)")


def compare(old: GraphQLSchema, new: GraphQLSchema, document: DocumentNode) -> list[Change]:
    """Return every breaking and dangerous change, with the operations of the document that it touches."""
    uses = {name: frozenset(_used(old, parts)) for name, parts in _operations(document).items()}
    changes: list[BreakingChange | DangerousChange] = [
        *find_breaking_changes(old, new),
        *find_dangerous_changes(old, new),
    ]
    ours = (change for change in changes if "DIRECTIVE" not in change.type.name)  # we use the standard directives only
    return [*(_change(change, uses) for change in ours), *(Change(text) for text in _additions(old, new))]


def _additions(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[str]:
    for name, after in new.type_map.items():
        before = old.type_map.get(name)
        if before is None:
            yield f"{name} was added."
        elif isinstance(after, _WITH_FIELDS) and isinstance(before, _WITH_FIELDS):
            yield from (f"{name}.{field} was added." for field in after.fields if field not in before.fields)


def _change(change: BreakingChange | DangerousChange, uses: Mapping[str, frozenset[str]]) -> Change:
    if change.type in _HARMLESS:
        return Change(change.description)
    subjects = _subjects(change.description)
    return Change(change.description, tuple(name for name, used in uses.items() if used & subjects))


def _subjects(description: str) -> frozenset[str]:
    """Return the field, or the types, that a description is about."""
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

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.append(node.name.value)


def _used(schema: GraphQLSchema, parts: Iterable[Node]) -> Iterator[str]:
    """Name the types that an operation receives or sends, and as Type.field every field of theirs that it uses."""
    for part in parts:
        info = TypeInfo(schema)
        collector = _Selections(schema, info)
        visit(part, TypeInfoVisitor(info, collector))
        yield from collector.used
        for variable in getattr(part, "variable_definitions", None) or ():
            variable_type = type_from_ast(schema, variable.type)
            if variable_type is not None:
                yield from _sent(get_named_type(variable_type), set())


def _sent(sent: GraphQLNamedType, seen: set[str]) -> Iterator[str]:
    if sent.name in seen:
        return
    seen.add(sent.name)
    yield sent.name
    if isinstance(sent, GraphQLInputObjectType):
        for name, field in sent.fields.items():
            yield f"{sent.name}.{name}"
            yield from _sent(get_named_type(field.type), seen)


class _Selections(Visitor):
    def __init__(self, schema: GraphQLSchema, info: TypeInfo) -> None:
        super().__init__()
        self._schema = schema
        self._info = info
        self.used: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent, result = self._info.get_parent_type(), self._info.get_type()
        if parent is None:
            return
        self.used.update(f"{owner}.{node.name.value}" for owner in self._with_possible(parent))
        if result is not None:
            self.used.update(self._with_possible(get_named_type(result)))

    def _with_possible(self, named: GraphQLNamedType) -> list[str]:
        if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            return [named.name, *(possible.name for possible in self._schema.get_possible_types(named))]
        return [named.name]
