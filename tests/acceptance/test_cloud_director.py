"""Cloud Director only: typed values in both directions, and the token file of a service account."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from provider_py.cli.demo import ROOT
from provider_py.cli.sandbox import SandboxProcess
from provider_py.sandbox.vcd import access
from provider_py.sandbox.vcd.library import WORKFLOWS
from tests.support.release import Release
from tests.support.stack import Stack

pytestmark = pytest.mark.terraform

COPY = next(workflow for workflow in WORKFLOWS if workflow.echoes)


def starts(sandbox: SandboxProcess) -> list[dict[str, Any]]:
    return [
        request
        for request in sandbox.requests("vcd")
        if request["method"] == "POST" and request["path"].endswith("/executions")
    ]


def test_the_onboarding_example_passes_outputs_to_another_run(
    stack: Stack, sandbox: SandboxProcess, release: Release
) -> None:
    release.require("1.11", "the write-only argument of the example")
    shutil.copytree(ROOT / "examples" / "onboard-tenant", stack.directory, dirs_exist_ok=True)
    stack.environment["TF_VAR_password"] = "correct-horse"
    stack.applied()
    assert stack.outputs() == {
        "addresses": ["192.0.2.10", "192.0.2.11"],
        "endpoint": "endpoint.example.com:443",
        "finished_at": "2024-04-03",
    }
    endpoint = starts(sandbox)[1]
    sent = {parameter["name"]: parameter["value"] for parameter in endpoint["body"]["parameters"]}
    assert sent["vm"] == {"inputType": "SdkObject", "type": "VC:VirtualMachine", "id": "vm-42"}
    assert sent["start"] == {"inputType": "DateParam", "value": "2026-01-31T12:00:00Z"}
    assert sent["password"] == {"inputType": "SecureString", "value": "correct-horse", "isPlainText": True}
    types = {name: value["inputType"] for name, value in sent.items()}
    assert types["endpoint"] == "CompositeType"
    assert types["manifest"] == "MimeAttachment"
    assert "correct-horse" not in (stack.directory / "terraform.tfstate").read_text()
    assert "_vcd_sessionToken" not in (stack.directory / "terraform.tfstate").read_text()
    assert stack.plan().status == 0
    stack.destroy()


VALUES = {
    "text": '"Grüße"',
    "number": "2.5",
    "flag": "false",
    "moment": '"2026-01-31T12:00:00+01:00"',
    "secret": '"s3cret"',
    "cipher": '"AAEC"',
    "pattern": '"^a.*$"',
    "file": '{ name = "a.txt", mime_type = "text/plain", content = base64encode("hi") }',
    "vm": '"vcenter.example.com,id:vm-42"',
    "resource": '{ type = "ResourceElement", id = "r-1", display_value = "logo" }',
    "list": '["a", "b"]',
    "machines": '["vm-1", { id = "vm-2" }]',
    "options": '{ mode = "strict", nested = { list = [1, true, "x"] } }',
    "endpoint": '{ host = "h", port = 443 }',
    "endpoints": '[{ host = "h" }, { host = "i", port = 1 }]',
    "anything": '{ a = ["b"] }',
}


def test_values_of_every_type_round_trip(stack: Stack, sandbox: SandboxProcess) -> None:
    assert set(VALUES) == {variable.name for variable in COPY.inputs}
    arguments = "\n".join(f"    {name} = {value}" for name, value in VALUES.items())
    stack.write(f"""
resource "workflow_vcd_execution" "copy" {{
  workflow = "Copy values"
  parameters = {{
{arguments}
  }}
}}
output "values" {{ value = workflow_vcd_execution.copy.outputs }}
""")
    stack.applied()
    assert stack.outputs()["values"] == {
        "text": "Grüße",
        "number": 2.5,
        "flag": False,
        "moment": "2026-01-31T12:00:00+01:00",
        "secret": None,
        "cipher": None,
        "pattern": "^a.*$",
        "file": {"name": "a.txt", "mime_type": "text/plain", "content": "aGk="},
        "vm": {"type": "VC:VirtualMachine", "id": "vcenter.example.com,id:vm-42"},
        "resource": {"type": "ResourceElement", "id": "r-1", "display_value": "logo"},
        "list": ["a", "b"],
        "machines": [{"type": "VC:VirtualMachine", "id": "vm-1"}, {"type": "VC:VirtualMachine", "id": "vm-2"}],
        "options": {"mode": "strict", "nested": {"list": [1, True, "x"]}},
        "endpoint": {"host": "h", "port": 443},
        "endpoints": [{"host": "h"}, {"host": "i", "port": 1}],
        "anything": {"a": ["b"]},
    }
    assert stack.plan().status == 0


def test_unknown_parameters_are_resolved_in_the_apply(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write("""
resource "terraform_data" "later" { input = "web-9" }
resource "workflow_vcd_execution" "onboard" {
  workflow   = "Onboard tenant"
  parameters = { vmName = terraform_data.later.output, size = null }
}
""")
    assert stack.plan().status == 2
    stack.applied()
    (started,) = starts(sandbox)
    vm_name = {"inputType": "StringParam", "value": "web-9"}
    assert started["body"]["parameters"] == [{"name": "vmName", "type": "string", "scope": "local", "value": vm_name}]


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token.json"
    content = {"token_type": "Service Account", "refresh_token": access.SERVICE_ACCOUNT_TOKEN, "updated_by": "someone"}
    file.write_text(json.dumps(content))
    file.chmod(0o600)
    return file


ONBOARD = """
resource "workflow_vcd_execution" "onboard" {
  workflow   = "Onboard tenant"
  parameters = { vmName = "web-1" }
}
"""


def test_the_token_file_of_a_service_account_is_rewritten_by_every_command(stack: Stack, token_file: Path) -> None:
    del stack.environment["VCD_API_TOKEN"]
    stack.environment["VCD_SA_TOKEN_FILE"] = str(token_file)
    stack.write(ONBOARD)
    tokens = {access.SERVICE_ACCOUNT_TOKEN}
    for command in (stack.plan, stack.applied):
        command()
        tokens.add(json.loads(token_file.read_text())["refresh_token"])
    assert len(tokens) == 3
    assert json.loads(token_file.read_text())["updated_by"] == "someone"
    assert token_file.stat().st_mode & 0o777 == 0o600
