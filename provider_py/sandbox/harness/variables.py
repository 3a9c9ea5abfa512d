"""The checks on variables that executionInputs and startExecution share, in the server's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provider_py.sandbox.harness.catalog import Application, Entity, Environment, Pipeline, Variable
from provider_py.sandbox.harness.executions import NamedValue
from provider_py.sandbox.harness.inputs import VariableInput
from provider_py.sandbox.harness.refusal import RefusalError, invalid


@dataclass(frozen=True, slots=True)
class Resolved:
    """Variables as an execution gets them: entities by id, names that do not exist apart."""

    values: tuple[NamedValue, ...]
    environment: Environment | None
    unknown: tuple[str, ...]


def resolve(application: Application, entity: Entity, given: Sequence[VariableInput]) -> Resolved:
    """Check the values given for a workflow or pipeline and resolve names to ids, or refuse."""
    environment = _environment(application, entity, given)
    _check_required(entity, given)
    if not isinstance(entity, Pipeline):
        _check_fixed(entity, given)
    _check_allowed(entity, given)
    known = {variable.name: variable for variable in entity.variables}
    values = {
        item.name: _resolve_one(application, entity, environment, known[item.name], item)
        for item in given
        if item.name in known
    }
    defaults = {name: variable.default_value for name, variable in known.items() if variable.default_value}
    unknown = dict.fromkeys(item.name for item in given if item.name not in known)
    named = tuple(NamedValue(name, value) for name, value in {**defaults, **values}.items())
    return Resolved(named, environment, tuple(unknown))


def _first(given: Sequence[VariableInput], name: str) -> VariableInput | None:
    return next((item for item in given if item.name == name), None)


def _environment(application: Application, entity: Entity, given: Sequence[VariableInput]) -> Environment | None:
    variable = next((variable for variable in entity.variables if variable.type == "Environment"), None)
    if variable is None:
        return entity.environment
    item = _first(given, variable.name)
    if item is None:
        raise invalid(f"{entity.kind} [{entity.name}] has environment parameterized. However, the value not supplied")
    if not item.variable_value.value:
        raise invalid(f"Please provide a non empty value for {variable.name}")
    return _find_environment(application, item)


def _find_environment(application: Application, item: VariableInput) -> Environment:
    _refuse_expression(item)
    wanted = item.variable_value
    for environment in application.environments:
        if wanted.value == (environment.name if wanted.type == "NAME" else environment.id):
            return environment
    raise RefusalError(f"Environment [{wanted.value}] doesn't exist in specified application {application.id}")


def _refuse_expression(item: VariableInput) -> None:
    if item.variable_value.type == "EXPRESSION":
        raise invalid("Expression Type not supported")


def _check_required(entity: Entity, given: Sequence[VariableInput]) -> None:
    present = {item.name for item in given if item.variable_value.value}
    required = [variable for variable in entity.variables if variable.required and not variable.fixed]
    missing = [variable.name for variable in required if variable.name not in present]
    if missing:
        raise invalid(f"Value not provided for required variable: [{','.join(missing)}]")


def _check_fixed(entity: Entity, given: Sequence[VariableInput]) -> None:
    for variable in entity.variables:
        item = _first(given, variable.name)
        if variable.fixed and item is not None and item.variable_value.value != variable.default_value:
            raise invalid(
                f"Cannot change value of a fixed variable in workflow: {variable.name}. "
                f"Value set in workflow is: {variable.default_value}"
            )


def _check_allowed(entity: Entity, given: Sequence[VariableInput]) -> None:
    for variable in entity.variables:
        for item in given:
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
    wanted = item.variable_value
    for service in application.services:
        if wanted.value == (service.name if wanted.type == "NAME" else service.id):
            return service.id
    message = f"Service [{wanted.value}] doesn't exist in specified application {application.id}"
    raise RefusalError(message) if wanted.type == "NAME" else invalid(message)


def _infrastructure(
    application: Application, entity: Entity, environment: Environment, variable: Variable, item: VariableInput
) -> str:
    wanted = item.variable_value
    names = wanted.value.split(",") if isinstance(entity, Pipeline) else [wanted.value]
    if len(names) > 1 and not variable.allow_multiple_values:
        raise invalid(f"Variable {variable.name} doesnt allow multiple values")
    present = {
        definition.name if wanted.type == "NAME" else definition.id: definition.id
        for definition in environment.infrastructure_definitions
    }
    for name in names:
        if name.strip() not in present:
            raise RefusalError(
                f"Infrastructure Definition  [{name}] doesn't exist in specified application and environment "
                f"{application.id} {environment.id}"
            )
    return ",".join(present[name.strip()] for name in names)
