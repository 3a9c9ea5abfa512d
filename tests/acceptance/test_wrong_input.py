"""Mistakes: each is an error that names the attribute and says what to do, and nothing is started."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import HARNESS, NEXTHINK, SYSTEMS, VCD, spoilt
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.terraform


@dataclass(frozen=True, slots=True)
class Mistake:
    """A configuration with one thing wrong, the attribute that the error shows or names, and words that it says."""

    name: str
    configuration: str
    attribute: str
    words: tuple[str, ...]


MISTAKES = [
    Mistake("application", spoilt(HARNESS, "Test App", "Tset App"), "application", ("Tset App",)),
    Mistake("workflow", spoilt(HARNESS, "multi service", "many service"), "workflow", ("many service graphql test",)),
    Mistake(
        "variable-missing",
        spoilt(HARNESS, 'InfraDefinition_Kubernetes2 = "k8s"', ""),
        "variables",
        ("InfraDefinition_Kubernetes2",),
    ),
    Mistake(
        "variable-unknown",
        spoilt(HARNESS, "InfraDefinition_Kubernetes2", "InfraDefinition_Kubernetes3"),
        "variables",
        ("InfraDefinition_Kubernetes3",),
    ),
    Mistake(
        "artifact-missing",
        spoilt(HARNESS, 'k8s  = { source = "docker_hello-world", build_number = "latest" }', ""),
        "artifacts",
        ("k8s",),
    ),
    Mistake(
        "two-targets", spoilt(HARNESS, "variables =", 'pipeline = "p"\n  variables ='), "", ("workflow", "pipeline")
    ),
    Mistake(
        "nexthink-workflow", spoilt(NEXTHINK, "service_restart", "servise_restart"), "workflow", ("servise_restart",)
    ),
    Mistake("device-id", spoilt(NEXTHINK, 'name = "LAPTOP-02"', 'uid = "LAPTOP-02"'), "devices", ("LAPTOP-02",)),
    Mistake("sid", spoilt(NEXTHINK, 'upn = "ann@example.com"', 'sid = "S-1-x"'), "users", ("S-1-x",)),
    Mistake(
        "no-targets",
        spoilt(
            spoilt(NEXTHINK, '[{ name = "LAPTOP-01" }, { name = "LAPTOP-02" }]', "[]"),
            '[{ upn = "ann@example.com" }]',
            "[]",
        ),
        "",
        ("devices", "users"),
    ),
    Mistake("nexthink-parameter", spoilt(NEXTHINK, "service = ", "servise = "), "params", ("servise",)),
    Mistake("vcd-workflow", spoilt(VCD, "Onboard tenant", "Onbord tenant"), "workflow", ("Onbord tenant",)),
    Mistake(
        "hasty-interval",
        spoilt(VCD, "parameters =", 'poll_interval = "500ms"\n  parameters ='),
        "poll_interval",
        ("500ms", "1s"),
    ),
    Mistake("vcd-parameter", spoilt(VCD, "vmName", "vmNmae"), "parameters", ("vmNmae",)),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_an_error_on_its_attribute(stack: Stack, sandbox: SandboxProcess, mistake: Mistake) -> None:
    stack.write(mistake.configuration)
    stack.init()
    result = stack.plan()
    assert result.status == 1, result.stdout
    assert any(
        mistake.attribute in error.code + error.text and all(word in error.text for word in mistake.words)
        for error in result.errors
    ), result.errors
    assert all(error.detail for error in result.errors)
    assert "Traceback" not in result.stdout + result.stderr
    assert sandbox.ask("GET", "/runs") == []


CREDENTIALS = {
    "harness": ("HARNESS_API_KEY", "api_key"),
    "nexthink": ("NEXTHINK_CLIENT_SECRET", "client_secret"),
    "vcd": ("VCD_API_TOKEN", "api_token"),
}


@pytest.mark.parametrize("system", CREDENTIALS)
def test_missing_credentials_are_named(stack: Stack, sandbox: SandboxProcess, system: str) -> None:
    variable, setting = CREDENTIALS[system]
    del stack.environment[variable]
    stack.write(SYSTEMS[system])
    stack.init()
    result = stack.apply()
    assert result.status == 1
    assert any(variable in error.text and setting in error.text for error in result.errors), result.stdout
    assert sandbox.ask("GET", "/runs") == []


@pytest.mark.parametrize("system", CREDENTIALS)
def test_a_refused_key_is_an_error_that_keeps_it_secret(stack: Stack, sandbox: SandboxProcess, system: str) -> None:
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
def test_an_empty_provider_block_without_environment_says_what_to_set(stack: Stack, system: str) -> None:
    for name in [name for name in stack.environment if name.startswith(("HARNESS_", "NEXTHINK_", "VCD_"))]:
        del stack.environment[name]
    stack.write(SYSTEMS[system])
    stack.init()
    result = stack.apply()
    assert result.status == 1
    assert any(f"{system.upper()}_" in error.text for error in result.errors), result.stdout
