"""Errors: those resolvers raise, and all of them in the words of the server's engine.

Clients match on these texts, so they must be the server's. Its engine is graphql-java 12, while graphql-core validates
here; both check the same rules in other words. Each message of graphql-core is therefore recognized by a pattern, and
its names are put into the other engine's sentence. What no pattern recognizes keeps its message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    Node,
    print_ast,
)

from provider_py.sandbox.wire import JsonObject

_UNEXPECTED = "An error has occurred. Please contact the Harness support team."
_QUOTED_NAME = r"""['"]([^'"]*)['"]"""


class ApiError(Exception):
    """An error a resolver raises; the message is the server's."""


def invalid(message: str) -> ApiError:
    """The error for a request the server calls invalid."""
    return ApiError(f"Invalid request: {message}")


def denied(detail: str = "Not authorized") -> ApiError:
    """The error for a request the key may not make."""
    return ApiError(f"User not authorized: {detail}")


def _wordings(*pairs: tuple[str, str]) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of graphql-core's messages, where % is a quoted name, and the other engine's sentences."""
    return [(re.compile(pattern.replace("%", _QUOTED_NAME)), text) for pattern, text in pairs]


_VALIDATION = _wordings(
    (r"Cannot query field % on type %", "FieldUndefined: Field '{0}' in type '{1}' is undefined"),
    (r"Unknown argument %", "UnknownArgument: Unknown field argument {0}"),
    (r"Field % argument % of type % is required", "MissingFieldArgument: Missing field argument {1}"),
    (r"Variable % is not defined", "UndefinedVariable: Undefined variable {0}"),
    (r"Variable % is never used", "UnusedVariable: Unused variable {0}"),
    (r"Unknown fragment %", "UndefinedFragment: Undefined fragment {0}"),
    (r"Fragment % is never used", "UnusedFragment: Unused fragment {0}"),
    (r"Unknown type %", "UnknownType: Unknown type {0}"),
    (
        r"Field % of type % must have a selection",
        "SubSelectionRequired: Sub selection required for type {1} of field {0}",
    ),
    (
        r"Field % must not have a selection since type % has no subfields",
        "SubSelectionNotAllowed: Sub selection not allowed on leaf type {1} of field {0}",
    ),
    (
        r"Variable % of type % used in position expecting type %",
        "VariableTypeMismatch: Variable type '{1}' doesn't match expected type '{2}'",
    ),
    (
        r"This anonymous operation must be the only",
        "LoneAnonymousOperationViolation: Anonymous operation with other operations.",
    ),
    (
        r"""Field ['"]\w+\.(\w+)['"] of required type""",
        "WrongType: argument '{argument}' with value '{value}' is missing required fields '[{0}]'",
    ),
    (
        r"Field % is not defined by type %",
        "WrongType: argument '{argument}' with value '{value}' contains a field not in '{1}': '{0}'",
    ),
    (r"", "WrongType: argument '{argument}' with value '{value}' is not valid"),
)
_COERCION = _wordings(
    (
        r"Variable %.*; Field % of required type % was not provided",
        "Field '{1}' of variable '{0}' has coerced Null value for NonNull type '{2}'",
    ),
    (
        r"Variable %.*; Field % is not defined by type %",
        "The variables input contains a field name '{1}' that is not defined for input object type '{2}' ",
    ),
    (
        r"Variable %.*; Value % does not exist in % enum",
        "Invalid input for Enum '{2}'. No value found for name '{1}'",
    ),
    (
        r"Variable % of (?:required|non-null) type % (?:was not provided|must not be null)",
        "Variable '{0}' has coerced Null value for NonNull type '{1}'",
    ),
    (r"Variable %.*; (.*)", "Variable '{0}' has an invalid value. {1}"),
)


def _element(message: str, error: GraphQLError) -> JsonObject:
    locations = [{"line": location.line, "column": location.column} for location in error.locations or []]
    return {"message": message, "locations": locations}


def from_syntax(error: GraphQLSyntaxError) -> JsonObject:
    """The element of `errors` for a text that is not GraphQL."""
    place = (error.locations or [])[0]
    token = error.message.rpartition("found ")[2].rstrip(".") or error.message
    message = f"Invalid Syntax : offending token {token} at line {place.line} column {place.column}"
    return _element(message, error)


def from_validation(document: DocumentNode, error: GraphQLError) -> JsonObject:
    """The element of `errors` for a query the schema does not allow."""
    node = (error.nodes or [document])[0]
    path, argument = _find(document, node, (), "") or ((), "")
    place = f" @ '{'/'.join(path)}'" if path else ""
    names = {"argument": argument, "value": print_ast(node)}
    message = _reworded(_VALIDATION, error.message.replace('"$', '"'), names)
    return _element(f"Validation error of type {message}{place}", error)


def from_coercion(error: GraphQLError) -> JsonObject:
    """The element of `errors` for variables the schema does not allow."""
    return _element(_reworded(_COERCION, error.message, {}), error)


def _reworded(wordings: list[tuple[re.Pattern[str], str]], message: str, names: dict[str, str]) -> str:
    message = message.replace("'$", "'")
    for pattern, text in wordings:
        match = pattern.search(message)
        if match:
            return text.format(*(group or "" for group in match.groups()), **names)
    return message


def from_resolver(error: GraphQLError) -> JsonObject:
    """The element of `errors` for a field that could not be resolved."""
    original = error.original_error
    text = str(original) if isinstance(original, ApiError) else _UNEXPECTED
    path = "".join(f"[{step}]" if isinstance(step, int) else f"/{step}" for step in error.path or [])
    element = _element(f"Exception while fetching data ({path}) : {text}", error)
    return {**element, "path": list(error.path or [])}


def _find(node: Node, target: Node, path: tuple[str, ...], argument: str) -> tuple[tuple[str, ...], str] | None:
    """The fields that lead to a node, and the name of the argument that contains it."""
    if isinstance(node, FieldNode):
        path = (*path, node.name.value)
    if node is target:
        return path, argument
    if isinstance(node, ArgumentNode):
        argument = node.name.value
    for child in _children(node):
        match = _find(child, target, path, argument)
        if match is not None:
            return match
    return None


def _children(node: Node) -> Sequence[Node]:
    children: list[Node] = []
    for key in node.keys:
        value = getattr(node, key)
        if isinstance(value, Node):
            children.append(value)
        elif isinstance(value, (tuple, list)):
            children.extend(item for item in value if isinstance(item, Node))
    return children
