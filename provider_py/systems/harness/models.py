"""What the data sources of Harness have in common: how applications and what runs in them are named, and variables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness.variables import Entity


@model
class InHarnessApplication:
    """The arguments that name an application."""

    application: Annotated[
        str | None, optional("Name of the application, exact and case-sensitive.", checks=(not_empty,))
    ] = None
    application_id: Annotated[
        str | None, optional("Id of the application, in place of its name.", checks=(not_empty,))
    ] = None


@model
class HarnessVariable:
    """A variable of a workflow or pipeline."""

    name: Annotated[str | None, computed("Its name.")] = None
    type: Annotated[
        str | None, computed("What it holds, such as `Text`, `Environment` or `Infrastructure definition`.")
    ] = None
    required: Annotated[bool | None, computed("Whether a run needs a value for it.")] = None
    fixed: Annotated[bool | None, computed("Whether its value cannot be changed by a run.")] = None
    default: Annotated[str | None, computed("Its value where a run gives none.")] = None
    allowed_values: Annotated[list[str] | None, computed("The values it takes; empty where any will do.")] = None
    allow_multiple_values: Annotated[bool | None, computed("Whether it takes several values, separated by commas.")] = (
        None
    )


def one_application(config: Decoded[Any]) -> Iterable[Diagnostic]:
    """Demand that the application is named in one way."""
    return exactly_one(config, ("application", "application_id"), meaning="application")


def declared(entity: Entity) -> list[HarnessVariable]:
    """Return the variables of a workflow or pipeline as results."""
    return [
        HarnessVariable(
            name=each.name,
            type=each.type,
            required=each.required,
            fixed=each.fixed,
            default=each.default,
            allowed_values=list(each.allowed),
            allow_multiple_values=each.several,
        )
        for each in entity.variables
    ]
