"""A trigger in the forms of the generated client: the input that is sent, and the record that is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness_client import TriggerActionInput, TriggerConditionInput, TriggerDetails

from provider_py.execution.errors import Refused
from provider_py.systems.harness.settings import SYSTEM
from provider_py.systems.harness.trigger import (
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

_EVENT_FIELDS: Final = {"BITBUCKET": "bitbucketEvent", "GITLAB": "gitlabEvent"}
_SELECTION_TYPES: Final = {
    "FromTriggeringArtifactSource": "FROM_TRIGGERING_ARTIFACT",
    "FromTriggeringPipeline": "FROM_TRIGGERING_PIPELINE",
    "FromWebhookPayload": "FROM_PAYLOAD_SOURCE",
    "LastCollected": "LAST_COLLECTED",
    "LastDeployedFromWorkflow": "LAST_DEPLOYED_WORKFLOW",
    "LastDeployedFromPipeline": "LAST_DEPLOYED_PIPELINE",
}


def write(planned: HarnessTrigger) -> dict[str, Any]:
    """Return what the mutations' inputs have in common."""
    return _given(
        name=planned.name,
        applicationId=planned.application_id,
        description=planned.description,
        condition=TriggerConditionInput.model_validate(_condition_input(planned.condition)),
        action=TriggerActionInput.model_validate(_action_input(planned.action)),
    )


def _condition_input(condition: HarnessTriggerCondition) -> Mapping[str, Any]:
    if (schedule := condition.schedule) is not None:
        cron = _given(cronExpression=schedule.cron, onNewArtifactOnly=schedule.on_new_artifact_only)
        return {"conditionType": "ON_SCHEDULE", "scheduleConditionInput": cron}
    if (completion := condition.pipeline_completion) is not None:
        pipeline = {"pipelineId": completion.pipeline_id}
        return {"conditionType": "ON_PIPELINE_COMPLETION", "pipelineConditionInput": pipeline}
    if (new := condition.new_artifact) is not None:
        source = _given(artifactSourceId=new.artifact_source_id, artifactFilter=new.artifact_filter, regex=new.regex)
        return {"conditionType": "ON_NEW_ARTIFACT", "artifactConditionInput": source}
    if condition.webhook is not None:
        return {"conditionType": "ON_WEBHOOK", "webhookConditionInput": _webhook_input(condition.webhook)}
    raise Refused(SYSTEM, "the trigger has no condition")


def _webhook_input(webhook: HarnessWebhook) -> dict[str, Any]:
    event: dict[str, Any] = {}
    if webhook.source == "GITHUB" and webhook.event is not None:
        event = {"githubEvent": _given(event=webhook.event, action=webhook.action)}
    elif webhook.source in _EVENT_FIELDS and webhook.event is not None:
        event = {_EVENT_FIELDS[webhook.source]: webhook.event}
    return event | _given(
        webhookSourceType=webhook.source,
        branchName=webhook.branch_name,
        branchRegex=webhook.branch_regex,
        repoName=webhook.repo_name,
        filePaths=webhook.file_paths,
        deployOnlyIfFilesChanged=webhook.deploy_only_if_files_changed,
        gitConnectorId=webhook.git_connector_id,
        webhookSecret=webhook.secret,
    )


def _action_input(action: HarnessTriggerAction) -> dict[str, Any]:
    named = [
        _variable(name, "EXPRESSION" if "${" in value else "NAME", value) for name, value in _pairs(action.variables)
    ]
    by_id = [_variable(name, "ID", value) for name, value in _pairs(action.variable_ids)]
    return _given(
        executionType="WORKFLOW" if action.workflow_id is not None else "PIPELINE",
        entityId=action.workflow_id or action.pipeline_id,
        variables=[*named, *by_id],
        artifactSelections=[_selection_input(each) for each in action.artifact_selections or ()],
        excludeHostsWithSameArtifact=action.exclude_hosts_with_same_artifact,
        continueWithDefaultValues=action.continue_with_default_values,
    )


