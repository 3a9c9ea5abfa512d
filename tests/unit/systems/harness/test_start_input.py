"""The input of `startExecution`, as JSON; the first case is the vendor's published example."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest, start_input
from provider_py.systems.harness.lookup import Entity, Variable
from provider_py.systems.harness.preflight import check_variables

APPLICATION = "naNJDKrUTZKKdKycL5Tx4g"
WORKFLOW = Entity(
    "workflow",
    "bhI2FyPrTpupdzL4QEk0_A",
    "multi service graphql test",
    (
        Variable("Environment", "Environment", required=True),
        Variable("InfraDefinition_Kubernetes", "Infrastructure definition", required=True),
        Variable("InfraDefinition_Kubernetes2", "Infrastructure definition", required=True),
    ),
)
PIPELINE = Entity("pipeline", "p-1", "nightly", ())


def sent(entity: Entity = WORKFLOW, **arguments: Any) -> dict[str, Any]:
    request = start_input(HarnessExecution(**arguments), APPLICATION, entity)
    json: dict[str, Any] = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json


def variable(name: str, value: str, type_: str = "NAME") -> dict[str, Any]:
    return {"name": name, "variableValue": {"type": type_, "value": value}}


def test_published_example_is_sent_as_published() -> None:
    request = sent(
        application="Test App",
        workflow="multi service graphql test",
        variables={
            "Environment": "Prod",
            "InfraDefinition_Kubernetes": "k8s",
            "InfraDefinition_Kubernetes2": "k8s",
        },
        artifacts={
            "test": Artifact(source="library_nginx", build_number="stable-perl"),
            "k8s": Artifact(source="docker_hello-world", build_number="latest"),
        },
    )
    assert request == {
        "applicationId": "naNJDKrUTZKKdKycL5Tx4g",
        "entityId": "bhI2FyPrTpupdzL4QEk0_A",
        "executionType": "WORKFLOW",
        "variableInputs": [
            {"name": "Environment", "variableValue": {"type": "NAME", "value": "Prod"}},
            {"name": "InfraDefinition_Kubernetes", "variableValue": {"type": "NAME", "value": "k8s"}},
            {"name": "InfraDefinition_Kubernetes2", "variableValue": {"type": "NAME", "value": "k8s"}},
        ],
        "serviceInputs": [
            {
                "name": "test",
                "artifactValueInput": {
                    "valueType": "BUILD_NUMBER",
                    "buildNumber": {"buildNumber": "stable-perl", "artifactSourceName": "library_nginx"},
                },
            },
            {
                "name": "k8s",
                "artifactValueInput": {
                    "valueType": "BUILD_NUMBER",
                    "buildNumber": {"buildNumber": "latest", "artifactSourceName": "docker_hello-world"},
                },
            },
        ],
    }


def test_pipeline_without_variables_and_services_is_sent_with_empty_lists() -> None:
    assert sent(PIPELINE, application="Test App", pipeline="nightly") == {
        "applicationId": APPLICATION,
        "entityId": "p-1",
        "executionType": "PIPELINE",
        "variableInputs": [],
        "serviceInputs": [],
    }


def test_variables_are_sent_in_the_order_of_their_declaration() -> None:
    request = sent(
        variables={"InfraDefinition_Kubernetes2": "k8s"},
        sensitive_variables={"InfraDefinition_Kubernetes": "secret"},
        variable_ids={"Environment": "env-1"},
    )
    assert request["variableInputs"] == [
        variable("Environment", "env-1", "ID"),
        variable("InfraDefinition_Kubernetes", "secret"),
        variable("InfraDefinition_Kubernetes2", "k8s"),
    ]


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        (
            Artifact(artifact_id="a-1"),
            {"valueType": "ARTIFACT_ID", "artifactId": {"artifactId": "a-1"}},
        ),
        (
            Artifact(source="nexus", build_number="1.0", parameters={"group": "org.acme"}),
            {
                "valueType": "PARAMETERIZED_ARTIFACT_SOURCE",
                "parameterizedArtifactSource": {
                    "artifactSourceName": "nexus",
                    "buildNumber": "1.0",
                    "parameterValueInputs": [{"name": "group", "value": "org.acme"}],
                },
            },
        ),
    ],
)
def test_artifact_is_sent_by_id_or_with_parameters(artifact: Artifact, expected: dict[str, Any]) -> None:
    assert sent(artifacts={"jar": artifact})["serviceInputs"] == [{"name": "jar", "artifactValueInput": expected}]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (Manifest(helm_chart_id="c-1"), {"valueType": "HELM_CHART_ID", "helmChartId": "c-1"}),
        (
            Manifest(source="stable", version="1.2.3"),
            {
                "valueType": "VERSION_NUMBER",
                "versionNumber": {"appManifestName": "stable", "versionNumber": "1.2.3"},
            },
        ),
    ],
)
def test_manifest_is_sent_by_id_or_version(manifest: Manifest, expected: dict[str, Any]) -> None:
    assert sent(manifests={"chart": manifest})["serviceInputs"] == [{"name": "chart", "manifestValueInput": expected}]


def test_service_can_have_an_artifact_and_a_chart() -> None:
    (service,) = sent(artifacts={"web": Artifact(artifact_id="a-1")}, manifests={"web": Manifest(helm_chart_id="c-1")})[
        "serviceInputs"
    ]
    assert set(service) == {"name", "artifactValueInput", "manifestValueInput"}


def test_options_are_sent_only_if_configured() -> None:
    request = sent(
        notes="from terraform",
        specific_hosts=["host-1", "host-2"],
        exclude_hosts_with_same_artifact=False,
        continue_with_default_values=True,
    )
    assert {name: request[name] for name in request if name not in {"variableInputs", "serviceInputs"}} == {
        "applicationId": APPLICATION,
        "entityId": WORKFLOW.id,
        "executionType": "WORKFLOW",
        "notes": "from terraform",
        "specificHosts": ["host-1", "host-2"],
        "targetToSpecificHosts": True,
        "excludeHostsWithSameArtifact": False,
        "continueWithDefaultValues": True,
    }


def test_artifact_stream_is_sent_like_any_other_variable() -> None:
    declared = Entity("workflow", "w-1", "build", (Variable("ArtifactStream", "Artifact Stream", required=True),))
    assert list(check_variables(declared, {"variables": {"ArtifactStream": "library_nginx"}})) == []
    assert sent(declared, variables={"ArtifactStream": "library_nginx"})["variableInputs"] == [
        variable("ArtifactStream", "library_nginx")
    ]
    assert sent(declared, variable_ids={"ArtifactStream": "s-1"})["variableInputs"] == [
        variable("ArtifactStream", "s-1", "ID")
    ]
