"""Validation of configurations as Terraform passes them: one diagnostic per mistake, none for valid input."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from provider_py.execution import Connector, Journal, Runtime
from provider_py.plugin import Diagnostic, Severity, format_path
from provider_py.plugin.validation import validate_config
from provider_py.plugin.values import UNKNOWN
from provider_py.systems.nexthink.event import EventResource
from provider_py.systems.nexthink.execution import TYPE as EXECUTION
from provider_py.systems.nexthink.workflow import TYPE as WORKFLOW
from provider_py.systems.nexthink.workflows import TYPE as WORKFLOWS

UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
SID = "S-1-5-21-1004336348-1177238915-682003330-512"
LAPTOP = {"name": "LAPTOP-01"}


def execution(**arguments: Any) -> list[Diagnostic]:
    return list(validate_config(EXECUTION, {"workflow": "#repair", "devices": [LAPTOP]} | arguments))


def no_journal() -> Journal:
    raise AssertionError("validation must not need the journal")


def event(**arguments: Any) -> list[Diagnostic]:
    resource = EventResource(Connector("nexthink", lambda: None), no_journal, Runtime(asyncio.Event()))
    return list(validate_config(resource, {"workflow": "#gate", "execution_id": UUID} | arguments))


def places(diagnostics: list[Diagnostic]) -> list[tuple[str, str]]:
    """Return the severity and attribute path of each diagnostic."""
    assert all(diagnostic.summary and diagnostic.detail for diagnostic in diagnostics)
    return [(diagnostic.severity.name, format_path(diagnostic.path)) for diagnostic in diagnostics]


@pytest.mark.parametrize(
    "invalid", ["", UUID[:-1], f"{UUID}0", UUID.replace("-", ""), f"{{{UUID}}}", f" {UUID}", f"{UUID}\n"]
)
@pytest.mark.parametrize(
    ("attribute", "identifier"), [("devices", "collector_uid"), ("devices", "uid"), ("users", "uid")]
)
def test_invalid_uuid_is_reported(attribute: str, identifier: str, invalid: str) -> None:
    diagnostics = execution(**{attribute: [{identifier: UUID}, {identifier: invalid}]})
    assert places(diagnostics) == [("ERROR", f"{attribute}[1].{identifier}")]
    assert UUID in diagnostics[0].detail


@pytest.mark.parametrize(
    "invalid",
    ["", "S", "S-1", "s-1-5-21", "S-1-5-", "S-1-5-21-x", "1", "00", "S-1" + "-1" * 10, f"{SID} ", "S-1-5-٢١", "Ann"],
)
def test_invalid_security_identifier_is_reported(invalid: str) -> None:
    assert places(execution(users=[{"sid": invalid}])) == [("ERROR", "users[0].sid")]


@pytest.mark.parametrize("valid", ["0", "S-1-5", SID, "S" + "-1" * 10])
def test_published_security_identifier_passes(valid: str) -> None:
    assert execution(users=[{"sid": valid}]) == []


@pytest.mark.parametrize(
    "invalid",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@example.c",
        "änn@example.com",
        "a b@example.com",
        "ann@example.com\n",
    ],
)
def test_invalid_user_principal_name_is_reported(invalid: str) -> None:
    assert places(execution(users=[{"upn": invalid}])) == [("ERROR", "users[0].upn")]


@pytest.mark.parametrize("invalid", ["", " ", "\t\n"])
def test_blank_device_name_is_reported(invalid: str) -> None:
    assert places(execution(devices=[LAPTOP, {"name": invalid}])) == [("ERROR", "devices[1].name")]


@pytest.mark.parametrize("valid", ["LÄPTOP-01", "設備", "a b", "x" * 5000])
def test_any_visible_device_name_passes(valid: str) -> None:
    """The specification has no pattern and no length for device names."""
    assert execution(devices=[{"name": valid}]) == []


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"devices": None}, "devices"),
        ({"devices": []}, "devices"),
        ({"devices": [], "users": []}, "devices"),
        ({"devices": [{}]}, "devices[0]"),
        ({"devices": [LAPTOP, {"name": None, "uid": None}]}, "devices[1]"),
        ({"devices": [LAPTOP, None]}, "devices[1]"),
        ({"users": [{}]}, "users[0]"),
        ({"users": [None]}, "users[0]"),
        ({"devices": [LAPTOP], "api_version": "v1"}, "devices[0]"),
        ({"devices": [{"uid": UUID}], "api_version": "v1"}, "devices[0]"),
        ({"devices": None, "users": [{"upn": "ann@example.com"}], "api_version": "v1"}, "users[0]"),
        ({"devices": None, "users": [{"uid": UUID}], "api_version": "v1"}, "users[0]"),
        ({"workflow": None}, "workflow"),
        ({"workflow": ""}, "workflow"),
        ({"workflow": " "}, "workflow"),
        ({"params": {"service": None}}, 'params["service"]'),
        ({"api_version": "v3"}, "api_version"),
        ({"api_version": "V2"}, "api_version"),
        ({"status_query": ""}, "status_query"),
        ({"status_query": "workflow_request_status"}, "status_query"),
        ({"status_query": "#Status"}, "status_query"),
        ({"status_query": "#a"}, "status_query"),
        ({"status_query": "#" + "a" * 256}, "status_query"),
        ({"status_query": "#ställe"}, "status_query"),
        ({"on_destroy": "cancel"}, "on_destroy"),
        ({"on_failure": "ignore"}, "on_failure"),
        ({"timeouts": {"create": "soon"}}, "timeouts.create"),
        ({"poll_interval": "5"}, "poll_interval"),
    ],
)
def test_invalid_execution_is_reported(arguments: Mapping[str, Any], path: str) -> None:
    assert places(execution(**arguments)) == [("ERROR", path)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"devices": UNKNOWN},
        {"devices": None, "users": UNKNOWN},
        {"devices": [UNKNOWN]},
        {"devices": [{"name": UNKNOWN}]},
        {"devices": [{"name": None, "uid": UNKNOWN}]},
        {"devices": [LAPTOP], "api_version": UNKNOWN},
        {"devices": [], "users": [{"sid": UNKNOWN}]},
        {"workflow": UNKNOWN},
        {"params": UNKNOWN},
        {"params": {"service": UNKNOWN}},
        {"params": {}},
        {"params": {"ünïcode": ""}},
        {"status_query": UNKNOWN},
        {"status_query": "#" + "a" * 255},
        {"wait": UNKNOWN},
        {"users": []},
        {"triggers": {"a": ""}},
    ],
)
def test_valid_or_unknown_execution_passes(arguments: Mapping[str, Any]) -> None:
    assert execution(**arguments) == []


@pytest.mark.parametrize(
    ("arguments", "path", "words"),
    [
        ({"devices": [LAPTOP, LAPTOP]}, "devices[1]", "`devices[1]` repeats an"),
        (
            {"devices": [LAPTOP, {"uid": UUID}, LAPTOP, {"uid": UUID.upper()}]},
            "devices[2]",
            "`devices[2]` and 1 more repeat an",
        ),
        ({"users": [{"sid": SID}, {"sid": "0"}, {"sid": SID}]}, "users[2]", "sent once"),
    ],
)
def test_duplicate_target_is_a_warning(arguments: Mapping[str, Any], path: str, words: str) -> None:
    """The workflow is meant to run once on each target, and the requests of a large fleet run side by side."""
    diagnostics = execution(**arguments)
    assert places(diagnostics) == [("WARNING", path)]
    assert words in diagnostics[0].detail


@pytest.mark.parametrize(
    "devices",
    [
        [LAPTOP, {"name": "laptop-01"}],
        [LAPTOP, {"name": "LAPTOP-01", "uid": UUID}],
        [{"uid": UUID}, {"collector_uid": UUID}],
    ],
)
def test_targets_with_different_identifiers_are_no_duplicates(devices: list[dict[str, str]]) -> None:
    assert execution(devices=devices) == []


def test_all_mistakes_are_reported_at_once() -> None:
    diagnostics = execution(devices=[{"uid": "x"}, LAPTOP, {"collector_uid": "y"}], users=[{"upn": "z"}])
    assert [path for _, path in places(diagnostics)] == ["devices[0].uid", "devices[2].collector_uid", "users[0].upn"]
    assert {diagnostic.severity for diagnostic in diagnostics} == {Severity.ERROR}


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"workflow": None}, "workflow"),
        ({"workflow_uuid": UUID}, "workflow_uuid"),
        ({"workflow": ""}, "workflow"),
        ({"workflow": None, "workflow_uuid": "#gate"}, "workflow_uuid"),
        ({"execution_id": None}, "execution_id"),
        ({"execution_id": ""}, "execution_id"),
        ({"execution_id": "b5972cf3"}, "execution_id"),
        ({"execution_id": f"{UUID}/trigger"}, "execution_id"),
        ({"parameters": {"approved": ""}}, 'parameters["approved"]'),
        ({"parameters": {"approved": None}}, 'parameters["approved"]'),
    ],
)
def test_invalid_event_is_reported(arguments: Mapping[str, Any], path: str) -> None:
    assert places(event(**arguments)) == [("ERROR", path)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"workflow": UNKNOWN},
        {"workflow": None, "workflow_uuid": UNKNOWN},
        {"workflow": None, "workflow_uuid": UUID.upper()},
        {"execution_id": UNKNOWN},
        {"parameters": {"approved": " ", "ünïcode": "✓", "later": UNKNOWN}},
        {"parameters": {}},
        {"parameters": UNKNOWN},
    ],
)
def test_valid_or_unknown_event_passes(arguments: Mapping[str, Any]) -> None:
    assert event(**arguments) == []


@pytest.mark.parametrize(
    ("type_", "arguments", "path"),
    [
        (WORKFLOW, {"workflow": None}, "workflow"),
        (WORKFLOW, {"workflow": ""}, "workflow"),
        (WORKFLOWS, {"dependency": "device"}, "dependency"),
        (WORKFLOWS, {"dependency": "ANY"}, "dependency"),
        (WORKFLOWS, {"trigger_method": ""}, "trigger_method"),
    ],
)
def test_invalid_data_source_is_reported(type_: Any, arguments: Mapping[str, Any], path: str) -> None:
    assert places(list(validate_config(type_, arguments))) == [("ERROR", path)]