def _selection_input(selection: HarnessArtifactSelection) -> dict[str, Any]:
    return _given(
        serviceId=selection.service_id,
        artifactSelectionType=selection.type,
        artifactSourceId=selection.artifact_source_id,
        regex=selection.regex,
        artifactFilter=selection.artifact_filter,
        workflowId=selection.workflow_id,
        pipelineId=selection.pipeline_id,
    )


def _pairs(values: Mapping[str, str] | None) -> list[tuple[str, str]]:
    return list((values or {}).items())


def _variable(name: str, kind: str, value: str) -> dict[str, Any]:
    return {"name": name, "variableValue": {"type": kind, "value": value}}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def trigger(found: TriggerDetails, application: str) -> HarnessTrigger:
    """Read a trigger; what is false, empty or null in Harness is null here, as if it were not configured."""
    details = getattr(found.condition, "webhook_details", None)
    action = _action(found)
    return HarnessTrigger(
        id=found.id,
        application_id=application,
        name=found.name or "",
        description=found.description or None,
        condition=_condition(found.condition),
        action=action,
        webhook_details=HarnessWebhookDetails(
            url=details.webhook_url,
            method=details.method,
            header=details.header,
            payload=details.payload,
        )
        if details
        else None,
    )


def _condition(found: Any) -> HarnessTriggerCondition:
    kind = found.typename__ if found is not None else ""
    if kind == "OnSchedule":
        schedule = HarnessSchedule(cron=found.cron_expression, on_new_artifact_only=found.on_new_artifact_only or None)
        return HarnessTriggerCondition(schedule=schedule)
    if kind == "OnPipelineCompletion":
        completion = HarnessPipelineCompletion(pipeline_id=found.pipeline_id or "")
        return HarnessTriggerCondition(pipeline_completion=completion)
    if kind == "OnNewArtifact":
        new = HarnessNewArtifact(
            artifact_source_id=found.artifact_source_id or "",
            artifact_filter=found.artifact_filter or None,
            regex=found.regex or None,
        )
        return HarnessTriggerCondition(new_artifact=new)
    if kind == "OnWebhook":
        return HarnessTriggerCondition(webhook=_webhook(found))
    return HarnessTriggerCondition()


def _webhook(found: Any) -> HarnessWebhook:
    event = found.webhook_event
    return HarnessWebhook(
        source=str(found.webhook_source.value) if found.webhook_source else "CUSTOM",
        event=event.event.upper() if event and event.event else None,
        action=event.action.upper() if event and event.action else None,
        branch_name=found.branch_name or None,
        branch_regex=found.branch_regex or None,
        repo_name=found.repo_name or None,
        file_paths=[path for path in found.file_paths or () if path] or None,
        deploy_only_if_files_changed=found.deploy_only_if_files_changed or None,
        git_connector_id=found.git_connector_id or None,
    )


def _action(found: TriggerDetails) -> HarnessTriggerAction:
    action: Any = found.action
    variables = {each.name: each.value or "" for each in getattr(action, "variables", None) or () if each and each.name}
    selections = [_selection(each) for each in getattr(action, "artifact_selections", None) or () if each]
    return HarnessTriggerAction(
        workflow_id=getattr(action, "workflow_id", None),
        pipeline_id=getattr(action, "pipeline_id", None),
        variables=variables or None,
        artifact_selections=selections or None,
        exclude_hosts_with_same_artifact=found.exclude_hosts_with_same_artifact or None,
        continue_with_default_values=getattr(action, "continue_with_default_values", None) or None,
    )


def _selection(found: Any) -> HarnessArtifactSelection:
    optional = ("artifact_source_id", "regex", "artifact_filter", "workflow_id", "pipeline_id")
    return HarnessArtifactSelection(
        service_id=found.service_id or "",
        type=_SELECTION_TYPES.get(found.typename__, found.typename__),
        **{name: getattr(found, name, None) or None for name in optional},
    )
