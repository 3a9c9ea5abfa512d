"""Harness' own example, and the GraphQL requests that a simulated account received."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, Final

from graphql import GraphQLSchema, build_schema, get_operation_ast, parse, validate
from graphql.execution.values import get_variable_values

from provider_py.sandbox.harness.account import Account
from provider_py.sandbox.harness.catalog import Application
from provider_py.sandbox.specs import spec_file
from provider_py.systems.harness.execution import Artifact, HarnessExecution
from tests.support.site import Site

APPLICATION: Final = "naNJDKrUTZKKdKycL5Tx4g"
WORKFLOW: Final = "multi service graphql test"
VARIABLES: Final = {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s", "InfraDefinition_Kubernetes2": "k8s"}
ARTIFACTS: Final = {
    "test": Artifact(source="library_nginx", build_number="stable-perl"),
    "k8s": Artifact(source="docker_hello-world", build_number="latest"),
}


def published_example(**arguments: Any) -> HarnessExecution:
    """Configure the run of Harness' own example."""
    named: dict[str, Any] = {"application": "Test App", "workflow": WORKFLOW}
    return HarnessExecution(**(named | {"variables": VARIABLES, "artifacts": ARTIFACTS} | arguments))


def application(site: Site) -> Application:
    """Return the first application of the simulated account, for tests to add to."""
    owners = (getattr(restore, "__self__", None) for restore in site.world._on_reset)
    (account,) = (owner for owner in owners if isinstance(owner, Account))
    return account.applications[0]


def sent(site: Site) -> list[Mapping[str, Any]]:
    """Return the GraphQL requests that arrived."""
    bodies = (request.body for request in site.requests)
    return [body for body in bodies if isinstance(body, dict) and "query" in body]


def operations(site: Site) -> list[str]:
    """Return the names of the operations that arrived."""
    return [str(body["operationName"]) for body in sent(site)]


@functools.cache
def _schema() -> GraphQLSchema:
    return build_schema(spec_file("harness", "schema.graphql").read_text())


def schema_errors(site: Site) -> list[object]:
    """Return what the schema objects to in the requests that arrived."""
    errors: list[object] = []
    for body in sent(site):
        document = parse(body["query"])
        errors.extend(validate(_schema(), document))
        operation = get_operation_ast(document, body["operationName"])
        assert operation is not None
        variables = json.loads(json.dumps(body["variables"]))
        coerced = get_variable_values(_schema(), operation.variable_definitions, variables)
        errors.extend(coerced if isinstance(coerced, list) else ())
    return errors
