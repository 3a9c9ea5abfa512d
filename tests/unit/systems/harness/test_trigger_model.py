"""The rules for the configuration of a trigger, which are checked before anything is sent."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from harness_client import enums

from provider_py.execution import Connector, Journal, Runtime
from provider_py.plugin import Change, Decoded, Path
from provider_py.systems.harness import trigger_model
from provider_py.systems.harness.trigger import HarnessTriggerResource
from provider_py.systems.harness.trigger_model import (
    HarnessArtifactSelection,
    HarnessNewArtifact,
    HarnessPipelineCompletion,
    HarnessSchedule,
    HarnessTrigger,
    HarnessTriggerAction,
    HarnessTriggerCondition,
    HarnessWebhook,
    validate,
)

SCHEDULE = HarnessSchedule(cron="0 2 * * ?")
COMPLETION = HarnessPipelineCompletion(pipeline_id="p-1")
ARTIFACT = HarnessNewArtifact(artifact_source_id="s-1")


def condition(**arguments: Any) -> HarnessTriggerCondition:
    return HarnessTriggerCondition(**arguments)


def action(**arguments: Any) -> HarnessTriggerAction:
    return HarnessTriggerAction(**arguments)


def webhook(**arguments: Any) -> HarnessTriggerCondition:
    return condition(webhook=HarnessWebhook(**arguments))


def trigger(when: HarnessTriggerCondition | None = None, does: HarnessTriggerAction | None = None) -> HarnessTrigger:
    return HarnessTrigger(
        application_id="a-1",
        name="nightly",
        condition=when or condition(schedule=SCHEDULE),
        action=does or action(workflow_id="w-1"),
    )


def selecting(type_: str, **arguments: Any) -> HarnessTriggerAction:
    selection = HarnessArtifactSelection(service_id="s", type=type_, **arguments)
    return action(workflow_id="w-1", artifact_selections=[selection])


def paths(configured: HarnessTrigger, *unknown: str) -> list[Path]:
    return [diagnostic.path for diagnostic in validate(Decoded(configured, frozenset(unknown)))]


@pytest.mark.parametrize(
    ("configured", "unknown", "expected"),
    [
        (trigger(), (), []),
        (trigger(condition()), (), [("condition",)]),
        (trigger(condition()), ("condition",), []),
        (trigger(condition(schedule=SCHEDULE, new_artifact=ARTIFACT)), (), [("condition", "new_artifact")]),
        (trigger(condition(schedule=SCHEDULE, new_artifact=ARTIFACT)), ("condition",), [("condition", "new_artifact")]),
        (trigger(does=action()), (), [("action",)]),
        (trigger(does=action()), ("action",), []),
        (trigger(does=action(workflow_id="w", pipeline_id="p")), (), [("action", "pipeline_id")]),
        (
            trigger(does=action(workflow_id="w", continue_with_default_values=True)),
            (),
            [("action", "continue_with_default_values")],
        ),
        (trigger(does=action(pipeline_id="p", continue_with_default_values=True)), (), []),
        (
            trigger(does=action(workflow_id="w", variables={"a": "1"}, variable_ids={"a": "2"})),
            (),
            [("action", "variable_ids")],
        ),
        (trigger(webhook(source="CUSTOM")), (), []),
        (trigger(webhook(source="CUSTOM", event="PUSH")), (), [("condition", "webhook", "event")]),
        (trigger(webhook(source="GITHUB", event="PULL_REQUEST", action="OPENED")), (), []),
        (trigger(webhook(source="GITHUB", event="MERGE")), (), [("condition", "webhook", "event")]),
        (trigger(webhook(source="GITHUB", event="PUSH", action="PUSHED")), (), [("condition", "webhook", "action")]),
        (trigger(webhook(source="GITLAB", event="PUSH", action="OPENED")), (), [("condition", "webhook", "action")]),
        (trigger(webhook(source="BITBUCKET", event="PULL_REQUEST_MERGED")), (), []),
    ],
)
def test_arguments_are_validated_against_each_other(
    configured: HarnessTrigger, unknown: tuple[str, ...], expected: list[Path]
) -> None:
    assert paths(configured, *unknown) == expected


@pytest.mark.parametrize(
    ("type_", "valid", "required"),
    [
        ("FROM_TRIGGERING_ARTIFACT", condition(new_artifact=ARTIFACT), {}),
        ("FROM_TRIGGERING_PIPELINE", condition(pipeline_completion=COMPLETION), {}),
        ("FROM_PAYLOAD_SOURCE", webhook(source="CUSTOM"), {}),
        ("LAST_COLLECTED", condition(schedule=SCHEDULE), {"artifact_source_id": "s-1"}),
        ("LAST_DEPLOYED_WORKFLOW", condition(schedule=SCHEDULE), {"workflow_id": "w-1"}),
        ("LAST_DEPLOYED_PIPELINE", condition(schedule=SCHEDULE), {"pipeline_id": "p-1"}),
    ],
)
def test_artifact_selection_requires_its_condition_or_attribute(
    type_: str, valid: HarnessTriggerCondition, required: dict[str, str]
) -> None:
    path: Path = ("action", "artifact_selections", 0)
    assert paths(trigger(valid, selecting(type_, **required))) == []
    if required:
        assert paths(trigger(valid, selecting(type_))) == [path]
    else:
        assert paths(trigger(condition(schedule=SCHEDULE), selecting(type_))) == [(*path, "type")]
        assert paths(trigger(webhook(source="GITHUB"), selecting(type_))) == [(*path, "type")]


def test_enumerations_match_the_schema() -> None:
    assert set(trigger_model.EVENTS["GITHUB"]) == {word.value for word in enums.GitHubEventType}
    assert set(trigger_model.EVENTS["GITLAB"]) == {word.value for word in enums.GitlabEvent}
    assert set(trigger_model.EVENTS["BITBUCKET"]) == {word.value for word in enums.BitbucketEvent}
    assert set(trigger_model.GITHUB_ACTIONS) == {word.value for word in enums.GitHubAction}
    assert set(trigger_model.SOURCES) == set(trigger_model.EVENTS) == {word.value for word in enums.WebhookSource}
    assert set(trigger_model.SELECTIONS) == {word.value for word in enums.ArtifactSelectionType}


def no_journal() -> Journal:
    raise AssertionError("this plan must not need the journal")


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        (action(workflow_id="w-1"), action(workflow_id="w-2"), False),
        (action(workflow_id="w-1"), action(pipeline_id="p-1"), True),
        (action(pipeline_id="p-1"), action(workflow_id="w-1"), True),
        (action(workflow_id="w-1"), action(), False),
    ],
)
async def test_changing_between_workflow_and_pipeline_replaces(
    before: HarnessTriggerAction, after: HarnessTriggerAction, replaced: bool
) -> None:
    prior = dataclasses.replace(trigger(does=before), id="t-1")
    resource = HarnessTriggerResource(Connector("harness", lambda: None), no_journal, Runtime(asyncio.Event()))
    planned = await resource.plan(Change(prior, Decoded(trigger(does=after)), frozenset({"action"})))
    assert bool(planned.replace) is replaced
    assert planned.unknown == frozenset()
