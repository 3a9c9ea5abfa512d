"""`workflow-provider` with the real Terraform: what `install` prints works as pasted, the demo keeps its promises."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.cli import terraform
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.terraform


def call(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `workflow-provider`."""
    command = [sys.executable, "-m", "provider_py.cli.main", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_what_install_prints_can_be_pasted(stack: Stack, tmp_path: Path) -> None:
    home = tmp_path / "a home with spaces"
    home.mkdir()
    stack.environment = terraform.environment(home)
    printed = call(stack.environment, "install").stdout
    (stack.directory / "main.tf").write_text(printed[printed.index("terraform {") :])
    stack.init()
    assert '"workflow_harness_execution"' in stack.run("providers", "schema", "-json").stdout


@pytest.fixture
def place() -> Iterator[Path]:
    """Make a temporary directory whose path is short enough for the sockets in it."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def test_the_demo_shows_the_results_and_leaves_nothing(place: Path) -> None:
    done = call({**os.environ, "TMPDIR": str(place)}, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("No changes, and the systems received no request") == 2
    last = done.stdout[done.stdout.rindex("===") :]
    for result in ('harness_status = "SUCCESS"', 'nexthink_status = "success"', 'vcd_status = "completed"'):
        assert result in last
    assert list(place.iterdir()) == []
    assert processes_started_with(f"TMPDIR={place}") == []


def processes_started_with(variable: str) -> list[str]:
    """Return the command lines of running processes that have this in their environment (Linux only)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found
