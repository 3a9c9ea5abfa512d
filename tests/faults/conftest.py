"""Stacks that need no `terraform init`, and the provider in this process, on a clock that goes faster than ours."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from provider_py.cli import terraform
from provider_py.cli.sandbox import SandboxProcess
from provider_py.sandbox.server import Sandbox
from tests.acceptance.stack import Stack
from tests.contract.systems.driving import RUN_SECONDS, SPEED, Driver, driving
from tests.faults.scenes import runs_of

UNLIMITED = {"harness": {"requests_per_minute": 0, "deployments_per_day": 0}}


@pytest.fixture(scope="session")
def initialised(terraform_binary: Path, terraform_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a working directory in which the provider is installed."""
    directory = tmp_path_factory.mktemp("initialised")
    made = Stack(terraform_binary, directory, terraform.environment(terraform_home))
    made.write(runs_of(["vcd"]))
    made.init()
    return directory


@pytest.fixture
def stack(stack: Stack, sandbox: SandboxProcess, initialised: Path) -> Stack:
    """Give a stack that is ready to be applied, with systems that limit nothing."""
    shutil.copytree(initialised, stack.directory, symlinks=True, dirs_exist_ok=True)
    sandbox.ask("POST", "/behaviours", UNLIMITED)
    stack.environment["HARNESS_REQUESTS_PER_MINUTE"] = "6000"
    return stack


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """Serve the three systems in this process, and point the provider's environment variables at them."""
    async with Sandbox(run_seconds=RUN_SECONDS, speed=SPEED) as sandbox:
        sandbox.world.behaviors.change(UNLIMITED)
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HARNESS_REQUESTS_PER_MINUTE", "600")
        monkeypatch.setenv("WORKFLOW_JOURNAL", str(tmp_path / "journal.sqlite"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield sandbox


@pytest.fixture
async def driver(served: Sandbox) -> AsyncIterator[Driver]:
    """Give a provider that is configured by the environment alone."""
    async with driving(served) as given:
        yield given
