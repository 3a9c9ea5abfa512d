"""Executions against the simulated Harness: older servers, stages, limits, aborts and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.execution import Phase, RateLimited, Refused, Run, Started
from provider_py.execution.poller import Poller
from provider_py.plugin import DiagnosticError, Severity
from provider_py.systems.harness import lookup
from provider_py.systems.harness.execution import HarnessExecution, start_input
from provider_py.systems.harness.polling import Detail
from tests.support import harness
from tests.support.clock import INSTANT, Clock
from tests.support.harness import APPLICATION, ARTIFACTS, VARIABLES, WORKFLOW
from tests.support.site import Process

DEPLOY: dict[str, Any] = {"workflow": WORKFLOW, "variables": VARIABLES, "artifacts": ARTIFACTS}
PIPELINE: dict[str, Any] = {
    "pipeline": "Test Pipeline",
    "variables": {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s"},
    "artifacts": ARTIFACTS,
}


def config(**arguments: Any) -> HarnessExecution:
    return HarnessExecution(**{"application": "Test App", **arguments})


async def start(process: Process, **arguments: Any) -> Started[Detail]:
    launcher = process.launcher("harness")
    (part,) = await launcher.prepare(config(**arguments), frozenset())
    started: Started[Detail] = await launcher.start(part, "token")
    return started


async def poll(process: Process, started: Started[Detail]) -> Run[Detail]:
    process.site.world.advance(60)
    poller: Poller[str, Run[Detail]] = Poller(process.launcher("harness").source, process.connection("harness").runtime)
    run = await poller.next(started.run.id, 0)
    assert run is not None
    return run


async def refused(process: Process, **arguments: Any) -> str:
    with pytest.raises(DiagnosticError) as raised:
        await start(process, **arguments)
    return "\n".join(f"{error.path} {error.summary}\n{error.detail}" for error in raised.value.diagnostics)


@pytest.mark.parametrize("version", ["2023-12", "2022-05", "2022-02"])
@pytest.mark.parametrize("arguments", [DEPLOY, PIPELINE], ids=["workflow", "pipeline"])
async def test_server_of_any_version_runs_an_execution(
    process: Process, version: str, arguments: dict[str, Any]
) -> None:
    process.site.set_behaviors("harness", server_version=version)
    started = await start(process, **arguments)
    run = await poll(process, started)
    assert run.phase is Phase.SUCCEEDED
    assert run.url is not None
    assert started.run.id in run.url
    stages = [stage.status for stage in run.detail.stages or []]
    assert stages == (["SUCCESS", "SUCCESS"] if arguments is PIPELINE else [])
    resolved = run.detail.outputs
    assert resolved is None if version.startswith("2022") else set(VARIABLES) >= set(resolved or ()) != set()
    starts = harness.operations(process.site).count("startExecution")
    assert starts == 1
    assert harness.operations(process.site).count("startExecutionOlder") == (version != "2023-12")
    again = await start(process, **arguments)
    assert (await poll(process, again)).id == again.run.id
    assert harness.operations(process.site).count("startExecution") == (1 if version.startswith("2022") else 2)
    assert len(process.site.runs("harness")) >= 2


async def test_pipeline_has_stages(process: Process) -> None:
    run = await poll(process, await start(process, **PIPELINE))
    stages = run.detail.stages or []
    assert [(stage.name, stage.status) for stage in stages] == [("STAGE 1", "SUCCESS"), ("STAGE 2", "SUCCESS")]
    assert (await poll(process, await start(process, workflow="restart"))).detail.stages is None


async def test_failure_has_its_reason(process: Process) -> None:
    process.site.script("harness", seconds=0, ending="failure", reason="disk full")
    run = await poll(process, await start(process, workflow="restart"))
    assert (run.status, run.phase, run.message) == ("FAILED", Phase.FAILED, "disk full")


async def test_infrastructure_definition_of_another_environment_is_reported(process: Process) -> None:
    mixed = {**VARIABLES, "Environment": "QA"}
    text = await refused(process, **{**DEPLOY, "variables": mixed})
    assert "('variables',)" in text
    assert "k8s" in text
    matching = {"Environment": "QA", "InfraDefinition_Kubernetes": "k8s-qa", "InfraDefinition_Kubernetes2": "k8s-qa"}
    reversed_order = dict(reversed(matching.items()))
    assert (await start(process, **{**DEPLOY, "variables": reversed_order})).run.id


async def test_variables_are_accepted_by_id(process: Process) -> None:
    prod = harness.application(process.site).environments[0]
    definition = prod.infrastructure_definitions[0].id
    ids = {"InfraDefinition_Kubernetes": definition, "InfraDefinition_Kubernetes2": definition}
    started = await start(process, **{**DEPLOY, "variables": {"Environment": "Prod"}, "variable_ids": ids})
    assert ((await poll(process, started)).detail.outputs or {})["InfraDefinition_Kubernetes"] == definition


async def test_workflow_id_of_another_application_is_reported(process: Process) -> None:
    workflows = harness.application(process.site).workflows
    restart = next(workflow for workflow in workflows if workflow.name == "restart")
    text = await refused(process, application="Billing", workflow_id=restart.id)
    assert "('workflow_id',)" in text
    assert "another one" in text
    assert "startExecution" not in harness.operations(process.site)


@pytest.mark.parametrize(("style", "words"), [("graphql", "rate limit for data queries"), ("cloudflare", "Too many")])
async def test_rate_limit_is_reported_in_both_of_its_shapes(process: Process, style: str, words: str) -> None:
    process.site.set_behaviors("harness", requests_per_minute=1, rate_limit_style=style)
    process.site.world.speed = 0.0  # so that the limit is never lifted
    process.provider._runtime.clock = Clock(INSTANT)  # the retries take a quarter of an hour
    with pytest.raises(RateLimited) as raised:
        await start(process, workflow="restart")
    assert words in raised.value.reason
    assert "request budget" in raised.value.advice


@pytest.mark.parametrize("style", ["graphql", "cloudflare"])
@pytest.mark.parametrize("retry_after", ["none", "seconds", "date"])
async def test_rate_limit_is_waited_out(process: Process, style: str, retry_after: str) -> None:
    limits = {"requests_per_minute": 4, "rate_limit_style": style, "retry_after": retry_after}
    process.site.set_behaviors("harness", **limits)
    assert (await process.created(config(workflow="restart"))).status == "SUCCESS"
    assert len(process.site.runs()) == 1


@pytest.mark.parametrize("status", ["RUNNING", "QUEUED", "PREPARING"])
async def test_execution_is_followed_whatever_status_it_starts_with(process: Process, status: str) -> None:
    process.site.set_behaviors("harness", starting_status=status, starting_seconds=3.0)
    assert (await process.created(config(workflow="restart"))).status == "SUCCESS"


@pytest.mark.parametrize(("day", "earlier", "words"), [(100, 40, "an hour"), (2, 2, "24 hours")])
async def test_deployment_limit_is_reported_and_not_retried(
    process: Process, day: int, earlier: int, words: str
) -> None:
    process.site.set_behaviors("harness", deployments_per_day=day)
    if day == 2:
        await start(process, workflow="restart")
        process.site.world.advance(7200)
        await start(process, workflow="restart")
        process.site.world.advance(7200)
    else:
        for _ in range(earlier):
            await start(process, workflow="restart")
    before = harness.operations(process.site).count("startExecution")
    with pytest.raises(Refused) as raised:
        await start(process, workflow="restart")
    assert "Deployment rate limit reached" in raised.value.reason
    assert words in raised.value.advice
    assert harness.operations(process.site).count("startExecution") == before + 1


async def test_deployment_freeze_is_reported(process: Process) -> None:
    process.site.set_behaviors("harness", freeze_window="christmas")
    with pytest.raises(Refused, match="christmas") as raised:
        await start(process, workflow="restart")
    assert "window is over" in raised.value.advice


async def test_abort_of_an_aborted_or_finished_execution_succeeds(process: Process) -> None:
    launcher = process.launcher("harness")
    finished = await start(process, workflow="restart")
    await launcher.cancel(HarnessExecution(application_id=APPLICATION, id=finished.run.id))
    process.site.script("harness")
    running = await start(process, workflow="restart")
    for _ in range(2):
        await launcher.cancel(HarnessExecution(application_id=APPLICATION, id=running.run.id))
    process.site.world.advance(60)
    assert (await poll(process, running)).status == "ABORTED"


@pytest.mark.parametrize("text", ['a"b', "a\\", "line\nbreak", "naïve - 名前 🚀", '") { id } #', "${x} $y {z}"])
async def test_any_text_is_safe_in_notes_and_variables(process: Process, text: str) -> None:
    variables = {"size": "small", "password": text}
    started = await start(process, workflow="configured", variables=variables, notes=text)
    run = await poll(process, started)
    assert (run.detail.outputs or {})["password"] == text
    (sent,) = (body for body in harness.sent(process.site) if body["operationName"] == "startExecution")
    assert sent["variables"]["input"]["notes"].startswith(text)
    assert harness.schema_errors(process.site) == []


@pytest.mark.parametrize("text", ['a"b', "line\nbreak", '") { id } #', "名前"])
async def test_any_text_is_safe_as_an_unknown_name(process: Process, text: str) -> None:
    assert "application" in await refused(process, application=text, workflow="restart")
    assert "workflow" in await refused(process, workflow=text)
    assert "pipeline" in await refused(process, pipeline=text)
    assert "pipeline_id" in await refused(process, pipeline_id=text)
    assert harness.schema_errors(process.site) == []
    assert "startExecution" not in harness.operations(process.site)


async def test_warning_of_harness_is_reported(process: Process) -> None:
    execution = config(workflow="restart", variables={"typo": "1"})
    entity = await lookup.entity(process.connection("harness"), APPLICATION, lookup.entity_ref(workflow="restart"))
    part = start_input(execution, APPLICATION, entity)
    (warning,) = (await process.launcher("harness").start(part, "token")).warnings
    assert warning.severity is Severity.WARNING
    assert "typo" in warning.detail
