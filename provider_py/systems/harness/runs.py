"""Starting an execution and reading executions back as runs. Imported on first use: it needs the generated client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from harness_client import (
    Client,
    ExecutionFilter,
    ExecutionType,
    IdFilter,
    IdOperator,
    StartExecutionInput,
    TimeFilter,
    TimeOperator,
)
from harness_client.batches import execution_state_batch, execution_state_older_batch
from harness_client.exceptions import GraphQLClientGraphQLError, GraphQLClientGraphQLMultiError

from provider_py.execution.errors import Missing, SystemFault, Unanswered
from provider_py.execution.launcher import Started
from provider_py.execution.run import Run
from provider_py.plugin import Diagnostic, warning
from provider_py.systems.harness.entities import PAGE
from provider_py.systems.harness.execution import Detail, HarnessStage, phase
from provider_py.systems.harness.settings import SYSTEM
from provider_py.systems.harness.system import Harness, fault_of, rfc3339

CLOCK_SKEW_SECONDS: Final = 600
"""How far the clocks of this machine and of Harness may be apart when a start is searched for."""
_HELD: Final = {
    "PAUSED": "It waits for an approval, a runtime input or the person who paused it; act in Harness.",
    "WAITING": "It waits for a decision on a failed step (manual intervention); act in Harness.",
}


async def start(harness: Harness, request: StartExecutionInput, token: str) -> Started[Detail]:
    """Send `startExecution` once, with a mark in the notes.

    Harness does not de-duplicate by `clientMutationId`, and cannot be searched by it; notes can be read back. It can
    answer null without an error although it started the execution, so that counts as no answer.
    """
    notes = f"{request.notes}\n\n{_mark(token)}" if request.notes else _mark(token)
    marked = StartExecutionInput.model_validate(
        {**request.model_dump(by_alias=True, exclude_unset=True), "notes": notes}
    )
    answer = await harness.fitting(
        lambda: _started(harness, lambda: harness.client.start_execution(input=marked)),
        lambda: _started(harness, lambda: harness.client.start_execution_older(input=marked)),
    )
    execution = answer.execution if answer else None
    if answer is None or execution is None or not execution.id:
        raise Unanswered(SYSTEM, "startExecution was answered without an execution")
    warnings: list[Diagnostic] = []
    if answer.warning_message:
        warnings.append(warning("Harness started the execution with a warning", answer.warning_message, ("variables",)))
    detail = Detail(application_id=request.application_id)
    return Started(_run(harness, execution, detail), warnings)


async def _started(harness: Harness, ask: Callable[[], Awaitable[Any]]) -> Any:
    async with harness.asking("startExecution"):
        try:
            return (await ask()).start_execution
        except GraphQLClientGraphQLMultiError as refused:
            if _began(refused):
                reason = "startExecution was answered with an execution that could not be read"
                raise Unanswered(SYSTEM, reason) from refused
            raise


def _began(answer: GraphQLClientGraphQLMultiError) -> bool:
    """Tell whether an answer's errors lie in the fields of an execution, which is there then."""
    return bool((answer.data or {}).get("startExecution")) or any(len(each.path or ()) > 1 for each in answer.errors)


async def search(harness: Harness, request: StartExecutionInput, token: str, since: float) -> Run[Detail] | None:
    """Find the execution with the token's mark among the recent ones of its workflow or pipeline."""
    entity = IdFilter(operator=IdOperator.EQUALS, values=[request.entity_id])
    key = "workflow" if request.execution_type is ExecutionType.WORKFLOW else "pipeline"
    created = TimeFilter(operator=TimeOperator.AFTER, value=int((since - CLOCK_SKEW_SECONDS) * 1000))
    within = IdFilter(operator=IdOperator.EQUALS, values=[request.application_id])
    recent = ExecutionFilter.model_validate({key: entity, "application": within, "creationTime": created})
    async with harness.asking("executions"):
        page = (await harness.client.recent_executions(limit=PAGE, filters=[recent])).executions
    for node in (page.nodes if page else None) or ():
        if node is not None and node.id and _mark(token) in (node.notes or ""):
            found = (await look(harness, [node.id])).get(node.id)
            if isinstance(found, SystemFault):
                raise found
            return found
    return None


