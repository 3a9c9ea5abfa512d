"""Pipelines: order of stages, approvals, runtime inputs, resuming."""

from __future__ import annotations

import pytest

from provider_py.sandbox import Script
from tests.contract.sandbox.harness.requests import APPLICATION, RUN_SECONDS, SEED_SERVICES, Harness, variables

STAGES = """status ... on PipelineExecution { pipelineStageExecutions {
  pipelineStageElementId pipelineStageName
  ... on ApprovalStageExecution { status }
  ... on WorkflowStageExecution { status workflowExecutionId runtimeInputVariables { name } }
} }"""
PENDING = """query($a: String!, $e: String!) { approvalDetails(applicationId: $a, executionId: $e) {
  approvalDetails { approvalId approvalType stageName startedAt } } }"""
ANSWER = """mutation($input: ApproveOrRejectApprovalsInput!) {
  approveOrRejectApprovals(input: $input) { success clientMutationId } }"""


async def start(harness: Harness, name: str, **more: object) -> str:
    return str((await harness.start(await harness.pipeline_id(name), "PIPELINE", **more))["execution"]["id"])


async def words(harness: Harness, execution_id: str) -> list[str]:
    """The pipeline's status, then its stages'."""
    state = await harness.state(execution_id, STAGES)
    return [state["status"], *(stage["status"] for stage in state["pipelineStageExecutions"])]


async def approval(harness: Harness, execution_id: str) -> dict[str, str]:
    data = await harness.data(PENDING, {"a": APPLICATION, "e": execution_id})
    (pending,) = data["approvalDetails"]["approvalDetails"]
    assert isinstance(pending, dict)
    return pending


async def answer(harness: Harness, execution_id: str, action: str) -> None:
    approval_id = (await approval(harness, execution_id))["approvalId"]
    body = {"executionId": execution_id, "approvalId": approval_id, "action": action, "applicationId": APPLICATION}
    data = await harness.data(ANSWER, {"input": body})
    assert data["approveOrRejectApprovals"]["success"] is True


async def test_stages_run_one_after_the_other(harness: Harness) -> None:
    inputs = variables(Environment="Prod", InfraDefinition_Kubernetes="k8s")
    execution_id = await start(harness, "Test Pipeline", variableInputs=inputs, serviceInputs=SEED_SERVICES)
    seen = [await words(harness, execution_id)]
    for _ in range(2):
        harness.world.advance(RUN_SECONDS / 2)
        seen.append(await words(harness, execution_id))

    assert seen == [
        ["RUNNING", "RUNNING", "QUEUED"],
        ["RUNNING", "SUCCESS", "RUNNING"],
        ["SUCCESS", "SUCCESS", "SUCCESS"],
    ]


async def test_member_execution_belongs_to_its_pipeline(harness: Harness) -> None:
    execution_id = await start(harness, "Approved Pipeline")
    stages = (await harness.state(execution_id, STAGES))["pipelineStageExecutions"]
    member_id = stages[0]["workflowExecutionId"]
    cause = "cause { ... on ExecutedAlongPipeline { execution { id } } }"
    member = await harness.state(member_id, f"status {cause}")
    direct = await harness.data("{ executions(limit: 9) { nodes { id } } }")
    every = await harness.data("{ executions(limit: 9, includeIndirectExecutions: true) { nodes { id } } }")

    assert stages[2]["workflowExecutionId"] is None
    assert member == {"status": "RUNNING", "cause": {"execution": {"id": execution_id}}}
    assert [node["id"] for node in direct["executions"]["nodes"]] == [execution_id]
    assert member_id in [node["id"] for node in every["executions"]["nodes"]]


async def test_approval_pauses_the_pipeline_until_answered(harness: Harness) -> None:
    execution_id = await start(harness, "Approved Pipeline")
    before = await words(harness, execution_id)
    harness.world.advance(RUN_SECONDS * 5)
    during = await words(harness, execution_id)
    await answer(harness, execution_id, "APPROVE")
    after = await words(harness, execution_id)
    harness.world.advance(RUN_SECONDS / 2)

    assert before == ["RUNNING", "RUNNING", "QUEUED", "QUEUED"]
    assert during == ["PAUSED", "SUCCESS", "PAUSED", "QUEUED"]
    assert after == ["RUNNING", "SUCCESS", "SUCCESS", "RUNNING"]
    assert await words(harness, execution_id) == ["SUCCESS"] * 4


async def test_rejected_approval_ends_the_pipeline(harness: Harness) -> None:
    execution_id = await start(harness, "Approved Pipeline")
    harness.world.advance(RUN_SECONDS)
    await answer(harness, execution_id, "REJECT")

    assert await words(harness, execution_id) == ["REJECTED", "SUCCESS", "REJECTED", "QUEUED"]
    data = await harness.data(PENDING, {"a": APPLICATION, "e": execution_id})
    assert data["approvalDetails"]["approvalDetails"] == []


