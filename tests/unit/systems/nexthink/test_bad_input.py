"""Bad input, as Terraform hands it over: each mistake is one finding on its place, and what is right passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provider_py.execution.connection import Connector
from provider_py.plugin import Diagnostic, Severity, format_path
from provider_py.plugin.validation import validate_config
from provider_py.plugin.values import UNKNOWN
from provider_py.systems.nexthink.event import EventResource
from provider_py.systems.nexthink.execution import KIND
from provider_py.systems.nexthink.workflow import KIND as WORKFLOW
from provider_py.systems.nexthink.workflows import KIND as WORKFLOWS

UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
SID = "S-1-5-21-1004336348-1177238915-682003330-512"
LAPTOP = {"name": "LAPTOP-01"}


def execution(**arguments: Any) -> list[Diagnostic]:
    return list(validate_config(KIND, {"workflow": "#repair", "devices": [LAPTOP]} | arguments))


def event(**arguments: Any) -> list[Diagnostic]:
    resource = EventResource(Connector("nexthink", lambda: None))
    return list(validate_config(resource, {"workflow": "#gate", "execution_id": UUID} | arguments))


def places(found: list[Diagnostic]) -> list[tuple[str, str]]:
    """Return the severity and place of each finding."""
    assert all(said.summary and said.detail for said in found)
    return [(said.severity.name, format_path(said.path)) for said in found]


@pytest.mark.parametrize(
    "wrong", ["", UUID[:-1], f"{UUID}0", UUID.replace("-", ""), f"{{{UUID}}}", f" {UUID}", f"{UUID}\n"]
)
@pytest.mark.parametrize(("attribute", "way"), [("devices", "collector_uid"), ("devices", "uid"), ("users", "uid")])
def test_uuids(attribute: str, way: str, wrong: str) -> None:
    found = execution(**{attribute: [{way: UUID}, {way: wrong}]})
    assert places(found) == [("ERROR", f"{attribute}[1].{way}")]
    assert UUID in found[0].detail


@pytest.mark.parametrize(
    "wrong",
    ["", "S", "S-1", "s-1-5-21", "S-1-5-", "S-1-5-21-x", "1", "00", "S-1" + "-1" * 10, f"{SID} ", "S-1-5-٢١", "Ann"],
)
def test_security_identifiers(wrong: str) -> None:
    assert places(execution(users=[{"sid": wrong}])) == [("ERROR", "users[0].sid")]


@pytest.mark.parametrize("right", ["0", "S-1-5", SID, "S" + "-1" * 10])
def test_security_identifiers_as_published(right: str) -> None:
    assert execution(users=[{"sid": right}]) == []


@pytest.mark.parametrize(
    "wrong",
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
def test_user_principal_names(wrong: str) -> None:
    assert places(execution(users=[{"upn": wrong}])) == [("ERROR", "users[0].upn")]


@pytest.mark.parametrize("wrong", ["", " ", "\t\n"])
def test_device_names(wrong: str) -> None:
    assert places(execution(devices=[LAPTOP, {"name": wrong}])) == [("ERROR", "devices[1].name")]


@pytest.mark.parametrize("right", ["LÄPTOP-01", "設備", "a b", "x" * 5000])
def test_any_visible_text_may_name_a_device(right: str) -> None:
    """The specification sets names of devices no pattern and no length."""
    assert execution(devices=[{"name": right}]) == []


@pytest.mark.parametrize(
    ("arguments", "place"),
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
def test_executions(arguments: Mapping[str, Any], place: str) -> None:
    assert places(execution(**arguments)) == [("ERROR", place)]


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
def test_what_is_right_or_not_known_yet_passes(arguments: Mapping[str, Any]) -> None:
    assert execution(**arguments) == []


@pytest.mark.parametrize(
    ("arguments", "place", "words"),
    [
        ({"devices": [LAPTOP, LAPTOP]}, "devices[1]", "devices[1] repeat"),
        ({"devices": [LAPTOP, {"uid": UUID}, LAPTOP, {"uid": UUID.upper()}]}, "devices[2]", "devices[2] and 1 more"),
        ({"users": [{"sid": SID}, {"sid": "0"}, {"sid": SID}]}, "users[2]", "sent once"),
    ],
)
def test_a_repeated_target_is_a_warning(arguments: Mapping[str, Any], place: str, words: str) -> None:
    """It is sent once: the workflow is meant to run once on each, and requests of a large fleet run side by side."""
    found = execution(**arguments)
    assert places(found) == [("WARNING", place)]
    assert words in found[0].detail


@pytest.mark.parametrize(
    "devices",
    [
        [LAPTOP, {"name": "laptop-01"}],
        [LAPTOP, {"name": "LAPTOP-01", "uid": UUID}],
        [{"uid": UUID}, {"collector_uid": UUID}],
    ],
)
def test_targets_that_may_be_others_are_no_repetition(devices: list[dict[str, str]]) -> None:
    assert execution(devices=devices) == []


def test_every_mistake_of_a_configuration_is_told_at_once() -> None:
    found = execution(devices=[{"uid": "x"}, LAPTOP, {"collector_uid": "y"}], users=[{"upn": "z"}])
    assert [place for _, place in places(found)] == ["devices[0].uid", "devices[2].collector_uid", "users[0].upn"]
    assert {said.severity for said in found} == {Severity.ERROR}


@pytest.mark.parametrize(
    ("arguments", "place"),
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
def test_events(arguments: Mapping[str, Any], place: str) -> None:
    assert places(event(**arguments)) == [("ERROR", place)]


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
def test_events_that_are_right_or_not_known_yet_pass(arguments: Mapping[str, Any]) -> None:
    assert event(**arguments) == []


@pytest.mark.parametrize(
    ("kind", "arguments", "place"),
    [
        (WORKFLOW, {"workflow": None}, "workflow"),
        (WORKFLOW, {"workflow": ""}, "workflow"),
        (WORKFLOWS, {"dependency": "device"}, "dependency"),
        (WORKFLOWS, {"dependency": "ANY"}, "dependency"),
        (WORKFLOWS, {"trigger_method": ""}, "trigger_method"),
    ],
)
def test_data_sources(kind: Any, arguments: Mapping[str, Any], place: str) -> None:
    assert places(list(validate_config(kind, arguments))) == [("ERROR", place)]
