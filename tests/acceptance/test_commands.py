"""`workflow-provider` with the real Terraform: the output of `install` works as is, the demo leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.cli import terraform
from tests.support.stack import Stack

pytestmark = pytest.mark.terraform


def call(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `workflow-provider`."""
    command = [sys.executable, "-m", "provider_py.cli.main", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_the_block_that_install_prints_works(stack: Stack, tmp_path: Path) -> None:
    home = tmp_path / "a home with spaces"
    home.mkdir()
    stack.environment = terraform.environment(home)
    stack.directory = tmp_path / "empty"
    stack.directory.mkdir()
    printed = call(stack.environment, "install").stdout
    (stack.directory / "main.tf").write_text(printed[printed.index("terraform {") :])
    stack.init()
    assert '"workflow_harness_execution"' in stack.run("providers", "schema", "-json").stdout


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Create a temporary directory whose path is short enough for the sockets in it."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def test_the_demo_prints_the_outputs_and_leaves_nothing(short_path: Path) -> None:
    completed = call({**os.environ, "TMPDIR": str(short_path)}, "demo")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stdout.count("No changes, and no requests to the systems") == 2
    last = completed.stdout[completed.stdout.rindex("===") :]
    for result in ('harness_status = "SUCCESS"', 'nexthink_status = "success"', 'vcd_status = "completed"'):
        assert result in last
    assert list(short_path.iterdir()) == []
    assert processes_started_with(f"TMPDIR={short_path}") == []


def processes_started_with(variable: str) -> list[str]:
    """Return the command lines of running processes with this environment variable (Linux only)."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                commands.append((process / "cmdline").read_text())
        except OSError:
            continue
    return commands
