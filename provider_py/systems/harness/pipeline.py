"""`workflow_harness_pipeline`: the queries `pipelineByName` and `pipeline`, with the variables that a run takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness.models import HarnessVariable, InHarnessApplication, declared, one_application
from provider_py.systems.harness.system import Harness


@model
class HarnessPipeline(InHarnessApplication):
    """A pipeline of a Harness FirstGen application."""

    pipeline: Annotated[
        str | None, optional("Name of the pipeline, exact and case-sensitive.", checks=(not_empty,))
    ] = None
    pipeline_id: Annotated[str | None, optional("Id of the pipeline, in place of its name.", checks=(not_empty,))] = (
        None
    )
    id: Annotated[str | None, computed("The pipeline's id.")] = None
    name: Annotated[str | None, computed("The pipeline's name.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None
    variables: Annotated[list[HarnessVariable] | None, computed("The variables that a run of it takes.")] = None


def validate(config: Decoded[HarnessPipeline]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    yield from one_application(config)
    yield from exactly_one(config, ("pipeline", "pipeline_id"), meaning="pipeline")


async def read(harness: Harness, config: HarnessPipeline) -> HarnessPipeline:
    """Look up the pipeline in its application."""
    from provider_py.systems.harness import entities  # lazy: needs the generated client

    found = await entities.own_entity(harness, config, await entities.application_id(harness, config))
    return dataclasses.replace(
        config, id=found.id, name=found.name, description=found.description, variables=declared(found)
    )


KIND: Final = DataSourceType(
    name="harness_pipeline",
    title="Harness pipeline",
    system="harness",
    model=HarnessPipeline,
    description="Looks up a pipeline of Harness FirstGen by its name or id, with the variables that a run of it takes.",
    read=read,
    validate=validate,
)
