"""`workflow_harness_application`: the queries `applicationByName` and `application`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final, TypeVar

from provider_py.execution import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness import lookup
from provider_py.systems.harness.connection import Harness

M = TypeVar("M")


@model
class InHarnessApplication:
    """The arguments that name an application, common to all data sources."""

    application: Annotated[
        str | None,
        optional("Name of the application. Case-sensitive. Conflicts with `application_id`.", checks=(not_empty,)),
    ] = None
    application_id: Annotated[str | None, optional("ID of the application.", checks=(not_empty,))] = None


@model
class HarnessApplication(InHarnessApplication):
    """An application of Harness FirstGen."""

    id: Annotated[str | None, computed("ID of the application.")] = None
    name: Annotated[str | None, computed("Name of the application.")] = None
    description: Annotated[str | None, computed("Description of the application.")] = None


def one_application(config: Decoded[M]) -> Iterable[Diagnostic]:
    """Require exactly one way to name the application."""
    return exactly_one(config, ("application", "application_id"), meaning="application")


async def read(harness: Harness, config: HarnessApplication) -> HarnessApplication:
    """Look up the application."""
    application = await lookup.application(harness, config)
    return dataclasses.replace(config, id=application.id, name=application.name, description=application.description)


TYPE: Final = DataSourceType(
    name="harness_application",
    title="Harness application",
    system="harness",
    model=HarnessApplication,
    description="Looks up an application of Harness FirstGen by its name or ID.",
    read=read,
    validate=one_application,
)
