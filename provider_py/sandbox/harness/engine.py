"""Execution of a GraphQL request as on the server: parse, validate, limit the depth, coerce, resolve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from provider_py.sandbox.harness import errors
from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.wire import JsonObject

_MAX_DEPTH = 10
_MAX_ERRORS = 100


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The body of a request."""

    query: str
    variables: Mapping[str, object]
    operation_name: str | None = None
    upload: bytes | None = None
    """The file of a multipart body."""


class NoOperationError(Exception):
    """The document has no operation of that name, or several and the request names none."""


def execute(schema: GraphQLSchema, call: Call, request: GraphQLRequest) -> JsonObject:
    """The answer: `errors` first; no `data` if nothing was executed; raises NoOperationError."""
    try:
        document = parse(request.query)
    except GraphQLSyntaxError as failure:
        return {"errors": [errors.from_syntax(failure)]}
    violations = validate(schema, document, max_errors=_MAX_ERRORS)
    if violations:
        return {"errors": [errors.from_validation(document, violation) for violation in violations]}
    operation = get_operation_ast(document, request.operation_name)
    if operation is None:
        name = request.operation_name
        reason = (
            f"Unknown operation named '{name}'."
            if name
            else "Must provide operation name if query contains multiple operations."
        )
        raise NoOperationError(reason)
    depth = _depth_of(document, operation)
    if depth > _MAX_DEPTH:
        return {"errors": [{"message": f"maximum query depth exceeded {depth} > {_MAX_DEPTH}"}]}
    return _resolve(schema, call, request, document, operation)


def _resolve(
    schema: GraphQLSchema,
    call: Call,
    request: GraphQLRequest,
    document: DocumentNode,
    operation: OperationDefinitionNode,
) -> JsonObject:
    coerced = get_variable_values(schema, operation.variable_definitions, dict(request.variables))
    if isinstance(coerced, list):
        return {"errors": [errors.from_coercion(failure) for failure in coerced]}
    result = execute_sync(
        schema,
        document,
        context_value=call,
        variable_values=dict(request.variables),
        operation_name=request.operation_name,
    )
    if result.errors:
        return {"errors": [errors.from_resolver(failure) for failure in result.errors], "data": result.data}
    return {"data": result.data}


def _depth_of(document: DocumentNode, operation: OperationDefinitionNode) -> int:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return _depth(operation.selection_set, fragments)


def _depth(selections: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    deepest = 0
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            inner = 0 if node.name.value.startswith("__") else 1 + _depth(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            inner = _depth(fragments[node.name.value].selection_set, fragments)
        else:
            inner = _depth(getattr(node, "selection_set", None), fragments)
        deepest = max(deepest, inner)
    return deepest
