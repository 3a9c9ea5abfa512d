from __future__ import annotations

import asyncio
from typing import Any

import pytest
from vcd_client.models import WsWorkflowExecution

from provider_py.execution import Phase, Run, Runtime
from provider_py.plugin import Decoded
from provider_py.systems.vcd.config import VcdSettings
from provider_py.systems.vcd.connection import CloudDirector
from provider_py.systems.vcd.execution import VcdExecution, validate
from provider_py.systems.vcd.polling import Detail, phase, run_of
from tests.support.clock import Clock


@pytest.fixture
def director() -> CloudDirector:
    settings = VcdSettings(url="https://vcd.example.com/api/", org="acme", api_token="t")
    return CloudDirector(settings, Runtime(asyncio.Event(), Clock()))


def read(director: CloudDirector, *outputs: dict[str, Any], **fields: Any) -> Run[Detail]:
    answer = {"id": "e-1", "state": "completed", "outputParameters": list(outputs), **fields}
    return run_of(director, "w-1", WsWorkflowExecution.from_dict(answer))


def output(name: str, value: object, input_type: str = "StringParam", scope: str = "local") -> dict[str, Any]:
    return {"name": name, "type": "string", "scope": scope, "value": {"inputType": input_type, "value": value}}


def test_outputs_are_decoded(director: CloudDirector) -> None:
    run = read(director, output("vmId", "vm-42"), output("ready", True, "BooleanParam"), {"name": "empty"})
    assert run.detail.outputs == {"vmId": "vm-42", "ready": True, "empty": None}


def test_secrets_and_internal_parameters_are_dropped(director: CloudDirector) -> None:
    run = read(
        director,
        output("password", "hunter2", "SecureString"),
        output("licence", "x1y2", "EncryptedString"),
        output("_vcd_sessionToken", "eyJ-session", scope="local"),
        output("_vdc_userName", "ann"),
        output("token", "eyJ-other", scope="token"),
        output("vcd_name", "kept"),
    )
    assert run.detail.outputs == {"password": None, "licence": None, "vcd_name": "kept"}


def test_an_execution_becomes_a_run(director: CloudDirector) -> None:
    run = read(
        director,
        state="failed",
        contentException="disk full",
        currentItemDisplayName="Create machine",
        startDate="2024-04-03T14:19:21.537+00:00",
        endDate="2024-04-03T14:20:00.000+00:00",
    )
    assert run == Run(
        id="e-1",
        status="failed",
        phase=Phase.FAILED,
        detail=Detail("w-1", {}, "Create machine"),
        message="disk full",
        url="https://vcd.example.com/cloudapi/workflows/w-1/executions/e-1",
        started_at="2024-04-03T14:19:21.537Z",
        ended_at="2024-04-03T14:20:00.000Z",
    )


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-04-03T14:19:21.537+0000", "2024-04-03T14:19:21.537Z"),
        ("2024-04-03T16:19:21.537+0200", "2024-04-03T16:19:21.537+02:00"),
        ("2024-04-03T14:19:21.537", "2024-04-03T14:19:21.537Z"),
        ("2024-04-03T14:19:21Z", "2024-04-03T14:19:21.000Z"),
        ("some day", None),
        (None, None),
    ],
)
def test_dates_are_converted_to_rfc_3339(director: CloudDirector, date: str | None, expected: str | None) -> None:
    assert read(director, startDate=date).started_at == expected


@pytest.mark.parametrize(("state", "words"), [("waiting", "answer in Orchestrator"), ("suspended", "resume it")])
def test_a_held_run_says_who_has_to_act(director: CloudDirector, state: str, words: str) -> None:
    run = read(director, state=state)
    assert run.phase is Phase.HELD
    assert words in str(run.message)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", Phase.SUCCEEDED),
        ("COMPLETED", Phase.SUCCEEDED),
        ("failed", Phase.FAILED),
        ("canceled", Phase.FAILED),
        ("Cancelled", Phase.FAILED),
        ("waiting", Phase.HELD),
        ("suspended", Phase.HELD),
        ("running", Phase.ACTIVE),
        ("initializing", Phase.ACTIVE),
        ("waiting-signal", Phase.ACTIVE),
        ("a state of tomorrow", Phase.ACTIVE),
        ("", Phase.ACTIVE),
        (None, Phase.ACTIVE),
    ],
)
def test_states_have_phases(status: str | None, expected: Phase) -> None:
    assert phase(status) is expected


@pytest.mark.parametrize(
    ("arguments", "unknown", "paths"),
    [
        ({}, (), []),
        ({"workflow": None}, (), [("workflow",)]),
        ({"workflow": None}, ("workflow_id",), []),
        ({"workflow": None}, ("workflow",), []),
        ({"workflow_id": "w-1"}, (), [("workflow_id",)]),
        ({"parameters": {"a": 1}}, (), []),
        ({"parameters": ["a"]}, (), [("parameters",)]),
        ({"parameters": "a"}, (), [("parameters",)]),
        ({"sensitive_parameters": {"a": 1}}, (), [("sensitive_parameters_version",)]),
        ({"sensitive_parameters": ["a"], "sensitive_parameters_version": "1"}, (), [("sensitive_parameters",)]),
        (
            {"parameters": {"a": 1}, "sensitive_parameters": {"a": 2}, "sensitive_parameters_version": "1"},
            (),
            [("sensitive_parameters",)],
        ),
    ],
)
def test_arguments_are_validated_together(
    arguments: dict[str, Any], unknown: tuple[str, ...], paths: list[tuple[str, ...]]
) -> None:
    config = Decoded(VcdExecution(**({"workflow": "Onboard"} | arguments)), frozenset(unknown))
    assert [problem.path for problem in validate(config)] == paths
