"""Request bodies validated by the documents as Nexthink publishes them, without our corrections."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from provider_py.systems.nexthink.execution import body_v1, body_v2
from provider_py.systems.nexthink.targets import Device, Request, User

SPEC = Path(__file__).parents[4] / "specs" / "nexthink" / "openapi.json"
UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
SID = "S-1-5-21-1004336348-1177238915-682003330-512"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SPEC.read_text("utf-8"))
    return document


def check(published: dict[str, Any], schema: str, body: dict[str, Any]) -> None:
    """Validate a body against a component of the published document."""
    root = {"$ref": f"#/components/schemas/{schema}", "components": published["components"]}
    assert [error.message for error in OAS30Validator(root).iter_errors(body)] == []


DEVICES = [
    Device(collector_uid=UUID),
    Device(name="LAPTOP-01"),
    Device(uid=UUID),
    Device(name="LAPTOP-01", collector_uid=UUID, uid=UUID),
]
USERS = [User(sid=SID), User(upn="ann@example.com"), User(uid=UUID)]


@pytest.mark.parametrize("users", [USERS, []])
@pytest.mark.parametrize("devices", [DEVICES, []])
@pytest.mark.parametrize("params", [{}, {"service": "spooler"}])
def test_body_of_version_2_is_valid(
    published: dict[str, Any], devices: list[Device], users: list[User], params: dict[str, str]
) -> None:
    body = body_v2(Request("#repair", "v2", devices, users, params)).to_dict()
    check(published, "ExternalIdsExecutionRequest", body)
    assert body["workflowId"] == "#repair"
    assert body["params"] == params
    assert len(body["devices"]) == len(devices)
    assert len(body["users"]) == len(users)


def test_targets_are_sent_with_the_configured_identifiers() -> None:
    body = body_v2(Request("#repair", "v2", DEVICES, USERS, {})).to_dict()
    assert body["devices"] == [
        {"collectorUid": UUID},
        {"name": "LAPTOP-01"},
        {"uid": UUID},
        {"name": "LAPTOP-01", "collectorUid": UUID, "uid": UUID},
    ]
    assert body["users"] == [{"sid": SID}, {"upn": "ann@example.com"}, {"uid": UUID}]


def test_body_of_version_1_is_valid(published: dict[str, Any]) -> None:
    body = body_v1(Request("#repair", "v1", DEVICES[:1], USERS[:1], {"service": "spooler"})).to_dict()
    check(published, "ExecutionRequest", body)
    assert body == {
        "workflowId": "#repair",
        "devices": [UUID],
        "users": [SID],
        "params": {"service": "spooler"},
    }


def test_published_schema_rejects_an_invalid_body(published: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="LAPTOP-01"):
        check(published, "ExecutionRequest", {"workflowId": "#repair", "devices": ["LAPTOP-01"], "users": []})
