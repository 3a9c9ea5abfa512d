"""Invalid configurations: the error names the attribute and says what to do, and no run is started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import HARNESS, NEXTHINK, SYSTEMS, VCD, replaced
from tests.acceptance.stack import Problem, Stack

pytestmark = pytest.mark.terraform


@dataclass(frozen=True, slots=True)
class Mistake:
    """An invalid configuration, the attribute that the error points to or names, and words of its message."""

    name: str
    configuration: str
    attribute: str
    words: tuple[str, ...]

    def is_reported(self, errors: Sequence[Problem]) -> bool:
        """Return whether one of the errors is about this mistake."""
        return any(
            self.attribute in error.code + error.text and all(word in error.text for word in self.words)
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


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_an_invalid_argument_is_an_error_on_its_attribute(
    stack: Stack, sandbox: SandboxProcess, mistake: Mistake
) -> None:
    stack.write(mistake.configuration)
    stack.init()
    result = stack.plan()
    assert result.status == 1, result.stdout
    assert mistake.is_reported(result.errors), result.errors
    assert all(error.detail for error in result.errors)
    assert "Traceback" not in result.stdout + result.stderr
    assert sandbox.ask("GET", "/runs") == []


@pytest.mark.hosts
def test_a_plan_reports_the_mistakes_in_all_systems(stack: Stack, sandbox: SandboxProcess) -> None:
    names = {"variable-missing", "nexthink-parameter", "vcd-parameter"}
    mistakes = [mistake for mistake in MISTAKES if mistake.name in names]
    stack.write("".join(mistake.configuration for mistake in mistakes))
    stack.init()
    result = stack.plan()
    assert result.status == 1, result.stdout
    assert [mistake.is_reported(result.errors) for mistake in mistakes] == [True, True, True], result.errors
    assert sandbox.ask("GET", "/runs") == []


CREDENTIALS = {
    "harness": ("HARNESS_API_KEY", "api_key"),
    "nexthink": ("NEXTHINK_CLIENT_SECRET", "client_secret"),
    "vcd": ("VCD_API_TOKEN", "api_token"),
}


@pytest.mark.parametrize("system", CREDENTIALS)
def test_missing_credentials_are_reported_by_name(stack: Stack, sandbox: SandboxProcess, system: str) -> None:
    variable, setting = CREDENTIALS[system]
    del stack.environment[variable]
    stack.write(SYSTEMS[system])
    stack.init()
    result = stack.apply()
    assert result.status == 1
    assert any(variable in error.text and setting in error.text for error in result.errors), result.stdout
    assert sandbox.ask("GET", "/runs") == []


@pytest.mark.parametrize("system", CREDENTIALS)
def test_a_rejected_key_is_an_error_without_the_key(stack: Stack, sandbox: SandboxProcess, system: str) -> None:
    variable, setting = CREDENTIALS[system]
    stack.environment[variable] = "not-the-right-secret"
    stack.write(SYSTEMS[system])
    stack.init()
    result = stack.apply()
    assert result.status == 1
    assert any(variable in error.text or setting in error.text for error in result.errors), result.stdout
    assert "not-the-right-secret" not in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert sandbox.ask("GET", "/runs") == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_provider_without_settings_is_an_error_that_names_them(stack: Stack, system: str) -> None:
    for name in [name for name in stack.environment if name.startswith(("HARNESS_", "NEXTHINK_", "VCD_"))]:
        del stack.environment[name]
    stack.write(SYSTEMS[system])
    stack.init()
    result = stack.apply()
    assert result.status == 1
    assert any(f"{system.upper()}_" in error.text for error in result.errors), result.stdout
