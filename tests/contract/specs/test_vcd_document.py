"""The Cloud Director specification keeps what its clients rely on."""

from __future__ import annotations

from typing import Any

import pytest

from codegen import openapi
from provider_py.sandbox.openapi import Contract, corrected
from provider_py.sandbox.vcd.values import MEMBERS

OPERATIONS = {
    "startWorkflowExecution": ("post", "/cloudapi/workflows/{workflowId}/executions"),
    "getAllWorkflowExecutions": ("get", "/cloudapi/workflows/{workflowId}/executions"),
    "getWorkflowExecution": ("get", "/cloudapi/workflows/{workflowId}/executions/{executionId}"),
    "deleteWorkflowExecution": ("delete", "/cloudapi/workflows/{workflowId}/executions/{executionId}"),
    "getWorkflowExecutionState": ("get", "/cloudapi/workflows/{workflowId}/executions/{executionId}/state"),
    "cancelWorkflowExecution": ("delete", "/cloudapi/workflows/{workflowId}/executions/{executionId}/state"),
    "getWorkflowPresentation": ("get", "/cloudapi/workflows/{workflowId}/presentation"),
    "queryServiceItems": ("get", "/cloudapi/serviceItem"),
    "getServiceItem": ("get", "/cloudapi/serviceItem/{id}"),
    "createSession": ("post", "/cloudapi/1.0.0/sessions"),
    "createProviderSession": ("post", "/cloudapi/1.0.0/sessions/provider"),
    "getCurrentSession": ("get", "/cloudapi/1.0.0/sessions/current"),
    "deleteCurrentSession": ("delete", "/cloudapi/1.0.0/sessions/current"),
    "queryOrgs": ("get", "/cloudapi/1.0.0/orgs"),
    "exchangeTenantToken": ("post", "/oauth/tenant/{org}/token"),
    "exchangeProviderToken": ("post", "/oauth/provider/token"),
    "getVersions": ("get", "/api/versions"),
    "getTask": ("get", "/api/task/{id}"),
}


@pytest.fixture(scope="module")
def document() -> Any:
    return corrected("vcd", "openapi.yaml")


@pytest.fixture(scope="module")
def schemas(document: Any) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]
    return found


def test_the_document_is_valid(document: Any) -> None:
    openapi.validate(document, "vcd")


def test_operations(document: Any) -> None:
    found = {
        operation["operationId"]: (method, path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }
    assert found == OPERATIONS


def test_each_kind_of_value_names_itself(schemas: dict[str, Any]) -> None:
    kinds = [each["$ref"].rpartition("/")[2] for each in schemas["Parameter"]["anyOf"]]
    assert kinds[-1] == "UnknownParam"
    assert len(kinds) == 15
    assert {kind: schemas[kind]["properties"]["inputType"]["enum"] for kind in kinds[:-1]} == {
        kind: [kind] for kind in kinds[:-1]
    }
    assert set(kinds[:-1]) == set(MEMBERS)


def test_the_unknown_kind_is_none_of_the_known(schemas: dict[str, Any]) -> None:
    assert set(schemas["UnknownParam"]["not"]["properties"]["inputType"]["enum"]) == set(MEMBERS)


def test_answers_demand_nothing_but_what_tells_kinds_apart(schemas: dict[str, Any]) -> None:
    demanded = {name for schema in schemas.values() for name in schema.get("required", ())}
    requests = {"grant_type", "refresh_token", "access_token"}
    assert demanded - requests == {"inputType", "elementType", "constraintType", "decoratorType"}


def test_answers_are_parsed_whatever_the_state_or_date(schemas: dict[str, Any]) -> None:
    assert schemas["ExecutionState"].keys() == {"type", "description"}
    assert "date-time" not in str(schemas)


def test_a_document_is_read_once() -> None:
    assert Contract.read("vcd", "openapi.yaml") is Contract.read("vcd", "openapi.yaml")
