"""Resolvers of triggers, which are stored and shown but never fire."""

from __future__ import annotations

from collections.abc import Sequence

from provider_py.sandbox.harness.account import Account, Call
from provider_py.sandbox.harness.catalog import Application, GraphQLObject, Trigger, new_id
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.inputs import NamedValue, VariableInput
from provider_py.sandbox.harness.registry import Input, payload
from provider_py.sandbox.harness.resolvers import Resolver, listing
from provider_py.sandbox.harness.start import find_entity

_CONDITIONS = {
    "ON_NEW_ARTIFACT": ("NEW_ARTIFACT", "OnNewArtifact", "artifact_condition_input"),
    "ON_PIPELINE_COMPLETION": ("PIPELINE_COMPLETION", "OnPipelineCompletion", "pipeline_condition_input"),
    "ON_SCHEDULE": ("SCHEDULED", "OnSchedule", "schedule_condition_input"),
    "ON_WEBHOOK": ("WEBHOOK", "OnWebhook", "webhook_condition_input"),
    "ON_NEW_MANIFEST": ("NEW_MANIFEST", "OnNewManifest", "manifest_condition_input"),
}
"""By type: the type that is shown, its GraphQL type, and the member of the input that is read."""
_SELECTIONS = {
    "FROM_TRIGGERING_ARTIFACT": "FromTriggeringArtifactSource",
    "FROM_TRIGGERING_PIPELINE": "FromTriggeringPipeline",
    "FROM_PAYLOAD_SOURCE": "FromWebhookPayload",
    "LAST_COLLECTED": "LastCollected",
    "LAST_DEPLOYED_WORKFLOW": "LastDeployedFromWorkflow",
    "LAST_DEPLOYED_PIPELINE": "LastDeployedFromPipeline",
}
_REQUIRED_CONDITIONS = {
    "FROM_TRIGGERING_ARTIFACT": "ON_NEW_ARTIFACT",
    "FROM_TRIGGERING_PIPELINE": "ON_PIPELINE_COMPLETION",
    "FROM_PAYLOAD_SOURCE": "ON_WEBHOOK",
}


def _condition(call: Call, trigger_id: str, input_: Input) -> GraphQLObject:
    shown_type, graphql_type, member = _CONDITIONS[input_["condition_type"]]
    details = input_.get(member)
    if details is None:
        raise invalid(f"The input of the condition must not be null for condition type {input_['condition_type']}")
    fields = dict(details)
    if graphql_type == "OnSchedule":
        fields["cron_description"] = f"At {fields['cron_expression']}"
    if graphql_type == "OnWebhook":
        fields |= _webhook(call, trigger_id, details)
    return GraphQLObject(graphql_type, trigger_condition_type=shown_type, **fields)


def _webhook(call: Call, trigger_id: str, details: Input) -> dict[str, object]:
    event = details.get("github_event") or {}
    event_type = details.get("bitbucket_event") or details.get("gitlab_event") or event.get("event")
    return {
        "webhook_source": details["webhook_source_type"],
        "webhook_event": GraphQLObject("WebhookEvent", event=event_type, action=event.get("action")),
        "webhook_details": GraphQLObject(
            "WebhoookDetails",
            webhook_url=f"{call.gateway}/webhooks/{trigger_id}",
            method="POST",
            header="content-type: application/json",
            payload="{}",
        ),
    }


def _action(application: Application, input_: Input, condition_type: str) -> GraphQLObject:
    entity = find_entity(application, input_["entity_id"], input_["execution_type"])
    entity_type = input_["execution_type"].lower()
    variables: Sequence[VariableInput] = input_.get("variables") or []
    fields: dict[str, object] = {
        f"{entity_type}_id": entity.id,
        f"{entity_type}_name": entity.name,
        "variables": [NamedValue(item.name, item.variable_value.value) for item in variables],
        "artifact_selections": [
            _selection(application, item, condition_type) for item in input_.get("artifact_selections") or []
        ],
        "manifest_selections": [],
        "continue_with_default_values": input_.get("continue_with_default_values"),
    }
    return GraphQLObject("WorkflowAction" if entity_type == "workflow" else "PipelineAction", **fields)


def _selection(application: Application, input_: Input, condition_type: str) -> GraphQLObject:
    selection = input_["artifact_selection_type"]
    if _REQUIRED_CONDITIONS.get(selection, condition_type) != condition_type:
        raise invalid(f"{selection} can be used only with {_REQUIRED_CONDITIONS[selection]} Condition Type")
    service = next((item for item in application.services if item.id == input_["service_id"]), None)
    if service is None:
        raise invalid("Service doesn't exist")
    fields = {key: value for key, value in input_.items() if key != "artifact_selection_type"}
    return GraphQLObject(_SELECTIONS[selection], **fields, service_name=service.name)


def _build(call: Call, trigger_id: str, created_at: float, input_: Input) -> Trigger:
    application = call.account.application(input_["application_id"])
    if not input_["name"].strip():
        raise invalid("Trigger name must not be empty")
    condition_type = input_["condition"]["condition_type"]
    action = _action(application, input_["action"], condition_type)
    return Trigger(
        trigger_id,
        input_["name"],
        input_.get("description"),
        application,
        _condition(call, trigger_id, input_["condition"]),
        action,
        created_at,
        input_["action"].get("exclude_hosts_with_same_artifact"),
        input_["action"]["execution_type"],
    )


def _find(account: Account, trigger_id: str) -> Trigger:
    trigger = account.triggers.get(trigger_id)
    if trigger is None:
        raise invalid("Trigger doesn't exist")
    return trigger


def _create(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    trigger = _build(call, new_id(), call.account.now, input_)
    if any(
        other.name == trigger.name and other.application is trigger.application
        for other in call.account.triggers.values()
    ):
        raise invalid(f"Duplicate name {trigger.name}")
    call.account.triggers[trigger.id] = trigger
    return payload(input_, trigger=trigger)


def _update(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    earlier = _find(call.account, input_["trigger_id"])
    if input_["action"]["execution_type"] != earlier.execution_type:
        raise invalid("Execution Type cannot be changed")
    trigger = _build(call, earlier.id, earlier.created_at, input_)
    call.account.triggers[trigger.id] = trigger
    return payload(input_, trigger=trigger)


def _delete(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    call.account.application(input_["application_id"])
    call.account.triggers.pop(_find(call.account, input_["trigger_id"]).id)
    return payload(input_)


def _trigger(_: object, call: Call, *, trigger_id: str) -> Trigger:
    return _find(call.account, trigger_id)


def _trigger_by_name(_: object, call: Call, *, trigger_name: str, application_id: str) -> Trigger:
    for trigger in call.account.triggers.values():
        if trigger.name == trigger_name and trigger.application.id == application_id:
            return trigger
    raise invalid(f"Trigger {trigger_name} does not exist in input_ application {application_id}")


RESOLVERS: dict[str, Resolver] = {
    "Query.trigger": _trigger,
    "Query.triggerByName": _trigger_by_name,
    "Query.triggers": listing(
        lambda call: call.account.triggers.values(),
        lambda trigger: {"trigger": trigger.id, "application": trigger.application.id},
    ),
    "Mutation.createTrigger": _create,
    "Mutation.updateTrigger": _update,
    "Mutation.deleteTrigger": _delete,
}
