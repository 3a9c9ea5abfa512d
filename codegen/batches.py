"""Batching by aliases: an operation after the comment `# @batch(25)` can ask for 25 objects in one request.

Asking for every run by itself exhausts a limit of requests per minute with some dozens of runs. A list filtered by ids
does not do: it says neither which id has no record nor why one was refused. Aliases written out by hand do not do
either: the generator makes a class per alias, 25 times the same type. So

    # @batch(25)
    query executionState($executionId: String!) {
      execution(executionId: $executionId) { ...ExecutionState }
    }

becomes, in the client's module `batches`,

    execution_state_batch(client, execution_ids) -> list[ExecutionState | GraphQLClientGraphQLError]

which sends one constant document with the aliases run0 to run24, each under `@include(if: $hasN)`, so that a caller
passes any 1 to 25 ids. The results are of the single operation's own type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ariadne_codegen.utils import str_to_pascal_case, str_to_snake_case
from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    NamedTypeNode,
    NameNode,
    Node,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TokenKind,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from codegen.errors import SpecError
from codegen.templating import render

_MARK: Final = re.compile(r"@batch\((\d+)\)")
_SCALARS: Final = {"String": ("str", '""'), "ID": ("str", '""'), "Int": ("int", "0")}


@dataclass(frozen=True, slots=True)
class Batch:
    """An operation to batch: one root field, one variable of a plain type."""

    operation: str
    size: int
    variable: str
    variable_type: str
    field: str


def find(document: DocumentNode) -> list[Batch]:
    """Return the operations that the comment marks."""
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return [_batch(operation, size) for operation in operations if (size := _size(operation))]


def expand(batch: Batch, document: str) -> str:
    """Return the document, which holds the operation and its fragments, with one alias of its field per object."""
    operation, *fragments = parse(document).definitions
    if not isinstance(operation, OperationDefinitionNode):
        message = f"{batch.operation}: the operation must come first in its document"
        raise TypeError(message)
    [root] = operation.selection_set.selections
    many = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=NameNode(value=f"{batch.operation}Batch"),
        variable_definitions=[part for index in range(batch.size) for part in _variables(batch, index)],
        directives=[],
        selection_set=SelectionSetNode(selections=[_aliased(root, batch, index) for index in range(batch.size)]),
    )
    return print_ast(DocumentNode(definitions=[many, *fragments]))


def module(batches: Iterable[Batch], documents: Mapping[str, str]) -> str:
    """Return the module `batches`; `documents` holds each operation, with its fragments, as the client sends it."""
    contexts = [_context(batch, expand(batch, documents[batch.operation])) for batch in batches]
    return render("graphql/batches.py.j2", batches=contexts)


def _context(batch: Batch, document: str) -> dict[str, str | int]:
    name = str_to_snake_case(batch.operation)
    python_type, blank = _SCALARS[batch.variable_type]
    return {
        "name": f"{batch.operation}Batch",
        "function": f"{name}_batch",
        "method": name,
        "module": name,
        "result": str_to_pascal_case(batch.operation),
        "size": batch.size,
        "limit_name": f"{name.upper()}_LIMIT",
        "document_name": f"_{name.upper()}",
        "document": document,
        "variable": batch.variable,
        "argument": f"{str_to_snake_case(batch.variable)}s",
        "argument_type": python_type,
        "blank": blank,
        "field": batch.field,
    }


def _size(operation: OperationDefinitionNode) -> int | None:
    token = operation.loc.start_token.prev if operation.loc else None
    while token and token.kind is TokenKind.COMMENT:
        if mark := _MARK.search(token.value or ""):
            return int(mark[1])
        token = token.prev
    return None


def _batch(operation: OperationDefinitionNode, size: int) -> Batch:
    selections, variables = operation.selection_set.selections, operation.variable_definitions
    root = selections[0]
    if operation.operation is not OperationType.QUERY or size < 2:
        raise _refused(operation, "only queries are batched, by two or more")
    if len(selections) != 1 or not isinstance(root, FieldNode) or root.alias:
        raise _refused(operation, "a batched query selects one field, without an alias")
    declared = variables[0].type if len(variables) == 1 else None
    scalar = declared.type if isinstance(declared, NonNullTypeNode) else None
    if not isinstance(scalar, NamedTypeNode) or scalar.name.value not in _SCALARS:
        raise _refused(operation, f"a batched query has one variable, a non-null {', '.join(_SCALARS)}")
    name = operation.name.value if operation.name else ""
    return Batch(name, size, variables[0].variable.name.value, scalar.name.value, root.name.value)


def _refused(operation: OperationDefinitionNode, reason: str) -> SpecError:
    token = operation.loc.start_token if operation.loc else None
    source = operation.loc.source.name if operation.loc else ""
    return SpecError(source, f"line {token.line}" if token else "", reason)


def _variables(batch: Batch, index: int) -> list[VariableDefinitionNode]:
    types = ((f"has{index}", "Boolean"), (f"{batch.variable}{index}", batch.variable_type))
    return [
        VariableDefinitionNode(
            variable=_variable(name),
            type=NonNullTypeNode(type=NamedTypeNode(name=NameNode(value=type_name))),
            directives=[],
        )
        for name, type_name in types
    ]


def _aliased(root: Node, batch: Batch, index: int) -> FieldNode:
    field: FieldNode = visit(root, _Rename(batch.variable, f"{batch.variable}{index}"))
    condition = ArgumentNode(name=NameNode(value="if"), value=_variable(f"has{index}"))
    return FieldNode(
        alias=NameNode(value=f"run{index}"),
        name=field.name,
        arguments=field.arguments,
        directives=[*field.directives, DirectiveNode(name=NameNode(value="include"), arguments=[condition])],
        selection_set=field.selection_set,
    )


def _variable(name: str) -> VariableNode:
    return VariableNode(name=NameNode(value=name))


class _Rename(Visitor):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.old, self.new = old, new

    def enter_variable(self, node: VariableNode, *_: object) -> VariableNode | None:
        return _variable(self.new) if node.name.value == self.old else None
