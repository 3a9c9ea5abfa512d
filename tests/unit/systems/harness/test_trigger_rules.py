"""What a trigger's configuration has to be, told before anything is sent."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from harness_client import enums

from provider_py.execution.connection import Connector
from provider_py.plugin import Change, Decoded, Path
from provider_py.systems.harness import trigger_rules
from provider_py.systems.harness.trigger import (
    HarnessArtifactSelection,
    HarnessNewArtifact,
    HarnessPipelineCompletion,
    HarnessSchedule,
    HarnessTrigger,
    HarnessTriggerAction,
    HarnessTriggerCondition,
    HarnessTriggerResource,
    HarnessWebhook,
    validate,
)

SCHEDULE = HarnessSchedule(cron="0 2 * * ?")
COMPLETION = HarnessPipelineCompletion(pipeline_id="p-1")
ARTIFACT = HarnessNewArtifact(artifact_source_id="s-1")


def condition(**given: Any) -> HarnessTriggerCondition:
    return HarnessTriggerCondition(**given)


def action(**given: Any) -> HarnessTriggerAction:
    return HarnessTriggerAction(**given)


def webhook(**given: Any) -> HarnessTriggerCondition:
    return condition(webhook=HarnessWebhook(**given))


def trigger(given: HarnessTriggerCondition | None = None, does: HarnessTriggerAction | None = None) -> HarnessTrigger:
    return HarnessTrigger(
        application_id="a-1",
        name="nightly",
        condition=given or condition(schedule=SCHEDULE),
        action=does or action(workflow_id="w-1"),
    )


def selecting(kind: str, **given: Any) -> HarnessTriggerAction:
    return action(workflow_id="w-1", artifact_selections=[HarnessArtifactSelection(service_id="s", type=kind, **given)])


def paths(given: HarnessTrigger, *unknown: str) -> list[Path]:
    return [found.path for found in validate(Decoded(given, frozenset(unknown)))]


@pytest.mark.parametrize(
    ("given", "unknown", "expected"),
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
def test_arguments_are_judged_together(given: HarnessTrigger, unknown: tuple[str, ...], expected: list[Path]) -> None:
    assert paths(given, *unknown) == expected


@pytest.mark.parametrize(
    ("kind", "fitting", "more"),
    [
        ("FROM_TRIGGERING_ARTIFACT", condition(new_artifact=ARTIFACT), {}),
        ("FROM_TRIGGERING_PIPELINE", condition(pipeline_completion=COMPLETION), {}),
        ("FROM_PAYLOAD_SOURCE", webhook(source="CUSTOM"), {}),
        ("LAST_COLLECTED", condition(schedule=SCHEDULE), {"artifact_source_id": "s-1"}),
        ("LAST_DEPLOYED_WORKFLOW", condition(schedule=SCHEDULE), {"workflow_id": "w-1"}),
        ("LAST_DEPLOYED_PIPELINE", condition(schedule=SCHEDULE), {"pipeline_id": "p-1"}),
    ],
)
def test_an_artifact_is_chosen_as_the_condition_allows(
    kind: str, fitting: HarnessTriggerCondition, more: dict[str, str]
) -> None:
    place: Path = ("action", "artifact_selections", 0)
    assert paths(trigger(fitting, selecting(kind, **more))) == []
    if more:
        assert paths(trigger(fitting, selecting(kind))) == [place]
    else:
        assert paths(trigger(condition(schedule=SCHEDULE), selecting(kind))) == [(*place, "type")]
        assert paths(trigger(webhook(source="GITHUB"), selecting(kind))) == [(*place, "type")]


def test_the_words_are_those_of_the_schema() -> None:
    assert set(trigger_rules.EVENTS["GITHUB"]) == {each.value for each in enums.GitHubEventType}
    assert set(trigger_rules.EVENTS["GITLAB"]) == {each.value for each in enums.GitlabEvent}
    assert set(trigger_rules.EVENTS["BITBUCKET"]) == {each.value for each in enums.BitbucketEvent}
    assert set(trigger_rules.GITHUB_ACTIONS) == {each.value for each in enums.GitHubAction}
    assert set(trigger_rules.SOURCES) == set(trigger_rules.EVENTS) == {each.value for each in enums.WebhookSource}
    assert set(trigger_rules.SELECTIONS) == {each.value for each in enums.ArtifactSelectionType}


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        (action(workflow_id="w-1"), action(workflow_id="w-2"), False),
        (action(workflow_id="w-1"), action(pipeline_id="p-1"), True),
        (action(pipeline_id="p-1"), action(workflow_id="w-1"), True),
        (action(workflow_id="w-1"), action(), False),
    ],
)
async def test_another_kind_of_execution_replaces(
    before: HarnessTriggerAction, after: HarnessTriggerAction, replaced: bool
) -> None:
    prior = dataclasses.replace(trigger(does=before), id="t-1")
    resource = HarnessTriggerResource(Connector("harness", lambda: None))
    planned = await resource.plan(Change(prior, Decoded(trigger(does=after)), frozenset({"action"})))
    assert bool(planned.replace) is replaced
    assert planned.unknown == frozenset()
