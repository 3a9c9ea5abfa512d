"""Every request that the provider can send conforms to the vendor's document, as a separate validator judges it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from provider_py.cli.demo import ROOT
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.vcd import access
from provider_py.sandbox.vcd.library import ENDPOINT_TYPE, WORKFLOWS
from provider_py.sandbox.world import RecordedRequest
from provider_py.systems.vcd import workflow, workflows
from provider_py.systems.vcd.execution import VcdExecution
from tests.support.site import Site
from tests.support.vcd import sign_in

DOCUMENT = yaml.safe_load((ROOT / "specs" / "vcd" / "openapi.yaml").read_text())
COPY = next(item for item in WORKFLOWS if item.echoes)
HOST = "https://vcd.example.com"
VALUES = {
    "text": "a",
    "number": 1.5,
    "flag": True,
    "moment": "2026-01-31T12:00:00Z",
    "secret": "s",
    "cipher": "e",
    "pattern": "^a$",
    "file": {"name": "a", "content": "YQ=="},
    "vm": {"id": "vm-1", "href": "https://vc/vm-1", "display_value": "web"},
    "machines": ["vm-1"],
    "options": {"a": [1, {"b": None, "c": True}]},
    "endpoint": {"host": "h", "port": 1},
    "anything": [],
}
NEVER_SENT = {
    "getVersions": "the version is a setting; a server that lacks it answers with its versions",
    "getCurrentSession": "who is signed in does not matter",
    "getServiceItem": "items are found in the list, by any of their IDs",
    "deleteWorkflowExecution": "the record of a run is not Terraform's to delete",
    "getTask": "a task's URL is a result; the execution itself is polled",
}
"""Operations of the document that the provider does not need, and why."""


async def test_every_request_conforms_to_the_document(site: Site, tmp_path: Path) -> None:
    await send_every_request(site, tmp_path)
    openapi = OpenAPI.from_dict(DOCUMENT, config=Config(spec_validator_cls=None))
    assert [problem for request in site.requests for problem in violations(openapi, request)] == []
    operations = {operation["operationId"] for path in DOCUMENT["paths"].values() for operation in operations_of(path)}
    assert {operation_of(request) for request in site.requests} == operations - NEVER_SENT.keys()


def violations(openapi: OpenAPI, recorded: RecordedRequest) -> list[str]:
    """Return how a request, its credentials included, violates the document."""
    content_type = recorded.headers.get("content-type", "")
    body = recorded.body if isinstance(recorded.body, str) else json.dumps(recorded.body)
    request = MockRequest(
        HOST,
        recorded.method.lower(),
        recorded.path,
        args=recorded.query,
        headers=recorded.headers,
        data=body.encode(),
        content_type=content_type,
    )
    try:
        openapi.validate_request(request)
    except OpenAPIError as fault:
        return [f"{recorded.method} {recorded.path}?{urlencode(recorded.query)}: {fault!r} {fault.__cause__!r}"]
    return []


def test_the_validator_detects_violations() -> None:
    openapi = OpenAPI.from_dict(DOCUMENT, config=Config(spec_validator_cls=None))
    headers = {"authorization": "Bearer t", "content-type": "application/json"}
    start = "/cloudapi/workflows/w/executions"

    def posted(body: object, **changes: Any) -> list[str]:
        request = {"headers": headers, "path": start, "method": "POST", "query": {}} | changes
        return violations(openapi, RecordedRequest("vcd", body=body, status=None, at=0.0, **request))

    valid = {"name": "a", "value": {"inputType": "StringParam", "value": "x"}}
    assert posted({"parameters": [valid]}) == []
    assert posted({"parameters": [valid]}, headers={"content-type": "application/json"}) != []
    assert posted({"parameters": [valid]}, path="/cloudapi/workflow/w/executions") != []
    assert posted({"parameters": [{"name": 7}]}) != []
    assert posted({"parameters": [{"name": "a", "value": {"inputType": "NumberParam", "value": "1"}}]}) != []
    assert posted("", method="GET", path="/cloudapi/serviceItem", query={"page": "0"}) != []


async def send_every_request(site: Site, tmp_path: Path) -> None:
    """Sign in in every way, and do with each what a provider does."""
    file = tmp_path / "token.json"
    file.write_text(json.dumps({"refresh_token": access.SERVICE_ACCOUNT_TOKEN}))
    alternatives: list[dict[str, Any]] = [
        {},
        {"service_account_token_file": str(file)},
        {"user": access.USER, "password": access.PASSWORD},
        {"org": "System", "user": access.PROVIDER_USER, "password": access.PROVIDER_PASSWORD, "tenant": "acme"},
        {"org": "System", "api_token": access.PROVIDER_API_TOKEN, "tenant": "Initech & Söhne"},
    ]
    for settings in alternatives:
        process = await sign_in(site, **settings)
        await process.plan(VcdExecution(workflow="Onboard tenant", parameters={"vmName": "w"}))
        await process.created(
            VcdExecution(
                workflow="Copy values", parameters=VALUES, parameter_types={"anything": f"Array/{ENDPOINT_TYPE}"}
            )
        )
        await process.close()
    process = await sign_in(site)
    await workflow.read(process.connection("vcd"), workflow.VcdWorkflow(workflow="Configure endpoint"))
    await workflows.read(process.connection("vcd"), workflows.VcdWorkflows(name="Report *"))
    await workflows.read(process.connection("vcd"), workflows.VcdWorkflows(name="a,b;c==(d) ü/?&"))
    process.site.set_behaviors("vcd", input_types="short", execution_state="absent")
    await process.created(VcdExecution(workflow="Copy values", parameters=VALUES))
    process = await sign_in(site)
    process.site.set_behaviors("vcd", input_types="class", start_answer="task")
    await process.created(VcdExecution(workflow="Copy values", parameters={"text": "after"}))
    process.site.set_behaviors("vcd", start_answer="plain")
    site.script("vcd")
    state = await process.created(VcdExecution(workflow_id=COPY.vro_id, parameters={}, wait=False, on_destroy="cancel"))
    await process.execution("vcd").delete(state, b"settled")
    site.world.faults.add(Fault("vcd", FaultKind.CUT, Match("POST", "/executions"), after=True))
    await process.created(VcdExecution(workflow="Copy values", parameters={"text": "lost"}))
    await process.close()


def operations_of(path: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for method, operation in path.items() if method != "parameters"]


def operation_of(recorded: RecordedRequest) -> str:
    """Return the operation of a request: the one whose path matches with the most literal segments."""
    segments = recorded.path.split("/")

    def matches(template: str) -> bool:
        parts = template.split("/")
        return len(parts) == len(segments) and all(
            part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
        )

    template = min(filter(matches, DOCUMENT["paths"]), key=lambda path: path.count("{"))
    return str(DOCUMENT["paths"][template][recorded.method.lower()]["operationId"])
