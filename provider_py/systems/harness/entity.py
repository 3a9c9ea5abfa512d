"""What the data sources of workflows and pipelines share: their results, and how those are looked up."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, TypeVar

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model
from provider_py.systems.harness import lookup
from provider_py.systems.harness.application import InHarnessApplication, one_application
from provider_py.systems.harness.connection import Harness


@model
class HarnessVariable:
    """A variable of a workflow or pipeline."""

    name: Annotated[str | None, computed("Name of the variable.")] = None
    type: Annotated[
        str | None, computed("Type of the variable, such as `Text`, `Environment` or `Infrastructure definition`.")
    ] = None
    required: Annotated[bool | None, computed("Whether a run must set the variable.")] = None
    fixed: Annotated[bool | None, computed("Whether the value is fixed, so that a run cannot change it.")] = None
    default: Annotated[str | None, computed("Value that is used if a run does not set the variable.")] = None
    allowed_values: Annotated[list[str] | None, computed("List of allowed values. Empty if any value is allowed.")] = (
        None
    )
    allow_multiple_values: Annotated[
        bool | None, computed("Whether the variable accepts several values, separated by commas.")
    ] = None


@model
class HarnessEntity(InHarnessApplication):
    """The results of a look-up; a subclass adds the arguments."""

    id: Annotated[str | None, computed("ID of the workflow or pipeline.")] = None
    name: Annotated[str | None, computed("Name of the workflow or pipeline.")] = None
    description: Annotated[str | None, computed("Description of the workflow or pipeline.")] = None
    variables: Annotated[list[HarnessVariable] | None, computed("List of variables that a run can set.")] = None

    def ref(self) -> lookup.EntityRef | None:
        """Return what the configuration names."""
        raise NotImplementedError


E = TypeVar("E", bound=HarnessEntity)


def declared(entity: lookup.Entity) -> list[HarnessVariable]:
    """Return the variables of a workflow or pipeline as results."""
    return [
        HarnessVariable(
            name=variable.name,
            type=variable.type,
            required=variable.required,
            fixed=variable.fixed,
            default=variable.default,
            allowed_values=list(variable.allowed),
            allow_multiple_values=variable.several,
        )
        for variable in entity.variables
    ]


async def read(harness: Harness, config: E) -> E:
    """Look up the workflow or pipeline in its application."""
    application = await lookup.application_id(harness, config)
    entity = await lookup.own_entity(harness, application, config.ref())
    return dataclasses.replace(
        config, id=entity.id, name=entity.name, description=entity.description, variables=declared(entity)
    )


def data_source(kind: lookup.Kind, model_: type[E]) -> DataSourceType[E, Harness]:
    """Return the data source of one kind of entity."""

    def validate(config: Decoded[E]) -> Iterable[Diagnostic]:
        yield from one_application(config)
        yield from exactly_one(config, (kind, f"{kind}_id"), meaning=kind)

    return DataSourceType(
        name=f"harness_{kind}",
        title=f"Harness {kind}",
        system="harness",
        model=model_,
        description=f"Looks up a {kind} of Harness FirstGen by its name or ID, including its variables.",
        read=read,
        validate=validate,
    )
