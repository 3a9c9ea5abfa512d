"""Starting an execution: every check in the server's order, then the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provider_py.sandbox.harness import deliverables, variables
from provider_py.sandbox.harness.account import SYSTEM, Account, Call
from provider_py.sandbox.harness.catalog import Application, Artifact, Entity, Pipeline, Service, Workflow, new_id
from provider_py.sandbox.harness.executions import (
    AlongPipeline,
    ByApiKey,
    Execution,
    PipelineExecution,
    WorkflowExecution,
)
from provider_py.sandbox.harness.inputs import StartExecutionInput, VariableInput
from provider_py.sandbox.harness.refusal import RefusalError, denied, invalid

_HOUR = 3600.0
_HOURLY_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Started:
    """The payload of startExecution and resumeExecution."""

    client_mutation_id: str | None
    execution: Execution
    warning_message: str | None = None


@dataclass(frozen=True, slots=True)
class ExecutionInputs:
    """What an execution would need."""

    service_inputs: list[Service]
    service_manifest_inputs: list[Service] | None


def find_application(account: Account, application_id: str, entity_id: str) -> Application:
    """The application of a request that names an entity in it, or the refusal."""
    if not entity_id:
        raise invalid("Entity Id cannot be empty")
    if not application_id:
        raise invalid("Application Id cannot be empty")
    return account.application(application_id)


def find_entity(application: Application, entity_id: str, execution_type: str) -> Entity:
    """The workflow or pipeline of a request, or the refusal."""
    entity = application.entity(entity_id, execution_type)
    if entity is None:
        kind = Workflow.kind if execution_type == "WORKFLOW" else Pipeline.kind
        raise RefusalError(f"{kind} {entity_id} doesn't exist in the specified application {application.id}")
    return entity


def needed_inputs(application: Application, entity: Entity, given: list[VariableInput]) -> ExecutionInputs:
    """The services that need an artifact or a manifest with these variables."""
    services = deliverables.services_of(application, entity, variables.resolve(application, entity, given))
    return ExecutionInputs(deliverables.needing_artifacts(services), deliverables.needing_manifests(services))


def start(
    call: Call, wanted: StartExecutionInput, earlier_artifacts: Sequence[Artifact] | None = None
) -> Started | None:
    """Start an execution, with the artifacts of an earlier one if it is resumed.

    None is the answer that loses the execution although it runs.
    """
    account = call.account
    behaviours = account.world.behaviours
    application = find_application(account, wanted.application_id, wanted.entity_id)
    if behaviours.flag(SYSTEM, "execute_denied"):
        raise denied()
    _check_hosts(wanted)
    entity = find_entity(application, wanted.entity_id, wanted.execution_type)
    resolved = variables.resolve(application, entity, wanted.variable_inputs or [])
    artifacts = _choose(application, entity, resolved, wanted) if earlier_artifacts is None else earlier_artifacts
    _count_deployment(account)
    _check_account(account, entity)
    execution = _run(account, application, entity, resolved, artifacts, wanted)
    warning = _warning(entity, resolved.unknown)
    if behaviours.flag(SYSTEM, "null_payload"):
        return None
    return Started(wanted.client_mutation_id, execution, warning)


def _check_hosts(wanted: StartExecutionInput) -> None:
    if wanted.execution_type == "PIPELINE" and (wanted.target_to_specific_hosts or wanted.specific_hosts):
        raise invalid(
            "Hosts can't be overridden for pipeline,Target to specific hosts is only available in a Workflow Execution"
        )
    if wanted.target_to_specific_hosts and not wanted.specific_hosts:
        raise invalid("Host list can't be empty when Target To Specific Hosts option is enabled")


def _choose(
    application: Application, entity: Entity, resolved: variables.Resolved, wanted: StartExecutionInput
) -> list[Artifact]:
    services = deliverables.services_of(application, entity, resolved)
    given = wanted.service_inputs or []
    for item in given:
        service = next((service for service in services if service.name == item.name), None)
        value = item.artifact_value_input
        if service and value and value.value_type == "ARTIFACT_ID" and value.artifact_id:
            deliverables.check_owner(application, service, value.artifact_id.artifact_id)
    return deliverables.choose(services, given)


def _count_deployment(account: Account) -> None:
    limit = account.world.behaviours.number(SYSTEM, "deployments_per_day")
    if not limit:
        return
    if account.used_today(account.deployments) >= limit:
        raise RefusalError(
            "Deployment rate limit reached. You have reached 100.0% of allowed limits for deployments in a day. "
            "Please contact Harness support."
        )
    if account.used_today(account.deployments, _HOUR) >= limit * _HOURLY_SHARE:
        raise RefusalError(
            f"Deployment rate limit reached. You can deploy only{_HOURLY_SHARE:.1%} of maximum allowed deployments "
            "in a day in an hour. Please contact Harness support."
        )
    account.deployments.append(account.now)


def _check_account(account: Account, entity: Entity) -> None:
    window = account.world.behaviours.text(SYSTEM, "freeze_window")
    if window:
        raise RefusalError(
            f"Deployment Freeze Window [{window}] is active for the environment. No deployments are allowed to proceed."
        )
    if isinstance(entity, Pipeline) and not entity.stages:
        raise RefusalError("You can not deploy an empty pipeline.")


def _warning(entity: Entity, unknown: tuple[str, ...]) -> str | None:
    if not unknown:
        return None
    names = ",".join(unknown)
    if isinstance(entity, Pipeline):
        if not entity.variables:
            return None
        return f"Ignoring values for variables: [{names}] as they don't exist in Pipeline. Might be modified"
    return f"Ignoring values for variables: [{names}] as they don't exist in workflow. Workflow Might be modified"


def _run(
    account: Account,
    application: Application,
    entity: Entity,
    resolved: variables.Resolved,
    artifacts: Sequence[Artifact],
    wanted: StartExecutionInput,
) -> Execution:
    execution_id = new_id()
    run = account.world.runs.start(SYSTEM, entity.id, (entity.name,), execution_id)
    word = account.world.behaviours.text(SYSTEM, "starting_status")
    if word != "RUNNING":
        run.queue_seconds = account.world.behaviours.number(SYSTEM, "starting_seconds")
    cause = ByApiKey(account.api_key)
    execution: Execution
    if isinstance(entity, Workflow):
        execution = WorkflowExecution(execution_id, application, run, entity, cause, resolved.environment)
    else:
        execution = PipelineExecution(execution_id, application, run, entity, cause)
    execution.input_variables = resolved.values
    execution.artifacts = artifacts
    execution.notes = wanted.notes
    execution.starting_word = "QUEUED" if word == "RUNNING" else word
    account.executions[execution_id] = execution
    if isinstance(execution, PipelineExecution):
        _plan_stages(account, execution, bool(wanted.continue_with_default_values))
    return execution


def _plan_stages(account: Account, execution: PipelineExecution, with_defaults: bool) -> None:
    for number, stage in enumerate(execution.pipeline.stages):
        if stage.workflow is None or (stage.runtime_variables and not with_defaults):
            execution.halts.append(number)
        if stage.workflow is not None:
            member = WorkflowExecution(
                new_id(),
                execution.application,
                execution.run,
                stage.workflow,
                AlongPipeline(execution),
                execution.pipeline.environment,
                input_variables=execution.input_variables,
                artifacts=execution.artifacts,
                pipeline_execution=execution,
                stage_number=number,
            )
            execution.members[number] = member
            account.executions[member.id] = member
    execution.settle()
