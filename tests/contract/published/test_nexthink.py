"""Every request the provider can send to Nexthink, validated against the documents as the vendor publishes them.

Our corrections are not applied. Every violation is listed below, with the reason for it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from provider_py.sandbox import Contract
from provider_py.sandbox.nexthink import directory
from provider_py.sandbox.nexthink import workflow as find_workflow
from provider_py.sandbox.world import RecordedRequest
from provider_py.systems.nexthink import workflow, workflows
from provider_py.systems.nexthink.event import NexthinkEvent
from provider_py.systems.nexthink.targets import Device, User
from provider_py.systems.nexthink.workflow import NexthinkWorkflow
from provider_py.systems.nexthink.workflows import DEPENDENCIES, TRIGGER_METHODS, NexthinkWorkflows
from tests.support.nexthink import fleet, laptops, run
from tests.support.site import Process

PUBLISHED = Path(__file__).parents[3] / "specs" / "nexthink" / "published"

VIOLATIONS = {
    ("GET", "/api/v1/workflows", "Missing required query parameter: dependency"): (
        "Both filters are required, and neither has a value for any. Tenants answer a list without filters, which is "
        "the one call that finds workflows without a trigger method; where it is refused, every pair is requested."
    ),
}
"""Violations of the documents, and why the request is sent all the same."""
ABSENT = {
    "/api/v2/nql/execute": "The documents of workflows hold no call that reports executions; NQL has its own.",
    "/api/v1/nql/export": "As above, for more than about a thousand rows.",
    "/api/v1/nql/status/": "As above.",
    "/exported-files/": "The store of exported files is no part of an API; its address comes with the status.",
    "/oauth2/default/v1/token": "Named by the documents as the token URL, but not described as a call.",
}
"""Paths missing from the documents, which therefore cannot validate them."""


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request, and how it violates the documents as published."""

    method: str
    path: str
    violation: str | None


Way = Callable[[Process], Awaitable[None]]

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


async def version_2(process: Process) -> None:
    for devices, users in ((DEVICES, USERS), (DEVICES, None), (DEVICES, []), (None, USERS), ([], USERS)):
        await run(process, workflow="#install_software", devices=devices, users=users, params=INSTALL)
    empty: tuple[dict[str, str] | None, ...] = (None, {})
    for params in empty:
        await run(process, workflow="#reboot_device", devices=laptops(), params=params)
    await run(process, workflow="reboot_device", devices=laptops())


async def version_1(process: Process) -> None:
    arguments: dict[str, Any] = {"workflow": "#install_software", "params": INSTALL, "api_version": "v1"}
    await run(process, **arguments, devices=DEVICES[-1:], users=USERS[-1:])
    await run(process, **arguments, devices=DEVICES[-1:])
    await run(process, **arguments, users=USERS[-1:])


async def full_requests(process: Process) -> None:
    await run(process, workflow="#reboot_device", devices=fleet(10_001))


async def exports(process: Process) -> None:
    await run(process, workflow="#reboot_device", devices=fleet(1_001))


async def events(process: Process) -> None:
    gate = find_workflow("#approval_gate")
    assert gate is not None
    for arguments in (
        {"workflow": gate.id},
        {"workflow_uuid": gate.uuid.upper(), "parameters": {}},
        {"workflow_uuid": gate.uuid, "parameters": {"approved": " ", "ünïcode": "✓"}},
    ):
        started = await run(process, workflow=gate.id, devices=laptops(), wait=False)
        sent = NexthinkEvent(execution_id=(started.execution_ids or [""])[0], **arguments)
        assert not (await process.create(sent)).diagnostics


async def descriptions(process: Process) -> None:
    for name in ("#reboot_device", "reboot_device"):
        await workflow.read(process.connection("nexthink"), NexthinkWorkflow(workflow=name))


async def lists(process: Process) -> None:
    for active_only in (True, False):
        for dependency in (*DEPENDENCIES, None):
            for trigger_method in (*TRIGGER_METHODS, None):
                filters = NexthinkWorkflows(
                    dependency=dependency, trigger_method=trigger_method, active_only=active_only
                )
                await workflows.read(process.connection("nexthink"), filters)


WAYS = (version_2, version_1, full_requests, exports, events, descriptions, lists)


@pytest.fixture(scope="module")
def replayed() -> dict[Way, list[CheckedRequest]]:
    """The validated requests of every way that has been replayed: replaying takes seconds, and two tests read it."""
    return {}


async def replay(process: Process, way: Way, replayed: dict[Way, list[CheckedRequest]]) -> list[CheckedRequest]:
    if way not in replayed:
        await way(process)
        assert {request.status for request in process.site.requests} == {200}
        contract = Contract.read("nexthink", "openapi.json")
        replayed[way] = [
            CheckedRequest(request.method, request.path, violation(contract, request))
            for request in process.site.requests
        ]
        process.site.requests.clear()
    return replayed[way]


def violation(contract: Contract, recorded: RecordedRequest) -> str | None:
    target = quote(recorded.path) + (f"?{urlencode(recorded.query)}" if recorded.query else "")
    body = recorded.body if isinstance(recorded.body, str) else json.dumps(recorded.body)
    return contract.request_error(make_mocked_request(recorded.method, target, recorded.headers), body.encode())


def violations(requests: list[CheckedRequest]) -> set[tuple[str, str, str]]:
    return {(request.method, request.path, request.violation) for request in requests if request.violation}


@pytest.mark.parametrize("way", WAYS)
async def test_requests_violate_only_the_listed_rules(
    process: Process, way: Way, replayed: dict[Way, list[CheckedRequest]]
) -> None:
    assert violations(await replay(process, way, replayed)) <= VIOLATIONS.keys()


async def test_every_published_operation_is_replayed_and_each_exception_is_needed(
    process: Process, replayed: dict[Way, list[CheckedRequest]]
) -> None:
    requests = [request for way in WAYS for request in await replay(process, way, replayed)]
    documented = {
        (request.method, request.path) for request in requests if not any(part in request.path for part in ABSENT)
    }
    paths = {
        (method.upper(), path)
        for page in PUBLISHED.iterdir()
        for path, operations in json.loads(page.read_text("utf-8"))["paths"].items()
        for method in operations
    }
    fixed = {pair for pair in paths if "{" not in pair[1]}
    assert {pair for pair in documented if not pair[1].endswith("/trigger")} == fixed
    assert {method for method, path in documented if path.endswith("/trigger")} == {"POST"}
    assert len(paths - fixed) == 1
    assert violations(requests) == VIOLATIONS.keys()
    assert all(any(part in request.path for request in requests) for part in ABSENT)


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
def test_published_documents_detect_invalid_requests(path: str, body: dict[str, Any], rule: str) -> None:
    headers = {"Host": "x", "Content-Type": "application/json", "Authorization": "Bearer t"}
    request: web.Request = make_mocked_request("POST", path, headers=headers)
    error = Contract.read("nexthink", "openapi.json").request_error(request, json.dumps(body).encode())
    assert rule in str(error)
