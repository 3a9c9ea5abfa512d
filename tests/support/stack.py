"""A Terraform working directory for tests: write a configuration, run commands, read their JSON output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEADER = """
terraform {
  required_providers {
    workflow = { source = "workflow-trigger/workflow" }
  }
}
"""
PROVIDER = 'provider "workflow" {}\n'
PATIENCE = 120
"""Seconds after which a command is considered hung."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnostic; `code` is the line of the configuration that it points to, "" if there is none."""

    severity: str
    summary: str
    detail: str
    address: str
    code: str

    @property
    def text(self) -> str:
        """Summary and detail."""
        return f"{self.summary}\n{self.detail}"


@dataclass(frozen=True, slots=True)
class Result:
    """Exit status and output of a command; stdout holds JSON lines if the command supports them."""

    status: int
    stdout: str
    stderr: str

    @property
    def problems(self) -> Sequence[Problem]:
        """All diagnostics, errors and warnings."""
        lines = [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]
        return [_problem(line["diagnostic"]) for line in lines if line.get("type") == "diagnostic"]

    @property
    def changes(self) -> int:
        """Number of resources added, changed, imported and removed."""
        lines = [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]
        summary = [line["changes"] for line in lines if line.get("type") == "change_summary"][-1]
        return sum(count for count in summary.values() if isinstance(count, int))

    @property
    def errors(self) -> Sequence[Problem]:
        """Diagnostics of severity error."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> Sequence[Problem]:
        """Diagnostics of severity warning."""
        return [problem for problem in self.problems if problem.severity == "warning"]


def _problem(diagnostic: Mapping[str, Any]) -> Problem:
    code = (diagnostic.get("snippet") or {}).get("code", "")
    return Problem(
        diagnostic["severity"], diagnostic["summary"], diagnostic["detail"], diagnostic.get("address", ""), code
    )


@dataclass(slots=True)
class Stack:
    """A working directory and the environment of its commands: a HOME with the provider, the sandbox's addresses."""

    binary: Path
    directory: Path
    environment: dict[str, str]
    patience: float = PATIENCE
    _running: list[subprocess.Popen[str]] = field(default_factory=list)
    _shown: tuple[Path, bytes, Mapping[str, Mapping[str, Any]]] | None = None

    def write(self, body: str, *, provider: str = PROVIDER) -> None:
        """Write the configuration."""
        (self.directory / "main.tf").write_text(HEADER + provider + body)

    def init(self) -> Result:
        """Run `terraform init`, which must succeed."""
        result = self._command("init", "-input=false", "-no-color")
        assert result.status == 0, result.stdout + result.stderr
        return result

    def plan(self, *options: str) -> Result:
        """Run `terraform plan`; status 2 means changes."""
        return self._command("plan", "-input=false", "-json", "-detailed-exitcode", *options)

    def apply(self, *options: str) -> Result:
        """Run `terraform apply`."""
        return self._command("apply", "-input=false", "-json", "-auto-approve", *options)

    def applied(self, *options: str) -> Result:
        """Run `terraform apply`, which must succeed."""
        result = self.apply(*options)
        assert result.status == 0, result.stdout + result.stderr
        return result

    def destroy(self) -> Result:
        """Run `terraform destroy`, which must succeed."""
        result = self._command("destroy", "-input=false", "-json", "-auto-approve")
        assert result.status == 0, result.stdout + result.stderr
        return result

    def run(self, *arguments: str) -> Result:
        """Run any command."""
        return self._command(*arguments)

    def state(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the managed resources in state by address, in the form of `terraform show -json`."""
        file = self.directory / "terraform.tfstate"
        content = file.read_bytes() if file.exists() else b""
        if self._shown is None or self._shown[:2] != (file, content):  # each `show` starts the provider
            state = json.loads(self._command("show", "-json").stdout)
            resources = state.get("values", {}).get("root_module", {}).get("resources", [])
            managed = {resource["address"]: resource for resource in resources if resource["mode"] == "managed"}
            self._shown = (file, content, managed)
        return self._shown[2]

    def values(self, address: str) -> Mapping[str, Any]:
        """Return the attributes of one resource in state."""
        values: Mapping[str, Any] = self.state()[address]["values"]
        return values

    def outputs(self) -> Mapping[str, Any]:
        """Return the values of the outputs."""
        return {name: output["value"] for name, output in json.loads(self._command("output", "-json").stdout).items()}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in its own process group; `close` kills it if it is still running."""
        process = subprocess.Popen(
            [str(self.binary), *arguments],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def interrupt(self, process: subprocess.Popen[str], seconds: float) -> Result:
        """Send SIGINT to the process group, as Ctrl-C does; the command must exit within `seconds`."""
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=seconds)
        return Result(process.returncode, stdout, stderr)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill the process group, as a crash of the machine does."""
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def close(self) -> None:
        """Kill the commands that are still running."""
        for process in self._running:
            if process.poll() is None:
                self.kill(process)

    def _command(self, *arguments: str) -> Result:
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=self.patience)
        self._running.remove(process)
        return Result(process.returncode, stdout, stderr)
