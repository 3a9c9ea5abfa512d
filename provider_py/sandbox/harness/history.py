"""Resolvers that read executions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from provider_py.sandbox.harness.account import SYSTEM, Call
from provider_py.sandbox.harness.executions import (
    Execution,
    PipelineExecution,
    StageView,
    WorkflowExecution,
    shown_status,
    stage_views,
)
from provider_py.sandbox.harness.filters import Connection, ids_match, number_matches, page, time_matches
from provider_py.sandbox.harness.inputs import IdFilter, NumberFilter, TimeFilter
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.runs import Phase

Filters = Sequence[Mapping[str, object]] | None


def _execution(_: object, call: Call, *, execution_id: str) -> Execution:
    found = call.account.execution(execution_id)
    if found is None:
        raise invalid("Execution does not exist or access is denied")
    return found


def _executions(
    _: object,
    call: Call,
    *,
    limit: int,
    offset: int | None = None,
    filters: Filters = None,
    include_indirect_executions: bool | None = None,
) -> Connection:
    conditions = [(key, condition) for entry in filters or [] for key, condition in entry.items()]
    names = {key for key, _condition in conditions}
    if call.account.world.behaviours.flag(SYSTEM, "application_filter_required") and not (
        names & {"application", "application_id"}
    ):
        raise invalid("Application Id filter is required")
    with_members = include_indirect_executions or "pipeline_execution_id" in names
    chosen = [
        execution
        for execution in call.account.all_executions()
        if (with_members or not _is_member(execution))
        and all(_meets(execution, call, key, condition) for key, condition in conditions)
    ]
    return page(chosen, limit, offset)


def _is_member(execution: Execution) -> bool:
    return isinstance(execution, WorkflowExecution) and execution.pipeline_execution is not None


def _meets(execution: Execution, call: Call, key: str, condition: object) -> bool:
    if isinstance(condition, IdFilter):
        return ids_match(condition, _ids(execution, call, key))
    if isinstance(condition, TimeFilter):
        moments = {"creation_time": execution.run.started_at, "start_time": _started_at(execution, call)}
        return time_matches(condition, moments.get(key, _ended_at(execution, call)))
    if isinstance(condition, NumberFilter):
        return number_matches(condition, execution.run.seconds)
    if isinstance(condition, Mapping):
        return _matches(execution, call, key, condition)
    return condition == execution.application.id if key == "application_id" else condition is None


def _matches(execution: Execution, call: Call, key: str, condition: Mapping[str, object]) -> bool:
    environment = execution.environment if isinstance(execution, WorkflowExecution) else None
    if key == "tag":
        ids = {"application": execution.application.id, "environment": environment.id if environment else None}
        return call.account.tagging.match(condition, ids)
    wanted = condition.get("values")
    return not isinstance(wanted, list) or (environment is not None and environment.type in wanted)


def _ids(execution: Execution, call: Call, key: str) -> list[str | None]:
    environment = execution.environment if isinstance(execution, WorkflowExecution) else None
    parent = execution.pipeline_execution if isinstance(execution, WorkflowExecution) else None
    known: dict[str, list[str | None]] = {
        "execution": [execution.id],
        "application": [execution.application.id],
        "workflow": [execution.target.id],
        "pipeline": [execution.target.id],
        "pipeline_execution_id": [parent.id if parent else None],
        "status": [execution.internal_status(call.account.now)],
        "environment": [environment.id if environment and _ended_at(execution, call) else None],
        "triggered_by": [call.account.api_key.id],
        "artifact_build_no": [artifact.build_no for artifact in execution.artifacts],
    }
    return known.get(key, [])


def _status(execution: Execution, call: Call) -> str | None:
    return shown_status(execution.internal_status(call.account.now))


def _url(execution: Execution, call: Call) -> str:
    return f"{call.portal}/{execution.url_path()}"


def _created_at(execution: Execution, _: Call) -> float:
    return execution.run.started_at


def _started_at(execution: Execution, call: Call) -> float | None:
    run = execution.run
    if run.phase(call.account.now) is Phase.QUEUED:
        return None
    return run.started_at + run.queue_seconds


def _ended_at(execution: Execution, call: Call) -> float | None:
    return execution.run.ended_at(call.account.now)


def _failure_details(execution: Execution, call: Call) -> str | None:
    is_failed = execution.internal_status(call.account.now) in execution.failing_words
    return execution.run.reason if is_failed else None


def _stages(execution: PipelineExecution, call: Call) -> list[StageView]:
    return stage_views(execution, call.account.now)


def _members(execution: PipelineExecution, call: Call) -> Connection:
    begun = [
        member
        for number, member in execution.members.items()
        if execution.stage_status(number, call.account.now) != "QUEUED"
    ]
    return page(begun, 100, 0)


_COMMON: dict[str, Callable[..., object]] = {
    "status": _status,
    "executionUrl": _url,
    "createdAt": _created_at,
    "startedAt": _started_at,
    "endedAt": _ended_at,
    "failureDetails": _failure_details,
}

RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.execution": _execution,
    "Query.executions": _executions,
    **{f"WorkflowExecution.{name}": resolver for name, resolver in _COMMON.items()},
    **{f"PipelineExecution.{name}": resolver for name, resolver in _COMMON.items()},
    "PipelineExecution.pipelineStageExecutions": _stages,
    "PipelineExecution.memberExecutions": _members,
}
