"""`workflow_harness_application`: the queries `applicationByName` and `application`."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import computed, model
from provider_py.systems.harness.models import InHarnessApplication, one_application
from provider_py.systems.harness.system import Harness


@model
class HarnessApplication(InHarnessApplication):
    """An application of Harness FirstGen."""

    id: Annotated[str | None, computed("The application's id.")] = None
    name: Annotated[str | None, computed("The application's name.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None


async def read(harness: Harness, config: HarnessApplication) -> HarnessApplication:
    """Look up the application."""
    from provider_py.systems.harness import entities  # lazy: needs the generated client

    found = await entities.application(harness, config)
    return dataclasses.replace(config, id=found.id, name=found.name, description=found.description)


KIND: Final = DataSourceType(
    name="harness_application",
    title="Harness application",
    system="harness",
    model=HarnessApplication,
    description="Looks up an application of Harness FirstGen by its name or id.",
    read=read,
    validate=one_application,
)
