"""What the questions about applications, workflows, pipelines, services, artifacts and triggers come to."""

from __future__ import annotations

from harness_client import (
    ApplicationFilter,
    ApplicationTagFilter,
    ApproveOrRejectApprovalsInput,
    ArtifactConditionInput,
    ArtifactFilter,
    ArtifactValueInput,
    AttachTagInput,
    BuildNumberInput,
    CreateApplicationInput,
    CreateTriggerInput,
    DeleteApplicationInput,
    DeleteTriggerInput,
    ExecutionFilter,
    ExportExecutionsInput,
    GitHubEvent,
    IdFilter,
    PipelineConditionInput,
    RemoveApplicationGitSyncConfigInput,
    ResumeExecutionInput,
    RuntimeExecutionInputsToResumePipeline,
    ScheduleConditionInput,
    ServiceFilter,
    ServiceInput,
    StartExecutionInput,
    TagInput,
    TriggerActionInput,
    TriggerConditionInput,
    UpdateApplicationGitSyncConfigInput,
    UpdateApplicationGitSyncConfigStatusInput,
    UpdateApplicationInput,
    UpdateTriggerInput,
    VariableInput,
    VariableValue,
    WebhookConditionInput,
    WorkflowFilter,
    WorkflowTagFilter,
)
from harness_client.enums import (
    Action,
    ApplicationTagType,
    ArtifactInputType,
    ConditionType,
    ExecutionType,
    GitHubEventType,
    IdOperator,
    TagEntityType,
    VariableValueType,
    WebhookSource,
    WorkflowTagType,
)

from provider_py.sandbox.harness.artifact_sources import TYPES
from provider_py.sandbox.runs import Script
from tests.contract.clients.harness.conftest import APPLICATION, WORKFLOW, Account, several


def equals(value: str) -> IdFilter:
    return IdFilter(operator=IdOperator.EQUALS, values=[value])


async def service_id(account: Account, name: str) -> str:
    found = (await account.client.services(limit=100)).services
    assert found
    assert found.nodes
    return next(str(node.id) for node in found.nodes if node and node.name == name)


async def pipeline_id(account: Account, name: str) -> str:
    found = (await account.client.pipeline_by_name(name, APPLICATION)).pipeline_by_name
    assert found
    assert found.id
    return found.id


async def start(account: Account, entity_id: str, kind: ExecutionType) -> str:
    wanted = StartExecutionInput(applicationId=APPLICATION, entityId=entity_id, executionType=kind)
    started = (await account.client.start_execution(wanted)).start_execution
    assert started
    assert started.execution
    assert started.execution.id
    return started.execution.id


async def start_pipeline(account: Account, name: str) -> str:
    return await start(account, await pipeline_id(account, name), ExecutionType.PIPELINE)


async def restart(account: Account) -> tuple[str, str]:
    """The id of a workflow that needs nothing, and of an execution of it."""
    found = (await account.client.workflow_by_name("restart", APPLICATION)).workflow_by_name
    assert found
    assert found.id
    return found.id, await start(account, found.id, ExecutionType.WORKFLOW)


async def application(account: Account) -> None:
    client = account.client
    made = (await client.create_application(CreateApplicationInput(name="Shop", description="d"))).create_application
    assert made
    assert made.application
    assert made.application.id
    key = made.application.id
    await client.update_application(UpdateApplicationInput(applicationId=key, name="Store"))
    by_name = (await client.application_by_name("Store")).application_by_name
    by_id = (await client.application(key)).application
    listed = (await client.applications(limit=10)).applications
    assert by_name
    assert by_id
    assert by_name.id == by_id.id == key
    assert by_id.description == "d"
    assert listed
    assert listed.page_info
    assert listed.page_info.total == 3
    await client.delete_application(DeleteApplicationInput(applicationId=key, clientMutationId="m"))
    left = (await client.applications(limit=10)).applications
    assert left
    assert left.page_info
    assert left.page_info.total == 2


