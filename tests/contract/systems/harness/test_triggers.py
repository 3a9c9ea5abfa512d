"""Triggers against the simulated Harness: created once, drift is detected, deletion is final."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from harness_client import CreateTriggerInput

from provider_py.plugin import ApplyResult, Change, Decoded, DiagnosticError, ReadResult
from provider_py.sandbox.faults import Fault, FaultKind, Match
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
)
from tests.support import harness
from tests.support.harness import APPLICATION
from tests.support.site import Process

SERVICE = "kqf9rA1dQ4SluU54K-ouOw"
DEPLOY = "bhI2FyPrTpupdzL4QEk0_A"
NIGHTLY: dict[str, Any] = {"schedule": HarnessSchedule(cron="0 0 2 * * ?")}
CONDITIONS: dict[str, dict[str, Any]] = {
    "schedule": {"schedule": HarnessSchedule(cron="0 0 2 * * ?", on_new_artifact_only=True)},
    "pipeline": {"pipeline_completion": HarnessPipelineCompletion(pipeline_id="p-1")},
    "artifact": {"new_artifact": HarnessNewArtifact(artifact_source_id="s-1", artifact_filter="^1\\.", regex=True)},
    "github": {
        "webhook": HarnessWebhook(
            source="GITHUB",
            event="PULL_REQUEST",
            action="OPENED",
            branch_name="main",
            file_paths=["a.yaml", "b.yaml"],
            deploy_only_if_files_changed=True,
            git_connector_id="c-1",
            repo_name="deployments",
            secret="shh",
        )
    },
    "bitbucket": {"webhook": HarnessWebhook(source="BITBUCKET", event="PUSH", branch_regex="release-.*")},
    "gitlab": {"webhook": HarnessWebhook(source="GITLAB", event="ANY")},
    "custom": {"webhook": HarnessWebhook(source="CUSTOM")},
}


def trigger(name: str = "nightly", condition: dict[str, Any] | None = None, **action: Any) -> HarnessTrigger:
    return HarnessTrigger(
        application_id=APPLICATION,
        name=name,
        condition=HarnessTriggerCondition(**(condition or NIGHTLY)),
        action=HarnessTriggerAction(**(action or {"workflow_id": DEPLOY})),
    )


@pytest.fixture
def resource(process: Process) -> HarnessTriggerResource:
    trigger: HarnessTriggerResource = process.resource("harness_trigger")
    return trigger


async def reread(
    resource: HarnessTriggerResource, result: ApplyResult[HarnessTrigger] | ReadResult[HarnessTrigger]
) -> ReadResult[HarnessTrigger]:
    assert result.state is not None
    return await resource.read(result.state, result.private)


@pytest.mark.parametrize("kind", CONDITIONS)
async def test_condition_is_read_as_it_was_written(
    resource: HarnessTriggerResource, process: Process, kind: str
) -> None:
    planned = trigger(condition=CONDITIONS[kind])
    created = await resource.create(planned, b"")
    assert created.state is not None
    assert created.state.id
    assert dataclasses.replace(created.state, id=None, webhook_details=None) == planned
    assert (created.state.webhook_details is not None) is (kind in {"github", "bitbucket", "gitlab", "custom"})

    assert (await reread(resource, created)).state == created.state
    imported = await resource.import_state(f"{APPLICATION}/{created.state.id}")
    assert imported.state is not None
    if kind != "github":  # its secret cannot be read
        assert imported.state == created.state
    assert harness.schema_errors(process.site) == []


async def test_action_is_read_as_it_was_written(resource: HarnessTriggerResource, process: Process) -> None:
    selections = [
        HarnessArtifactSelection(service_id=SERVICE, type="LAST_COLLECTED", artifact_source_id="s-1", regex=True),
        HarnessArtifactSelection(service_id=SERVICE, type="LAST_DEPLOYED_WORKFLOW", workflow_id=DEPLOY),
    ]
    planned = trigger(
        workflow_id=DEPLOY,
        variables={"Environment": "Prod", "tag": "${webhook.body.tag}"},
        variable_ids={"Service": SERVICE},
        artifact_selections=selections,
        exclude_hosts_with_same_artifact=True,
    )
    created = await resource.create(planned, b"")
    assert created.state is not None
    assert created.state.action == planned.action
    assert (await reread(resource, created)).state == created.state
    (sent,) = (body for body in harness.sent(process.site) if body["operationName"] == "createTrigger")
    variables = sent["variables"]["input"]["action"]["variables"]
    types = {variable["name"]: variable["variableValue"]["type"] for variable in variables}
    assert types == {"Environment": "NAME", "tag": "EXPRESSION", "Service": "ID"}
    assert harness.schema_errors(process.site) == []


async def test_only_changes_from_outside_are_shown(resource: HarnessTriggerResource, process: Process) -> None:
    created = await resource.create(trigger(workflow_id=DEPLOY, variable_ids={"Service": SERVICE}), b"")
    assert created.state is not None
    outside = dataclasses.replace(
        created.state,
        description="by hand",
        condition=HarnessTriggerCondition(schedule=HarnessSchedule(cron="0 0 3 * * ?")),
    )
    await resource.update(created.state, outside, b"")

    refreshed = await reread(resource, created)

    assert refreshed.state == outside
    assert (await reread(resource, refreshed)).state == outside


async def test_deleted_trigger_leaves_the_state(resource: HarnessTriggerResource) -> None:
    created = await resource.create(trigger(), b"")
    assert created.state is not None
    assert (await resource.delete(created.state, b"")).state is None
    assert (await reread(resource, created)).state is None
    assert (await resource.delete(created.state, b"")).state is None


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.HTML, FaultKind.TRUNCATE])
async def test_unanswered_creation_is_found_by_its_name(
    resource: HarnessTriggerResource, process: Process, kind: FaultKind
) -> None:
    process.site.world.faults.add(Fault("harness", kind, Match(body="createTrigger"), after=True))
    created = await resource.create(trigger(), b"")
    assert created.state is not None
    assert created.state.id
    assert harness.operations(process.site) == ["createTrigger", "triggerByName"]
    assert (await reread(resource, created)).state == created.state


async def test_creation_that_never_arrived_is_not_repeated(resource: HarnessTriggerResource, process: Process) -> None:
    process.site.world.faults.add(Fault("harness", FaultKind.CUT, Match(body="createTrigger")))
    with pytest.raises(DiagnosticError) as raised:
        await resource.create(trigger(), b"")
    (error,) = raised.value.diagnostics
    assert "The next apply searches for it again" in error.detail
    assert harness.operations(process.site).count("createTrigger") == 1


async def test_earlier_trigger_of_the_same_name_is_not_adopted(
    resource: HarnessTriggerResource, process: Process
) -> None:
    await resource.create(trigger(), b"")
    with pytest.raises(DiagnosticError) as raised:
        await resource.create(trigger(), b"")
    assert "terraform import" in raised.value.diagnostics[0].detail

    for request in process.site.requests:
        assert request.status == 200
    process.site.world.advance(-3600)
    old = await resource.create(trigger("older"), b"")
    assert old.state is not None
    process.site.world.advance(3600)
    process.site.world.faults.add(Fault("harness", FaultKind.CUT, Match(body="createTrigger")))
    with pytest.raises(DiagnosticError) as raised:
        await resource.create(trigger("older"), b"")
    assert str(old.state.id) in raised.value.diagnostics[0].detail


async def test_unanswered_deletion_is_verified(resource: HarnessTriggerResource, process: Process) -> None:
    created = await resource.create(trigger(), b"")
    assert created.state is not None
    process.site.world.faults.add(Fault("harness", FaultKind.CUT, Match(body="deleteTrigger"), after=True))
    assert (await resource.delete(created.state, b"")).state is None


@pytest.mark.parametrize("identifier", ["", "t-1", "/t-1", "a-1/", f"{APPLICATION}/nothing", 'a"/{b}', "a/b\nc"])
async def test_invalid_import_id_is_reported(
    resource: HarnessTriggerResource, process: Process, identifier: str
) -> None:
    with pytest.raises(DiagnosticError) as raised:
        await resource.import_state(identifier)
    assert raised.value.diagnostics[0].detail
    assert harness.schema_errors(process.site) == []


async def test_plan_reports_a_workflow_of_another_application(resource: HarnessTriggerResource) -> None:
    planned = dataclasses.replace(trigger(), application_id="another")
    change = Change(None, Decoded(planned), frozenset({"application_id", "action"}))
    (error,) = (await resource.plan(change)).diagnostics
    assert error.path == ("action", "workflow_id")
    assert DEPLOY in error.summary
    valid = await resource.plan(Change(None, Decoded(trigger()), frozenset({"application_id", "action"})))
    assert valid.diagnostics == ()


async def test_unanswered_update_is_shown_by_the_next_plan(resource: HarnessTriggerResource, process: Process) -> None:
    created = await resource.create(trigger(), b"")
    assert created.state is not None
    planned = dataclasses.replace(created.state, description="new")
    process.site.world.faults.add(Fault("harness", FaultKind.CUT, Match(body="updateTrigger"), after=True))
    with pytest.raises(DiagnosticError) as raised:
        await resource.update(created.state, planned, created.private)
    assert "the next plan shows it" in raised.value.diagnostics[0].detail
    assert harness.operations(process.site).count("updateTrigger") == 1
    assert (await reread(resource, created)).state == planned


async def test_trigger_with_an_unsupported_condition_is_not_imported(
    resource: HarnessTriggerResource, process: Process
) -> None:
    condition = {"conditionType": "ON_NEW_MANIFEST", "manifestConditionInput": {"appManifestId": "m-1"}}
    fields = {
        "name": "charts",
        "applicationId": APPLICATION,
        "condition": condition,
        "action": {"executionType": "WORKFLOW", "entityId": DEPLOY},
    }
    created = (
        await process.connection("harness").client.create_trigger(input=CreateTriggerInput.model_validate(fields))
    ).create_trigger
    assert created is not None
    assert created.trigger is not None
    with pytest.raises(DiagnosticError) as raised:
        await resource.import_state(f"{APPLICATION}/{created.trigger.id}")
    assert "new manifest" in raised.value.diagnostics[0].detail
