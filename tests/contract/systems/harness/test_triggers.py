"""The life of a trigger against the simulated Harness: written once, drift seen, gone is gone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from harness_client import CreateTriggerInput

from provider_py.execution.connection import Connector
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
from tests.contract.systems.harness.conftest import APPLICATION, Account

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


def trigger(name: str = "nightly", given: dict[str, Any] | None = None, **does: Any) -> HarnessTrigger:
    return HarnessTrigger(
        application_id=APPLICATION,
        name=name,
        condition=HarnessTriggerCondition(**(given or NIGHTLY)),
        action=HarnessTriggerAction(**(does or {"workflow_id": DEPLOY})),
    )


@pytest.fixture
def resource(account: Account) -> HarnessTriggerResource:
    return HarnessTriggerResource(Connector("harness", lambda: account.harness))


async def reread(
    resource: HarnessTriggerResource, answer: ApplyResult[HarnessTrigger] | ReadResult[HarnessTrigger]
) -> ReadResult[HarnessTrigger]:
    assert answer.state is not None
    return await resource.read(answer.state, answer.private)


@pytest.mark.parametrize("kind", CONDITIONS)
async def test_what_is_written_is_read_back(resource: HarnessTriggerResource, account: Account, kind: str) -> None:
    planned = trigger(given=CONDITIONS[kind])
    made = await resource.create(planned, b"")
    assert made.state is not None
    assert made.state.id
    assert dataclasses.replace(made.state, id=None, webhook_details=None) == planned
    assert (made.state.webhook_details is not None) is (kind in {"github", "bitbucket", "gitlab", "custom"})

    assert (await reread(resource, made)).state == made.state
    imported = await resource.import_state(f"{APPLICATION}/{made.state.id}")
    assert imported.state is not None
    if kind != "github":  # its secret cannot be read
        assert imported.state == made.state
    assert account.refused_by_schema() == []


async def test_an_action_is_written_and_read_whole(resource: HarnessTriggerResource, account: Account) -> None:
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
    made = await resource.create(planned, b"")
    assert made.state is not None
    assert made.state.action == planned.action
    assert (await reread(resource, made)).state == made.state
    (sent,) = (body for body in account.sent() if body["operationName"] == "createTrigger")
    kinds = {each["name"]: each["variableValue"]["type"] for each in sent["variables"]["input"]["action"]["variables"]}
    assert kinds == {"Environment": "NAME", "tag": "EXPRESSION", "Service": "ID"}
    assert account.refused_by_schema() == []


async def test_a_change_from_outside_is_seen_and_nothing_else(
    resource: HarnessTriggerResource, account: Account
) -> None:
    made = await resource.create(trigger(workflow_id=DEPLOY, variable_ids={"Service": SERVICE}), b"")
    assert made.state is not None
    outside = dataclasses.replace(
        made.state,
        description="by hand",
        condition=HarnessTriggerCondition(schedule=HarnessSchedule(cron="0 0 3 * * ?")),
    )
    await resource.update(made.state, outside, b"")

    seen = await reread(resource, made)

    assert seen.state == outside
    assert (await reread(resource, seen)).state == outside


async def test_a_trigger_that_is_gone_leaves_the_state(resource: HarnessTriggerResource) -> None:
    made = await resource.create(trigger(), b"")
    assert made.state is not None
    assert (await resource.delete(made.state, b"")).state is None
    assert (await reread(resource, made)).state is None
    assert (await resource.delete(made.state, b"")).state is None


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.HTML, FaultKind.TRUNCATE])
async def test_an_unanswered_creation_is_found_by_its_name(
    resource: HarnessTriggerResource, account: Account, kind: FaultKind
) -> None:
    account.strike(Fault("harness", kind, Match(body="createTrigger"), after=True))
    made = await resource.create(trigger(), b"")
    assert made.state is not None
    assert made.state.id
    assert account.operations() == ["createTrigger", "triggerByName"]


async def test_a_creation_that_never_arrived_is_not_repeated(
    resource: HarnessTriggerResource, account: Account
) -> None:
    account.strike(Fault("harness", FaultKind.CUT, Match(body="createTrigger")))
    with pytest.raises(DiagnosticError) as raised:
        await resource.create(trigger(), b"")
    (told,) = raised.value.diagnostics
    assert "Apply again" in told.detail
    assert account.operations().count("createTrigger") == 1


async def test_a_trigger_that_was_there_before_is_not_adopted_by_accident(
    resource: HarnessTriggerResource, account: Account
) -> None:
    await resource.create(trigger(), b"")
    with pytest.raises(DiagnosticError) as raised:
        await resource.create(trigger(), b"")
    assert "terraform import" in raised.value.diagnostics[0].detail

    for each in account.world.requests:
        assert each.status == 200
    account.world.advance(-3600)
    old = await resource.create(trigger("older"), b"")
    assert old.state is not None
    account.world.advance(3600)
    account.strike(Fault("harness", FaultKind.CUT, Match(body="createTrigger")))
    with pytest.raises(DiagnosticError) as raised:
        await resource.create(trigger("older"), b"")
    assert str(old.state.id) in raised.value.diagnostics[0].detail


async def test_a_deletion_that_was_not_answered_is_looked_after(
    resource: HarnessTriggerResource, account: Account
) -> None:
    made = await resource.create(trigger(), b"")
    assert made.state is not None
    account.strike(Fault("harness", FaultKind.CUT, Match(body="deleteTrigger"), after=True))
    assert (await resource.delete(made.state, b"")).state is None


@pytest.mark.parametrize("identifier", ["", "t-1", "/t-1", "a-1/", f"{APPLICATION}/nothing", 'a"/{b}', "a/b\nc"])
async def test_what_cannot_be_imported_is_told(
    resource: HarnessTriggerResource, account: Account, identifier: str
) -> None:
    with pytest.raises(DiagnosticError) as raised:
        await resource.import_state(identifier)
    assert raised.value.diagnostics[0].detail
    assert account.refused_by_schema() == []


async def test_a_plan_finds_what_is_of_another_application(resource: HarnessTriggerResource) -> None:
    planned = dataclasses.replace(trigger(), application_id="another")
    change = Change(None, Decoded(planned), frozenset({"application_id", "action"}))
    (found,) = (await resource.plan(change)).diagnostics
    assert found.path == ("action", "workflow_id")
    assert DEPLOY in found.summary
    good = await resource.plan(Change(None, Decoded(trigger()), frozenset({"application_id", "action"})))
    assert good.diagnostics == ()


async def test_an_unanswered_change_is_shown_by_the_next_plan(
    resource: HarnessTriggerResource, account: Account
) -> None:
    made = await resource.create(trigger(), b"")
    assert made.state is not None
    wanted = dataclasses.replace(made.state, description="new")
    account.strike(Fault("harness", FaultKind.CUT, Match(body="updateTrigger"), after=True))
    with pytest.raises(DiagnosticError) as raised:
        await resource.update(made.state, wanted, made.private)
    assert "the next plan shows it" in raised.value.diagnostics[0].detail
    assert account.operations().count("updateTrigger") == 1
    assert (await reread(resource, made)).state == wanted


async def test_a_trigger_of_a_kind_that_is_not_known_is_not_imported(
    resource: HarnessTriggerResource, account: Account
) -> None:
    condition = {"conditionType": "ON_NEW_MANIFEST", "manifestConditionInput": {"appManifestId": "m-1"}}
    given = {
        "name": "charts",
        "applicationId": APPLICATION,
        "condition": condition,
        "action": {"executionType": "WORKFLOW", "entityId": DEPLOY},
    }
    made = (await account.harness.client.create_trigger(input=CreateTriggerInput.model_validate(given))).create_trigger
    assert made is not None
    assert made.trigger is not None
    with pytest.raises(DiagnosticError) as raised:
        await resource.import_state(f"{APPLICATION}/{made.trigger.id}")
    assert "new manifest" in raised.value.diagnostics[0].detail
