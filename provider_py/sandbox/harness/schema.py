"""The executable schema: the published SDL with the sandbox's scalars, inputs and resolvers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

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
    connectors,
    history,
    inputs,
    lookups,
    secrets,
    tagging,
    triggers,
    users,
)
from provider_py.sandbox.harness.resolvers import Resolver
from provider_py.sandbox.specs import spec_file

_Scalar: TypeAlias = tuple[Callable[[float], object], Callable[[object], object]]
_RESOLVERS: Mapping[str, Resolver] = {
    **lookups.RESOLVERS,
    **history.RESOLVERS,
    **actions.RESOLVERS,
    **triggers.RESOLVERS,
    **applications.RESOLVERS,
    **tagging.RESOLVERS,
    **users.RESOLVERS,
    **secrets.RESOLVERS,
    **connectors.RESOLVERS,
}
_DIRECTIVES = {"include", "skip", "deprecated"}
"""The directives of the server's engine."""
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
"""The fields that releases of the server added."""


def snake(name: str) -> str:
    """The name of the Python attribute for a GraphQL name."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@cache
def _sdl() -> DocumentNode:
    return parse(spec_file("harness", "schema.graphql").read_text(encoding="utf-8"), no_location=True)


@cache
def schema(version: str) -> GraphQLSchema:
    """The schema of that release of the server."""
    newer = {name for since, names in _SINCE.items() if since > version for name in names}
    built = build_ast_schema(_without(_sdl(), newer), assume_valid_sdl=True)
    for type_ in built.type_map.values():
        if not type_.name.startswith("__"):
            _make_executable(type_)
    built.directives = tuple(directive for directive in built.directives if directive.name in _DIRECTIVES)
    return built


def _make_executable(type_: GraphQLNamedType) -> None:
    if isinstance(type_, GraphQLObjectType):
        _set_resolvers(type_)
    elif isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
        type_.resolve_type = lambda value, *_: str(value.graphql_type)
    elif isinstance(type_, GraphQLInputObjectType):
        _set_class(type_)
    elif isinstance(type_, GraphQLScalarType) and type_.name in _SCALARS:
        serialize, parse_value = _SCALARS[type_.name]
        _override(type_, serialize=serialize, parse_value=parse_value)
    elif isinstance(type_, GraphQLEnumType) and type_.name == "ExecutionStatus":
        # Unknown statuses must pass, so that clients can be tested with one.
        _override(type_, serialize=str)


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


def _set_resolvers(type_: GraphQLObjectType) -> None:
    for name, field in type_.fields.items():
        resolver = _RESOLVERS.get(f"{type_.name}.{name}")
        field.resolve = _attribute if resolver is None else _adapted(resolver)
        _rename(field)


def _adapted(resolver: Resolver) -> Resolver:
    def resolve(source: object, info: GraphQLResolveInfo, **arguments: object) -> object:
        return resolver(source, info.context, **arguments)

    return resolve


def _attribute(source: object, info: GraphQLResolveInfo, **_: object) -> object:
    name = snake(info.field_name)
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _rename(field: GraphQLField) -> None:
    for name, argument in field.args.items():
        argument.out_name = "input_" if name == "input" else snake(name)


def _set_class(type_: GraphQLInputObjectType) -> None:
    for name, field in type_.fields.items():
        field.out_name = snake(name)
    class_ = inputs.CLASSES.get(type_.name)
    if class_ is None:
        return
    required = {snake(name) for name, field in type_.fields.items() if is_required_input_field(field)}
    # graphql-core coerces invalid variables as far as possible before it rejects them, so members may be missing.
    _override(type_, out_type=lambda values: class_(**values) if required <= values.keys() else values)


def _override(type_: GraphQLNamedType, **methods: Callable[..., object]) -> None:
    """Override methods of one instance, as the constructors of these types do."""
    vars(type_).update(methods)


def _integer(value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise GraphQLError(f"Expected a whole number but was {value!r}")
    return int(str(value))


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise GraphQLError(f"Expected a number but was {value!r}") from None


_SCALARS: dict[str, _Scalar] = {
    "DateTime": (lambda value: int(value * 1000), _integer),
    "Long": (str, _integer),
    "Number": (lambda value: value, _number),
}
