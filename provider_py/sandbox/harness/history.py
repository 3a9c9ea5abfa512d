"""Resolvers that read executions."""

from __future__ import annotations

from provider_py.sandbox.harness import others
from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.behaviors import SYSTEM
from provider_py.sandbox.harness.catalog import GraphQLObject
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.executions import (
    Execution,
    PipelineExecution,
    WorkflowExecution,
    graphql_status,
    stage_views,
)
from provider_py.sandbox.harness.filters import Connection, Filters, Keys, conditions, meets, page
from provider_py.sandbox.harness.inputs import TimeFilter
from provider_py.sandbox.harness.resolvers import Resolver
from provider_py.sandbox.runs import Phase, RunsOfOthers


def _execution(_: object, call: Call, *, execution_id: str) -> Execution:
    execution = call.account.execution(execution_id)
    if execution is None:
        raise invalid("Execution does not exist or access is denied")
    return execution


def _executions(
    _: object,
    call: Call,
    *,
    limit: int,
    offset: int | None = None,
    filters: Filters = None,
    include_indirect_executions: bool | None = None,
) -> Connection:
    names = {name for name, _condition in conditions(filters)}
    if call.account.world.behaviors.flag(SYSTEM, "application_filter_required") and not (
        names & {"application", "application_id"}
    ):
        raise invalid("Application Id filter is required")
    with_members = include_indirect_executions or "pipeline_execution_id" in names
    heeded = _heeded(call, filters)
    listed_until = call.account.now - call.account.world.behaviors.number(SYSTEM, "list_lag")
    executions = [
        execution
        for execution in call.account.all_executions()
        if execution.run.started_at <= listed_until
        and (with_members or not _is_member(execution))
        and meets(call.account.tags, _keys(execution, call), heeded)
    ]
    answer = page(executions, limit, offset)
    growth = int(call.account.world.behaviors.number(SYSTEM, "list_growth"))
    if growth and executions:
        target = executions[0].target.id
        others.add(call.account, RunsOfOthers(SYSTEM, target, growth, apart=0.0))
    return answer


def _heeded(call: Call, filters: Filters) -> Filters:
    """The filters without the conditions on times that the server ignores."""
    kinds = call.account.world.behaviors.text(SYSTEM, "time_filters")

    def ignored(condition: object) -> bool:
        return isinstance(condition, TimeFilter) and kinds not in {"both", condition.operator.lower()}

    return [{name: condition for name, condition in entry.items() if not ignored(condition)} for entry in filters or ()]


def _is_member(execution: Execution) -> bool:
    return isinstance(execution, WorkflowExecution) and execution.pipeline_execution is not None


def _keys(execution: Execution, call: Call) -> Keys:
    environment = execution.environment if isinstance(execution, WorkflowExecution) else None
    parent = execution.pipeline_execution if isinstance(execution, WorkflowExecution) else None
    ended_at = _ended_at(execution, call)
    return {
        "execution": execution.id,
        "application": execution.application.id,
        "application_id": execution.application.id,
        "workflow": execution.target.id,
        "pipeline": execution.target.id,
        "pipeline_execution_id": parent.id if parent else None,
        "status": execution.internal_status(call.account.now),
        "environment": environment.id if environment and ended_at else None,
        "environment_type": environment.type if environment else None,
        "triggered_by": call.account.api_key.id,
        "artifact_build_no": [artifact.build_no for artifact in execution.artifacts],
        "creation_time": execution.run.started_at,
        "start_time": _started_at(execution, call),
        "end_time": ended_at,
        "duration": execution.run.seconds,
        "tag": {"application": execution.application.id, "environment": environment.id if environment else None},
    }


def _status(execution: Execution, call: Call) -> str | None:
    return graphql_status(execution.internal_status(call.account.now))


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
    is_failed = execution.internal_status(call.account.now) in execution.failed_statuses
    return execution.run.reason if is_failed else None


def _stages(execution: PipelineExecution, call: Call) -> list[GraphQLObject]:
    return stage_views(execution, call.account.now)


def _members(execution: PipelineExecution, call: Call) -> Connection:
    started = [
        member
        for number, member in execution.members.items()
        if execution.stage_status(number, call.account.now) != "QUEUED"
    ]
    return page(started, 100, 0)


_COMMON: dict[str, Resolver] = {
    "status": _status,
    "executionUrl": _url,
    "createdAt": _created_at,
    "startedAt": _started_at,
    "endedAt": _ended_at,
    "failureDetails": _failure_details,
}

RESOLVERS: dict[str, Resolver] = {
    "Query.execution": _execution,
    "Query.executions": _executions,
    **{f"WorkflowExecution.{name}": resolver for name, resolver in _COMMON.items()},
    **{f"PipelineExecution.{name}": resolver for name, resolver in _COMMON.items()},
    "PipelineExecution.pipelineStageExecutions": _stages,
    "PipelineExecution.memberExecutions": _members,
}
