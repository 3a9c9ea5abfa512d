"""Reasons for which a start is refused, in the server's words; nothing is started."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.sandbox.harness.requests import (
    APPLICATION,
    SEED_SERVICES,
    SEED_VARIABLES,
    START,
    WORKFLOW,
    Harness,
    build,
    start_input,
    variables,
)

INPUTS = """query($entityId: String!, $executionType: ExecutionType!, $inputs: [VariableInput]) {
  executionInputs(entityId: $entityId, applicationId: "naNJDKrUTZKKdKycL5Tx4g", executionType: $executionType,
                  variableInputs: $inputs) { serviceInputs { name } serviceManifestInputs { name } }
}"""


async def refused(harness: Harness, entity_id: str, execution_type: str = "WORKFLOW", **more: Any) -> str:
    text = await harness.refusal(START, start_input(entity_id, execution_type, **more))
    assert harness.world.runs.of("harness") == []
    return text


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"entityId": ""}, "Invalid request: Entity Id cannot be empty"),
        ({"applicationId": ""}, "Invalid request: Application Id cannot be empty"),
        ({"applicationId": "x"}, "Invalid request: Application does not exist"),
        ({"entityId": "x"}, f"Workflow x doesn't exist in the specified application {APPLICATION}"),
        (
            {"executionType": "PIPELINE"},
            f"Pipeline {WORKFLOW} doesn't exist in the specified application {APPLICATION}",
        ),
        (
            {"targetToSpecificHosts": True},
            "Invalid request: Host list can't be empty when Target To Specific Hosts option is enabled",
        ),
        (
            {"executionType": "PIPELINE", "specificHosts": ["a"]},
            "Invalid request: Hosts can't be overridden for pipeline,"
            "Target to specific hosts is only available in a Workflow Execution",
        ),
        (
            {"variableInputs": []},
            "Invalid request: Workflow [multi service graphql test] has environment parameterized. "
            "However, the value not supplied",
        ),
        (
            {"variableInputs": variables(Environment="")},
            "Invalid request: Please provide a non empty value for Environment",
        ),
        (
            {"variableInputs": variables(Environment="Dev")},
            f"Environment [Dev] doesn't exist in specified application {APPLICATION}",
        ),
        (
            {"variableInputs": variables(Environment="Prod")},
            "Invalid request: Value not provided for required variable: "
            "[InfraDefinition_Kubernetes,InfraDefinition_Kubernetes2]",
        ),
        (
            {"variableInputs": variables("EXPRESSION", Environment="${workflow.env}")},
            "Invalid request: Expression Type not supported",
        ),
        ({"serviceInputs": []}, "ServiceInput required for service: test"),
        ({"serviceInputs": [{"name": "test"}]}, "ArtifactValueInput is required for the service Input: test"),
        (
            {"serviceInputs": [build("test", "nope", "1")]},
            "Cannot find artifact Source: nope in specified service: test",
        ),
        (
            {"serviceInputs": [build("test", "library_nginx", "9")]},
            "Cannot find or collect artifact for specified Build Number: 9",
        ),
        (
            {"serviceInputs": [build("test", "library_nginx", "")]},
            "Invalid request: Build Number cannot be empty for serviceInput: test",
        ),
        (
            {"serviceInputs": [SEED_SERVICES[0], {"name": "k8s", "artifactValueInput": {"valueType": "ARTIFACT_ID"}}]},
            "ArtifactIdInput is required for the service Input: k8s",
        ),
    ],
)
async def test_invalid_start_is_refused(harness: Harness, changed: dict[str, Any], text: str) -> None:
    whole = start_input(WORKFLOW, variableInputs=SEED_VARIABLES, serviceInputs=SEED_SERVICES)["input"]

    answer = await harness.refusal(START, {"input": {**whole, **changed}})

    assert answer == text
    assert harness.world.runs.of("harness") == []


async def test_infrastructure_definition_of_another_environment_is_refused(harness: Harness) -> None:
    inputs = variables(Environment="QA", InfraDefinition_Kubernetes="k8s", InfraDefinition_Kubernetes2="k8s")

    text = await refused(harness, WORKFLOW, variableInputs=inputs)

    assert text.startswith("Infrastructure Definition  [k8s] doesn't exist in specified application and environment ")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "Invalid request: Value not provided for required variable: [size]"),
        ({"size": "huge"}, "Invalid request: Variable size can only take values [small, medium, large]"),
        ({"size": "small,huge"}, "Invalid request: Variable size can only take values [small, medium, large]"),
        (
            {"size": "small", "owner": "me"},
            "Invalid request: Cannot change value of a fixed variable in workflow: owner. "
            "Value set in workflow is: platform",
        ),
        ({"Size": "small"}, "Invalid request: Value not provided for required variable: [size]"),
    ],
)
async def test_variable_rules_apply_to_start_and_execution_inputs(
    harness: Harness, values: dict[str, str], text: str
) -> None:
    entity_id = await harness.workflow_id("configured")

    started = await refused(harness, entity_id, variableInputs=variables(**values))
    inputs = await harness.refusal(
        INPUTS,
        {"entityId": entity_id, "executionType": "WORKFLOW", "inputs": variables(**values)},
    )

    assert (started, inputs) == (text, text)


async def test_service_can_be_chosen_by_a_variable(harness: Harness) -> None:
    entity_id = await harness.workflow_id("deploy any")
    arguments = {"entityId": entity_id, "executionType": "WORKFLOW"}

    data = await harness.data(INPUTS, {**arguments, "inputs": variables(Service="k8s")})
    by_name = await refused(harness, entity_id, variableInputs=variables(Service="nope"))
    by_id = await refused(harness, entity_id, variableInputs=variables("ID", Service="nope"))

    text = f"Service [nope] doesn't exist in specified application {APPLICATION}"
    assert data["executionInputs"] == {"serviceInputs": [{"name": "k8s"}], "serviceManifestInputs": []}
    assert (by_name, by_id) == (text, f"Invalid request: {text}")


async def test_artifact_source_parameters_are_required(harness: Harness) -> None:
    entity_id = await harness.workflow_id("deploy jar")
    source = {"artifactSourceName": "nexus_jar", "buildNumber": "1.0"}

    def jar(*names: str) -> list[dict[str, Any]]:
        parameters = [{"name": name, "value": "x"} for name in names]
        value = {"valueType": "PARAMETERIZED_ARTIFACT_SOURCE"}
        return [
            {
                "name": "jar",
                "artifactValueInput": {
                    **value,
                    "parameterizedArtifactSource": {**source, "parameterValueInputs": parameters},
                },
            }
        ]

    missing = await refused(harness, entity_id, serviceInputs=jar("group"))
    payload = await harness.start(entity_id, serviceInputs=jar("group", "artifact"))

    assert missing == "Invalid request: Parameters artifact not provided for artifact source: nexus_jar"
    assert payload["execution"]["status"] == "RUNNING"


async def test_artifact_of_another_service_is_refused(harness: Harness) -> None:
    query = (
        '{ service(serviceId: "kqf9rA1dQ4SluU54K-ouOw") { artifactSources { artifacts(limit: 1) { nodes { id } } } } }'
    )
    artifact_id = (await harness.data(query))["service"]["artifactSources"][0]["artifacts"]["nodes"][0]["id"]
    chosen = {"valueType": "ARTIFACT_ID", "artifactId": {"artifactId": artifact_id}}

    def inputs(service: str, other: dict[str, Any]) -> dict[str, Any]:
        return {
            "variableInputs": SEED_VARIABLES,
            "serviceInputs": [{"name": service, "artifactValueInput": chosen}, other],
        }

    text = await refused(harness, WORKFLOW, **inputs("test", SEED_SERVICES[1]))
    payload = await harness.start(WORKFLOW, **inputs("k8s", SEED_SERVICES[0]))

    assert text == f"Invalid request: Artifact Id: {artifact_id} does not belong to specified service: test"
    assert payload["execution"]["status"] == "RUNNING"


async def test_chart_service_needs_a_manifest(harness: Harness) -> None:
    entity_id = await harness.workflow_id("deploy chart")

    def chart(version: str) -> list[dict[str, Any]]:
        number = {"appManifestName": "stable", "versionNumber": version}
        return [{"name": "chart", "manifestValueInput": {"valueType": "VERSION_NUMBER", "versionNumber": number}}]

    nothing = await refused(harness, entity_id)
    unknown = await refused(harness, entity_id, serviceInputs=chart("9"))
    payload = await harness.start(entity_id, serviceInputs=chart("1.3.0"))

    assert nothing == "ServiceInput required for service: chart"
    assert unknown == "Cannot find helm chart for specified version number: 9 and service: chart"
    assert payload["execution"]["status"] == "RUNNING"


async def test_empty_pipeline_cannot_be_deployed(harness: Harness) -> None:
    assert await refused(harness, await harness.pipeline_id("Empty Pipeline"), "PIPELINE") == (
        "You can not deploy an empty pipeline."
    )


@pytest.mark.parametrize(
    ("behavior", "text"),
    [
        ({"execute_denied": True}, "User not authorized: Not authorized"),
        (
            {"freeze_window": "holidays"},
            "Deployment Freeze Window [holidays] is active for the environment. No deployments are allowed to proceed.",
        ),
    ],
)
async def test_account_can_forbid_deployments(harness: Harness, behavior: dict[str, object], text: str) -> None:
    harness.world.behaviors.change({"harness": behavior})

    assert await refused(harness, await harness.workflow_id("restart")) == text


async def test_deployments_are_limited_by_hour_and_day(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"deployments_per_day": 5}})
    restart = await harness.workflow_id("restart")
    for hour in range(3):
        for _ in range(2 if hour < 2 else 1):
            await harness.start(restart)
        if hour == 0:
            hourly = await harness.refusal(START, start_input(restart))
        harness.world.advance(3601)

    daily = await harness.refusal(START, start_input(restart))
    harness.world.advance(24 * 3600)

    assert hourly.startswith("Deployment rate limit reached. You can deploy only40.0% of maximum allowed deployments")
    assert daily.startswith("Deployment rate limit reached. You have reached 100.0% of allowed limits")
    assert (await harness.start(restart))["execution"]["status"] == "RUNNING"
