from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from provider_py.sandbox.server import Sandbox
from tests.contract.systems.driving import RUN_SECONDS, SPEED, Driver, driving


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """Serve the three systems, and point the provider's environment variables at them."""
    async with Sandbox(run_seconds=RUN_SECONDS, speed=SPEED) as sandbox:
        sandbox.world.behaviors.change({"harness": {"requests_per_minute": 0}})
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("WORKFLOW_JOURNAL", str(tmp_path / "journal.sqlite"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield sandbox


@pytest.fixture
async def driver(served: Sandbox) -> AsyncIterator[Driver]:
    """Give a provider that is configured by the environment alone."""
    async with driving(served) as given:
        yield given
