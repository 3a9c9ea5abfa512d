"""What a plan reports about a Harness execution before anything is started."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from provider_py.plugin import Severity
from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest
from tests.support.harness import APPLICATION, VARIABLES, application, operations, published_example
from tests.support.site import Process, only, simple

WORKFLOW_ID = "bhI2FyPrTpupdzL4QEk0_A"
SIZE = {"size": "large"}
CHART = Manifest(source="stable", version="1.2.3")
JAR = Artifact(source="nexus_jar", build_number="1.0", parameters={"group": "g", "artifact": "a"})


def pipeline(**arguments: Any) -> HarnessExecution:
    named = {"application": "Test App", "pipeline": "Approved Pipeline"}
    return HarnessExecution(**(named | arguments))


def by_id(config: HarnessExecution) -> HarnessExecution:
    return dataclasses.replace(
        config, application=None, application_id=APPLICATION, workflow=None, workflow_id=WORKFLOW_ID
    )


@pytest.mark.parametrize(
    "config",
    [
        published_example(),
        by_id(published_example()),
        simple("harness"),
        simple("harness", workflow="configured", variables={"size": "small", "owner": "platform"}),
        simple("harness", workflow="configured", sensitive_variables=SIZE, sensitive_variables_version="1"),
        simple("harness", workflow="deploy chart", manifests={"chart": CHART}),
        simple("harness", workflow="deploy jar", artifacts={"jar": JAR}),
        pipeline(),
    ],
)
async def test_a_valid_configuration_passes_the_plan_and_starts(process: Process, config: HarnessExecution) -> None:
    assert await process.plan(config) == ()
    assert process.site.runs() == []
    state = await process.started(config)
    assert process.site.runs()[0].id == state.id


@pytest.mark.parametrize(
    ("config", "path", "words"),
    [
        (simple("harness", application="Test Ap"), ("application",), ["'Test Ap'", "'Test App'"]),
        (simple("harness", application="zzz"), ("application",), ["Unknown Harness application 'zzz'"]),
        (simple("harness", workflow="restrat"), ("workflow",), ["'restrat'", "'restart'"]),
        (pipeline(pipeline="Test Pipelin"), ("pipeline",), ["'Test Pipelin'", "'Test Pipeline'"]),
        (pipeline(pipeline=None, pipeline_id="p-1"), ("pipeline_id",), ["Unknown Harness pipeline 'p-1'"]),
        (simple("harness", workflow=None, workflow_id="w-1"), ("workflow_id",), ["Unknown Harness workflow 'w-1'"]),
        (published_example(variables={}), ("variables",), list(VARIABLES)),
        (published_example(variables=VARIABLES | {"Environment": ""}), ("variables",), ["Environment"]),
        (published_example(variables=VARIABLES | {"Environment": "Prdo"}), ("variables",), ["Environment [Prdo]"]),
        (
            published_example(variables=VARIABLES | {"Enviroment": "QA"}),
            ("variables", "Enviroment"),
            ["Unknown variable 'Enviroment'", "Did you mean 'Environment'?"],
        ),
        (
            simple("harness", workflow="configured", variables={"size": "small", "owner": "me"}),
            ("variables", "owner"),
            ["is fixed"],
        ),
        (
            simple("harness", workflow="configured", variables={"size": "huge"}),
            ("variables", "size"),
            ["'huge'", "small, medium, large"],
        ),
        (
            published_example(artifacts={"test": Artifact(source="library_nginx", build_number="latest")}),
            ("artifacts",),
            ["Missing artifact for service 'k8s'"],
        ),
        (simple("harness", workflow="deploy chart"), ("manifests",), ["Missing Helm chart for service 'chart'"]),
    ],
)
async def test_an_invalid_configuration_is_reported_on_its_attribute(
    process: Process, config: HarnessExecution, path: tuple[str, ...], words: list[str]
) -> None:
    diagnostics = await process.plan(config)
    text = only(diagnostics)
    assert diagnostics[0].path == path
    for word in words:
        assert word in text
    assert process.site.runs() == []
    refused = await process.create(config)
    assert refused.state is None
    assert [diagnostic.severity for diagnostic in refused.diagnostics] == [Severity.ERROR]
    assert process.site.runs() == []
    assert process.site.starts("harness") == []


async def test_every_service_without_an_artifact_is_reported(process: Process) -> None:
    diagnostics = await process.plan(published_example(artifacts=None))
    assert [diagnostic.summary for diagnostic in diagnostics] == [
        "Missing artifact for service 'test'",
        "Missing artifact for service 'k8s'",
    ]


@pytest.mark.parametrize(
    ("unknown", "config"),
    [
        (("application",), simple("harness", application=None)),
        (("workflow",), simple("harness", workflow=None)),
        (("variables",), published_example(variables=None)),
        (("artifacts",), published_example(artifacts=None)),
        (("artifacts",), published_example(artifacts={"test": Artifact(source="library_nginx")})),
        (("manifests",), simple("harness", workflow="deploy chart")),
    ],
)
async def test_unknown_arguments_are_not_checked(
    process: Process, unknown: tuple[str, ...], config: HarnessExecution
) -> None:
    missing_services = [
        diagnostic for diagnostic in await process.plan(config, *unknown) if unknown[0] in diagnostic.path
    ]
    assert missing_services == []


async def test_known_arguments_are_checked_beside_unknown_ones(process: Process) -> None:
    diagnostics = await process.plan(simple("harness", workflow="restrat"), "variables", "artifacts")
    assert diagnostics[0].path == ("workflow",)


async def test_an_unknown_application_id_is_reported(process: Process) -> None:
    config = simple("harness", application=None, application_id="no-such-id")
    text = only(await process.plan(config))
    assert "no-such-id" in text or "restart" in text
    assert process.site.runs() == []


async def test_lookups_are_shared_by_all_runs(process: Process) -> None:
    for _ in range(5):
        assert await process.plan(published_example()) == ()
    assert len(process.site.requests) == 3
    assert {request.method for request in process.site.requests} == {"POST"}


async def test_a_name_with_special_characters_is_not_interpreted(process: Process) -> None:
    diagnostics = await process.plan(simple("harness", workflow='"; } mutation { x } — 日本'))
    assert diagnostics[0].path == ("workflow",)


async def test_a_plan_without_preflight_sends_nothing(process: Process) -> None:
    quiet = await process.site.process(preflight=False)
    assert await quiet.plan(simple("harness", application="nonsense")) == ()
    assert process.site.requests == []


def configured(**variables: str) -> Any:
    return simple("harness", workflow="configured", variables={"size": "small"} | variables)


async def test_runs_that_differ_in_texts_only_are_checked_with_one_request(process: Process) -> None:
    configs = [configured(region=f"region-{number}") for number in range(30)]
    for diagnostics in await asyncio.gather(*(process.plan(config) for config in configs)):
        assert diagnostics == ()
    assert operations(process.site) == ["applicationByName", "workflowByName", "executionInputs"]


async def test_runs_that_differ_in_what_they_name_are_checked_one_by_one(process: Process) -> None:
    matching = {"Environment": "QA", "InfraDefinition_Kubernetes": "k8s-qa", "InfraDefinition_Kubernetes2": "k8s-qa"}
    mixed = VARIABLES | {"Environment": "QA"}
    configs = [published_example(variables=variables) for variables in (VARIABLES, matching, mixed, VARIABLES)]
    planned = await asyncio.gather(*(process.plan(config) for config in configs))
    assert [len(diagnostics) for diagnostics in planned] == [0, 0, 1, 0]
    assert operations(process.site).count("executionInputs") == 3


async def test_a_name_and_the_same_text_as_an_id_are_not_the_same(process: Process) -> None:
    by_name = published_example()
    as_id = published_example(variables=VARIABLES | {"Environment": ""}, variable_ids={"Environment": "Prod"})
    planned = await asyncio.gather(process.plan(by_name), process.plan(as_id))
    assert [len(diagnostics) for diagnostics in planned] == [0, 1]


async def test_a_refusal_of_one_run_s_text_is_not_reported_for_others(process: Process) -> None:
    """What a variable allows may have changed since the workflow was looked up."""
    assert await process.plan(configured()) == ()
    kept = process.connection("harness").lookups._tasks
    kept.pop(next(key for key in kept if key[0] == "inputs"))
    workflow = next(workflow for workflow in application(process.site).workflows if workflow.name == "configured")
    variables = list(workflow.variables)
    position = next(index for index, variable in enumerate(variables) if variable.name == "region")
    variables[position] = dataclasses.replace(variables[position], allowed_values=("eu",))
    workflow.workflow_variables = tuple(variables)
    planned = await asyncio.gather(*(process.plan(configured(region=region)) for region in ("us", "eu", "asia")))
    assert [len(diagnostics) for diagnostics in planned] == [1, 0, 1]