async def git_sync(account: Account) -> None:
    client = account.client
    connectors = (await client.connectors(limit=10)).connectors
    assert connectors
    assert connectors.nodes
    git = next(str(node.id) for node in connectors.nodes if node and node.typename__ == "GitConnector")
    wanted = UpdateApplicationGitSyncConfigInput(
        applicationId=APPLICATION, gitConnectorId=git, branch="main", syncEnabled=True
    )
    await client.update_application_git_sync_config(wanted)
    off = UpdateApplicationGitSyncConfigStatusInput(applicationId=APPLICATION, syncEnabled=False)
    await client.update_application_git_sync_config_status(off)
    shown = (await client.application_details(APPLICATION)).application
    assert shown
    assert shown.git_sync_config
    assert shown.git_sync_config.git_connector
    assert (shown.git_sync_config.sync_enabled, shown.git_sync_config.git_connector.id) == (False, git)
    end = RemoveApplicationGitSyncConfigInput(applicationId=APPLICATION)
    left = (await client.remove_application_git_sync_config(end)).remove_application_git_sync_config
    assert left
    assert left.application
    assert left.application.git_sync_config is None


async def pipelines_of_application(account: Account) -> None:
    shown = (await account.client.application_pipelines(APPLICATION, limit=10)).application
    assert shown
    assert shown.pipelines
    assert shown.pipelines.nodes
    assert "Test Pipeline" in [node.name for node in shown.pipelines.nodes if node]


async def services_of_application(account: Account) -> None:
    shown = (await account.client.application_services(APPLICATION, limit=2)).application
    assert shown
    assert shown.services
    assert shown.services.nodes
    assert [node.name for node in shown.services.nodes if node] == ["test", "k8s"]


async def services(account: Account) -> None:
    filters = several(ServiceFilter(application=equals(APPLICATION)))
    found = (await account.client.services(filters=filters, limit=1000)).services
    assert found
    assert found.page_info
    assert found.page_info.total == 4


async def applications_by_tag(account: Account) -> None:
    client = account.client
    tag = AttachTagInput(entityId=APPLICATION, entityType=TagEntityType.APPLICATION, name="team", value="billing")
    await client.attach_tag(tag)
    for value, total in (("billing", 1), ("other", 0)):
        tagged = ApplicationTagFilter(
            entityType=ApplicationTagType.APPLICATION, tags=[TagInput(name="team", value=value)]
        )
        found = (await client.applications(filters=[ApplicationFilter(tag=tagged)], limit=10)).applications
        assert found
        assert found.page_info
        assert found.page_info.total == total


async def workflow(account: Account) -> None:
    by_id = (await account.client.workflow(WORKFLOW)).workflow
    listed = (
        await account.client.workflows(filters=[WorkflowFilter(application=equals(APPLICATION))], limit=1)
    ).workflows
    assert by_id
    assert by_id.name == "multi service graphql test"
    assert listed
    assert listed.page_info
    assert listed.page_info.has_more


async def executions_of_workflow(account: Account) -> None:
    workflow, execution = await restart(account)
    filters = several(ExecutionFilter(workflow=equals(workflow)))
    found = (await account.client.executions(filters=filters, limit=30)).executions
    assert found
    assert found.page_info
    assert found.nodes
    assert found.nodes[0]
    assert (found.page_info.total, found.nodes[0].id) == (1, execution)
    shown = (await account.client.execution(execution)).execution
    assert shown
    assert shown.status == "RUNNING"


async def trigger_workflow(account: Account) -> None:
    client = account.client
    app = (await client.application_by_name("Test App")).application_by_name
    assert app
    assert app.id
    found = (await client.workflow_by_name("deploy any", app.id)).workflow_by_name
    assert found
    assert found.id
    assert found.workflow_variables
    given = several(
        VariableInput(name="Service", variableValue=VariableValue(type=VariableValueType.NAME, value="k8s"))
    )
    inputs = (await client.execution_inputs(found.id, app.id, ExecutionType.WORKFLOW, given)).execution_inputs
    assert inputs
    assert inputs.service_inputs
    assert [each.name for each in inputs.service_inputs if each] == ["k8s"]
    build = BuildNumberInput(artifactSourceName="docker_hello-world", buildNumber="latest")
    artifact = ArtifactValueInput(valueType=ArtifactInputType.BUILD_NUMBER, buildNumber=build)
    wanted = StartExecutionInput(
        applicationId=app.id,
        entityId=found.id,
        executionType=ExecutionType.WORKFLOW,
        variableInputs=given,
        serviceInputs=[ServiceInput(name="k8s", artifactValueInput=artifact)],
    )
    started = (await client.start_execution(wanted)).start_execution
    assert started
    assert started.execution
    assert started.execution.id
    account.world.advance(60)
    state = (await client.execution_state(started.execution.id)).execution
    assert state
    assert state.status == "SUCCESS"


