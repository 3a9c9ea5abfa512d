"""What a plan finds about a Harness execution before anything is started."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from provider_py.plugin import Severity
from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest
from tests.contract.systems.driving import Driver, driving, only, published_example, simple

APPLICATION_ID = "naNJDKrUTZKKdKycL5Tx4g"
WORKFLOW_ID = "bhI2FyPrTpupdzL4QEk0_A"
VARIABLES = {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s", "InfraDefinition_Kubernetes2": "k8s"}
SIZE = {"size": "large"}
CHART = Manifest(source="stable", version="1.2.3")
JAR = Artifact(source="nexus_jar", build_number="1.0", parameters={"group": "g", "artifact": "a"})


def pipeline(**arguments: Any) -> HarnessExecution:
    named = {"application": "Test App", "pipeline": "Approved Pipeline"}
    return HarnessExecution(**(named | arguments))


def by_id(config: HarnessExecution) -> HarnessExecution:
    return dataclasses.replace(
        config, application=None, application_id=APPLICATION_ID, workflow=None, workflow_id=WORKFLOW_ID
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
async def test_what_can_be_started_is_found_good_and_starts(driver: Driver, config: HarnessExecution) -> None:
    assert await driver.plan(config) == ()
    assert driver.runs() == []
    state = await driver.started(config)
    assert driver.runs()[0].id == state.id


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
            ["'Enviroment'", "Did you mean 'Environment'?"],
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
async def test_what_cannot_be_started_is_told_at_its_attribute(
    driver: Driver, config: HarnessExecution, path: tuple[str, ...], words: list[str]
) -> None:
    said = await driver.plan(config)
    text = only(said, Severity.ERROR)
    assert said[0].path == path
    for word in words:
        assert word in text
    assert driver.runs() == []
    refused = await driver.create(config)
    assert refused.state is None
    assert [each.severity for each in refused.diagnostics] == [Severity.ERROR]
    assert driver.runs() == []
    assert driver.starts("harness") == []


async def test_every_service_without_an_artifact_is_told(driver: Driver) -> None:
    said = await driver.plan(published_example(artifacts=None))
    assert [each.summary for each in said] == [
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
async def test_nothing_is_concluded_from_what_is_not_known_yet(
    driver: Driver, unknown: tuple[str, ...], config: HarnessExecution
) -> None:
    missing_services = [each for each in await driver.plan(config, *unknown) if unknown[0] in each.path]
    assert missing_services == []


async def test_what_is_known_is_checked_beside_what_is_not(driver: Driver) -> None:
    said = await driver.plan(simple("harness", workflow="restrat"), "variables", "artifacts")
    assert said[0].path == ("workflow",)


async def test_an_application_by_id_that_does_not_exist_is_told(driver: Driver) -> None:
    config = simple("harness", application=None, application_id="no-such-id")
    text = only(await driver.plan(config), Severity.ERROR)
    assert "no-such-id" in text or "restart" in text
    assert driver.runs() == []


async def test_many_runs_share_their_look_ups(driver: Driver) -> None:
    for _ in range(5):
        assert await driver.plan(published_example()) == ()
    assert len(driver.requests) == 3
    assert {each.method for each in driver.requests} == {"POST"}


async def test_a_name_in_any_letters_is_found_as_it_is(driver: Driver) -> None:
    said = await driver.plan(simple("harness", workflow='"; } mutation { x } — 日本'))
    assert said[0].path == ("workflow",)


async def test_without_preflight_a_plan_sends_nothing(driver: Driver) -> None:
    async with driving(driver.sandbox, preflight=False) as quiet:
        assert await quiet.plan(simple("harness", application="nonsense")) == ()
        assert driver.requests == []
