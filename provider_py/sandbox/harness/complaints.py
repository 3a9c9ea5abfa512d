"""Errors in the words of the server's engine, graphql-java 12, made from those of graphql-core."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    Node,
    OperationDefinitionNode,
    print_ast,
)

from provider_py.sandbox.harness.refusal import RefusalError

_UNEXPECTED = "An error has occurred. Please contact the Harness support team."
_LEAF = r"""['"]([^'"]*)['"]"""


@dataclass(frozen=True, slots=True)
class _Wording:
    pattern: re.Pattern[str]
    kind: str
    text: str


def _wording(pattern: str, kind: str, text: str) -> _Wording:
    return _Wording(re.compile(pattern.replace("%", _LEAF)), kind, text)


_VALIDATION = (
    _wording(r"Cannot query field % on type %", "FieldUndefined", "Field '{0}' in type '{1}' is undefined"),
    _wording(r"Unknown argument %", "UnknownArgument", "Unknown field argument {0}"),
    _wording(r"Field % argument % of type % is required", "MissingFieldArgument", "Missing field argument {1}"),
    _wording(r"Variable % is not defined", "UndefinedVariable", "Undefined variable {0}"),
    _wording(r"Variable % is never used", "UnusedVariable", "Unused variable {0}"),
    _wording(r"Unknown fragment %", "UndefinedFragment", "Undefined fragment {0}"),
    _wording(r"Fragment % is never used", "UnusedFragment", "Unused fragment {0}"),
    _wording(r"Unknown type %", "UnknownType", "Unknown type {0}"),
    _wording(
        r"Field % of type % must have a selection",
        "SubSelectionRequired",
        "Sub selection required for type {1} of field {0}",
    ),
    _wording(
        r"Field % must not have a selection since type % has no subfields",
        "SubSelectionNotAllowed",
        "Sub selection not allowed on leaf type {1} of field {0}",
    ),
    _wording(
        r"Variable % of type % used in position expecting type %",
        "VariableTypeMismatch",
        "Variable type '{1}' doesn't match expected type '{2}'",
    ),
    _wording(
        r"This anonymous operation must be the only",
        "LoneAnonymousOperationViolation",
        "Anonymous operation with other operations.",
    ),
    _wording(
        r"""Field ['"]\w+\.(\w+)['"] of required type""",
        "WrongType",
        "argument '{argument}' with value '{value}' is missing required fields '[{0}]'",
    ),
    _wording(
        r"Field % is not defined by type %",
        "WrongType",
        "argument '{argument}' with value '{value}' contains a field not in '{1}': '{0}'",
    ),
    _wording(r"", "WrongType", "argument '{argument}' with value '{value}' is not valid"),
)
_COERCION = (
    _wording(
        r"Variable %.*; Field % of required type % was not provided",
        "",
        "Field '{1}' of variable '{0}' has coerced Null value for NonNull type '{2}'",
    ),
    _wording(
        r"Variable %.*; Field % is not defined by type %",
        "",
        "The variables input contains a field name '{1}' that is not defined for input object type '{2}' ",
    ),
    _wording(
        r"Variable %.*; Value % does not exist in % enum",
        "",
        "Invalid input for Enum '{2}'. No value found for name '{1}'",
    ),
    _wording(
        r"Variable % of (?:required|non-null) type % (?:was not provided|must not be null)",
        "",
        "Variable '{0}' has coerced Null value for NonNull type '{1}'",
    ),
    _wording(r"Variable %.*; (.*)", "", "Variable '{0}' has an invalid value. {1}"),
)


def _element(message: str, error: GraphQLError) -> dict[str, object]:
    locations = [{"line": place.line, "column": place.column} for place in error.locations or []]
    return {"message": message, "locations": locations}


def of_syntax(error: GraphQLSyntaxError) -> dict[str, object]:
    """The element of `errors` for a text that is no GraphQL."""
    place = (error.locations or [])[0]
    token = error.message.rpartition("found ")[2].rstrip(".") or error.message
    message = f"Invalid Syntax : offending token {token} at line {place.line} column {place.column}"
    return _element(message, error)


def of_validation(document: DocumentNode, error: GraphQLError) -> dict[str, object]:
    """The element of `errors` for a query the schema does not allow."""
    node = (error.nodes or [document])[0]
    path = "/".join(_path_to(document, node))
    for wording in _VALIDATION:
        match = wording.pattern.search(error.message.replace("'$", "'").replace('"$', '"'))
        if match:
            text = wording.text.format(
                *(group or "" for group in match.groups()), argument=_argument_of(document, node), value=print_ast(node)
            )
            place = f" @ '{path}'" if path else ""
            return _element(f"Validation error of type {wording.kind}: {text}{place}", error)
    return _element(error.message, error)


def of_coercion(error: GraphQLError) -> dict[str, object]:
    """The element of `errors` for variables the schema does not allow."""
    message = error.message.replace("'$", "'")
    for wording in _COERCION:
        match = wording.pattern.search(message)
        if match:
            return _element(wording.text.format(*match.groups()), error)
    return _element(message, error)


def of_resolver(error: GraphQLError) -> dict[str, object]:
    """The element of `errors` for a field that could not be resolved."""
    original = error.original_error
    text = str(original) if isinstance(original, RefusalError) else _UNEXPECTED
    path = "".join(f"[{step}]" if isinstance(step, int) else f"/{step}" for step in error.path or [])
    element = _element(f"Exception while fetching data ({path}) : {text}", error)
    return {**element, "path": list(error.path or [])}


def _path_to(document: DocumentNode, wanted: Node) -> list[str]:
    for definition in document.definitions:
        if isinstance(definition, (OperationDefinitionNode, FragmentDefinitionNode)):
            found = _search(definition, wanted, [])
            if found is not None:
                return found
    return []


def _search(node: Node, wanted: Node, path: list[str]) -> list[str] | None:
    here = [*path, node.name.value] if isinstance(node, FieldNode) else path
    if node is wanted:
        return here
    for child in _children(node):
        found = _search(child, wanted, here)
        if found is not None:
            return found
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


def _argument_of(document: DocumentNode, wanted: Node) -> str:
    """The name of the argument a value stands in."""
    stack: list[tuple[Node, str]] = [(document, "")]
    while stack:
        node, argument = stack.pop()
        if node is wanted:
            return argument
        name = getattr(getattr(node, "name", None), "value", "")
        stack.extend((child, name if node.kind == "argument" else argument) for child in _children(node))
    return ""
