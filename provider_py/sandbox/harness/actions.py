"""Resolvers that start executions, let them go on, approve and export."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from provider_py.sandbox.harness import start
from provider_py.sandbox.harness.account import Account, Call
from provider_py.sandbox.harness.catalog import fixed_id, new_id
from provider_py.sandbox.harness.executions import NamedValue, PipelineExecution, WorkflowExecution
from provider_py.sandbox.harness.inputs import (
    ApprovalAnswer,
    ResumeExecutionInput,
    ResumeRuntimeInput,
    StartExecutionInput,
    VariableInput,
    VariableValue,
)
from provider_py.sandbox.harness.refusal import RefusalError, invalid

_RESUMABLE = ("FAILED", "ABORTED", "REJECTED", "EXPIRED", "ERROR")
_DAY = 24 * 3600.0
_EXPORTS_PER_DAY = 25


@dataclass(frozen=True, slots=True)
class EmbeddedUser:
    """A user by name and address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A pending approval; moments in milliseconds."""

    graphql_type: ClassVar[str] = "UserGroupApprovalDetails"
    approval_id: str
    step_name: str
    stage_name: str
    started_at: int
    will_expire_at: int
    execution_id: str
    triggered_by: EmbeddedUser
    approval_type: str = "USER_GROUP"
    approvers: tuple[str, ...] = ("Account Administrator",)
    variables: tuple[NamedValue, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalDetails:
    """The pending approvals of an execution."""

    approval_details: list[Approval]


@dataclass(frozen=True, slots=True)
class Answered:
    """Whether an approval's answer was taken."""

    success: bool
    client_mutation_id: str | None


@dataclass(frozen=True, slots=True)
class Continued:
    """Whether a stage goes on."""

    status: bool
    client_mutation_id: str | None


@dataclass(frozen=True, slots=True)
class Export:
    """A requested archive."""

    client_mutation_id: str | None
    request_id: str
    status: str
    total_executions: int
    triggered_at: float
    status_link: str
    download_link: str
    expires_at: float
    error_message: str | None = None


def _execution_inputs(
    _: object,
    call: Call,
    *,
    entity_id: str,
    application_id: str,
    execution_type: str,
    variable_inputs: Sequence[VariableInput] | None = None,
) -> start.ExecutionInputs:
    application = start.find_application(call.account, application_id, entity_id)
    entity = start.find_entity(application, entity_id, execution_type)
    return start.needed_inputs(application, entity, list(variable_inputs or []))


def _start(_: object, call: Call, *, given: StartExecutionInput) -> start.Started | None:
    return start.start(call, given)


def _pipeline_execution(account: Account, execution_id: str) -> PipelineExecution:
    found = account.execution(execution_id)
    if found is None:
        raise invalid(f"Execution [{execution_id}] doesn't exist.")
    if isinstance(found, WorkflowExecution):
        raise RefusalError(f"Pipeline resume not available for workflow executions: {execution_id}")
    return found


def _resume(_: object, call: Call, *, given: ResumeExecutionInput | None = None) -> start.Started | None:
    if given is None:
        raise invalid("Input cannot be empty")
    earlier = _pipeline_execution(call.account, given.pipeline_execution_id)
    if earlier.internal_status(call.account.now) not in _RESUMABLE:
        raise invalid(
            f"Pipeline resume is not available for [{earlier.id}]. Resumable states are : [[{', '.join(_RESUMABLE)}]]"
        )
    if given.pipeline_stage_name not in {stage.name for stage in earlier.pipeline.stages}:
        raise invalid(f"Stage [{given.pipeline_stage_name}] doesn't exist in pipeline execution [{earlier.id}]")
    again = StartExecutionInput(
        given.application_id,
        earlier.pipeline.id,
        "PIPELINE",
        given.client_mutation_id,
        [VariableInput(item.name, VariableValue("ID", item.value)) for item in earlier.input_variables],
        notes=earlier.notes,
    )
    return start.start(call, again, earlier.artifacts)


