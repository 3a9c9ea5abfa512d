"""Triggers: kept, shown and removed; none of them ever goes off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provider_py.sandbox.harness.account import Account, Call
from provider_py.sandbox.harness.catalog import Application, Shown, Trigger, new_id
from provider_py.sandbox.harness.filters import Connection, page
from provider_py.sandbox.harness.inputs import VariableInput
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.selection import Filters, meets
from provider_py.sandbox.harness.start import find_entity

Given = Mapping[str, Any]
_CONDITIONS = {
    "ON_NEW_ARTIFACT": ("NEW_ARTIFACT", "OnNewArtifact", "artifact_condition_input"),
    "ON_PIPELINE_COMPLETION": ("PIPELINE_COMPLETION", "OnPipelineCompletion", "pipeline_condition_input"),
    "ON_SCHEDULE": ("SCHEDULED", "OnSchedule", "schedule_condition_input"),
    "ON_WEBHOOK": ("WEBHOOK", "OnWebhook", "webhook_condition_input"),
    "ON_NEW_MANIFEST": ("NEW_MANIFEST", "OnNewManifest", "manifest_condition_input"),
}
"""By the type that is given: the type that is answered, its GraphQL type, the input that counts."""
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


@dataclass(frozen=True, slots=True)
class TriggerVariableValue:
    """A value a trigger gives to a variable."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Payload:
    """The answer of a mutation."""

    client_mutation_id: str | None
    trigger: Trigger | None = None


def _condition(call: Call, trigger_id: str, given: Given) -> Shown:
    shown, graphql_type, key = _CONDITIONS[given["condition_type"]]
    details = given.get(key)
    if details is None:
        raise invalid(f"The input of the condition must not be null for condition type {given['condition_type']}")
    fields = dict(details)
    if graphql_type == "OnSchedule":
        fields["cron_description"] = f"At {fields['cron_expression']}"
    if graphql_type == "OnWebhook":
        fields |= _webhook(call, trigger_id, details)
    return Shown(graphql_type, trigger_condition_type=shown, **fields)


def _webhook(call: Call, trigger_id: str, details: Given) -> dict[str, object]:
    event = details.get("github_event") or {}
    named = details.get("bitbucket_event") or details.get("gitlab_event") or event.get("event")
    return {
        "webhook_source": details["webhook_source_type"],
        "webhook_event": Shown("WebhookEvent", event=named, action=event.get("action")),
        "webhook_details": Shown(
            "WebhoookDetails",
            webhook_url=f"{call.portal.split('/#')[0]}/gateway/api/webhooks/{trigger_id}",
            method="POST",
            header="content-type: application/json",
            payload="{}",
        ),
    }


def _action(application: Application, given: Given, condition_type: str) -> Shown:
    entity = find_entity(application, given["entity_id"], given["execution_type"])
    kind = given["execution_type"].lower()
    variables: Sequence[VariableInput] = given.get("variables") or []
    fields: dict[str, object] = {
        f"{kind}_id": entity.id,
        f"{kind}_name": entity.name,
        "variables": [TriggerVariableValue(item.name, item.variable_value.value) for item in variables],
        "artifact_selections": [
            _selection(application, item, condition_type) for item in given.get("artifact_selections") or []
        ],
        "manifest_selections": [],
        "continue_with_default_values": given.get("continue_with_default_values"),
    }
    return Shown("WorkflowAction" if kind == "workflow" else "PipelineAction", **fields)


def _selection(application: Application, given: Given, condition_type: str) -> Shown:
    kind = given["artifact_selection_type"]
    if _REQUIRED_CONDITIONS.get(kind, condition_type) != condition_type:
        raise invalid(f"{kind} can be used only with {_REQUIRED_CONDITIONS[kind]} Condition Type")
    service = next((item for item in application.services if item.id == given["service_id"]), None)
    if service is None:
        raise invalid("Service doesn't exist")
    fields = {key: value for key, value in given.items() if key != "artifact_selection_type"}
    return Shown(_SELECTIONS[kind], **fields, service_name=service.name)


def _build(call: Call, trigger_id: str, created_at: float, given: Given) -> Trigger:
    application = call.account.application(given["application_id"])
    if not given["name"].strip():
        raise invalid("Trigger name must not be empty")
    condition_type = given["condition"]["condition_type"]
    action = _action(application, given["action"], condition_type)
    return Trigger(
        trigger_id,
        given["name"],
        given.get("description"),
        application,
        _condition(call, trigger_id, given["condition"]),
        action,
        created_at,
        given["action"].get("exclude_hosts_with_same_artifact"),
        given["action"]["execution_type"],
    )


def _find(account: Account, trigger_id: str) -> Trigger:
    trigger = account.triggers.get(trigger_id)
    if trigger is None:
        raise invalid("Trigger doesn't exist")
    return trigger


def _create(_: object, call: Call, *, given: Given) -> Payload:
    trigger = _build(call, new_id(), call.account.now, given)
    if any(
        other.name == trigger.name and other.application is trigger.application
        for other in call.account.triggers.values()
    ):
        raise invalid(f"Duplicate name {trigger.name}")
    call.account.triggers[trigger.id] = trigger
    return Payload(given.get("client_mutation_id"), trigger)


def _update(_: object, call: Call, *, given: Given) -> Payload:
    earlier = _find(call.account, given["trigger_id"])
    if given["action"]["execution_type"] != earlier.execution_type:
        raise invalid("Execution Type cannot be changed")
    trigger = _build(call, earlier.id, earlier.created_at, given)
    call.account.triggers[trigger.id] = trigger
    return Payload(given.get("client_mutation_id"), trigger)


def _delete(_: object, call: Call, *, given: Given) -> Payload:
    call.account.application(given["application_id"])
    call.account.triggers.pop(_find(call.account, given["trigger_id"]).id)
    return Payload(given.get("client_mutation_id"))


def _trigger(_: object, call: Call, *, trigger_id: str) -> Trigger:
    return _find(call.account, trigger_id)


def _trigger_by_name(_: object, call: Call, *, trigger_name: str, application_id: str) -> Trigger:
    for trigger in call.account.triggers.values():
        if trigger.name == trigger_name and trigger.application.id == application_id:
            return trigger
    raise invalid(f"Trigger {trigger_name} does not exist in given application {application_id}")


def _triggers(
    _: object,
    call: Call,
    *,
    limit: int,
    offset: int | None = None,
    filters: Filters = None,
) -> Connection:
    def shown(trigger: Trigger) -> dict[str, object]:
        return {"trigger": trigger.id, "application": trigger.application.id}

    chosen = [trigger for trigger in call.account.triggers.values() if meets(call, shown(trigger), filters)]
    return page(chosen, limit, offset)


RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.trigger": _trigger,
    "Query.triggerByName": _trigger_by_name,
    "Query.triggers": _triggers,
    "Mutation.createTrigger": _create,
    "Mutation.updateTrigger": _update,
    "Mutation.deleteTrigger": _delete,
}