async def pipeline_by_name(account: Account) -> None:
    assert len(await pipeline_id(account, "Test Pipeline")) == 22


async def pipeline(account: Account) -> None:
    key = await pipeline_id(account, "Test Pipeline")
    shown = (await account.client.pipeline(key)).pipeline
    listed = (await account.client.pipelines(limit=10)).pipelines
    assert shown
    assert shown.name == "Test Pipeline"
    assert listed
    assert listed.page_info
    assert listed.page_info.total == 4


async def artifact_sources(account: Account) -> None:
    shown = (await account.client.service(await service_id(account, "test"), artifacts=10)).service
    assert shown
    assert shown.artifact_sources
    assert shown.artifact_sources[0]
    source = shown.artifact_sources[0]
    assert source.artifacts
    assert source.artifacts.nodes
    assert [node.build_no for node in source.artifacts.nodes if node] == ["stable-perl", "latest"]


async def artifact_to_source(account: Account) -> None:
    shown = (await account.client.service(await service_id(account, "test"), artifacts=1)).service
    assert shown
    assert shown.artifact_sources
    assert shown.artifact_sources[0]
    assert shown.artifact_sources[0].artifacts
    nodes = shown.artifact_sources[0].artifacts.nodes
    assert nodes
    assert nodes[0]
    assert nodes[0].id
    filters = several(ArtifactFilter(artifact=equals(nodes[0].id)))
    found = (await account.client.artifacts(filters=filters, limit=10)).artifacts
    assert found
    assert found.nodes
    assert found.nodes[0]
    assert found.nodes[0].artifact_source
    assert found.nodes[0].artifact_source.id == shown.artifact_sources[0].id


async def artifact_types(account: Account) -> None:
    shown = (await account.client.artifact_sources(await service_id(account, "gallery"))).service
    assert shown
    assert shown.artifact_sources
    sources = {source.typename__: source.model_dump() for source in shown.artifact_sources if source}
    assert set(sources) == set(TYPES)
    assert all(len(fields) > 5 for kind, fields in sources.items() if kind != "CustomArtifactSource")
    assert sources["NexusArtifactSource"]["nexus_properties"]["artifact_id"] == ["app"]


def conditions(pipeline: str) -> list[TriggerConditionInput]:
    push = GitHubEvent(event=GitHubEventType.PUSH)
    webhook = WebhookConditionInput(webhookSourceType=WebhookSource.GITHUB, githubEvent=push)
    return [
        TriggerConditionInput(
            conditionType=ConditionType.ON_PIPELINE_COMPLETION,
            pipelineConditionInput=PipelineConditionInput(pipelineId=pipeline),
        ),
        TriggerConditionInput(
            conditionType=ConditionType.ON_NEW_ARTIFACT,
            artifactConditionInput=ArtifactConditionInput(artifactSourceId="source"),
        ),
        TriggerConditionInput(
            conditionType=ConditionType.ON_SCHEDULE,
            scheduleConditionInput=ScheduleConditionInput(cronExpression="0 2 * * ?"),
        ),
        TriggerConditionInput(conditionType=ConditionType.ON_WEBHOOK, webhookConditionInput=webhook),
    ]


async def triggers(account: Account) -> None:
    client = account.client
    target = await pipeline_id(account, "Approved Pipeline")
    action = TriggerActionInput(executionType=ExecutionType.PIPELINE, entityId=target)
    keys: list[str] = []
    for number, condition in enumerate(conditions(target)):
        wanted = CreateTriggerInput(name=f"t{number}", applicationId=APPLICATION, condition=condition, action=action)
        made = (await client.create_trigger(wanted)).create_trigger
        assert made
        assert made.trigger
        assert made.trigger.id
        keys.append(made.trigger.id)
    changed = UpdateTriggerInput(
        triggerId=keys[0], name="new", applicationId=APPLICATION, condition=conditions(target)[2], action=action
    )
    await client.update_trigger(changed)
    by_id = (await client.trigger(keys[0])).trigger
    by_name = (await client.trigger_by_name("new", APPLICATION)).trigger_by_name
    assert by_id
    assert by_name
    assert by_id.id == by_name.id
    assert by_id.condition
    assert by_id.condition.trigger_condition_type == "SCHEDULED"
    await client.delete_trigger(DeleteTriggerInput(applicationId=APPLICATION, triggerId=keys[1]))
    listed = (await client.triggers(limit=10)).triggers
    assert listed
    assert listed.nodes
    assert [node.name for node in listed.nodes if node] == ["new", "t2", "t3"]


