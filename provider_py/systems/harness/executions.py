"""`workflow_harness_executions`: the query `executions`, newest first, through as many pages as are wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Final

from provider_py.execution.offers import DataSourceKind
from provider_py.plugin.checks import not_empty
from provider_py.plugin.diagnostics import Diagnostic
from provider_py.plugin.resource import Decoded
from provider_py.plugin.schema import build, computed, model, optional
from provider_py.plugin.validators import at_most_one
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

    id: str | None = computed("The execution's id.")
    status: str | None = computed("Its status.")
    status_message: str | None = computed("Why it failed.")
    workflow_id: str | None = computed("Id of the workflow it runs; null for a pipeline.")
    workflow: str | None = computed("Name of that workflow.")
    pipeline_id: str | None = computed("Id of the pipeline it runs; null for a workflow.")
    pipeline: str | None = computed("Name of that pipeline.")
    notes: str | None = computed("The notes it carries.")
    created_at: str | None = computed("When it was queued (RFC 3339).")
    started_at: str | None = computed("When it started to run (RFC 3339).")
    ended_at: str | None = computed("When it ended (RFC 3339).")


@model
class HarnessExecutions(InHarnessApplication):
    """The executions of an application, newest first."""

    workflow: str | None = optional("Name of the workflow whose executions are listed.", checks=(not_empty,))
    workflow_id: str | None = optional("Id of that workflow.", checks=(not_empty,))
    pipeline: str | None = optional("Name of the pipeline whose executions are listed.", checks=(not_empty,))
    pipeline_id: str | None = optional("Id of that pipeline.", checks=(not_empty,))
    status: str | None = optional("List those of this status only, such as `SUCCESS`.", checks=(not_empty,))
    limit: int = optional("How many to list at most.", default=20, checks=(_limit,))
    executions: list[HarnessPastExecution] | None = computed("The executions.")


def validate(config: Decoded[HarnessExecutions]) -> Iterable[Diagnostic]:
    """Judge the arguments together."""
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
    return build(
        HarnessPastExecution,
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


KIND: Final = DataSourceKind(
    name="harness_executions",
    title="Harness executions",
    system="harness",
    model=HarnessExecutions,
    description="Lists executions of a Harness FirstGen application, newest first.",
    read=read,
    validate=validate,
)
