"""Triggers: made, read, changed, removed."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.sandbox.specs import spec_file
from tests.contract.sandbox.harness.requests import APPLICATION, Harness, variables

OPERATIONS = (spec_file("harness", "schema.graphql").parent / "operations" / "triggers.graphql").read_text()
SCHEDULE = {"conditionType": "ON_SCHEDULE", "scheduleConditionInput": {"cronExpression": "0 2 * * ?"}}


async def run(harness: Harness, operation: str, given: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = (await harness.post(OPERATIONS, given, operationName=operation)).json()
    return answer


async def trigger_input(harness: Harness, **more: Any) -> dict[str, Any]:
    action = {
        "executionType": "WORKFLOW",
        "entityId": await harness.workflow_id("restart"),
        "variables": variables(a="1"),
    }
    return {"name": "nightly", "applicationId": APPLICATION, "condition": SCHEDULE, "action": action, **more}


async def create(harness: Harness, **more: Any) -> dict[str, Any]:
    answer = await run(harness, "createTrigger", {"input": await trigger_input(harness, **more)})
    assert "errors" not in answer, answer
    trigger: dict[str, Any] = answer["data"]["createTrigger"]["trigger"]
    return trigger


async def test_a_trigger_is_made_and_found(harness: Harness) -> None:
    made = await create(harness)
    by_id = await run(harness, "trigger", {"triggerId": made["id"]})
    by_name = await run(harness, "triggerByName", {"triggerName": "nightly", "applicationId": APPLICATION})

    assert made["condition"]["triggerConditionType"] == "SCHEDULED"
    assert made["condition"]["cronExpression"] == "0 2 * * ?"
    assert made["action"]["variables"] == [{"name": "a", "value": "1"}]
    assert by_id["data"]["trigger"] == by_name["data"]["triggerByName"] == made


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"conditionType": "ON_NEW_ARTIFACT", "artifactConditionInput": {"artifactSourceId": "s"}}, "NEW_ARTIFACT"),
        (
            {"conditionType": "ON_PIPELINE_COMPLETION", "pipelineConditionInput": {"pipelineId": "p"}},
            "PIPELINE_COMPLETION",
        ),
        (
            {
                "conditionType": "ON_WEBHOOK",
                "webhookConditionInput": {"webhookSourceType": "GITHUB", "githubEvent": {"event": "PUSH"}},
            },
            "WEBHOOK",
        ),
    ],
)
async def test_every_condition_is_shown_in_its_own_word(
    harness: Harness, condition: dict[str, Any], shown: str
) -> None:
    assert (await create(harness, condition=condition))["condition"]["triggerConditionType"] == shown


async def test_a_trigger_is_changed_as_a_whole(harness: Harness) -> None:
    made = await create(harness, description="old")
    changed = await trigger_input(harness, triggerId=made["id"], name="daily")

    answer = await run(harness, "updateTrigger", {"input": changed})

    trigger = answer["data"]["updateTrigger"]["trigger"]
    assert (trigger["id"], trigger["name"], trigger["description"]) == (made["id"], "daily", None)


async def test_the_kind_of_execution_cannot_be_changed(harness: Harness) -> None:
    made = await create(harness)
    action = {"executionType": "PIPELINE", "entityId": await harness.pipeline_id("Test Pipeline")}
    changed = await trigger_input(harness, triggerId=made["id"], action=action)

    answer = await run(harness, "updateTrigger", {"input": changed})

    assert "Execution Type cannot be changed" in answer["errors"][0]["message"]


async def test_a_removed_trigger_is_gone(harness: Harness) -> None:
    made = await create(harness)
    await run(harness, "deleteTrigger", {"input": {"applicationId": APPLICATION, "triggerId": made["id"]}})

    answer = await run(harness, "trigger", {"triggerId": made["id"]})

    assert "Trigger doesn't exist" in answer["errors"][0]["message"]
    assert answer["data"] == {"trigger": None}


async def test_a_condition_needs_its_own_input(harness: Harness) -> None:
    given = await trigger_input(harness, condition={"conditionType": "ON_WEBHOOK"})

    answer = await run(harness, "createTrigger", {"input": given})

    assert "must not be null for condition type ON_WEBHOOK" in answer["errors"][0]["message"]
