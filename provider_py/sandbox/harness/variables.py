"""The checks on variables, shared by executionInputs and startExecution.

The server resolves the environment first, because infrastructure definitions belong to one; it then checks required,
fixed and allowed values, and resolves names to ids last. An unknown variable is no error but a warning, which is why it
is reported separately. Names are case-sensitive, and values are compared as they come: only a pipeline's infrastructure
definitions and restricted values may be lists, separated by commas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provider_py.sandbox.harness.catalog import Application, Entity, Environment, Pipeline, Variable
from provider_py.sandbox.harness.errors import ApiError, invalid
from provider_py.sandbox.harness.inputs import NamedValue, VariableInput


@dataclass(frozen=True, slots=True)
class Resolved:
    """The variables of an execution, entities by id; names the entity does not declare are separate."""

    values: tuple[NamedValue, ...]
    environment: Environment | None
    unknown: tuple[str, ...]


def resolve(application: Application, entity: Entity, inputs: Sequence[VariableInput]) -> Resolved:
    """Check the values for a workflow or pipeline and resolve names to ids; raises ApiError if a check fails."""
    environment = _environment(application, entity, inputs)
    _check_required(entity, inputs)
    if not isinstance(entity, Pipeline):
        _check_fixed(entity, inputs)
    _check_allowed(entity, inputs)
    known = {variable.name: variable for variable in entity.variables}
    values = {
        item.name: _resolve_one(application, entity, environment, known[item.name], item)
        for item in inputs
        if item.name in known
    }
    defaults = {name: variable.default_value for name, variable in known.items() if variable.default_value}
    unknown = dict.fromkeys(item.name for item in inputs if item.name not in known)
    named = tuple(NamedValue(name, value) for name, value in {**defaults, **values}.items())
    return Resolved(named, environment, tuple(unknown))


def _first(inputs: Sequence[VariableInput], name: str) -> VariableInput | None:
    return next((item for item in inputs if item.name == name), None)


def _environment(application: Application, entity: Entity, inputs: Sequence[VariableInput]) -> Environment | None:
    variable = next((variable for variable in entity.variables if variable.type == "Environment"), None)
    if variable is None:
        return entity.environment
    item = _first(inputs, variable.name)
    if item is None:
        raise invalid(f"{entity.label} [{entity.name}] has environment parameterized. However, the value not supplied")
    if not item.variable_value.value:
        raise invalid(f"Please provide a non empty value for {variable.name}")
    return _find_environment(application, item)


def _find_environment(application: Application, item: VariableInput) -> Environment:
    _refuse_expression(item)
    value = item.variable_value
    for environment in application.environments:
        if value.value == (environment.name if value.type == "NAME" else environment.id):
            return environment
    raise ApiError(f"Environment [{value.value}] doesn't exist in specified application {application.id}")


def _refuse_expression(item: VariableInput) -> None:
    if item.variable_value.type == "EXPRESSION":
        raise invalid("Expression Type not supported")


def _check_required(entity: Entity, inputs: Sequence[VariableInput]) -> None:
    present = {item.name for item in inputs if item.variable_value.value}
    required = [variable for variable in entity.variables if variable.required and not variable.fixed]
    missing = [variable.name for variable in required if variable.name not in present]
    if missing:
        raise invalid(f"Value not provided for required variable: [{','.join(missing)}]")


def _check_fixed(entity: Entity, inputs: Sequence[VariableInput]) -> None:
    for variable in entity.variables:
        item = _first(inputs, variable.name)
        if variable.fixed and item is not None and item.variable_value.value != variable.default_value:
            raise invalid(
                f"Cannot change value of a fixed variable in workflow: {variable.name}. "
                f"Value set in workflow is: {variable.default_value}"
            )


def _check_allowed(entity: Entity, inputs: Sequence[VariableInput]) -> None:
    for variable in entity.variables:
        for item in inputs:
            if item.name != variable.name or variable.allowed_values is None:
                continue
            if any(part.strip() not in variable.allowed_values for part in item.variable_value.value.split(",")):
                raise invalid(f"Variable {variable.name} can only take values [{', '.join(variable.allowed_values)}]")


def _resolve_one(
    application: Application, entity: Entity, environment: Environment | None, variable: Variable, item: VariableInput
) -> str:
    _refuse_expression(item)
    if variable.type == "Environment":
        return _find_environment(application, item).id
    if variable.type == "Service":
        return _service(application, item)
    if variable.type == "Infrastructure definition" and environment is not None:
        return _infrastructure(application, entity, environment, variable, item)
    return item.variable_value.value


def _service(application: Application, item: VariableInput) -> str:
    value = item.variable_value
    for service in application.services:
        if value.value == (service.name if value.type == "NAME" else service.id):
            return service.id
    message = f"Service [{value.value}] doesn't exist in specified application {application.id}"
    raise ApiError(message) if value.type == "NAME" else invalid(message)


def _infrastructure(
    application: Application, entity: Entity, environment: Environment, variable: Variable, item: VariableInput
) -> str:
    value = item.variable_value
    names = value.value.split(",") if isinstance(entity, Pipeline) else [value.value]
    if len(names) > 1 and not variable.allow_multiple_values:
        raise invalid(f"Variable {variable.name} doesnt allow multiple values")
    definition_ids = {
        definition.name if value.type == "NAME" else definition.id: definition.id
        for definition in environment.infrastructure_definitions
    }
    for name in names:
        if name.strip() not in definition_ids:
            raise ApiError(
                f"Infrastructure Definition  [{name}] doesn't exist in specified application and environment "
                f"{application.id} {environment.id}"
            )
    return ",".join(definition_ids[name.strip()] for name in names)
