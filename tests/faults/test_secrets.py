"""Secrets leave the process in requests only: not in logs, messages, plans, states or the journal."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import inject_fault
from tests.support.stack import Stack
from tests.support.systems import STARTS

pytestmark = pytest.mark.terraform

VARIABLE = "hunter2-variable"
PARAMETER = "hunter2-parameter"
PROVIDER = """
provider "workflow" {
  harness  = { api_key = %r }
  nexthink = { client_secret = %r }
  vcd      = { api_token = %r }
}
"""
BODY = f"""
resource "workflow_harness_execution" "run" {{
  application                 = "Test App"
  workflow                    = "configured"
  variables                   = {{ size = "small" }}
  sensitive_variables         = {{ password = "{VARIABLE}" }}
  sensitive_variables_version = "1"
}}
resource "workflow_nexthink_execution" "run" {{
  workflow = "#reboot_device"
  devices  = [{{ name = "LAPTOP-01" }}]
}}
resource "workflow_vcd_execution" "run" {{
  workflow                     = "Configure endpoint"
  parameters                   = {{ vm = {{ type = "VC:VirtualMachine", id = "vcenter.example.com,id:vm-42" }} }}
  sensitive_parameters         = {{ password = "{PARAMETER}" }}
  sensitive_parameters_version = "1"
}}
"""
MODULE = "provider.terraform-provider-workflow"


def provider_lines(log: str) -> Iterator[str]:
    """Yield the lines that the provider wrote; Terraform's own may show what it sends to a provider."""
    yield from (line for line in log.splitlines() if MODULE in line)


def bearers(sandbox: SandboxProcess) -> set[str]:
    """Return the tokens that the systems received."""
    headers = (str(request["headers"].get("authorization", "")) for request in sandbox.requests())
    return {header.removeprefix("Bearer ") for header in headers if header.startswith("Bearer ")}


def assert_no_secrets(secrets: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """No text holds a secret."""
    leaks = [f"{name} in {place}" for place, text in texts.items() for name, value in secrets.items() if value in text]
    assert leaks == []


@pytest.mark.parametrize("source", ["configuration", pytest.param("environment", marks=pytest.mark.prove)])
def test_no_secret_is_written_anywhere(stack: Stack, sandbox: SandboxProcess, source: str) -> None:
    environment = stack.environment
    secrets = {name: environment[name] for name in ("HARNESS_API_KEY", "NEXTHINK_CLIENT_SECRET", "VCD_API_TOKEN")}
    if source == "configuration":
        for name in secrets:
            del environment[name]
        provider = PROVIDER % tuple(secrets.values())
        stack.write(BODY, provider=provider.replace("'", '"'))
    else:
        stack.write(BODY)
    log = stack.directory / "trace.log"
    environment |= {"TF_LOG": "TRACE", "TF_LOG_PATH": str(log)}
    sandbox.ask(
        "POST", "/scripts", {"system": "vcd", "ending": "failure", "reason": f"cannot sign in with {PARAMETER}"}
    )
    echo = f"refused: {VARIABLE}, {PARAMETER}, {', '.join(secrets.values())}"
    for system in ("harness", "vcd"):  # failures produce the most text
        answer = {"message": echo, "errors": [{"message": echo}]}
        inject_fault(sandbox, system, STARTS[system], "json", status=500, body=answer, after=True)

    planned = stack.run("plan", "-input=false", "-no-color", "-out=saved")
    assert planned.status == 0, planned.stderr
    applied = stack.run("apply", "-input=false", "-no-color", "saved")
    assert applied.status == 1
    assert "failed with status failed" in applied.stderr

    tokens = bearers(sandbox)
    assert len(tokens) >= 2
    secrets |= {"sensitive variable": VARIABLE, "sensitive parameter": PARAMETER}
    secrets |= {f"token {number}": token for number, token in enumerate(tokens)}
    own = list(provider_lines(log.read_text()))
    assert any("answered 200" in line for line in own), "the log has the provider's details"
    assert any("the start was not answered" in line and "refused: (sensitive)" in line for line in own)
    terraform_data = stack.directory / ".terraform"
    journal = [file for file in terraform_data.iterdir() if file.name.startswith("workflow-journal")]
    assert journal
    state = (stack.directory / "terraform.tfstate").read_text()
    assert_no_secrets(
        secrets,
        {
            "the log": "\n".join(own),
            "the plan's output": planned.stdout + planned.stderr,
            "the apply's output": applied.stdout + applied.stderr,
            "the plan file": plan_without_configuration(stack.directory / "saved"),
            "the state": state,
            **{file.name: file.read_bytes().decode("latin-1") for file in journal},
        },
    )


def plan_without_configuration(file: Path) -> str:
    """Return a plan file without its copy of the configuration, which is the user's own text."""
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if not name.startswith("tfconfig/")]
        return "".join(archive.read(name).decode("latin-1") for name in names)


def test_the_session_token_of_cloud_director_is_not_an_output(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(
        'resource "workflow_vcd_execution" "run" {\n  workflow = "Onboard tenant"\n'
        '  parameters = { vmName = "web-1" }\n}\n'
    )
    stack.applied()
    outputs = stack.values("workflow_vcd_execution.run")["outputs"]
    assert outputs["vmId"] == "vm-42"
    assert not [name for name in outputs if name.startswith(("_vcd_", "_vdc_"))]
    state = "".join(file.read_text() for file in stack.directory.glob("terraform.tfstate*"))
    assert_no_secrets({token: token for token in bearers(sandbox)}, {"the state": state})
