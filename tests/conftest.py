"""What the tests of the whole product share: the sandbox, the real Terraform and a stack that it applies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.cli import terraform
from provider_py.cli.demo import TOOLS
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.stack import Stack

RUN_SECONDS = 0.5


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """Serve the three systems in a process of their own."""
    with SandboxProcess(run_seconds=RUN_SECONDS) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """Give the three systems in their first state."""
    sandbox_process.ask("POST", "/reset")
    return sandbox_process


@pytest.fixture(scope="session")
def terraform_binary() -> Path:
    """Find the real Terraform, or fetch it."""
    return terraform.find(TOOLS)


@pytest.fixture(scope="session")
def terraform_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a HOME in which `terraform init` finds the provider."""
    home = tmp_path_factory.mktemp("home")
    install(home / MIRROR)
    return home


@pytest.fixture
def stack(sandbox: SandboxProcess, terraform_binary: Path, terraform_home: Path, tmp_path: Path) -> Iterator[Stack]:
    """Give an empty configuration whose provider is pointed at the sandbox."""
    directory = tmp_path / "stack"
    directory.mkdir()
    # The request budget is kept there: like the account it starts anew, and nobody waits for what other tests spent.
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    made = Stack(terraform_binary, directory, terraform.environment(terraform_home, **sandbox.environment, **cache))
    yield made
    made.close()
