"""`workflow_harness_executions`: the query `executions`, newest first, through as many pages as the limit needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Final, TypeAlias

import harness_client as gql

from provider_py.execution import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, at_most_one, computed, model, not_empty, optional
from provider_py.systems.harness import lookup
from provider_py.systems.harness.application import one_application
from provider_py.systems.harness.connection import Harness, omit_nulls, timestamp
from provider_py.systems.harness.entity import ENTITY, OfHarnessEntity

MAX_EXECUTIONS: Final = 1000
"""Ten pages: a third of the requests that Harness allows a whole account in a minute."""

_Node: TypeAlias = (
    "gql.ListedExecutionsExecutionsNodesExecution"
    " | gql.ListedExecutionsExecutionsNodesPipelineExecution"
    " | gql.ListedExecutionsExecutionsNodesWorkflowExecution"
)


def _limit(value: int) -> str | None:
    return (
        None if 1 <= value <= MAX_EXECUTIONS else f"{value} is out of range; write a number from 1 to {MAX_EXECUTIONS}"
    )


@model
class HarnessPastExecution:
    """An execution."""

    id: Annotated[str | None, computed("ID of the execution.")] = None
    status: Annotated[str | None, computed("Status of the execution.")] = None
    status_message: Annotated[str | None, computed("Reason why the execution failed.")] = None
    workflow_id: Annotated[str | None, computed("ID of the workflow. Null for a pipeline.")] = None
    workflow: Annotated[str | None, computed("Name of the workflow. Null for a pipeline.")] = None
    pipeline_id: Annotated[str | None, computed("ID of the pipeline. Null for a workflow.")] = None
    pipeline: Annotated[str | None, computed("Name of the pipeline. Null for a workflow.")] = None
    notes: Annotated[str | None, computed("Notes attached to the execution.")] = None
    created_at: Annotated[str | None, computed("Time at which the execution was created (RFC 3339).")] = None
    started_at: Annotated[str | None, computed("Time at which the execution started (RFC 3339).")] = None
    ended_at: Annotated[str | None, computed("Time at which the execution ended (RFC 3339).")] = None


@model
class HarnessExecutions(OfHarnessEntity):
    """The executions of an application, newest first."""

    status: Annotated[str | None, optional("Status to list, such as `SUCCESS`.", checks=(not_empty,))] = None
    limit: Annotated[
        int, optional(f"Maximum number of executions to list, up to {MAX_EXECUTIONS}.", checks=(_limit,))
    ] = 20
    executions: Annotated[list[HarnessPastExecution] | None, computed("Executions, newest first.")] = None


def validate(config: Decoded[HarnessExecutions]) -> Iterable[Diagnostic]:
    """Validate arguments against each other."""
    yield from one_application(config)
    yield from at_most_one(config, ENTITY, meaning="workflow or pipeline")


async def read(harness: Harness, config: HarnessExecutions) -> HarnessExecutions:
    """List the executions."""
    application = await lookup.application_id(harness, config)
    ref = config.ref()
    entity = None if ref is None else lookup.equals((await lookup.own_entity(harness, application, ref)).id)
    condition = omit_nulls(
        gql.ExecutionFilter(
            application=lookup.equals(application),
            workflow=entity if ref is not None and ref.kind == "workflow" else None,
            pipeline=entity if ref is not None and ref.kind == "pipeline" else None,
            status=None if config.status is None else lookup.equals(config.status),
        )
    )
    request = partial(harness.client.listed_executions, filters=[condition])
    nodes = await lookup.paged(harness, "executions", request, lambda answer: answer.executions, config.limit)
    return dataclasses.replace(config, executions=[_execution(node) for node in nodes])


def _execution(node: _Node) -> HarnessPastExecution:
    workflow = node.workflow if node.typename__ == "WorkflowExecution" else None
    pipeline = node.pipeline if node.typename__ == "PipelineExecution" else None
    return HarnessPastExecution(
        id=node.id,
        status=node.status.value if node.status else None,
        status_message=node.failure_details or None,
        workflow_id=workflow.id if workflow else None,
        workflow=workflow.name if workflow else None,
        pipeline_id=pipeline.id if pipeline else None,
        pipeline=pipeline.name if pipeline else None,
        notes=node.notes,
        created_at=timestamp(node.created_at),
        started_at=timestamp(node.started_at),
        ended_at=timestamp(node.ended_at),
    )


TYPE: Final = DataSourceType(
    name="harness_executions",
    title="Harness executions",
    system="harness",
    model=HarnessExecutions,
    description="Lists executions of a Harness FirstGen application, newest first.",
    read=read,
    validate=validate,
)
