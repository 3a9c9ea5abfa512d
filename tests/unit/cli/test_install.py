"""Where the launcher goes, that writing it is repeatable, and that it starts the provider from any place."""

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


def test_launchers_lie_where_terraform_and_opentofu_look(tmp_path: Path) -> None:
    release = version(DISTRIBUTION)
    place = f"workflow-trigger/workflow/{release}/{platform_name()}/terraform-provider-workflow_v{release}"
    assert [launcher.path for launcher in install(tmp_path)] == [
        tmp_path / "registry.terraform.io" / place,
        tmp_path / "registry.opentofu.org" / place,
    ]
    assert all(os.access(path, os.X_OK) for path in launchers(tmp_path))


def test_a_second_install_changes_nothing(tmp_path: Path) -> None:
    assert [launcher.written for launcher in install(tmp_path)] == [True, True]
    before = [path.stat().st_mtime_ns for path in launchers(tmp_path)]
    assert [launcher.written for launcher in install(tmp_path)] == [False, False]
    assert [path.stat().st_mtime_ns for path in launchers(tmp_path)] == before


def test_a_damaged_launcher_is_written_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    first, second = launchers(tmp_path)
    install(tmp_path)
    first.write_text("exit 1\n")
    second.chmod(0o644)
    assert [launcher.written for launcher in install(tmp_path)] == [True, True]
    assert first.read_text() == second.read_text()
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_the_launcher_starts_a_python_whose_path_needs_quoting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "it's a place" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    launcher = install(tmp_path / "mirror")[0].path
    told = subprocess.run([launcher, "-debug"], check=True, capture_output=True, text=True).stdout
    assert told.splitlines() == ["-I", "-c", "from provider_py.__main__ import main; main()", "-debug"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match=r"file/.*could not be written.*--directory"):
        install(tmp_path / "file")
