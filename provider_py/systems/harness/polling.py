"""Executions of Harness, read back as runs by their IDs while they are waited for.

Harness has no push and no query for several IDs, and allows 30 requests a minute to a whole account. So one request
holds up to 25 aliased `execution` queries; an ID that Harness no longer knows is an error of its alias, which leaves
the others their answers. What to ask for depends on the server's age: before 2023 an execution has neither a URL nor
resolved variables, so the URL is composed here and `outputs` stays null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NamedTuple, TypeAlias

import harness_client as gql

from provider_py.execution import Missing, Phase, Run, SystemFault
from provider_py.plugin import computed, model
from provider_py.systems.harness.connection import Harness, fault_of, timestamp

BATCH: Final = 25
"""The maximum number of executions that the generated batch takes."""
PHASES: Final = {
    **dict.fromkeys(("SUCCESS", "SKIPPED"), Phase.SUCCEEDED),
    **dict.fromkeys(("FAILED", "ERROR", "ABORTED", "REJECTED", "EXPIRED"), Phase.FAILED),
    **dict.fromkeys(("PAUSED", "WAITING"), Phase.HELD),
}
"""The final statuses, and the two that wait for a person. With any other, or null while artifacts are collected, an
execution is active."""
_HELD: Final = {
    "PAUSED": "It waits for an approval, for a runtime input or for the person who paused it; act in Harness.",
    "WAITING": "It waits for a decision on a failed step (manual intervention); act in Harness.",
}

_State: TypeAlias = (
    "gql.ExecutionStateExecutionExecution"
    " | gql.ExecutionStateExecutionPipelineExecution"
    " | gql.ExecutionStateExecutionWorkflowExecution"
    " | gql.ExecutionStateOlderExecutionExecution"
    " | gql.ExecutionStateOlderExecutionPipelineExecution"
    " | gql.ExecutionStateOlderExecutionWorkflowExecution"
)
_Variable: TypeAlias = (
    "gql.ExecutionStateExecutionWorkflowExecutionInputVariables | "
    "gql.ExecutionStateExecutionPipelineExecutionPipelineStageExecutionsWorkflowStageExecutionInputVariables"
)
Execution: TypeAlias = (
    "_State | gql.StartExecutionStartExecutionExecution | gql.StartExecutionOlderStartExecutionExecution"
)


@model
class HarnessStage:
    """A stage of a pipeline execution."""

    name: Annotated[str | None, computed("Name of the stage, such as `STAGE 1`.")] = None
    status: Annotated[str | None, computed("Status of the stage. `QUEUED` until it starts.")] = None


class Detail(NamedTuple):
    """What only a Harness execution has."""

    application_id: str | None = None
    workflow_id: str | None = None
    pipeline_id: str | None = None
    outputs: dict[str, str] | None = None
    stages: list[HarnessStage] | None = None


def phase(status: str | None) -> Phase:
    """Return the meaning of a status."""
    return PHASES.get(status or "", Phase.ACTIVE)


async def poll(harness: Harness, identifiers: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
    """Read up to 25 executions with one request; those that Harness has no record of are left out."""
    client, batches = harness.client, gql.batches
    answers = await harness.with_fallback(
        lambda: harness.ask("execution", batches.execution_state_batch(client, identifiers)),
        lambda: harness.ask("execution", batches.execution_state_older_batch(client, identifiers)),
    )
    runs: dict[str, Run[Detail] | SystemFault] = {}
    for identifier, answer in zip(identifiers, answers, strict=True):
        if isinstance(answer, gql.exceptions.GraphQLClientGraphQLError):
            fault = fault_of([answer.message])
            if not isinstance(fault, Missing):
                runs[identifier] = fault
        elif answer.execution is not None and answer.execution.id:
            runs[identifier] = run_of(harness, answer.execution, _detail(answer.execution))
    return runs


def run_of(harness: Harness, execution: Execution, detail: Detail) -> Run[Detail]:
    """Return an execution as a run."""
    status = status_text(execution.status)
    # The two attributes are not of every operation: older servers have no URL, and a start answers no reason yet.
    message: str | None = getattr(execution, "failure_details", None)
    url: str | None = getattr(execution, "execution_url", None)
    return Run(
        id=str(execution.id),
        status=status,
        phase=phase(status),
        detail=detail,
        message=_HELD.get(status or "") or message or None,
        url=url or _url(harness, execution, detail),
        started_at=timestamp(execution.started_at or execution.created_at),
        ended_at=timestamp(execution.ended_at),
    )


def _detail(execution: _State) -> Detail:
    application_id = execution.application.id if execution.application else None
    if execution.typename__ == "WorkflowExecution":
        workflow_id = execution.workflow.id if execution.workflow else None
        return Detail(application_id=application_id, workflow_id=workflow_id, outputs=_outputs(execution))
    if execution.typename__ == "PipelineExecution":
        return Detail(
            application_id=application_id,
            pipeline_id=execution.pipeline.id if execution.pipeline else None,
            outputs=_outputs(execution),
            stages=None
            if execution.pipeline_stage_executions is None
            else [
                HarnessStage(
                    name=stage.pipeline_stage_name,
                    status=None if stage.typename__ == "PipelineStageExecution" else status_text(stage.status),
                )
                for stage in execution.pipeline_stage_executions
                if stage is not None
            ],
        )
    return Detail(application_id=application_id)


def status_text(status: gql.ExecutionStatus | None) -> str | None:
    return status.value if status is not None else None


def _outputs(execution: _State) -> dict[str, str] | None:
    """Return the resolved variables; a pipeline has those of its stages only, and a later stage wins."""
    match execution:
        case gql.ExecutionStateExecutionWorkflowExecution():
            return _values(execution.input_variables)
        case gql.ExecutionStateExecutionPipelineExecution():
            stages = [stage for stage in execution.pipeline_stage_executions or () if stage is not None]
            resolved = [_values(s.input_variables) for s in stages if s.typename__ == "WorkflowStageExecution"]
            known = [values for values in resolved if values is not None]
            return {name: value for values in known for name, value in values.items()} if known else None
        case _:
            return None


def _values(variables: Sequence[_Variable | None] | None) -> dict[str, str] | None:
    if variables is None:
        return None
    return {str(variable.name): variable.value for variable in variables if variable and variable.value is not None}


def _url(harness: Harness, execution: Execution, detail: Detail) -> str | None:
    """Return the page of an execution for servers that do not answer it."""
    if detail.application_id is None:
        return None
    portal = harness.config.endpoint.removesuffix("/gateway")
    if detail.pipeline_id is not None or execution.typename__ == "PipelineExecution":
        page = f"pipeline-execution/{execution.id}/workflow-execution/undefined/details"
    else:
        page = f"env/null/executions/{execution.id}/details"
    return f"{portal}/#/account/{harness.config.account_id}/app/{detail.application_id}/{page}"
