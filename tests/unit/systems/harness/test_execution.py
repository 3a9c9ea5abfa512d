from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import Decoded
from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest, validate

BASE: dict[str, Any] = {"application": "Test App", "workflow": "restart"}


@pytest.mark.parametrize(
    ("arguments", "unknown", "paths"),
    [
        ({}, (), []),
        ({"application": None}, (), [("application",)]),
        ({"application": None}, ("application_id",), []),
        ({"application_id": "a-1"}, (), [("application_id",)]),
        ({"workflow": None}, (), [("workflow",)]),
        ({"workflow": None}, ("pipeline",), []),
        ({"pipeline": "nightly"}, (), [("pipeline",)]),
        ({"workflow_id": "w-1", "pipeline_id": "p-1"}, (), [("workflow_id",)]),
        ({"sensitive_variables": {"a": "b"}}, (), [("sensitive_variables_version",)]),
        ({"sensitive_variables_version": "1"}, (), [("sensitive_variables",)]),
        ({"sensitive_variables_version": "1", "sensitive_variables": {"a": "b"}}, (), []),
        ({"artifacts": {"web": Artifact(artifact_id="a-1")}}, (), []),
        ({"artifacts": {"web": Artifact(source="s", build_number="1")}}, (), []),
        ({"artifacts": {"web": Artifact(source="s")}}, (), [("artifacts", "web")]),
        ({"artifacts": {"web": Artifact()}}, (), [("artifacts", "web")]),
        (
            {"artifacts": {"web": Artifact(artifact_id="a-1", source="s", build_number="1")}},
            (),
            [("artifacts", "web")],
        ),
        ({"artifacts": {"web": Artifact(artifact_id="a-1", source="s")}}, (), [("artifacts", "web")]),
        ({"artifacts": {"web": Artifact(source="s")}}, ("artifacts",), []),
        ({"artifacts": {"web": Artifact(artifact_id="a-1", parameters={"a": "b"})}}, (), [("artifacts", "web")]),
        ({"manifests": {"web": Manifest(source="s", version="1")}}, (), []),
        ({"manifests": {"web": Manifest(version="1")}}, ("manifests",), []),
        ({"manifests": {"web": Manifest(helm_chart_id="c", version="1")}}, (), [("manifests", "web")]),
        ({"manifests": {"web": Manifest(version="1")}}, (), [("manifests", "web")]),
        ({"specific_hosts": ["host-1"]}, (), []),
        ({"workflow": None, "pipeline": "p", "specific_hosts": ["host-1"]}, (), [("specific_hosts",)]),
    ],
)
def test_arguments_are_validated_against_each_other(
    arguments: dict[str, Any], unknown: tuple[str, ...], paths: list[tuple[str, ...]]
) -> None:
    config = Decoded(HarnessExecution(**(BASE | arguments)), frozenset(unknown))
    assert [diagnostic.path for diagnostic in validate(config)] == paths


def test_configuration_that_is_not_known_yet_passes() -> None:
    assert list(validate(Decoded(None))) == []
