"""The Nexthink specification: what is published, and what the overlay makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen import openapi, overlay
from provider_py.sandbox import corrected

SPECS = Path(__file__).parents[3] / "specs" / "nexthink"
PAGES = ("execute-v1", "execute-v2", "trigger-wait-for-event", "list-workflows", "get-workflow")


def load(name: str) -> Any:
    return json.loads((SPECS / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def actions() -> Any:
    return yaml.safe_load((SPECS / "overlay.yaml").read_text("utf-8"))["actions"]


@pytest.fixture(scope="module")
def document() -> Any:
    return corrected("nexthink", "openapi.json", "overlay.yaml")


def operations(document: Any) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def test_document_is_the_merge_of_the_published_pages() -> None:
    assert sorted(path.stem for path in (SPECS / "published").iterdir()) == sorted(PAGES)
    merged = openapi.merge({page: load(f"published/{page}.json") for page in PAGES})
    assert json.dumps(merged, indent=2, ensure_ascii=False) + "\n" == (SPECS / "openapi.json").read_text("utf-8")


def test_every_correction_has_a_reason(actions: list[dict[str, Any]]) -> None:
    assert [action["target"] for action in actions if len(action.get("description", "")) < 20] == []


def test_sandbox_corrects_as_the_build_step_does(document: Any) -> None:
    rules = yaml.safe_load((SPECS / "overlay.yaml").read_text("utf-8"))
    assert overlay.apply(load("openapi.json"), rules, "overlay.yaml") == document


def test_corrected_document_is_valid(document: Any) -> None:
    openapi.validate(document, "nexthink")
    names = [operation["operationId"] for operation in operations(document)]
    assert sorted(names) == [
        "executeEA",
        "executeEAWithExternalIds",
        "executeNqlQuery",
        "exportNqlQuery",
        "getAllWorkflows",
        "getNqlExportStatus",
        "getWorkflow",
        "triggerThinklet",
    ]


def test_no_operation_takes_credentials_or_requires_a_header(document: Any) -> None:
    headers = [
        parameter
        for operation in operations(document)
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    ]
    assert {header["name"] for header in headers} == {"Source", "x-utc-times"}
    assert [header for header in headers if header.get("required") or header["schema"].get("nullable")] == []


def test_workflow_does_not_contain_itself(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert '#/components/schemas/Workflow"' in json.dumps(load("openapi.json")["components"])
    assert '#/components/schemas/Workflow"' not in json.dumps(schemas)


@pytest.mark.parametrize("request_", ["ExecutionRequest", "ExternalIdsExecutionRequest"])
def test_either_list_of_targets_suffices(document: Any, request_: str) -> None:
    schema = document["components"]["schemas"][request_]
    assert schema["required"] == ["workflowId"]
    assert {schema["properties"][name]["maxItems"] for name in ("devices", "users")} == {10_000}


def test_enums_of_responses_are_open(document: Any) -> None:
    closed = [name for name, schema in document["components"]["schemas"].items() if "enum" in schema]
    assert sorted(closed) == ["WorkflowFilter.TriggerMethod", "WorkflowFilter.WorkflowDependency"]
