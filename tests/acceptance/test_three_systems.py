"""The main use case: runs in three systems start once, a second plan is empty, and the requests are those expected."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import graphql
import pytest

from provider_py.cli.demo import ROOT
from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import ADDRESSES, HARNESS, NEXTHINK, VCD
from tests.support.scenarios import address, ids, runs_of
from tests.support.stack import Stack
from tests.support.systems import SYSTEMS

pytestmark = pytest.mark.terraform


@pytest.mark.hosts
def test_three_systems_apply_once_and_are_destroyed(stack: Stack, sandbox: SandboxProcess) -> None:
    shutil.copytree(ROOT / "examples" / "three-systems", stack.directory, dirs_exist_ok=True)
    stack.init()
    assert stack.applied().changes == 3
    outputs = stack.outputs()
    assert outputs["harness_status"] == "SUCCESS"
    assert outputs["nexthink_status"] == "success"
    assert outputs["vcd_status"] == "completed"
    assert outputs["harness_url"].startswith("http")
    assert len(outputs["nexthink_request_ids"]) == 1

    sandbox.forget_requests()
    assert stack.plan().status == 0
    assert stack.applied().changes == 0
    assert stack.destroy().errors == []
    assert stack.state() == {}
    assert sandbox.requests() == []


def test_harness_receives_the_documented_operations(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(HARNESS)
    stack.applied()
    calls = [body for request in sandbox.requests("harness") if "query" in (body := request["body"])]
    steps = [step for body in calls for step in root_fields(body["query"])]
    assert list(dict.fromkeys(steps))[:4] == [
        "applicationByName",
        "workflowByName",
        "executionInputs",
        "startExecution",
    ]
    assert steps.count("startExecution") == 1
    assert set(steps[steps.index("startExecution") + 1 :]) <= {"execution", "executions"}

    start_input = next(body for body in calls if "startExecution" in root_fields(body["query"]))["variables"]["input"]
    assert start_input["executionType"] == "WORKFLOW"
    assert {variable["name"]: variable["variableValue"] for variable in start_input["variableInputs"]} == {
        "Environment": {"type": "NAME", "value": "Prod"},
        "InfraDefinition_Kubernetes": {"type": "NAME", "value": "k8s"},
        "InfraDefinition_Kubernetes2": {"type": "NAME", "value": "k8s"},
    }
    assert {service["name"]: build_of(service) for service in start_input["serviceInputs"]} == {
        "test": {"artifactSourceName": "library_nginx", "buildNumber": "stable-perl"},
        "k8s": {"artifactSourceName": "docker_hello-world", "buildNumber": "latest"},
    }


def test_nexthink_receives_one_request_with_all_targets(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(NEXTHINK)
    stack.applied()
    started = executions(sandbox)
    assert [request["path"] for request in started] == ["/api/v2/workflows/execute"]
    assert started[0]["body"] == {
        "workflowId": "#service_restart_and_repair",
        "devices": [{"name": "LAPTOP-01"}, {"name": "LAPTOP-02"}],
        "users": [{"upn": "ann@example.com"}],
        "params": {"service": "spooler"},
    }
    assert len(stack.values(ADDRESSES["nexthink"])["execution_ids"]) == 3


def test_vcd_receives_values_in_their_declared_types(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(VCD)
    stack.applied()
    (started,) = [
        request
        for request in sandbox.requests("vcd")
        if request["method"] == "POST" and request["path"].endswith("/executions")
    ]
    types = {parameter["name"]: parameter["type"] for parameter in started["body"]["parameters"]}
    assert types == {"vmName": "string", "size": "number", "notify": "boolean", "tags": "Array/string"}


@pytest.mark.prove
def test_more_than_ten_thousand_targets_are_two_requests(stack: Stack, sandbox: SandboxProcess) -> None:
    devices = [{"name": f"DESK-{number:05}"} for number in range(1, 10_002)]
    (stack.directory / "devices.json").write_text(json.dumps(devices))
    stack.write("""
resource "workflow_nexthink_execution" "many" {
  workflow = "#service_restart_and_repair"
  devices  = jsondecode(file("devices.json"))
  params   = { service = "spooler" }
}
""")
    stack.applied()
    assert [len(request["body"]["devices"]) for request in executions(sandbox)] == [10000, 1]
    assert len(stack.values("workflow_nexthink_execution.many")["request_ids"]) == 2


@pytest.mark.hosts
def test_a_changed_trigger_starts_a_new_run(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS, 'triggers = { release = "1" }'))
    stack.applied()
    first = {system: stack.values(address(system))["id"] for system in SYSTEMS}
    stack.write(runs_of(SYSTEMS, 'triggers = { release = "2" }'))
    stack.applied()
    for system in SYSTEMS:
        assert stack.values(address(system))["id"] != first[system]
        assert len(ids(sandbox, system)) == 2


def root_fields(document: str) -> Iterator[str]:
    """Yield the names of the root fields of a GraphQL document."""
    for definition in graphql.parse(document).definitions:
        if isinstance(definition, graphql.OperationDefinitionNode):
            yield from (node.name.value for node in definition.selection_set.selections if hasattr(node, "name"))


def build_of(service: dict[str, Any]) -> dict[str, str]:
    """Return the build selected by a service input."""
    selection = service["artifactValueInput"]
    assert selection["valueType"] == "BUILD_NUMBER"
    build: dict[str, str] = selection["buildNumber"]
    return build


def executions(sandbox: SandboxProcess) -> Sequence[dict[str, Any]]:
    """Return the requests that start Nexthink executions."""
    return [request for request in sandbox.requests("nexthink") if request["path"].endswith("/workflows/execute")]
