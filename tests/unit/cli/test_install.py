"""Where launchers are written, that writing them is idempotent, and that they start the provider from any path."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from provider_py.cli.errors import CommandError
from provider_py.cli.install import DISTRIBUTION, install, launchers
from provider_py.cli.terraform import platform_name


def test_launchers_are_written_where_terraform_and_opentofu_search(tmp_path: Path) -> None:
    release = version(DISTRIBUTION)
    relative = f"workflow-trigger/workflow/{release}/{platform_name()}/terraform-provider-workflow_v{release}"
    assert [launcher.path for launcher in install(tmp_path)] == [
        tmp_path / "registry.terraform.io" / relative,
        tmp_path / "registry.opentofu.org" / relative,
    ]
    assert all(os.access(path, os.X_OK) for path in launchers(tmp_path))


def test_a_second_install_changes_nothing(tmp_path: Path) -> None:
    assert [launcher.written for launcher in install(tmp_path)] == [True, True]
    before = [path.stat().st_mtime_ns for path in launchers(tmp_path)]
    assert [launcher.written for launcher in install(tmp_path)] == [False, False]
    assert [path.stat().st_mtime_ns for path in launchers(tmp_path)] == before


def test_a_damaged_launcher_is_rewritten_without_leftovers(tmp_path: Path) -> None:
    first, second = launchers(tmp_path)
    install(tmp_path)
    first.write_text("exit 1\n")
    second.chmod(0o644)
    assert [launcher.written for launcher in install(tmp_path)] == [True, True]
    assert first.read_text() == second.read_text()
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_the_path_of_python_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "it's a path" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    launcher = install(tmp_path / "mirror")[0].path
    arguments = subprocess.run([launcher, "-debug"], check=True, capture_output=True, text=True).stdout
    assert arguments.splitlines() == ["-I", "-c", "from provider_py.__main__ import main; main()", "-debug"]


def test_a_directory_that_is_not_writable_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"Cannot write .*/file/.*: Not a directory\. .*--directory"):
        install(tmp_path / "file")
