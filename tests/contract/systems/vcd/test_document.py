"""Every request that the provider can send is one of the vendor's document, judged by a validator of its own."""

from __future__ import annotations

import json
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
from provider_py.sandbox.world import RecordedRequest, Script
from provider_py.systems.vcd import workflow, workflows
from tests.contract.systems.vcd.conftest import Site

DOCUMENT = yaml.safe_load((ROOT / "specs" / "vcd" / "openapi.yaml").read_text())
COPY = next(each for each in WORKFLOWS if each.echoes)
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
    "getVersions": "the version is a setting; a server that lacks it lists its versions by itself",
    "getCurrentSession": "nobody has to know who is signed in",
    "getServiceItem": "items are found in the list, by any of their ids",
    "deleteWorkflowExecution": "the record of a run is not Terraform's to delete",
    "getTask": "a task's address is a result; the run itself is followed",
}
"""Operations of the document that the provider does without, and why."""


async def test_no_request_breaks_the_document(site: Site, tmp_path: Any) -> None:
    await everything(site, tmp_path)
    openapi = OpenAPI.from_dict(DOCUMENT, config=Config(spec_validator_cls=None))
    violations = [said for request in site.world.requests for said in violated(openapi, request)]
    assert violations == []
    operations = {each["operationId"] for path in DOCUMENT["paths"].values() for each in operations_of(path)}
    assert {operation_of(request) for request in site.world.requests} == operations - NEVER_SENT.keys()


def violated(openapi: OpenAPI, recorded: RecordedRequest) -> list[str]:
    """Return what the document says against a request, its credentials included."""
    kind = recorded.headers.get("content-type", "")
    body = recorded.body if isinstance(recorded.body, str) else json.dumps(recorded.body)
    request = MockRequest(
        HOST,
        recorded.method.lower(),
        recorded.path,
        args=recorded.query,
        headers=recorded.headers,
        data=body.encode(),
        content_type=kind,
    )
    try:
        openapi.validate_request(request)
    except OpenAPIError as fault:
        return [f"{recorded.method} {recorded.path}?{urlencode(recorded.query)}: {fault!r} {fault.__cause__!r}"]
    return []


def test_the_validator_finds_violations() -> None:
    openapi = OpenAPI.from_dict(DOCUMENT, config=Config(spec_validator_cls=None))
    headers = {"authorization": "Bearer t", "content-type": "application/json"}
    start = "/cloudapi/workflows/w/executions"

    def posted(body: object, **changed: Any) -> list[str]:
        given = {"headers": headers, "path": start, "method": "POST", "query": {}} | changed
        return violated(openapi, RecordedRequest("vcd", body=body, status=None, at=0.0, **given))

    right = {"name": "a", "value": {"inputType": "StringParam", "value": "x"}}
    assert posted({"parameters": [right]}) == []
    assert posted({"parameters": [right]}, headers={"content-type": "application/json"}) != []
    assert posted({"parameters": [right]}, path="/cloudapi/workflow/w/executions") != []
    assert posted({"parameters": [{"name": 7}]}) != []
    assert posted({"parameters": [{"name": "a", "value": {"inputType": "NumberParam", "value": "1"}}]}) != []
    assert posted("", method="GET", path="/cloudapi/serviceItem", query={"page": "0"}) != []


async def everything(site: Site, tmp_path: Any) -> None:
    """Sign in in every way, and do with each what a provider does."""
    file = tmp_path / "token.json"
    file.write_text(json.dumps({"refresh_token": access.SERVICE_ACCOUNT_TOKEN}))
    ways: list[dict[str, Any]] = [
        {},
        {"service_account_token_file": str(file)},
        {"user": access.USER, "password": access.PASSWORD},
        {"org": "System", "user": access.PROVIDER_USER, "password": access.PROVIDER_PASSWORD, "tenant": "acme"},
        {"org": "System", "api_token": access.PROVIDER_API_TOKEN, "tenant": "Initech & Söhne"},
    ]
    for way in ways:
        life = site.life(**way)
        await life.plan(workflow="Onboard tenant", parameters={"vmName": "w"})
        await life.made(
            workflow="Copy values", parameters=VALUES, parameter_types={"anything": f"Array/{ENDPOINT_TYPE}"}
        )
        await life.director.close()
    life = site.life()
    await workflow.read(life.director, workflow.VcdWorkflow(workflow="Configure endpoint"))
    await workflows.read(life.director, workflows.VcdWorkflows(name="Report *"))
    await workflows.read(life.director, workflows.VcdWorkflows(name="a,b;c==(d) ü/?&"))
    life.behave(input_types="short", execution_state="absent")
    await life.made(workflow="Copy values", parameters=VALUES)
    life = site.life()
    life.behave(input_types="class", start_answer="task")
    await life.made(workflow="Copy values", parameters={"text": "after"})
    life.behave(start_answer="plain")
    site.world.runs.scripts.append(Script("vcd", seconds=1e6))
    state = await life.made(workflow_id=COPY.vro_id, parameters={}, wait=False, on_destroy="cancel")
    await life.resource.delete(state, b"settled")
    site.world.faults.add(Fault("vcd", FaultKind.CUT, Match("POST", "/executions"), after=True))
    await life.made(workflow="Copy values", parameters={"text": "lost"})
    await life.director.close()


def operations_of(path: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for method, each in path.items() if method != "parameters"]


def operation_of(recorded: RecordedRequest) -> str:
    """Return the operation that a request is of: the one whose path has the most literal segments."""
    segments = recorded.path.split("/")

    def fits(template: str) -> bool:
        parts = template.split("/")
        return len(parts) == len(segments) and all(
            part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
        )

    template = min(filter(fits, DOCUMENT["paths"]), key=lambda each: each.count("{"))
    return str(DOCUMENT["paths"][template][recorded.method.lower()]["operationId"])