async def test_pending_approval_is_described(harness: Harness) -> None:
    execution_id = await start(harness, "Approved Pipeline")
    reached = int((harness.world.clock() + RUN_SECONDS / 2) * 1000)
    harness.world.advance(RUN_SECONDS)

    pending = await approval(harness, execution_id)

    assert pending.pop("approvalId")
    assert pending == {"approvalType": "USER_GROUP", "stageName": "STAGE 2", "startedAt": str(reached)}


async def test_unknown_approval_is_refused(harness: Harness) -> None:
    execution_id = await start(harness, "Approved Pipeline")
    body = {"executionId": execution_id, "approvalId": "x", "action": "APPROVE", "applicationId": APPLICATION}

    text = await harness.refusal(ANSWER, {"input": body})

    assert text == "Invalid request: No pending approval found for approval id: x"


async def test_failure_shows_on_the_last_stage(harness: Harness) -> None:
    harness.world.runs.scripts.append(Script("harness", "Approved Pipeline", ending="failure", reason="no"))
    execution_id = await start(harness, "Approved Pipeline")
    harness.world.advance(RUN_SECONDS)
    await answer(harness, execution_id, "APPROVE")
    harness.world.advance(RUN_SECONDS)

    assert await words(harness, execution_id) == ["FAILED", "SUCCESS", "SUCCESS", "FAILED"]


@pytest.mark.parametrize("with_defaults", [True, False])
async def test_runtime_inputs_pause_a_stage_unless_defaults_are_accepted(harness: Harness, with_defaults: bool) -> None:
    execution_id = await start(harness, "Asking Pipeline", continueWithDefaultValues=with_defaults)
    status = await harness.state(execution_id)
    (stage,) = (await harness.state(execution_id, STAGES))["pipelineStageExecutions"]

    assert status == ("RUNNING" if with_defaults else "PAUSED")
    assert stage["runtimeInputVariables"] == (None if with_defaults else [{"name": "ticket"}])


async def test_runtime_inputs_continue_the_stage(harness: Harness) -> None:
    execution_id = await start(harness, "Asking Pipeline")
    (stage,) = (await harness.state(execution_id, STAGES))["pipelineStageExecutions"]
    body = {
        "applicationId": APPLICATION,
        "pipelineExecutionId": execution_id,
        "pipelineStageElementId": stage["pipelineStageElementId"],
        "variableInputs": variables(ticket="T-1"),
    }
    query = (
        "mutation($input: RuntimeExecutionInputsToResumePipeline!) { pipelineResumeRuntime(input: $input) { status } }"
    )

    data = await harness.data(query, {"input": body})
    repeated = await harness.refusal(query, {"input": body})
    after = await words(harness, execution_id)

    assert data["pipelineResumeRuntime"]["status"] is True
    assert "has no stage" in repeated
    assert after == ["RUNNING", "RUNNING"]


async def test_failed_pipeline_can_be_resumed(harness: Harness) -> None:
    harness.world.runs.scripts.append(Script("harness", ending="failure"))
    execution_id = await start(harness, "Asking Pipeline", continueWithDefaultValues=True)
    query = "mutation($input: ResumeExecutionInput) { resumeExecution(input: $input) { execution { id status } } }"
    body = {"applicationId": APPLICATION, "pipelineExecutionId": execution_id, "pipelineStageName": "STAGE 1"}

    early = await harness.refusal(query, {"input": body})
    harness.world.advance(RUN_SECONDS)
    data = await harness.data(query, {"input": body})

    assert early.startswith(f"Invalid request: Pipeline resume is not available for [{execution_id}].")
    assert data["resumeExecution"]["execution"]["id"] != execution_id


async def test_workflow_execution_cannot_be_resumed(harness: Harness) -> None:
    execution_id = await harness.start_simple()
    query = "mutation($input: ResumeExecutionInput) { resumeExecution(input: $input) { execution { id } } }"
    body = {"applicationId": APPLICATION, "pipelineExecutionId": execution_id, "pipelineStageName": "x"}

    text = await harness.refusal(query, {"input": body})

    assert text == f"Pipeline resume not available for workflow executions: {execution_id}"


async def test_exports_have_a_daily_limit(harness: Harness) -> None:
    await harness.start_simple()
    harness.world.advance(RUN_SECONDS)
    query = "mutation { exportExecutions(input: {}) { status totalExecutions downloadLink } }"

    exports = [(await harness.data(query))["exportExecutions"] for _ in range(25)]
    refusal = await harness.refusal(query)

    assert {(export["status"], export["totalExecutions"]) for export in exports} == {("QUEUED", 1)}
    assert refusal == "Number of export executions requests from this account has reached its daily limit"
