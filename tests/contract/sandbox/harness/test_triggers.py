"""Triggers: created, read, updated, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.sandbox import spec_file
from tests.contract.sandbox.harness.requests import APPLICATION, Harness, variables

OPERATIONS = (spec_file("harness", "schema.graphql").parent / "operations" / "triggers.graphql").read_text()
SCHEDULE = {"conditionType": "ON_SCHEDULE", "scheduleConditionInput": {"cronExpression": "0 2 * * ?"}}


async def run(harness: Harness, operation: str, variables_: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = (await harness.post(OPERATIONS, variables_, operationName=operation)).json()
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


async def test_trigger_is_created_and_found(harness: Harness) -> None:
    created = await create(harness)
    by_id = await run(harness, "trigger", {"triggerId": created["id"]})
    by_name = await run(harness, "triggerByName", {"triggerName": "nightly", "applicationId": APPLICATION})

    assert created["condition"]["triggerConditionType"] == "SCHEDULED"
    assert created["condition"]["cronExpression"] == "0 2 * * ?"
    assert created["action"]["variables"] == [{"name": "a", "value": "1"}]
    assert by_id["data"]["trigger"] == by_name["data"]["triggerByName"] == created


@pytest.mark.parametrize(
    ("condition", "type_"),
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
async def test_condition_type_is_shown(harness: Harness, condition: dict[str, Any], type_: str) -> None:
    assert (await create(harness, condition=condition))["condition"]["triggerConditionType"] == type_


async def test_trigger_is_replaced_as_a_whole(harness: Harness) -> None:
    created = await create(harness, description="old")
    changed = await trigger_input(harness, triggerId=created["id"], name="daily")

    answer = await run(harness, "updateTrigger", {"input": changed})

    trigger = answer["data"]["updateTrigger"]["trigger"]
    assert (trigger["id"], trigger["name"], trigger["description"]) == (created["id"], "daily", None)


async def test_execution_type_of_trigger_cannot_be_changed(harness: Harness) -> None:
    created = await create(harness)
    action = {"executionType": "PIPELINE", "entityId": await harness.pipeline_id("Test Pipeline")}
    changed = await trigger_input(harness, triggerId=created["id"], action=action)

    answer = await run(harness, "updateTrigger", {"input": changed})

    assert "Execution Type cannot be changed" in answer["errors"][0]["message"]


async def test_deleted_trigger_does_not_exist(harness: Harness) -> None:
    created = await create(harness)
    await run(harness, "deleteTrigger", {"input": {"applicationId": APPLICATION, "triggerId": created["id"]}})

    answer = await run(harness, "trigger", {"triggerId": created["id"]})

    assert "Trigger doesn't exist" in answer["errors"][0]["message"]
    assert answer["data"] == {"trigger": None}


async def test_condition_without_its_input_is_refused(harness: Harness) -> None:
    body = await trigger_input(harness, condition={"conditionType": "ON_WEBHOOK"})

    answer = await run(harness, "createTrigger", {"input": body})

    assert "must not be null for condition type ON_WEBHOOK" in answer["errors"][0]["message"]
