"""What the data sources that concern workflows and pipelines share: arguments, results, and the look-up itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeVar

from provider_py.execution import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness import lookup
from provider_py.systems.harness.application import InHarnessApplication, one_application
from provider_py.systems.harness.connection import Harness

ENTITY: Final = ("workflow", "workflow_id", "pipeline", "pipeline_id")


@model
class HarnessVariable:
    """A variable of a workflow or pipeline."""

    name: Annotated[str | None, computed("Name of the variable.")] = None
    type: Annotated[str | None, computed("Type of the variable, such as `Text` or `Environment`.")] = None
    required: Annotated[bool | None, computed("Whether a run must set the variable.")] = None
    fixed: Annotated[bool | None, computed("Whether the value is fixed, so that a run cannot change it.")] = None
    default: Annotated[str | None, computed("Value that is used if a run does not set the variable.")] = None
    allowed_values: Annotated[list[str] | None, computed("Allowed values. Empty if any value is allowed.")] = None
    allow_multiple_values: Annotated[bool | None, computed("Whether several comma-separated values are allowed.")] = (
        None
    )


@model
class OfHarnessEntity(InHarnessApplication):
    """The arguments that name a workflow or pipeline, for data sources that take either."""

    workflow: Annotated[str | None, optional("Name of the workflow. Case-sensitive.", checks=(not_empty,))] = None
    workflow_id: Annotated[str | None, optional("ID of the workflow.", checks=(not_empty,))] = None
    pipeline: Annotated[str | None, optional("Name of the pipeline. Case-sensitive.", checks=(not_empty,))] = None
    pipeline_id: Annotated[str | None, optional("ID of the pipeline.", checks=(not_empty,))] = None

    def ref(self) -> lookup.EntityRef | None:
        """Return what the configuration names."""
        return lookup.entity_ref(self.workflow, self.workflow_id, self.pipeline, self.pipeline_id)


@model
class HarnessEntity(InHarnessApplication):
    """The results of a look-up; a subclass adds the arguments."""

    id: Annotated[str | None, computed("ID of the workflow or pipeline.")] = None
    name: Annotated[str | None, computed("Name of the workflow or pipeline.")] = None
    description: Annotated[str | None, computed("Description of the workflow or pipeline.")] = None
    variables: Annotated[list[HarnessVariable] | None, computed("Variables that a run can set.")] = None


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
            allow_multiple_values=variable.multiple,
        )
        for variable in entity.variables
    ]


def data_source(
    kind: lookup.Kind, model_: type[E], ref: Callable[[E], lookup.EntityRef | None]
) -> DataSourceType[E, Harness]:
    """Return the data source of one kind of entity; `ref` reads what a configuration names."""

    def validate(config: Decoded[E]) -> Iterable[Diagnostic]:
        yield from one_application(config)
        yield from exactly_one(config, (kind, f"{kind}_id"), meaning=kind)

    async def read(harness: Harness, config: E) -> E:
        application = await lookup.application_id(harness, config)
        entity = await lookup.own_entity(harness, application, ref(config))
        return dataclasses.replace(
            config, id=entity.id, name=entity.name, description=entity.description, variables=declared(entity)
        )

    return DataSourceType(
        name=f"harness_{kind}",
        title=f"Harness {kind}",
        system="harness",
        model=model_,
        description=f"Looks up a {kind} of Harness FirstGen by its name or ID, including its variables.",
        read=read,
        validate=validate,
    )