def _runtime_stage(call: Call, execution_id: str, element_id: str) -> PipelineExecution:
    execution = _pipeline_execution(call.account, execution_id)
    number = execution.halted_stage(call.account.now)
    stage = execution.pipeline.stages[number] if number is not None else None
    if stage is None or stage.element_id != element_id or stage.workflow is None:
        raise invalid(f"Pipeline execution [{execution_id}] has no stage [{element_id}] that waits for inputs")
    return execution


def _runtime_inputs(
    _: object,
    call: Call,
    *,
    application_id: str,
    pipeline_execution_id: str,
    pipeline_stage_element_id: str,
    **_unread: object,
) -> start.ExecutionInputs:
    call.account.application(application_id)
    _runtime_stage(call, pipeline_execution_id, pipeline_stage_element_id)
    return start.ExecutionInputs([], None)


def _resume_runtime(_: object, call: Call, *, given: ResumeRuntimeInput) -> Continued:
    call.account.application(given.application_id)
    execution = _runtime_stage(call, given.pipeline_execution_id, given.pipeline_stage_element_id)
    execution.go_on(call.account.now)
    return Continued(True, given.client_mutation_id)


def _pending(call: Call, execution_id: str) -> list[tuple[PipelineExecution, Approval]]:
    execution = call.account.execution(execution_id)
    if not isinstance(execution, PipelineExecution):
        return []
    number = execution.halted_stage(call.account.now)
    if number is None or execution.pipeline.stages[number].workflow is not None:
        return []
    stage, since = execution.pipeline.stages[number], execution.run.hold_at or execution.run.started_at
    approval = Approval(
        fixed_id(execution.id, stage.element_id),
        stage.step_name,
        stage.name,
        int(since * 1000),
        int((since + _DAY) * 1000),
        execution.id,
        EmbeddedUser(call.account.api_key.name, "terraform@example.com"),
    )
    return [(execution, approval)]


def _approval_details(_: object, call: Call, *, application_id: str, execution_id: str) -> ApprovalDetails:
    call.account.application(application_id)
    return ApprovalDetails([approval for _execution, approval in _pending(call, execution_id)])


def _approve(_: object, call: Call, *, given: ApprovalAnswer) -> Answered:
    call.account.application(given.application_id)
    for execution, approval in _pending(call, given.execution_id):
        if approval.approval_id == given.approval_id:
            _check_approval_variables(given)
            if given.action == "APPROVE":
                execution.go_on(call.account.now)
            else:
                execution.reject(call.account.now)
            return Answered(True, given.client_mutation_id)
    raise invalid(f"No pending approval found for approval id: {given.approval_id}")


def _check_approval_variables(answer: ApprovalAnswer) -> None:
    for variable in answer.variable_inputs or []:
        raise RefusalError(f'Variable with name "{variable.get("name", "")}" not present')


def _export(_: object, call: Call, *, given: Mapping[str, object]) -> Export:
    account = call.account
    if account.used_today(account.exports) >= _EXPORTS_PER_DAY:
        raise RefusalError("Number of export executions requests from this account has reached its daily limit")
    if given.get("notify_only_triggering_user") and given.get("user_group_ids"):
        raise RefusalError('Both "notifyOnlyTriggeringUser" and "userGroupIds" can\'t be set simultaneously.')
    account.exports.append(account.now)
    finished = [item for item in account.all_executions() if item.run.ended_at(account.now) is not None]
    request_id = new_id()
    link = f"{call.portal}/export-executions/{request_id}"
    mutation_id = given.get("client_mutation_id")
    return Export(
        mutation_id if isinstance(mutation_id, str) else None,
        request_id,
        "QUEUED",
        len(finished),
        account.now,
        f"{link}/status",
        f"{link}/download",
        account.now + _DAY,
    )


RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.executionInputs": _execution_inputs,
    "Query.runtimeExecutionInputsToResumePipeline": _runtime_inputs,
    "Query.approvalDetails": _approval_details,
    "Mutation.startExecution": _start,
    "Mutation.resumeExecution": _resume,
    "Mutation.pipelineResumeRuntime": _resume_runtime,
    "Mutation.approveOrRejectApprovals": _approve,
    "Mutation.exportExecutions": _export,
}
