"""Every request the provider can send to Nexthink, validated by the documents as the vendor publishes them.

Our corrections do not count here. Violations are listed below, each with its reason.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from provider_py.sandbox.nexthink.tenant import directory
from provider_py.sandbox.nexthink.tenant import workflow as known
from provider_py.sandbox.openapi import Contract
from provider_py.systems.nexthink import workflow, workflows
from provider_py.systems.nexthink.event import NexthinkEvent
from provider_py.systems.nexthink.targets import Device, User
from provider_py.systems.nexthink.workflow import NexthinkWorkflow
from provider_py.systems.nexthink.workflows import DEPENDENCIES, TRIGGER_METHODS, NexthinkWorkflows
from tests.support.nexthink import Bench, CheckedRequest, bench, fleet, laptops

PUBLISHED = Path(__file__).parents[3] / "specs" / "nexthink" / "published"

VIOLATIONS = {
    ("GET", "/api/v1/workflows", "Missing required query parameter: dependency"): (
        "Both filters are required, and neither has a value for any. Tenants answer a list without filters, which is "
        "the one call that finds workflows without a trigger method; where it is refused, each pair is asked for."
    ),
}
"""How requests violate the documents, and why they are sent all the same."""
ABSENT = {
    "/api/v2/nql/execute": "The documents of workflows hold no call that reports executions; NQL has its own.",
    "/api/v1/nql/export": "As above, for more than about a thousand rows.",
    "/api/v1/nql/status/": "As above.",
    "/exported-files/": "The store of exported files is no part of an API; its address comes with the status.",
    "/oauth2/default/v1/token": "Named by the documents as the token URL, but not described as a call.",
}
"""Paths that the documents do not contain, so that requests to them cannot be validated."""

UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
FOUND = directory().device("LAPTOP-01", None, None)
ANN = directory().user("ann@example.com", None, None)
assert FOUND is not None
assert ANN is not None
DEVICES = [
    Device(name="LAPTOP-02"),
    Device(uid=FOUND.uid.upper()),
    Device(collector_uid=FOUND.collector_uid),
    Device(name="Ünïcode ✓ 設備"),
    Device(name="LAPTOP-01", uid=FOUND.uid, collector_uid=FOUND.collector_uid),
]
USERS = [
    User(upn="ben@example.com"),
    User(uid=ANN.uid),
    User(sid="0"),
    User(sid=ANN.sid, upn=ANN.upn, uid=ANN.uid),
]
INSTALL = {"package": 'a "quoted"\nünïcode ✓', "channel": ""}


@pytest.fixture
async def tenant(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path / "journal.sqlite3") as opened:
        yield opened


async def version_2(tenant: Bench) -> None:
    for devices, users in ((DEVICES, USERS), (DEVICES, None), (DEVICES, []), (None, USERS), ([], USERS)):
        await tenant.run(workflow="#install_software", devices=devices, users=users, params=INSTALL)
    empty: tuple[dict[str, str] | None, ...] = (None, {})
    for params in empty:
        await tenant.run(workflow="#reboot_device", devices=laptops(), params=params)
    await tenant.run(workflow="reboot_device", devices=laptops())


async def version_1(tenant: Bench) -> None:
    arguments: dict[str, Any] = {"workflow": "#install_software", "params": INSTALL, "api_version": "v1"}
    await tenant.run(**arguments, devices=DEVICES[-1:], users=USERS[-1:])
    await tenant.run(**arguments, devices=DEVICES[-1:])
    await tenant.run(**arguments, users=USERS[-1:])


async def full_requests(tenant: Bench) -> None:
    await tenant.run(workflow="#reboot_device", devices=fleet(10_001))


async def exports(tenant: Bench) -> None:
    await tenant.run(workflow="#reboot_device", devices=fleet(1_001))


async def events(tenant: Bench) -> None:
    gate = known("#approval_gate")
    assert gate is not None
    for arguments in (
        {"workflow": gate.id},
        {"workflow_uuid": gate.uuid.upper(), "parameters": {}},
        {"workflow_uuid": gate.uuid, "parameters": {"approved": " ", "ünïcode": "✓"}},
    ):
        started = await tenant.run(workflow=gate.id, devices=laptops(), wait=False)
        event = NexthinkEvent(execution_id=(started.execution_ids or [""])[0], **arguments)
        assert not (await tenant.events().create(event, b"")).diagnostics


async def descriptions(tenant: Bench) -> None:
    for name in ("#reboot_device", "reboot_device"):
        await workflow.read(tenant.nexthink, NexthinkWorkflow(workflow=name))


async def lists(tenant: Bench) -> None:
    for active_only in (True, False):
        for dependency in (*DEPENDENCIES, None):
            for trigger_method in (*TRIGGER_METHODS, None):
                filters = NexthinkWorkflows(
                    dependency=dependency, trigger_method=trigger_method, active_only=active_only
                )
                await workflows.read(tenant.nexthink, filters)


SCENARIOS = (version_2, version_1, full_requests, exports, events, descriptions, lists)


def violations(requests: Iterable[CheckedRequest]) -> set[tuple[str, str, str]]:
    return {(request.method, request.path, request.violation) for request in requests if request.violation}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_requests_have_no_violations_but_those_listed(
    tenant: Bench, scenario: Callable[[Bench], Awaitable[None]]
) -> None:
    await scenario(tenant)
    assert violations(tenant.checked) <= VIOLATIONS.keys()
    assert {request.status for request in tenant.world.requests} == {200}


async def test_every_published_operation_is_sent_and_every_exception_is_needed(tenant: Bench) -> None:
    for scenario in SCENARIOS:
        await scenario(tenant)
    paths_sent = [request.path for request in tenant.checked]
    sent = {(r.method, r.path) for r in tenant.checked if not any(part in r.path for part in ABSENT)}
    published = {
        (method.upper(), path)
        for document in PUBLISHED.iterdir()
        for path, operations in json.loads(document.read_text("utf-8"))["paths"].items()
        for method in operations
    }
    fixed = {(method, path) for method, path in published if "{" not in path}
    assert {(method, path) for method, path in sent if not path.endswith("/trigger")} == fixed
    assert {method for method, path in sent if path.endswith("/trigger")} == {"POST"}
    assert len(published - fixed) == 1
    assert violations(tenant.checked) == VIOLATIONS.keys()
    assert all(any(part in path for path in paths_sent) for part in ABSENT)


@pytest.mark.parametrize(
    ("path", "body", "rule"),
    [
        ("/api/v1/workflows/execute", {"workflowId": "#a", "devices": ["LAPTOP-01"], "users": []}, "pattern"),
        ("/api/v1/workflows/execute", {"workflowId": "#a", "devices": [UUID]}, "required"),
        ("/api/v2/workflows/execute", {"workflowId": "#a", "devices": [{}] * 10_001, "users": []}, "maxItems"),
        ("/api/v2/workflows/execute", {"devices": [], "users": []}, "required"),
        (
            f"/api/v1/workflows/workflows/{UUID}/execution/{UUID}/trigger",
            {"parameters": {"a": ""}},
            "minLength",
        ),
    ],
)
def test_documents_reject_an_invalid_request(path: str, body: dict[str, Any], rule: str) -> None:
    headers = {"Host": "x", "Content-Type": "application/json", "Authorization": "Bearer t"}
    request: web.Request = make_mocked_request("POST", path, headers=headers)
    violation = Contract.read("nexthink", "openapi.json").request_fault(request, json.dumps(body).encode())
    assert rule in str(violation)
