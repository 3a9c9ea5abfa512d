"""The GraphQL form of a trigger, and the calls that write and read it.

Names of triggers are unique in an application, which makes a creation without an answer decidable: a trigger of that
name that is not older than the request is the one that was created. What does not work is to conclude from a trigger
that is not there that none will be: the request may still be on its way.

What is false, empty or null in Harness is null here, as if it were not configured.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Final

import harness_client as gql

from provider_py.execution import Missing, Refused, Unanswered
from provider_py.systems.harness.config import SYSTEM
from provider_py.systems.harness.connection import CLOCK_SKEW_SECONDS, Harness, Input, omit_nulls
from provider_py.systems.harness.lookup import entity_ref, equals
from provider_py.systems.harness.trigger_model import (
    HarnessArtifactSelection,
    HarnessNewArtifact,
    HarnessPipelineCompletion,
    HarnessSchedule,
    HarnessTrigger,
    HarnessTriggerAction,
    HarnessTriggerCondition,
    HarnessWebhook,
    HarnessWebhookDetails,
)

_NAME_TAKEN: Final = "Choose another `name`, or adopt the existing trigger with `terraform import`."
_SELECTION_TYPES: Final = {
    "FromTriggeringArtifactSource": "FROM_TRIGGERING_ARTIFACT",
    "FromTriggeringPipeline": "FROM_TRIGGERING_PIPELINE",
    "FromWebhookPayload": "FROM_PAYLOAD_SOURCE",
    "LastCollected": "LAST_COLLECTED",
    "LastDeployedFromWorkflow": "LAST_DEPLOYED_WORKFLOW",
    "LastDeployedFromPipeline": "LAST_DEPLOYED_PIPELINE",
}


class NameTaken(Refused):
    """Another trigger has the name, so there can be none that a request has created."""


async def create(harness: Harness, planned: HarnessTrigger) -> HarnessTrigger:
    """Send `createTrigger` once. Raises Unanswered where it may have been carried out: see `find_created`."""
    request = _input(gql.CreateTriggerInput, planned)
    try:
        answer = (await harness.ask("createTrigger", harness.client.create_trigger(input=request))).create_trigger
    except Refused as fault:
        if "duplicate" in fault.reason.lower():
            raise NameTaken(SYSTEM, fault.reason, advice=_NAME_TAKEN) from fault
        raise
    if answer is None or answer.trigger is None:
        raise Unanswered(SYSTEM, "createTrigger was answered without a trigger")
    return _trigger(answer.trigger, planned.application_id)


async def find_created(
    harness: Harness, planned: HarnessTrigger, since: float, others: Container[str]
) -> HarnessTrigger | None:
    """Return the trigger that a request sent at `since` (seconds since the epoch) has created, if it shows already.

    Raises NameTaken if the trigger of this name was there before, or its ID is one of `others`.
    """
    request = harness.client.trigger_by_name(trigger_name=planned.name, application_id=planned.application_id)
    try:
        trigger = (await harness.ask("triggerByName", request)).trigger_by_name
    except Missing:
        return None
    if trigger is None:
        return None
    if trigger.id in others or (trigger.created_at or 0) / 1000 < since - CLOCK_SKEW_SECONDS:
        raise NameTaken(SYSTEM, f"a trigger of this name already exists, with the ID {trigger.id}", advice=_NAME_TAKEN)
    return _trigger(trigger, planned.application_id)


async def exists(harness: Harness, identifier: str) -> bool:
    """Whether there is a trigger with this ID."""
    try:
        answer = await harness.ask("trigger", harness.client.trigger(trigger_id=identifier))
    except Missing:
        return False
    return answer.trigger is not None and bool(answer.trigger.id)


async def read(harness: Harness, application: str, identifier: str) -> HarnessTrigger:
    """Return a trigger as Harness shows it; raises Missing if it does not exist."""
    answer = await harness.ask("trigger", harness.client.trigger(trigger_id=identifier))
    return _trigger(_existing(answer.trigger, identifier), application)


async def read_in_application(harness: Harness, application: str, identifier: str) -> HarnessTrigger:
    """Return a trigger; raises Missing if it belongs to another application, Refused if its condition is unknown."""
    condition = gql.TriggerFilter(application=equals(application), trigger=equals(identifier))
    page = (await harness.ask("triggers", harness.client.triggers(limit=1, filters=[condition]))).triggers
    nodes = [node for node in (page.nodes if page else None) or () if node is not None]
    trigger = _trigger(_existing(nodes[0] if nodes else None, identifier), application)
    if trigger.condition == HarnessTriggerCondition():
        reason = f"trigger {identifier!r} has a condition that this provider does not support, such as a new manifest"
        raise Refused(SYSTEM, reason)
    return trigger


async def update(harness: Harness, identifier: str, planned: HarnessTrigger) -> HarnessTrigger:
    """Send `updateTrigger` with the whole trigger."""
    request = _input(gql.UpdateTriggerInput, planned, triggerId=identifier)
    advice = "Unknown whether the trigger was changed; the next plan shows it."
    try:
        answer = (await harness.ask("updateTrigger", harness.client.update_trigger(input=request))).update_trigger
    except Unanswered as fault:
        raise Unanswered(SYSTEM, fault.reason, advice=advice) from fault
    if answer is None or answer.trigger is None:
        raise Unanswered(SYSTEM, "updateTrigger was answered without a trigger", advice=advice)
    return _trigger(answer.trigger, planned.application_id)


async def delete(harness: Harness, application: str, identifier: str) -> None:
    """Delete a trigger, if it exists; if the request is not answered, check whether it still does."""
    request = gql.DeleteTriggerInput(applicationId=application, triggerId=identifier)
    try:
        try:
            await harness.ask("deleteTrigger", harness.client.delete_trigger(input=request))
        except Unanswered:
            await read(harness, application, identifier)
            raise
    except Missing:
        return


def _existing(trigger: gql.TriggerDetails | None, identifier: str) -> gql.TriggerDetails:
    if trigger is None or not trigger.id:
        raise Missing(SYSTEM, f"there is no trigger {identifier!r} in the application")
    return trigger


def _input(make: Callable[..., Input], planned: HarnessTrigger, **more: str) -> Input:
    condition, action = _condition_input(planned.condition), _action_input(planned.action)
    texts = {"name": planned.name, "applicationId": planned.application_id, "description": planned.description}
    return omit_nulls(make(condition=condition, action=action, **texts, **more))


def _condition_input(condition: HarnessTriggerCondition) -> gql.TriggerConditionInput:
    types, make = gql.ConditionType, gql.TriggerConditionInput
    if (schedule := condition.schedule) is not None:
        cron = gql.ScheduleConditionInput(cronExpression=schedule.cron, onNewArtifactOnly=schedule.on_new_artifact_only)
        return make(conditionType=types.ON_SCHEDULE, scheduleConditionInput=cron)
    if (completion := condition.pipeline_completion) is not None:
        pipeline = gql.PipelineConditionInput(pipelineId=completion.pipeline_id)
        return make(conditionType=types.ON_PIPELINE_COMPLETION, pipelineConditionInput=pipeline)
    if (new := condition.new_artifact) is not None:
        artifact = gql.ArtifactConditionInput(
            artifactSourceId=new.artifact_source_id, artifactFilter=new.artifact_filter, regex=new.regex
        )
        return make(conditionType=types.ON_NEW_ARTIFACT, artifactConditionInput=artifact)
    if condition.webhook is not None:
        return make(conditionType=types.ON_WEBHOOK, webhookConditionInput=_webhook_input(condition.webhook))
    raise Refused(SYSTEM, "the trigger has no condition")


def _webhook_input(webhook: HarnessWebhook) -> gql.WebhookConditionInput:
    source, event, action = webhook.source, webhook.event, webhook.action
    github = bitbucket = gitlab = None
    if source == "GITHUB" and event is not None:
        github = gql.GitHubEvent(
            event=gql.GitHubEventType(event), action=None if action is None else gql.GitHubAction(action)
        )
    elif source == "BITBUCKET" and event is not None:
        bitbucket = gql.BitbucketEvent(event)
    elif source == "GITLAB" and event is not None:
        gitlab = gql.GitlabEvent(event)
    return gql.WebhookConditionInput(
        webhookSourceType=gql.WebhookSource(source),
        githubEvent=github,
        bitbucketEvent=bitbucket,
        gitlabEvent=gitlab,
        branchName=webhook.branch_name,
        branchRegex=webhook.branch_regex,
        repoName=webhook.repo_name,
        filePaths=None if webhook.file_paths is None else list(webhook.file_paths),
        deployOnlyIfFilesChanged=webhook.deploy_only_if_files_changed,
        gitConnectorId=webhook.git_connector_id,
        webhookSecret=webhook.secret,
    )


def _action_input(action: HarnessTriggerAction) -> gql.TriggerActionInput:
    ref, types = entity_ref(workflow_id=action.workflow_id, pipeline_id=action.pipeline_id), gql.VariableValueType
    if ref is None:
        raise Refused(SYSTEM, "the trigger has nothing to start")
    values = [
        (name, types.EXPRESSION if "${" in value else types.NAME, value)
        for name, value in (action.variables or {}).items()
    ]
    values += [(name, types.ID, value) for name, value in (action.variable_ids or {}).items()]
    return gql.TriggerActionInput(
        executionType=gql.ExecutionType(ref.kind.upper()),
        entityId=ref.value,
        variables=[
            gql.VariableInput(name=name, variableValue=gql.VariableValue(type=type_, value=value))
            for name, type_, value in values
        ],
        artifactSelections=[_selection_input(selection) for selection in action.artifact_selections or ()],
        excludeHostsWithSameArtifact=action.exclude_hosts_with_same_artifact,
        continueWithDefaultValues=action.continue_with_default_values,
    )


def _selection_input(selection: HarnessArtifactSelection) -> gql.ArtifactSelectionInput:
    return gql.ArtifactSelectionInput(
        serviceId=selection.service_id,
        artifactSelectionType=gql.ArtifactSelectionType(selection.type),
        artifactSourceId=selection.artifact_source_id,
        regex=selection.regex,
        artifactFilter=selection.artifact_filter,
        workflowId=selection.workflow_id,
        pipelineId=selection.pipeline_id,
    )


def _trigger(trigger: gql.TriggerDetails, application: str) -> HarnessTrigger:
    condition = trigger.condition
    details = None
    if isinstance(condition, gql.TriggerDetailsConditionOnWebhook):
        details = condition.webhook_details
    return HarnessTrigger(
        id=trigger.id,
        application_id=application,
        name=trigger.name or "",
        description=trigger.description or None,
        condition=_condition(trigger),
        action=_action(trigger),
        webhook_details=None
        if details is None
        else HarnessWebhookDetails(
            url=details.webhook_url, method=details.method, header=details.header, payload=details.payload
        ),
    )


def _condition(trigger: gql.TriggerDetails) -> HarnessTriggerCondition:
    """Return the condition; an empty one stands for what this provider does not support."""
    match trigger.condition:
        case gql.TriggerDetailsConditionOnSchedule() as condition:
            schedule = HarnessSchedule(
                cron=condition.cron_expression, on_new_artifact_only=condition.on_new_artifact_only or None
            )
            return HarnessTriggerCondition(schedule=schedule)
        case gql.TriggerDetailsConditionOnPipelineCompletion() as condition:
            completion = HarnessPipelineCompletion(pipeline_id=condition.pipeline_id or "")
            return HarnessTriggerCondition(pipeline_completion=completion)
        case gql.TriggerDetailsConditionOnNewArtifact() as condition:
            artifact = HarnessNewArtifact(
                artifact_source_id=condition.artifact_source_id or "",
                artifact_filter=condition.artifact_filter or None,
                regex=condition.regex or None,
            )
            return HarnessTriggerCondition(new_artifact=artifact)
        case gql.TriggerDetailsConditionOnWebhook() as condition:
            return HarnessTriggerCondition(webhook=_webhook(condition))
        case _:
            return HarnessTriggerCondition()


def _webhook(condition: gql.TriggerDetailsConditionOnWebhook) -> HarnessWebhook:
    event = condition.webhook_event
    return HarnessWebhook(
        source=condition.webhook_source.value if condition.webhook_source else "CUSTOM",
        event=event.event.upper() if event and event.event else None,
        action=event.action.upper() if event and event.action else None,
        branch_name=condition.branch_name or None,
        branch_regex=condition.branch_regex or None,
        repo_name=condition.repo_name or None,
        file_paths=[path for path in condition.file_paths or () if path] or None,
        deploy_only_if_files_changed=condition.deploy_only_if_files_changed or None,
        git_connector_id=condition.git_connector_id or None,
    )


def _action(trigger: gql.TriggerDetails) -> HarnessTriggerAction:
    action = trigger.action
    workflow_id = pipeline_id = continues = None
    match action:
        case gql.TriggerDetailsActionWorkflowAction():
            workflow_id = action.workflow_id
        case gql.TriggerDetailsActionPipelineAction():
            pipeline_id, continues = action.pipeline_id, action.continue_with_default_values
    variables = (action.variables if action else None) or ()
    selections = (action.artifact_selections if action else None) or ()
    return HarnessTriggerAction(
        workflow_id=workflow_id,
        pipeline_id=pipeline_id,
        variables={pair.name: pair.value or "" for pair in variables if pair and pair.name} or None,
        artifact_selections=[_selection(selection) for selection in selections if selection] or None,
        exclude_hosts_with_same_artifact=trigger.exclude_hosts_with_same_artifact or None,
        continue_with_default_values=continues or None,
    )


def _selection(selection: gql.base_model.BaseModel) -> HarnessArtifactSelection:
    """Read one of fifteen generated classes, whose fields, as far as they have them, are named as ours are."""
    fields = {name: value or None for name, value in selection.model_dump(exclude={"service_name"}).items()}
    typename, service_id = str(fields.pop("typename__")), fields.pop("service_id") or ""
    return HarnessArtifactSelection(service_id=service_id, type=_SELECTION_TYPES.get(typename, typename), **fields)
