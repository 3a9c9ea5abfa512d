"""Resolvers that start, resume and export executions, and answer what they wait for."""

from __future__ import annotations

from collections.abc import Sequence

from provider_py.sandbox.harness import start
from provider_py.sandbox.harness.account import DAY, Account, Call
from provider_py.sandbox.harness.catalog import GraphQLObject, fixed_id, new_id
from provider_py.sandbox.harness.errors import ApiError, invalid
from provider_py.sandbox.harness.executions import PipelineExecution, WorkflowExecution
from provider_py.sandbox.harness.inputs import (
    ApprovalAnswer,
    ResumeExecutionInput,
    ResumeRuntimeInput,
    StartExecutionInput,
    VariableInput,
    VariableValue,
)
from provider_py.sandbox.harness.registry import Input, payload
from provider_py.sandbox.harness.resolvers import Resolver

_RESUMABLE = ("FAILED", "ABORTED", "REJECTED", "EXPIRED", "ERROR")
_EXPORTS_PER_DAY = 25


def _execution_inputs(
    _: object,
    call: Call,
    *,
    entity_id: str,
    application_id: str,
    execution_type: str,
    variable_inputs: Sequence[VariableInput] | None = None,
) -> GraphQLObject:
    application = start.find_application(call.account, application_id, entity_id)
    entity = start.find_entity(application, entity_id, execution_type)
    return start.needed_inputs(application, entity, list(variable_inputs or []))


def _start(_: object, call: Call, *, input_: StartExecutionInput) -> GraphQLObject | None:
    return start.start(call, input_)


def _pipeline_execution(account: Account, execution_id: str) -> PipelineExecution:
    execution = account.execution(execution_id)
    if execution is None:
        raise invalid(f"Execution [{execution_id}] doesn't exist.")
    if isinstance(execution, WorkflowExecution):
        raise ApiError(f"Pipeline resume not available for workflow executions: {execution_id}")
    return execution


def _resume(_: object, call: Call, *, input_: ResumeExecutionInput | None = None) -> GraphQLObject | None:
    if input_ is None:
        raise invalid("Input cannot be empty")
    earlier = _pipeline_execution(call.account, input_.pipeline_execution_id)
    if earlier.internal_status(call.account.now) not in _RESUMABLE:
        raise invalid(
            f"Pipeline resume is not available for [{earlier.id}]. Resumable states are : [[{', '.join(_RESUMABLE)}]]"
        )
    if input_.pipeline_stage_name not in {stage.name for stage in earlier.pipeline.stages}:
        raise invalid(f"Stage [{input_.pipeline_stage_name}] doesn't exist in pipeline execution [{earlier.id}]")
    repeated = StartExecutionInput(
        input_.application_id,
        earlier.pipeline.id,
        "PIPELINE",
        input_.client_mutation_id,
        [VariableInput(item.name, VariableValue("ID", item.value)) for item in earlier.input_variables],
        notes=earlier.notes,
    )
    return start.start(call, repeated, earlier.artifacts)


def _runtime_stage(call: Call, execution_id: str, element_id: str) -> PipelineExecution:
    execution = _pipeline_execution(call.account, execution_id)
    stage = execution.halted_stage(call.account.now)
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
    **_ignored: object,
) -> GraphQLObject:
    call.account.application(application_id)
    _runtime_stage(call, pipeline_execution_id, pipeline_stage_element_id)
    return GraphQLObject("", service_inputs=[])


def _resume_runtime(_: object, call: Call, *, input_: ResumeRuntimeInput) -> GraphQLObject:
    call.account.application(input_.application_id)
    execution = _runtime_stage(call, input_.pipeline_execution_id, input_.pipeline_stage_element_id)
    execution.proceed(call.account.now)
    return GraphQLObject("", status=True, client_mutation_id=input_.client_mutation_id)


def _pending(call: Call, execution_id: str) -> PipelineExecution | None:
    """The pipeline execution if it waits for an approval."""
    execution = call.account.execution(execution_id)
    if not isinstance(execution, PipelineExecution):
        return None
    stage = execution.halted_stage(call.account.now)
    return execution if stage is not None and stage.workflow is None else None


def _approval_id(execution: PipelineExecution) -> str:
    return fixed_id(execution.id, str(execution.halting_at))


def _approval_details(_: object, call: Call, *, application_id: str, execution_id: str) -> GraphQLObject:
    call.account.application(application_id)
    execution = _pending(call, execution_id)
    return GraphQLObject("", approval_details=[_approval(call, execution)] if execution else [])


def _approval(call: Call, execution: PipelineExecution) -> GraphQLObject:
    stage = execution.pipeline.stages[execution.halting_at or 0]
    since = execution.run.hold_at or execution.run.started_at
    return GraphQLObject(
        "UserGroupApprovalDetails",
        approval_id=_approval_id(execution),
        step_name=stage.step_name,
        stage_name=stage.name,
        started_at=int(since * 1000),
        will_expire_at=int((since + DAY) * 1000),
        execution_id=execution.id,
        triggered_by={"name": call.account.api_key.name, "email": "terraform@example.com"},
        approval_type="USER_GROUP",
        approvers=["Account Administrator"],
        variables=[],
    )


def _approve(_: object, call: Call, *, input_: ApprovalAnswer) -> GraphQLObject:
    call.account.application(input_.application_id)
    execution = _pending(call, input_.execution_id)
    if execution is None or _approval_id(execution) != input_.approval_id:
        raise invalid(f"No pending approval found for approval id: {input_.approval_id}")
    _check_approval_variables(input_)
    if input_.action == "APPROVE":
        execution.proceed(call.account.now)
    else:
        execution.reject(call.account.now)
    return GraphQLObject("", success=True, client_mutation_id=input_.client_mutation_id)


def _check_approval_variables(answer: ApprovalAnswer) -> None:
    for variable in answer.variable_inputs or []:
        raise ApiError(f'Variable with name "{variable.get("name", "")}" not present')


def _export(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    account = call.account
    if account.used(account.exports) >= _EXPORTS_PER_DAY:
        raise ApiError("Number of export executions requests from this account has reached its daily limit")
    if input_.get("notify_only_triggering_user") and input_.get("user_group_ids"):
        raise ApiError('Both "notifyOnlyTriggeringUser" and "userGroupIds" can\'t be set simultaneously.')
    account.exports.append(account.now)
    finished = [execution for execution in account.all_executions() if execution.run.ended_at(account.now) is not None]
    request_id = new_id()
    link = f"{call.portal}/export-executions/{request_id}"
    return payload(
        input_,
        request_id=request_id,
        status="QUEUED",
        total_executions=len(finished),
        triggered_at=account.now,
        status_link=f"{link}/status",
        download_link=f"{link}/download",
        expires_at=account.now + DAY,
    )


RESOLVERS: dict[str, Resolver] = {
    "Query.executionInputs": _execution_inputs,
    "Query.runtimeExecutionInputsToResumePipeline": _runtime_inputs,
    "Query.approvalDetails": _approval_details,
    "Mutation.startExecution": _start,
    "Mutation.resumeExecution": _resume,
    "Mutation.pipelineResumeRuntime": _resume_runtime,
    "Mutation.approveOrRejectApprovals": _approve,
    "Mutation.exportExecutions": _export,
}
