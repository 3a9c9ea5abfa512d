"""Starts of executions: every check in the server's order, then the run.

A client learns from the first error only, and the errors differ in what they say about the run. The order is therefore
part of the simulation: permission and hosts, the entity, its variables, its artifacts, and only then what depends on
the account (rate limit, freeze window, empty pipeline). Two of the server's oddities are kept: a deployment refused by
a later check still counts towards the rate limit, and with `null_payload` the answer hides an execution that runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from provider_py.sandbox.harness import artifacts, variables
from provider_py.sandbox.harness.account import Account, Call
from provider_py.sandbox.harness.behaviors import SYSTEM
from provider_py.sandbox.harness.catalog import Application, Artifact, Entity, GraphQLObject, Pipeline, Workflow, new_id
from provider_py.sandbox.harness.errors import ApiError, denied, invalid
from provider_py.sandbox.harness.executions import (
    Execution,
    PipelineExecution,
    WorkflowExecution,
)
from provider_py.sandbox.harness.inputs import StartExecutionInput, VariableInput

_HOUR = 3600.0
_HOURLY_SHARE = 0.4


def find_application(account: Account, application_id: str, entity_id: str) -> Application:
    """The application of a request for one of its entities; raises ApiError if there is none."""
    if not entity_id:
        raise invalid("Entity Id cannot be empty")
    if not application_id:
        raise invalid("Application Id cannot be empty")
    return account.application(application_id)


def find_entity(application: Application, entity_id: str, execution_type: str) -> Entity:
    """The workflow or pipeline of a request; raises ApiError if there is none."""
    entity = application.entity(entity_id, execution_type)
    if entity is None:
        label = Workflow.label if execution_type == "WORKFLOW" else Pipeline.label
        raise ApiError(f"{label} {entity_id} doesn't exist in the specified application {application.id}")
    return entity


def needed_inputs(application: Application, entity: Entity, inputs: list[VariableInput]) -> GraphQLObject:
    """The services that need an artifact or a manifest with these variables."""
    services = artifacts.services_of(application, entity, variables.resolve(application, entity, inputs))
    return GraphQLObject(
        "",
        service_inputs=artifacts.needing_artifacts(services),
        service_manifest_inputs=artifacts.needing_manifests(services),
    )


def start(
    call: Call, request: StartExecutionInput, earlier_artifacts: Sequence[Artifact] | None = None
) -> GraphQLObject | None:
    """Start an execution, with the artifacts of an earlier one if it is resumed.

    Raises ApiError if a check fails. None is an answer that does not mention the execution although it runs.
    """
    account = call.account
    behaviors = account.world.behaviors
    application = find_application(account, request.application_id, request.entity_id)
    if behaviors.flag(SYSTEM, "execute_denied"):
        raise denied()
    _check_hosts(request)
    entity = find_entity(application, request.entity_id, request.execution_type)
    resolved = variables.resolve(application, entity, request.variable_inputs or [])
    chosen = _choose(application, entity, resolved, request) if earlier_artifacts is None else earlier_artifacts
    _count_deployment(account)
    _check_account(account, entity)
    execution = _run(account, application, entity, resolved, chosen, request)
    warning = _warning(entity, resolved.unknown)
    if behaviors.flag(SYSTEM, "null_payload"):
        return None
    return GraphQLObject(
        "", client_mutation_id=request.client_mutation_id, execution=execution, warning_message=warning
    )


def _check_hosts(request: StartExecutionInput) -> None:
    if request.execution_type == "PIPELINE" and (request.target_to_specific_hosts or request.specific_hosts):
        raise invalid(
            "Hosts can't be overridden for pipeline,Target to specific hosts is only available in a Workflow Execution"
        )
    if request.target_to_specific_hosts and not request.specific_hosts:
        raise invalid("Host list can't be empty when Target To Specific Hosts option is enabled")


def _choose(
    application: Application, entity: Entity, resolved: variables.Resolved, request: StartExecutionInput
) -> list[Artifact]:
    services = artifacts.services_of(application, entity, resolved)
    inputs = request.service_inputs or []
    for service_input in inputs:
        service = next((service for service in services if service.name == service_input.name), None)
        value = service_input.artifact_value_input
        if service and value and value.value_type == "ARTIFACT_ID" and value.artifact_id:
            artifacts.check_owner(application, service, value.artifact_id.artifact_id)
    return artifacts.choose(services, inputs)


def _count_deployment(account: Account) -> None:
    limit = account.world.behaviors.number(SYSTEM, "deployments_per_day")
    if not limit:
        return
    if account.used(account.deployments) >= limit:
        raise ApiError(
            "Deployment rate limit reached. You have reached 100.0% of allowed limits for deployments in a day. "
            "Please contact Harness support."
        )
    if account.used(account.deployments, _HOUR) >= limit * _HOURLY_SHARE:
        raise ApiError(
            f"Deployment rate limit reached. You can deploy only{_HOURLY_SHARE:.1%} of maximum allowed deployments "
            "in a day in an hour. Please contact Harness support."
        )
    account.deployments.append(account.now)


def _check_account(account: Account, entity: Entity) -> None:
    window = account.world.behaviors.text(SYSTEM, "freeze_window")
    if window:
        raise ApiError(
            f"Deployment Freeze Window [{window}] is active for the environment. No deployments are allowed to proceed."
        )
    if isinstance(entity, Pipeline) and not entity.stages:
        raise ApiError("You can not deploy an empty pipeline.")


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
    chosen: Sequence[Artifact],
    request: StartExecutionInput,
) -> Execution:
    execution_id = new_id()
    run = account.world.runs.start(SYSTEM, entity.id, (entity.name,), execution_id)
    status = account.world.behaviors.text(SYSTEM, "starting_status")
    if status != "RUNNING":
        run.queue_seconds = account.world.behaviors.number(SYSTEM, "starting_seconds")
    cause = GraphQLObject("ExecutedByAPIKey", api_key=account.api_key, using="GRAPHQL_API")
    execution: Execution
    if isinstance(entity, Workflow):
        execution = WorkflowExecution(execution_id, application, run, entity, cause, resolved.environment)
    else:
        execution = PipelineExecution(execution_id, application, run, entity, cause)
    execution.input_variables = resolved.values
    execution.artifacts = chosen
    execution.notes = request.notes
    execution.starting_status = "QUEUED" if status == "RUNNING" else status
    account.executions[execution_id] = execution
    if isinstance(execution, PipelineExecution):
        _plan_stages(account, execution, bool(request.continue_with_default_values))
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
                GraphQLObject("ExecutedAlongPipeline", execution=execution),
                execution.pipeline.environment,
                input_variables=execution.input_variables,
                artifacts=execution.artifacts,
                pipeline_execution=execution,
                stage_number=number,
            )
            execution.members[number] = member
            account.executions[member.id] = member
    execution.settle()
