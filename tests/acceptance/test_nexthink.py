"""Nexthink only: fleets, events, and types that Terraform itself rejects."""

from __future__ import annotations

import json
import shutil

import pytest

from provider_py.cli.demo import ROOT
from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import NEXTHINK, replaced
from tests.support.stack import Stack

pytestmark = pytest.mark.terraform


def test_a_fleet_is_repaired(stack: Stack, sandbox: SandboxProcess) -> None:
    shutil.copytree(ROOT / "examples" / "repair-fleet", stack.directory, dirs_exist_ok=True)
    stack.applied()
    outputs = stack.outputs()
    assert outputs["repaired"] == "3 of 3"
    assert set(outputs["outcomes"].values()) == {"Service restarted"}
    assert len(outputs["outcomes"]) == 3
    gate, repair = sandbox.ask("GET", "/runs?system=nexthink")
    assert set(outputs["approvals"]) == {gate["id"]}
    sent = [request["path"] for request in sandbox.requests("nexthink") if request["path"].endswith("/trigger")]
    assert len(sent) == len(set(sent)) == 3
    assert repair["started_at"] >= gate["started_at"]

    assert stack.plan().status == 0
    sandbox.forget_requests()
    stack.applied("-var", 'fleet=["LAPTOP-04"]')
    assert len([request for request in sandbox.requests("nexthink") if request["path"].endswith("/trigger")]) == 1
    stack.destroy()
    assert stack.state() == {}


def test_an_event_that_may_have_arrived_is_reported_and_not_resent(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write((ROOT / "examples" / "resources" / "workflow_nexthink_event" / "resource.tf").read_text())
    fault = {"system": "nexthink", "kind": "cut", "match": {"path": "/trigger"}, "after": True}
    sandbox.ask("POST", "/faults", fault)
    for _ in range(2):
        result = stack.apply()
        assert result.status == 1
        (error,) = result.errors
        assert "Unknown whether the event arrived" in error.summary
        assert "workflow-provider journal settle" in error.detail
        assert "workflow_nexthink_event.approve" not in stack.state()
    assert len([request for request in sandbox.requests("nexthink") if request["path"].endswith("/trigger")]) == 1


WRONG_TYPES = [
    ('[{ name = "LAPTOP-01" }, { name = "LAPTOP-02" }]', '"LAPTOP-01"', "devices"),
    ('[{ name = "LAPTOP-01" }, { name = "LAPTOP-02" }]', '["LAPTOP-01"]', "devices"),
    ('{ service = "spooler" }', '{ service = ["spooler"] }', "params"),
    ('"#service_restart_and_repair"', "null", "workflow"),
    ('{ upn = "ann@example.com" }', "null", "users"),
]


def test_values_of_the_wrong_type_are_rejected(stack: Stack) -> None:
    configurations = (
        replaced(replaced(NEXTHINK, old, new), '"repair"', f'"wrong_{number}"')
        for number, (old, new, _) in enumerate(WRONG_TYPES)
    )
    stack.write("".join(configurations))
    result = stack.run("validate", "-json")
    assert result.status == 1
    diagnostics = json.loads(result.stdout)["diagnostics"]
    for number, (_, _, attribute) in enumerate(WRONG_TYPES):
        texts = [
            diagnostic["detail"] + diagnostic.get("snippet", {}).get("code", "")
            for diagnostic in diagnostics
            if f'"wrong_{number}"' in (diagnostic.get("snippet", {}).get("context") or "")
        ]
        assert any(attribute in text for text in texts), diagnostics
    assert "Traceback" not in result.stdout + result.stderr
