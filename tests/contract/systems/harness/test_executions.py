"""Executions against the simulated Harness: older servers, stages, limits, aborts and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.execution import Phase, RateLimited, Refused, Run, Started
from provider_py.execution.poller import Poller
from provider_py.plugin import DiagnosticError, Severity
from provider_py.sandbox.runs import Script
from provider_py.systems.harness import lookup
from provider_py.systems.harness.execution import Artifact, HarnessExecution, HarnessLauncher, start_input
from provider_py.systems.harness.polling import Detail
from tests.contract.systems.harness.conftest import APPLICATION, Account

VARIABLES = {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s", "InfraDefinition_Kubernetes2": "k8s"}
ARTIFACTS = {
    "test": Artifact(source="library_nginx", build_number="stable-perl"),
    "k8s": Artifact(source="docker_hello-world", build_number="latest"),
}
DEPLOY: dict[str, Any] = {"workflow": "multi service graphql test", "variables": VARIABLES, "artifacts": ARTIFACTS}
PIPELINE: dict[str, Any] = {
    "pipeline": "Test Pipeline",
    "variables": {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s"},
    "artifacts": ARTIFACTS,
}


def config(**arguments: Any) -> HarnessExecution:
    return HarnessExecution(**{"application": "Test App", **arguments})


async def start(account: Account, **arguments: Any) -> Started[Detail]:
    launcher = HarnessLauncher(account.harness)
    (part,) = await launcher.prepare(config(**arguments), frozenset())
    return await launcher.start(part, "token")


async def poll(account: Account, started: Started[Detail]) -> Run[Detail]:
    poller = Poller(HarnessLauncher(account.harness).source, account.harness.runtime)
    run = await poller.next(started.run.id, 0)
    assert run is not None
    return run


async def refused(account: Account, **arguments: Any) -> str:
    with pytest.raises(DiagnosticError) as raised:
        await start(account, **arguments)
    return "\n".join(f"{error.path} {error.summary}\n{error.detail}" for error in raised.value.diagnostics)


@pytest.mark.parametrize("version", ["2023-12", "2022-05", "2022-02"])
@pytest.mark.parametrize("arguments", [DEPLOY, PIPELINE], ids=["workflow", "pipeline"])
async def test_server_of_any_version_runs_an_execution(
    account: Account, version: str, arguments: dict[str, Any]
) -> None:
    account.behave(server_version=version)
    started = await start(account, **arguments)
    run = await poll(account, started)
    assert run.phase is Phase.SUCCEEDED
    assert run.url is not None
    assert started.run.id in run.url
    resolved = run.detail.outputs
    assert resolved is None if version.startswith("2022") else set(VARIABLES) >= set(resolved or ()) != set()
    starts = account.operations().count("startExecution")
    assert starts == 1
    assert account.operations().count("startExecutionOlder") == (version != "2023-12")
    again = await start(account, **arguments)
    assert (await poll(account, again)).id == again.run.id
    assert account.operations().count("startExecution") == (1 if version.startswith("2022") else 2)
    assert len(account.world.runs.of("harness")) >= 2


async def test_pipeline_has_stages(account: Account) -> None:
    run = await poll(account, await start(account, **PIPELINE))
    stages = run.detail.stages or []
    assert [(stage.name, stage.status) for stage in stages] == [("STAGE 1", "SUCCESS"), ("STAGE 2", "SUCCESS")]
    assert (await poll(account, await start(account, workflow="restart"))).detail.stages is None


async def test_failure_has_its_reason(account: Account) -> None:
    account.world.runs.scripts.append(Script("harness", ending="failure", reason="disk full"))
    run = await poll(account, await start(account, workflow="restart"))
    assert (run.status, run.phase, run.message) == ("FAILED", Phase.FAILED, "disk full")


async def test_infrastructure_definition_of_another_environment_is_reported(account: Account) -> None:
    mixed = {**VARIABLES, "Environment": "QA"}
    text = await refused(account, **{**DEPLOY, "variables": mixed})
    assert "('variables',)" in text
    assert "k8s" in text
    matching = {"Environment": "QA", "InfraDefinition_Kubernetes": "k8s-qa", "InfraDefinition_Kubernetes2": "k8s-qa"}
    reversed_order = dict(reversed(matching.items()))
    assert (await start(account, **{**DEPLOY, "variables": reversed_order})).run.id


async def test_variables_are_accepted_by_id(account: Account) -> None:
    prod = account.harness_application().environments[0]
    definition = prod.infrastructure_definitions[0].id
    ids = {"InfraDefinition_Kubernetes": definition, "InfraDefinition_Kubernetes2": definition}
    started = await start(account, **{**DEPLOY, "variables": {"Environment": "Prod"}, "variable_ids": ids})
    assert ((await poll(account, started)).detail.outputs or {})["InfraDefinition_Kubernetes"] == definition


async def test_workflow_id_of_another_application_is_reported(account: Account) -> None:
    workflows = account.harness_application().workflows
    restart = next(workflow for workflow in workflows if workflow.name == "restart")
    text = await refused(account, application="Billing", workflow_id=restart.id)
    assert "('workflow_id',)" in text
    assert "another one" in text
    assert "startExecution" not in account.operations()


@pytest.mark.parametrize(("style", "words"), [("graphql", "rate limit for data queries"), ("cloudflare", "Too many")])
async def test_rate_limit_is_reported_in_both_of_its_shapes(account: Account, style: str, words: str) -> None:
    account.behave(requests_per_minute=1, rate_limit_style=style)
    with pytest.raises(RateLimited) as raised:
        await start(account, workflow="restart")
    assert words in raised.value.reason
    assert "request budget" in raised.value.advice


@pytest.mark.parametrize(("day", "earlier", "words"), [(100, 40, "an hour"), (2, 2, "24 hours")])
async def test_deployment_limit_is_reported_and_not_retried(
    account: Account, day: int, earlier: int, words: str
) -> None:
    account.behave(deployments_per_day=0)
    account.behave(deployments_per_day=day)
    if day == 2:
        await start(account, workflow="restart")
        account.world.advance(7200)
        await start(account, workflow="restart")
        account.world.advance(7200)
    else:
        for _ in range(earlier):
            await start(account, workflow="restart")
    before = account.operations().count("startExecution")
    with pytest.raises(Refused) as raised:
        await start(account, workflow="restart")
    assert "Deployment rate limit reached" in raised.value.reason
    assert words in raised.value.advice
    assert account.operations().count("startExecution") == before + 1


async def test_deployment_freeze_is_reported(account: Account) -> None:
    account.behave(freeze_window="christmas")
    with pytest.raises(Refused, match="christmas") as raised:
        await start(account, workflow="restart")
    assert "window is over" in raised.value.advice


async def test_abort_of_an_aborted_or_finished_execution_succeeds(account: Account) -> None:
    launcher = HarnessLauncher(account.harness)
    finished = await start(account, workflow="restart")
    await launcher.cancel(HarnessExecution(application_id=APPLICATION, id=finished.run.id))
    account.world.runs.scripts.append(Script("harness", seconds=3600))
    running = await start(account, workflow="restart")
    for _ in range(2):
        await launcher.cancel(HarnessExecution(application_id=APPLICATION, id=running.run.id))
    account.world.advance(60)
    assert (await poll(account, running)).status == "ABORTED"


async def test_unknown_variable_is_reported_by_preflight(account: Account) -> None:
    text = await refused(account, workflow="restart", variables={"typo": "1"})
    assert "Unknown variable 'typo'" in text
    assert "startExecution" not in account.operations()


@pytest.mark.parametrize("text", ['a"b', "a\\", "line\nbreak", "naïve - 名前 🚀", '") { id } #', "${x} $y {z}"])
async def test_any_text_is_safe_in_notes_and_variables(account: Account, text: str) -> None:
    variables = {"size": "small", "password": text}
    started = await start(account, workflow="configured", variables=variables, notes=text)
    run = await poll(account, started)
    assert (run.detail.outputs or {})["password"] == text
    (sent,) = (body for body in account.sent() if body["operationName"] == "startExecution")
    assert sent["variables"]["input"]["notes"].startswith(text)
    assert account.schema_errors() == []


@pytest.mark.parametrize("text", ['a"b', "line\nbreak", '") { id } #', "名前"])
async def test_any_text_is_safe_as_an_unknown_name(account: Account, text: str) -> None:
    assert "application" in await refused(account, application=text, workflow="restart")
    assert "workflow" in await refused(account, workflow=text)
    assert "pipeline" in await refused(account, pipeline=text)
    assert "pipeline_id" in await refused(account, pipeline_id=text)
    assert account.schema_errors() == []
    assert "startExecution" not in account.operations()


async def test_warning_of_harness_is_reported(account: Account) -> None:
    execution = config(workflow="restart", variables={"typo": "1"})
    entity = await lookup.entity(account.harness, APPLICATION, lookup.entity_ref(workflow="restart"))
    part = start_input(execution, APPLICATION, entity)
    (warning,) = (await HarnessLauncher(account.harness).start(part, "token")).warnings
    assert warning.severity is Severity.WARNING
    assert "typo" in warning.detail
