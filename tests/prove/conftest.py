"""What the proofs share, and the table that they print in the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.prove.cases import Rig
from tests.prove.processes import Forge
from tests.support.postgres import Server

COUNTS = "crash points"
"""The property of a report that has its row of the table."""


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    """Make provider processes."""
    with Forge() as forge:
        yield forge


@pytest.fixture(scope="session")
def quick_sandbox() -> Iterator[SandboxProcess]:
    """Serve the three systems in a process of their own, whose runs end after a poll or two."""
    with SandboxProcess(run_seconds=5.0) as process:
        yield process


@pytest.fixture
def rig(forge: Forge, quick_sandbox: SandboxProcess, postgres: Server, tmp_path: Path) -> Rig:
    """Give what a case needs."""
    return Rig(quick_sandbox, forge, postgres, tmp_path / "case")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many points were found and visited."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    rows = [str(content) for report in reports for name, content in report.user_properties if name == COUNTS]
    if rows:
        terminalreporter.section("crash points")
        for row in sorted(rows):
            terminalreporter.write_line(row)
