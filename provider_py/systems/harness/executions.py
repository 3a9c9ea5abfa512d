"""`workflow_harness_executions`: the query `executions`, newest first, through as many pages as are wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Any, Final

from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, at_most_one, computed, model, not_empty, optional
from provider_py.systems.harness.models import InHarnessApplication, one_application
from provider_py.systems.harness.system import Harness, rfc3339

TARGETS: Final = ("workflow", "workflow_id", "pipeline", "pipeline_id")
MOST: Final = 1000
"""Ten pages: a third of what Harness lets a whole account ask in a minute."""


def _limit(value: int) -> str | None:
    return None if 1 <= value <= MOST else f"{value} is not possible; write a number from 1 to {MOST}"


@model
class HarnessPastExecution:
    """An execution."""

    id: Annotated[str | None, computed("The execution's id.")] = None
    status: Annotated[str | None, computed("Its status.")] = None
    status_message: Annotated[str | None, computed("Why it failed.")] = None
    workflow_id: Annotated[str | None, computed("Id of the workflow it runs; null for a pipeline.")] = None
    workflow: Annotated[str | None, computed("Name of that workflow.")] = None
    pipeline_id: Annotated[str | None, computed("Id of the pipeline it runs; null for a workflow.")] = None
    pipeline: Annotated[str | None, computed("Name of that pipeline.")] = None
    notes: Annotated[str | None, computed("The notes it carries.")] = None
    created_at: Annotated[str | None, computed("When it was queued (RFC 3339).")] = None
    started_at: Annotated[str | None, computed("When it started to run (RFC 3339).")] = None
    ended_at: Annotated[str | None, computed("When it ended (RFC 3339).")] = None


@model
class HarnessExecutions(InHarnessApplication):
    """The executions of an application, newest first."""

    workflow: Annotated[
        str | None, optional("Name of the workflow whose executions are listed.", checks=(not_empty,))
    ] = None
    workflow_id: Annotated[str | None, optional("Id of that workflow.", checks=(not_empty,))] = None
    pipeline: Annotated[
        str | None, optional("Name of the pipeline whose executions are listed.", checks=(not_empty,))
    ] = None
    pipeline_id: Annotated[str | None, optional("Id of that pipeline.", checks=(not_empty,))] = None
    status: Annotated[
        str | None, optional("List those of this status only, such as `SUCCESS`.", checks=(not_empty,))
    ] = None
    limit: Annotated[int, optional("How many to list at most.", checks=(_limit,))] = 20
    executions: Annotated[list[HarnessPastExecution] | None, computed("The executions.")] = None


def validate(config: Decoded[HarnessExecutions]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    yield from one_application(config)
    yield from at_most_one(config, TARGETS, meaning="workflow or pipeline")


async def read(harness: Harness, config: HarnessExecutions) -> HarnessExecutions:
    """List the executions."""
    from provider_py.systems.harness import entities  # lazy: needs the generated client

    application = await entities.application_id(harness, config)
    within: dict[str, Any] = {"application": entities.equals(application)}
    if any(getattr(config, name) is not None for name in TARGETS):
        found = await entities.own_entity(harness, config, application)
        within[found.kind.lower()] = entities.equals(found.id)
    if config.status is not None:
        within["status"] = entities.equals(config.status)
    executions = await entities.executions(harness, within, config.limit)
    return dataclasses.replace(config, executions=[_execution(each) for each in executions])


def _execution(found: Any) -> HarnessPastExecution:
    workflow, pipeline = getattr(found, "workflow", None), getattr(found, "pipeline", None)
    return HarnessPastExecution(
        id=found.id,
        status=str(found.status.value) if found.status else None,
        status_message=found.failure_details or None,
        workflow_id=workflow.id if workflow else None,
        workflow=workflow.name if workflow else None,
        pipeline_id=pipeline.id if pipeline else None,
        pipeline=pipeline.name if pipeline else None,
        notes=found.notes,
        created_at=rfc3339(found.created_at),
        started_at=rfc3339(found.started_at),
        ended_at=rfc3339(found.ended_at),
    )


KIND: Final = DataSourceType(
    name="harness_executions",
    title="Harness executions",
    system="harness",
    model=HarnessExecutions,
    description="Lists executions of a Harness FirstGen application, newest first.",
    read=read,
    validate=validate,
)