async def entities_by_tag(account: Account) -> None:
    tag = AttachTagInput(entityId=WORKFLOW, entityType=TagEntityType.WORKFLOW, name="tier", value="1")
    await account.client.attach_tag(tag)
    for name, total in (("tier", 1), ("other", 0)):
        tagged = WorkflowTagFilter(entityType=WorkflowTagType.WORKFLOW, tags=[TagInput(name=name)])
        found = (await account.client.workflows(filters=[WorkflowFilter(tag=tagged)], limit=10)).workflows
        assert found
        assert found.page_info
        assert found.page_info.total == total


async def environments(account: Account) -> None:
    client = account.client
    found = (await client.environments(limit=1)).environments
    assert found
    assert found.nodes
    assert found.nodes[0]
    assert found.nodes[0].id
    key = found.nodes[0].id
    environment = (await client.environment(key)).environment
    named = (await client.infrastructure_definition_by_name("k8s", key)).infrastructure_definition_by_name
    listed = (await client.infrastructure_definitions(limit=10)).infrastructure_definitions
    assert environment
    assert environment.name == "Prod"
    assert named
    assert named.id
    assert listed
    assert listed.page_info
    assert listed.page_info.total == 3
    by_id = (await client.infrastructure_definition(named.id)).infrastructure_definition
    assert by_id
    assert by_id.deployment_type == "Kubernetes"


async def export(account: Account) -> None:
    await restart(account)
    account.world.advance(60)
    asked = (await account.client.export_executions(ExportExecutionsInput())).export_executions
    assert asked
    assert asked.total_executions == 1
    assert asked.download_link


async def approvals(account: Account) -> None:
    execution = await start_pipeline(account, "Approved Pipeline")
    account.world.advance(40)
    pending = (await account.client.approval_details(APPLICATION, execution)).approval_details
    assert pending
    assert pending.approval_details
    assert pending.approval_details[0]
    answer = ApproveOrRejectApprovalsInput(
        applicationId=APPLICATION,
        executionId=execution,
        approvalId=str(pending.approval_details[0].approval_id),
        action=Action.APPROVE,
    )
    taken = (await account.client.approve_or_reject_approvals(answer)).approve_or_reject_approvals
    assert taken
    assert taken.success


async def runtime_inputs(account: Account) -> None:
    execution = await start_pipeline(account, "Asking Pipeline")
    state = (await account.client.execution_state(execution)).execution
    assert state
    assert state.typename__ == "PipelineExecution"
    assert state.pipeline_stage_executions
    assert state.pipeline_stage_executions[0]
    element = str(state.pipeline_stage_executions[0].pipeline_stage_element_id)
    needed = await account.client.runtime_inputs(APPLICATION, execution, element)
    assert needed.runtime_execution_inputs_to_resume_pipeline
    given = RuntimeExecutionInputsToResumePipeline(
        applicationId=APPLICATION, pipelineExecutionId=execution, pipelineStageElementId=element
    )
    going_on = (await account.client.pipeline_resume_runtime(given)).pipeline_resume_runtime
    assert going_on
    assert going_on.status


async def resume(account: Account) -> None:
    account.world.runs.scripts.append(Script("harness", ending="failure"))
    execution = await start_pipeline(account, "Approved Pipeline")
    account.world.runs.get(execution).finish(account.world.clock())  # type: ignore[union-attr]
    wanted = ResumeExecutionInput(applicationId=APPLICATION, pipelineExecutionId=execution, pipelineStageName="STAGE 1")
    again = (await account.client.resume_execution(wanted)).resume_execution
    assert again
    assert again.execution
    assert again.execution.id not in {None, execution}