def _mark(token: str) -> str:
    return f"[terraform run {token}]"


async def look(harness: Harness, identifiers: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
    """Look at up to 25 executions with one request; those that Harness has no record of are left out."""
    wanted = list(identifiers)
    answers = await harness.fitting(
        lambda: _states(harness, execution_state_batch, wanted),
        lambda: _states(harness, execution_state_older_batch, wanted),
    )
    looks = {key: _look(harness, answer) for key, answer in zip(identifiers, answers, strict=True)}
    return {key: seen for key, seen in looks.items() if seen is not None}


async def _states(
    harness: Harness, ask: Callable[[Client, Sequence[str]], Awaitable[Sequence[Any]]], wanted: Sequence[str]
) -> Sequence[Any]:
    async with harness.asking("execution"):
        return await ask(harness.client, wanted)


def _look(harness: Harness, answer: Any) -> Run[Detail] | SystemFault | None:
    if isinstance(answer, GraphQLClientGraphQLError):
        fault = fault_of([answer.message])
        return None if isinstance(fault, Missing) else fault
    execution = answer.execution
    if execution is None or not execution.id:
        return None
    workflow, pipeline = getattr(execution, "workflow", None), getattr(execution, "pipeline", None)
    detail = Detail(
        application_id=execution.application.id if execution.application else None,
        workflow_id=workflow.id if workflow else None,
        pipeline_id=pipeline.id if pipeline else None,
        outputs=_outputs(execution),
        stages=_stages(execution),
    )
    return _run(harness, execution, detail)


def _run(harness: Harness, execution: Any, detail: Detail) -> Run[Detail]:
    status = str(execution.status.value) if execution.status is not None else None
    return Run(
        id=str(execution.id),
        status=status,
        phase=phase(status),
        detail=detail,
        message=_HELD.get(status or "") or getattr(execution, "failure_details", None) or None,
        url=getattr(execution, "execution_url", None) or _url(harness, execution, detail),
        started_at=rfc3339(execution.started_at or execution.created_at),
        ended_at=rfc3339(execution.ended_at),
    )


def _outputs(execution: Any) -> dict[str, str] | None:
    """Return the resolved variables; those of a pipeline are told by its stages, the later ones win."""
    stages = getattr(execution, "pipeline_stage_executions", None)
    if stages is None:
        return _variables(getattr(execution, "input_variables", None))
    told = [_variables(getattr(stage, "input_variables", None)) for stage in stages]
    known = [variables for variables in told if variables is not None]
    return {name: value for variables in known for name, value in variables.items()} if known else None


def _stages(execution: Any) -> list[HarnessStage] | None:
    stages = getattr(execution, "pipeline_stage_executions", None)
    if stages is None:
        return None
    return [
        HarnessStage(name=stage.pipeline_stage_name, status=str(status.value) if status else None)
        for stage in stages
        if stage is not None
        for status in [getattr(stage, "status", None)]
    ]


def _variables(given: Sequence[Any] | None) -> dict[str, str] | None:
    if given is None:
        return None
    return {str(each.name): str(each.value) for each in given if each is not None and each.value is not None}


def _url(harness: Harness, execution: Any, detail: Detail) -> str | None:
    """Write the page of an execution for servers that do not tell it."""
    if detail.application_id is None:
        return None
    portal = str(harness.settings.endpoint).rstrip("/").removesuffix("/gateway")
    account, application, identifier = harness.settings.account_id, detail.application_id, execution.id
    if detail.pipeline_id is not None or execution.typename__ == "PipelineExecution":
        page = f"pipeline-execution/{identifier}/workflow-execution/undefined/details"
    else:
        page = f"env/null/executions/{identifier}/details"
    return f"{portal}/#/account/{account}/app/{application}/{page}"
