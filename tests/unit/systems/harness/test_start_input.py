"""What `startExecution` is sent, as JSON; the first case is the vendor's published example."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.systems.harness.calls import start_input
from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest
from provider_py.systems.harness.variables import Entity, Variable, check

APPLICATION = "naNJDKrUTZKKdKycL5Tx4g"
WORKFLOW = Entity(
    "WORKFLOW",
    "bhI2FyPrTpupdzL4QEk0_A",
    "multi service graphql test",
    (
        Variable("Environment", "Environment", required=True),
        Variable("InfraDefinition_Kubernetes", "Infrastructure definition", required=True),
        Variable("InfraDefinition_Kubernetes2", "Infrastructure definition", required=True),
    ),
)
PIPELINE = Entity("PIPELINE", "p-1", "nightly", ())


def sent(entity: Entity = WORKFLOW, **arguments: Any) -> dict[str, Any]:
    written = start_input(HarnessExecution(**arguments), APPLICATION, entity)
    json: dict[str, Any] = written.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json


def named(name: str, value: str, kind: str = "NAME") -> dict[str, Any]:
    return {"name": name, "variableValue": {"type": kind, "value": value}}


def test_the_published_example() -> None:
    written = sent(
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
    assert written == {
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


def test_a_pipeline_with_nothing_to_choose() -> None:
    assert sent(PIPELINE, application="Test App", pipeline="nightly") == {
        "applicationId": APPLICATION,
        "entityId": "p-1",
        "executionType": "PIPELINE",
        "variableInputs": [],
        "serviceInputs": [],
    }


def test_variables_are_sent_in_the_order_of_their_declaration() -> None:
    written = sent(
        variables={"InfraDefinition_Kubernetes2": "k8s"},
        sensitive_variables={"InfraDefinition_Kubernetes": "secret"},
        variable_ids={"Environment": "env-1"},
    )
    assert written["variableInputs"] == [
        named("Environment", "env-1", "ID"),
        named("InfraDefinition_Kubernetes", "secret"),
        named("InfraDefinition_Kubernetes2", "k8s"),
    ]


@pytest.mark.parametrize(
    ("artifact", "written"),
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
def test_artifacts(artifact: Artifact, written: dict[str, Any]) -> None:
    assert sent(artifacts={"jar": artifact})["serviceInputs"] == [{"name": "jar", "artifactValueInput": written}]


@pytest.mark.parametrize(
    ("manifest", "written"),
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
def test_manifests(manifest: Manifest, written: dict[str, Any]) -> None:
    assert sent(manifests={"chart": manifest})["serviceInputs"] == [{"name": "chart", "manifestValueInput": written}]


def test_a_service_may_take_an_artifact_and_a_chart() -> None:
    (service,) = sent(artifacts={"web": Artifact(artifact_id="a-1")}, manifests={"web": Manifest(helm_chart_id="c-1")})[
        "serviceInputs"
    ]
    assert set(service) == {"name", "artifactValueInput", "manifestValueInput"}


def test_options_are_sent_only_where_they_are_given() -> None:
    written = sent(
        notes="from terraform",
        specific_hosts=["host-1", "host-2"],
        exclude_hosts_with_same_artifact=False,
        continue_with_default_values=True,
    )
    assert {name: written[name] for name in written if name not in {"variableInputs", "serviceInputs"}} == {
        "applicationId": APPLICATION,
        "entityId": WORKFLOW.id,
        "executionType": "WORKFLOW",
        "notes": "from terraform",
        "specificHosts": ["host-1", "host-2"],
        "targetToSpecificHosts": True,
        "excludeHostsWithSameArtifact": False,
        "continueWithDefaultValues": True,
    }


def test_an_artifact_stream_is_a_variable_like_any_other() -> None:
    declared = Entity("WORKFLOW", "w-1", "build", (Variable("ArtifactStream", "Artifact Stream", required=True),))
    assert list(check(declared, {"variables": {"ArtifactStream": "library_nginx"}})) == []
    assert sent(declared, variables={"ArtifactStream": "library_nginx"})["variableInputs"] == [
        named("ArtifactStream", "library_nginx")
    ]
    assert sent(declared, variable_ids={"ArtifactStream": "s-1"})["variableInputs"] == [
        named("ArtifactStream", "s-1", "ID")
    ]
