"""A Terraform configuration of a test: written, applied by the real binary, looked at through its JSON."""

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
"""Seconds after which a command hangs rather than works."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnostic: `code` is the line of the configuration that it points at, "" if it points nowhere."""

    severity: str
    summary: str
    detail: str
    address: str
    code: str

    @property
    def text(self) -> str:
        """Everything it says."""
        return f"{self.summary}\n{self.detail}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed (JSON lines, where it can) and how it ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def problems(self) -> Sequence[Problem]:
        """The diagnostics, errors and warnings alike."""
        lines = [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]
        return [_problem(line["diagnostic"]) for line in lines if line.get("type") == "diagnostic"]

    @property
    def changes(self) -> int:
        """How many resources it added, changed, imported and removed."""
        lines = [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]
        done = [line["changes"] for line in lines if line.get("type") == "change_summary"][-1]
        return sum(count for count in done.values() if isinstance(count, int))

    @property
    def errors(self) -> Sequence[Problem]:
        """The diagnostics that made it fail."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> Sequence[Problem]:
        """The diagnostics that did not."""
        return [problem for problem in self.problems if problem.severity == "warning"]


def _problem(shown: Mapping[str, Any]) -> Problem:
    code = (shown.get("snippet") or {}).get("code", "")
    return Problem(shown["severity"], shown["summary"], shown["detail"], shown.get("address", ""), code)


@dataclass(slots=True)
class Stack:
    """A working directory with its own HOME, in which the provider is installed, and the sandbox's environment."""

    binary: Path
    directory: Path
    environment: dict[str, str]
    patience: float = PATIENCE
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, body: str, *, provider: str = PROVIDER) -> None:
        """Make this the configuration."""
        (self.directory / "main.tf").write_text(HEADER + provider + body)

    def init(self) -> Result:
        """Run `terraform init`, which has to work."""
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
        """Run `terraform apply`, which has to work."""
        result = self.apply(*options)
        assert result.status == 0, result.stdout + result.stderr
        return result

    def destroy(self) -> Result:
        """Run `terraform destroy`, which has to work."""
        result = self._command("destroy", "-input=false", "-json", "-auto-approve")
        assert result.status == 0, result.stdout + result.stderr
        return result

    def run(self, *arguments: str) -> Result:
        """Run any command."""
        return self._command(*arguments)

    def state(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the managed resources in state by address, as `terraform show -json` has them."""
        shown = json.loads(self._command("show", "-json").stdout)
        resources = shown.get("values", {}).get("root_module", {}).get("resources", [])
        return {resource["address"]: resource for resource in resources if resource["mode"] == "managed"}

    def values(self, address: str) -> Mapping[str, Any]:
        """Return the values of one resource in state."""
        values: Mapping[str, Any] = self.state()[address]["values"]
        return values

    def outputs(self) -> Mapping[str, Any]:
        """Return the outputs' values."""
        return {name: shown["value"] for name, shown in json.loads(self._command("output", "-json").stdout).items()}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own; `close` ends what is left of it."""
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
        """Press Ctrl-C: the whole group gets SIGINT; it has to end within these seconds."""
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=seconds)
        return Result(process.returncode, stdout, stderr)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill the whole group, as a machine that goes down does."""
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def close(self) -> None:
        """End whatever a test left running."""
        for process in self._running:
            if process.poll() is None:
                self.kill(process)

    def _command(self, *arguments: str) -> Result:
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=self.patience)
        self._running.remove(process)
        return Result(process.returncode, stdout, stderr)
