from __future__ import annotations

from typing import Any

import pytest

from provider_py.execution.errors import Missing, Refused, SystemFault, Unanswered, Unauthorized
from provider_py.execution.run import Phase
from provider_py.plugin import Decoded
from provider_py.systems.harness.execution import Artifact, HarnessExecution, Manifest, phase, validate
from provider_py.systems.harness.system import FieldUnknown, fault_of, rfc3339

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
def test_arguments_are_judged_together(
    arguments: dict[str, Any], unknown: tuple[str, ...], paths: list[tuple[str, ...]]
) -> None:
    config = Decoded(HarnessExecution(**(BASE | arguments)), frozenset(unknown))
    assert [said.path for said in validate(config)] == paths


def test_nothing_is_concluded_from_a_configuration_that_is_not_known() -> None:
    assert list(validate(Decoded(None))) == []


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("SUCCESS", Phase.SUCCEEDED),
        ("SKIPPED", Phase.SUCCEEDED),
        ("FAILED", Phase.FAILED),
        ("ERROR", Phase.FAILED),
        ("ABORTED", Phase.FAILED),
        ("REJECTED", Phase.FAILED),
        ("EXPIRED", Phase.FAILED),
        ("PAUSED", Phase.HELD),
        ("WAITING", Phase.HELD),
        ("RUNNING", Phase.ACTIVE),
        ("QUEUED", Phase.ACTIVE),
        ("RESUMED", Phase.ACTIVE),
        ("A_WORD_OF_TOMORROW", Phase.ACTIVE),
        (None, Phase.ACTIVE),
    ],
)
def test_status_words(status: str | None, meaning: Phase) -> None:
    assert phase(status) is meaning


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Exception while fetching data (/applicationByName) : Invalid request: Application does not exist", Missing),
        ("Exception while fetching data (/execution) : Execution doesn't exist", Missing),
        ("Exception while fetching data (/startExecution) : User not authorized: Not authorized", Unauthorized),
        ("Invalid Api Key", Unauthorized),
        ("Exception while fetching data (/x) : An error has occurred. Please contact support.", Unanswered),
        ("Validation error of type FieldUndefined: Field 'x' in type 'Query' is undefined", FieldUnknown),
        ("Deployment rate limit reached. You have reached 100.0% of allowed limits for deployments in a day.", Refused),
        ("Exception while fetching data (/startExecution) : Invalid request: Value not provided", Refused),
    ],
)
def test_the_words_of_an_answer_say_what_it_means(message: str, kind: type[SystemFault]) -> None:
    fault = fault_of([message])
    assert type(fault) is kind
    assert "Exception while fetching data" not in fault.reason


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (1588243374775, "2020-04-30T10:42:54.775Z"),
        ("1588243374775", "2020-04-30T10:42:54.775Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (None, None),
    ],
)
def test_moments_are_written_as_rfc_3339(moment: object, written: str | None) -> None:
    assert rfc3339(moment) == written
