"""What Harness would refuse, or silently ignore, found before a run starts.

Harness checks a start only in part: an unknown variable merely adds a warning to the answer, after the run has started.
So the values are compared here with what the workflow or pipeline declares. Which services need an artifact or a Helm
chart cannot be computed: it depends on the values, for instance where a variable names the service. `executionInputs`
answers it for given values, and its refusals (an infrastructure definition of another environment) are findings too.
That takes one request, of the few that an account has, for each set of values that decide on it.

Values are sent in the order of their declaration, since an environment decides on what the variables after it may be.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import harness_client as gql

from provider_py.execution import Refused, Unauthorized, did_you_mean
from provider_py.plugin import Diagnostic, DiagnosticError, Key, Path, error
from provider_py.systems.harness.connection import Harness, UnknownField
from provider_py.systems.harness.lookup import Entity, Named, Variable, foreign_id

VariableInputs: TypeAlias = "list[gql.VariableInput | None]"

TEXT: Final = "Text"
"""The type of variables whose values are plain; all others name something in Harness."""
_FOREIGN: Final = re.compile(r"(Workflow|Pipeline) \S+ doesn't exist in the specified application")
"""What Harness says about an ID that exists, but in another application."""


def check_variables(
    entity: Entity, configured: Mapping[str, Mapping[str, str]], *, complete: bool = True
) -> Iterator[Diagnostic]:
    """Compare values, by attribute and variable name, with what the entity declares.

    `complete`: whether every required variable must be among them.
    """
    declared = {variable.name: variable for variable in entity.variables}
    values = {name: value for attribute in configured.values() for name, value in attribute.items()}
    for attribute, pairs in configured.items():
        for name, value in pairs.items():
            path = (attribute, Key(name))
            if name not in declared:
                yield _unknown(entity, name, declared, path)
            else:
                # A write-only value must not be echoed, so its message names the variable only.
                shown = "" if attribute == "sensitive_variables" else f" {value!r}"
                yield from _check_value(declared[name], value, path, shown)
    missing = [v.name for v in entity.variables if v.required and not v.fixed and not values.get(v.name)]
    if missing and complete:
        yield error(
            "Missing required variables",
            f"{_title(entity)} needs a value for: {', '.join(missing)}. Add them to `variables`, for example "
            f'{missing[0]} = "…".',
            ("variables",),
        )


def _unknown(entity: Entity, name: str, declared: Iterable[str], path: Path) -> Diagnostic:
    known = list(declared)
    return error(
        f"Unknown variable {name!r}",
        f"{_title(entity)} does not declare it, and Harness would ignore it.{did_you_mean(name, known)} "
        f"Declared variables: {', '.join(known) or 'none'}.",
        path,
    )


def _check_value(variable: Variable, value: str, path: Path, shown: str) -> Iterator[Diagnostic]:
    if variable.fixed and value != (variable.default or ""):
        yield error(
            f"Variable {variable.name!r} is fixed",
            f"The value{shown} differs from the one set in Harness. Remove it from the configuration, or make the "
            "variable changeable in Harness.",
            path,
        )
    elif variable.allowed and not {part.strip() for part in value.split(",")} <= set(variable.allowed):
        yield error(
            f"Invalid value for variable {variable.name!r}",
            f"The value{shown} is not allowed. Must be one of: {', '.join(variable.allowed)}.",
            path,
        )


def _title(entity: Entity) -> str:
    return f"{entity.kind.capitalize()} {entity.name!r}"


def variable_inputs(
    entity: Entity, *, by_name: Mapping[str, str] | None, by_id: Mapping[str, str] | None
) -> VariableInputs:
    """Return the input of values, which name things or hold their IDs; an ID wins over a name."""
    values: dict[str, gql.VariableValue] = {}
    types = gql.VariableValueType
    for type_, pairs in ((types.NAME, by_name), (types.ID, by_id)):
        for name, value in (pairs or {}).items():
            values[name] = gql.VariableValue(type=type_, value=value)
    order = {variable.name: position for position, variable in enumerate(entity.variables)}
    names = sorted(values, key=lambda name: order.get(name, len(order)))
    return [gql.VariableInput(name=name, variableValue=values[name]) for name in names]


async def execution_inputs(
    harness: Harness, application: str, entity: Entity, variables: VariableInputs
) -> gql.ExecutionInputsExecutionInputs:
    """Return the services that need an artifact or a Helm chart with these values.

    Only variables that name something in Harness decide on that, so runs that differ in texts share one answer. It is
    asked for with all values, since Harness checks them as for a start. A refusal may concern another run's text, and
    is therefore asked for again by whoever did not send its own values.
    """
    texts = {variable.name for variable in entity.variables if variable.type == TEXT}
    values = [(value.name, value.variable_value.type_, value.variable_value.value) for value in variables if value]
    deciding = tuple(value for value in values if value[0] not in texts)
    sent = False

    async def ask() -> gql.ExecutionInputsExecutionInputs:
        nonlocal sent
        sent = True
        request = harness.client.execution_inputs(entity.id, application, entity.execution_type, variables)
        none = gql.ExecutionInputsExecutionInputs(serviceInputs=[], serviceManifestInputs=[])
        return (await harness.ask("executionInputs", request)).execution_inputs or none

    try:
        return await harness.lookups.get(("inputs", application, entity.id, deciding), ask)
    except Refused as fault:
        if sent or isinstance(fault, Unauthorized | UnknownField):
            raise
        return await harness.lookups.get(("inputs", application, entity.id, deciding, tuple(values)), ask)


async def check_services(
    harness: Harness,
    application: str,
    entity: Entity,
    variables: VariableInputs,
    *,
    artifacts: Collection[str] | None,
    manifests: Collection[str] | None,
) -> None:
    """Raise DiagnosticError for every service that lacks what it is deployed with.

    `artifacts` and `manifests` name the configured services; None: not known yet.
    """
    try:
        inputs = await execution_inputs(harness, application, entity, variables)
    except (Unauthorized, UnknownField):
        raise
    except Refused as fault:
        if _FOREIGN.search(fault.reason):
            raise DiagnosticError(foreign_id(entity.kind, entity.id)) from fault
        detail = f"Harness does not accept the variables of {_title(entity)}: {fault.reason}. Correct `variables`."
        raise DiagnosticError(error("Invalid variables", detail, ("variables",))) from fault
    findings = [
        *_lacking("artifact", "artifacts", inputs.service_inputs, artifacts),
        *_lacking("Helm chart", "manifests", inputs.service_manifest_inputs, manifests),
    ]
    if findings:
        raise DiagnosticError(*findings)


def _lacking(
    subject: str, attribute: str, services: Iterable[Named | None] | None, configured: Collection[str] | None
) -> Iterator[Diagnostic]:
    for service in services or ():
        if service is not None and configured is not None and service.name not in configured:
            yield error(
                f"Missing {subject} for service {service.name!r}",
                f"Add the key {service.name!r} to `{attribute}` and specify the {subject} to deploy.",
                (attribute,),
            )
