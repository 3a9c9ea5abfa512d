"""The provider's side of Cloud Director on a real socket with the simulated one, on a clock a hundred times faster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from provider_py.execution.journal import Journal
from provider_py.execution.lifecycle import ExecutionResource
from provider_py.execution.runtime import Runtime
from provider_py.execution.starting import Starter
from provider_py.plugin import ApplyResult, Change, Decoded, Plan
from provider_py.sandbox.observer import observer
from provider_py.sandbox.vcd import access
from provider_py.sandbox.vcd.app import application
from provider_py.sandbox.world import RecordedRequest, World
from provider_py.systems.vcd.execution import KIND, VcdExecution, VcdLauncher
from provider_py.systems.vcd.config import VcdSettings
from provider_py.systems.vcd.connection import CloudDirector
from tests.support.clock import ScaledClock

SPEED = 100.0
RUN_SECONDS = 5.0


@dataclass
class Life:
    """One provider process: a connection, and the resource whose runs it lives."""

    world: World
    director: CloudDirector
    resource: ExecutionResource[VcdExecution]
    stop: asyncio.Event

    async def plan(self, unknown: Sequence[str] = (), **arguments: Any) -> Plan:
        """Plan a creation."""
        planned = Decoded(VcdExecution(**arguments), frozenset(unknown))
        return await self.resource.plan(Change(None, planned, frozenset(arguments)))

    async def create(self, **arguments: Any) -> ApplyResult[VcdExecution]:
        """Start a run and wait for its end."""
        return await self.resource.create(VcdExecution(**arguments), b"")

    async def made(self, **arguments: Any) -> VcdExecution:
        """Start a run, which has to end well, and return its state."""
        answer = await self.create(**arguments)
        assert [each.summary for each in answer.diagnostics] == []
        assert answer.state is not None
        return answer.state

    def asked(self, method: str, ending: str) -> list[RecordedRequest]:
        """Return the requests of a method whose path ends so."""
        return [each for each in self.world.requests if each.method == method and each.path.endswith(ending)]

    def behave(self, **switches: object) -> None:
        """Set behaviours of the simulated system."""
        self.world.behaviours.change({"vcd": switches})


@dataclass
class Site:
    """The simulated Cloud Director; `life` makes a provider process that is signed in to it."""

    world: World
    url: str
    journal: Path
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def life(self, **settings: Any) -> Life:
        """Configure a provider; by default with the tenant's API token."""
        stop = asyncio.Event()
        runtime = Runtime(stop, ScaledClock(SPEED))
        given = {"org": access.ORG, "request_timeout": "600s", "api_version": "37.1", **settings}
        if not {"user", "service_account_token_file"} & given.keys():
            given.setdefault("api_token", access.API_TOKEN)
        director = CloudDirector(VcdSettings(url=self.url, **given), runtime)
        launcher = VcdLauncher(director)
        journal = Journal(self.journal, runtime.clock.time)
        self._stack.push_async_callback(journal.close)
        self._stack.push_async_callback(director.close)
        starter: Starter[VcdExecution] = Starter(KIND.name, journal, runtime)
        return Life(self.world, director, ExecutionResource(KIND, lambda: launcher, starter, runtime), stop)

    async def close(self) -> None:
        """Close every connection."""
        await self._stack.aclose()


@pytest.fixture
def world() -> World:
    return World(run_seconds=RUN_SECONDS, speed=SPEED)


@pytest.fixture
async def site(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    app = application(world)
    app.middlewares.insert(0, observer(world, "vcd"))
    async with TestServer(app) as server:
        made = Site(world, str(server.make_url("")).rstrip("/"), tmp_path / "journal.db")
        yield made
        await made.close()


@pytest.fixture
def life(site: Site) -> Life:
    return site.life()
