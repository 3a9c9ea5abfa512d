"""Write-only arguments: never stored by a Terraform that supports them, rejected under an older one."""

from __future__ import annotations

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import VCD, replaced
from tests.support.release import Release
from tests.support.stack import Stack

pytestmark = [pytest.mark.terraform, pytest.mark.hosts]

SUPPORTED_SINCE = "1.11"
ARGUMENTS = 'sensitive_parameters = { vmName = "secret-name" }\n  sensitive_parameters_version = "1"'
CONFIGURATION = replaced(VCD, 'vmName = "web-1", ', "").replace("parameters =", f"{ARGUMENTS}\n  parameters =")


def test_a_write_only_argument_is_sent_and_not_stored(stack: Stack, sandbox: SandboxProcess, release: Release) -> None:
    release.require(SUPPORTED_SINCE, "a write-only argument")
    stack.write(CONFIGURATION)
    stack.applied()
    assert "secret-name" in str(sandbox.requests("vcd"))
    assert "secret-name" not in (stack.directory / "terraform.tfstate").read_text()
    assert stack.plan().status == 0


def test_a_write_only_argument_is_rejected_where_it_would_be_stored(
    stack: Stack, sandbox: SandboxProcess, release: Release
) -> None:
    if release.has(SUPPORTED_SINCE):
        pytest.skip(f"{release} supports write-only arguments")
    stack.write(CONFIGURATION)
    (error,) = stack.plan().errors
    assert "sensitive_parameters" in error.text
    assert f"Terraform {SUPPORTED_SINCE}" in error.text
    assert sandbox.ask("GET", "/runs") == []
