"""Invalid configurations: the error names the attribute and says what to do, and no run is started."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import HARNESS, NEXTHINK, RUNS, VCD, replaced
from tests.support.stack import Problem, Result, Stack
from tests.support.systems import CREDENTIALS, SYSTEMS

pytestmark = pytest.mark.terraform


@dataclass(frozen=True, slots=True)
class Mistake:
    """An invalid configuration, the attribute that the error points to or names, and words of its message."""

    name: str
    configuration: str
    attribute: str
    words: tuple[str, ...]

    @property
    def renamed(self) -> str:
        """The configuration under a name of its own, so that many fit into one stack."""
        return re.sub(r'^resource "(\w+)" "\w+"', rf'resource "\1" "{self.name}"', self.configuration.lstrip())

    def is_reported(self, errors: Sequence[Problem]) -> bool:
        """Return whether one of the errors is about this mistake."""
        return any(
            error.address.endswith(f".{self.name}")
            and self.attribute in error.code + error.text
            and all(word in error.text for word in self.words)
            for error in errors
        )


MISTAKES = [
    Mistake("application", replaced(HARNESS, "Test App", "Tset App"), "application", ("Tset App",)),
    Mistake("workflow", replaced(HARNESS, "multi service", "many service"), "workflow", ("many service graphql test",)),
    Mistake(
        "variable-missing",
        replaced(HARNESS, 'InfraDefinition_Kubernetes2 = "k8s"', ""),
        "variables",
        ("InfraDefinition_Kubernetes2",),
    ),
    Mistake(
        "variable-unknown",
        replaced(HARNESS, "InfraDefinition_Kubernetes2", "InfraDefinition_Kubernetes3"),
        "variables",
        ("InfraDefinition_Kubernetes3",),
    ),
    Mistake(
        "artifact-missing",
        replaced(HARNESS, 'k8s  = { source = "docker_hello-world", build_number = "latest" }', ""),
        "artifacts",
        ("k8s",),
    ),
    Mistake(
        "two-targets", replaced(HARNESS, "variables =", 'pipeline = "p"\n  variables ='), "", ("workflow", "pipeline")
    ),
    Mistake(
        "nexthink-workflow", replaced(NEXTHINK, "service_restart", "servise_restart"), "workflow", ("servise_restart",)
    ),
    Mistake("device-id", replaced(NEXTHINK, 'name = "LAPTOP-02"', 'uid = "LAPTOP-02"'), "devices", ("LAPTOP-02",)),
    Mistake("sid", replaced(NEXTHINK, 'upn = "ann@example.com"', 'sid = "S-1-x"'), "users", ("S-1-x",)),
    Mistake(
        "no-targets",
        replaced(
            replaced(NEXTHINK, '[{ name = "LAPTOP-01" }, { name = "LAPTOP-02" }]', "[]"),
            '[{ upn = "ann@example.com" }]',
            "[]",
        ),
        "",
        ("devices", "users"),
    ),
    Mistake("nexthink-parameter", replaced(NEXTHINK, "service = ", "servise = "), "params", ("servise",)),
    Mistake("vcd-workflow", replaced(VCD, "Onboard tenant", "Onbord tenant"), "workflow", ("Onbord tenant",)),
    Mistake(
        "short-interval",
        replaced(VCD, "parameters =", 'poll_interval = "500ms"\n  parameters ='),
        "poll_interval",
        ("500ms", "1s"),
    ),
    Mistake("vcd-parameter", replaced(VCD, "vmName", "vmNmae"), "parameters", ("vmNmae",)),
]


OFFLINE = {"two-targets", "device-id", "sid", "no-targets", "short-interval"}
"""Mistakes that are reported without a request to a system; no plan goes beyond them."""


@pytest.mark.parametrize("offline", [True, False], ids=["offline", "preflight"])
@pytest.mark.hosts
def test_invalid_arguments_are_errors_on_their_attributes(stack: Stack, sandbox: SandboxProcess, offline: bool) -> None:
    mistakes = [mistake for mistake in MISTAKES if (mistake.name in OFFLINE) is offline]
    stack.write("".join(mistake.renamed for mistake in mistakes))
    result = stack.plan()
    assert result.status == 1, result.stdout
    unreported = [mistake.name for mistake in mistakes if not mistake.is_reported(result.errors)]
    assert unreported == [], result.errors
    assert all(error.detail for error in result.errors)
    assert "Traceback" not in result.stdout + result.stderr
    assert sandbox.ask("GET", "/runs") == []


def refused(stack: Stack, sandbox: SandboxProcess) -> Result:
    """Apply one run in each of the systems, of which none may start."""
    stack.write("".join(RUNS.values()))
    result = stack.apply()
    assert result.status == 1
    assert "Traceback" not in result.stdout + result.stderr
    assert sandbox.ask("GET", "/runs") == []
    return result


def test_missing_credentials_are_reported_by_name(stack: Stack, sandbox: SandboxProcess) -> None:
    for _, variable in CREDENTIALS.values():
        del stack.environment[variable]
    result = refused(stack, sandbox)
    for setting, variable in CREDENTIALS.values():
        assert any(variable in error.text and setting in error.text for error in result.errors), result.stdout


def test_rejected_credentials_are_errors_without_the_values(stack: Stack, sandbox: SandboxProcess) -> None:
    for _, variable in CREDENTIALS.values():
        stack.environment[variable] = "not-the-right-secret"
    result = refused(stack, sandbox)
    for setting, variable in CREDENTIALS.values():
        assert any(variable in error.text or setting in error.text for error in result.errors), result.stdout
    assert "not-the-right-secret" not in result.stdout + result.stderr


def test_missing_settings_are_errors_that_name_them(stack: Stack, sandbox: SandboxProcess) -> None:
    for name in [name for name in stack.environment if name.startswith(("HARNESS_", "NEXTHINK_", "VCD_"))]:
        del stack.environment[name]
    result = refused(stack, sandbox)
    for system in SYSTEMS:
        assert any(f"{system.upper()}_" in error.text for error in result.errors), result.stdout
