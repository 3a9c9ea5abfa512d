"""The Cloud Director specification keeps what its clients rely on."""

from __future__ import annotations

from typing import Any

import pytest

from codegen import openapi
from provider_py.sandbox import Contract, corrected
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
    schemas: dict[str, Any] = document["components"]["schemas"]
    return schemas


def test_document_is_valid(document: Any) -> None:
    openapi.validate(document, "vcd")


def test_every_operation_keeps_its_path(document: Any) -> None:
    operations = {
        operation["operationId"]: (method, path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }
    assert operations == OPERATIONS


def test_every_value_class_names_itself(schemas: dict[str, Any]) -> None:
    classes = [reference["$ref"].rpartition("/")[2] for reference in schemas["Parameter"]["anyOf"]]
    assert classes[-1] == "UnknownParam"
    assert len(classes) == 15
    assert {class_: schemas[class_]["properties"]["inputType"]["enum"] for class_ in classes[:-1]} == {
        class_: [class_] for class_ in classes[:-1]
    }
    assert set(classes[:-1]) == set(MEMBERS)


def test_unknown_param_excludes_every_known_class(schemas: dict[str, Any]) -> None:
    assert set(schemas["UnknownParam"]["not"]["properties"]["inputType"]["enum"]) == set(MEMBERS)


def test_responses_require_only_discriminators(schemas: dict[str, Any]) -> None:
    demanded = {name for schema in schemas.values() for name in schema.get("required", ())}
    requests = {"grant_type", "refresh_token", "access_token"}
    assert demanded - requests == {"inputType", "elementType", "constraintType", "decoratorType"}


def test_responses_accept_any_state_and_date(schemas: dict[str, Any]) -> None:
    assert schemas["ExecutionState"].keys() == {"type", "description"}
    assert "date-time" not in str(schemas)


def test_document_is_read_once() -> None:
    assert Contract.read("vcd", "openapi.yaml") is Contract.read("vcd", "openapi.yaml")
