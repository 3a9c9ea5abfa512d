"""The executable schema: the published SDL with this system's scalars, inputs and resolvers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from graphql import (
    DefinitionNode,
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    build_ast_schema,
    is_required_input_field,
    parse,
)

from provider_py.sandbox.harness import (
    actions,
    applications,
    connections,
    history,
    inputs,
    lookups,
    people,
    secrets,
    tagging,
    triggers,
)
from provider_py.sandbox.specs import spec_file

VERSIONS = ("2023-12", "2022-05", "2022-02")
_RESOLVERS: Mapping[str, Callable[..., object]] = {
    **lookups.RESOLVERS,
    **history.RESOLVERS,
    **actions.RESOLVERS,
    **triggers.RESOLVERS,
    **applications.RESOLVERS,
    **tagging.RESOLVERS,
    **people.RESOLVERS,
    **secrets.RESOLVERS,
    **connections.RESOLVERS,
}
_DIRECTIVES = {"include", "skip", "deprecated"}
"""The directives the server's engine knows."""
_SINCE = {
    "2022-05": {
        "WorkflowExecution.manifests",
        "Application.areWebHookSecretsMandated",
        "CreateApplicationInput.areWebHookSecretsMandated",
        "UpdateApplicationInput.areWebHookSecretsMandated",
        "DeploymentOutcome.infrastructureDefinition",
    },
    "2023-12": {
        "Execution.executionUrl",
        "WorkflowExecution.executionUrl",
        "PipelineExecution.executionUrl",
        "WorkflowExecution.inputVariables",
        "WorkflowStageExecution.inputVariables",
        "ExecutionFilter.applicationId",
        "ExecutionFilter.artifactBuildNo",
        "ExecutionFilter.helmChartVersion",
        "Application.disableTriggers",
        "ApproveOrRejectApprovalsInput.userEmail",
        "CreateApplicationInput.disableTriggers",
        "UpdateApplicationInput.disableTriggers",
        "User.isDisabled",
    },
}
"""What each version of the server added."""


def snake(name: str) -> str:
    """A GraphQL name as the Python attribute it is kept in."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@cache
def _sdl() -> DocumentNode:
    return parse(spec_file("harness", "schema.graphql").read_text(encoding="utf-8"), no_location=True)


@cache
def schema(version: str) -> GraphQLSchema:
    """The schema of a server of that version."""
    newer = {name for since, names in _SINCE.items() if since > version for name in names}
    built = build_ast_schema(_without(_sdl(), newer), assume_valid_sdl=True)
    for kind in built.type_map.values():
        if not kind.name.startswith("__"):
            _make_executable(kind)
    built.directives = tuple(directive for directive in built.directives if directive.name in _DIRECTIVES)
    return built


def _make_executable(kind: GraphQLNamedType) -> None:
    if isinstance(kind, GraphQLObjectType):
        _give_resolvers(kind)
    elif isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
        kind.resolve_type = lambda value, *_: str(value.graphql_type)
    elif isinstance(kind, GraphQLInputObjectType):
        _give_class(kind)
    elif isinstance(kind, GraphQLScalarType) and kind.name in _SCALARS:
        serialize, parse_value = _SCALARS[kind.name]
        _override(kind, serialize=serialize, parse_value=parse_value)
    elif isinstance(kind, GraphQLEnumType) and kind.name == "ExecutionStatus":
        # An unknown word must pass, so that a client can be shown one.
        _override(kind, serialize=str)


def _without(document: DocumentNode, names: set[str]) -> DocumentNode:
    definitions: list[DefinitionNode] = []
    for node in document.definitions:
        if isinstance(node, (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode, InputObjectTypeDefinitionNode)):
            kept = tuple(field for field in node.fields if f"{node.name.value}.{field.name.value}" not in names)
            keys = {key: getattr(node, key) for key in node.keys}
            definitions.append(type(node)(**{**keys, "fields": kept}))
        else:
            definitions.append(node)
    return DocumentNode(definitions=tuple(definitions))


def _give_resolvers(kind: GraphQLObjectType) -> None:
    for name, field in kind.fields.items():
        own = _RESOLVERS.get(f"{kind.name}.{name}")
        field.resolve = _attribute if own is None else _adapted(own)
        _rename(field)


def _adapted(resolver: Callable[..., object]) -> Callable[..., object]:
    def resolve(source: object, info: GraphQLResolveInfo, **arguments: object) -> object:
        return resolver(source, info.context, **arguments)

    return resolve


def _attribute(source: object, info: GraphQLResolveInfo, **_: object) -> object:
    name = snake(info.field_name)
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _rename(field: GraphQLField) -> None:
    for name, argument in field.args.items():
        argument.out_name = "given" if name == "input" else snake(name)


def _give_class(kind: GraphQLInputObjectType) -> None:
    for name, field in kind.fields.items():
        field.out_name = snake(name)
    known = inputs.CLASSES.get(kind.name)
    if known is None:
        return
    required = {snake(name) for name, field in kind.fields.items() if is_required_input_field(field)}
    # Wrong variables are coerced as far as they go before they are refused.
    _override(kind, out_type=lambda values: known(**values) if required <= values.keys() else values)


def _override(kind: GraphQLNamedType, **methods: Callable[..., object]) -> None:
    """Give methods to one instance, as the constructors of these types do."""
    vars(kind).update(methods)


def _integer(value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise GraphQLError(f"Expected a whole number but was {value!r}")
    return int(str(value))


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise GraphQLError(f"Expected a number but was {value!r}") from None


_SCALARS: dict[str, tuple[Callable[[Any], object], Callable[[object], object]]] = {
    "DateTime": (lambda value: int(value * 1000), _integer),
    "Long": (str, _integer),
    "Number": (lambda value: value, _number),
}
