"""The provider's side of Cloud Director, on a real socket to the simulated one, on a clock a hundred times faster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from provider_py.execution import Runtime
from provider_py.execution.journal import Journal
from provider_py.execution.lifecycle import ExecutionResource
from provider_py.execution.starting import Starter
from provider_py.plugin import ApplyResult, Change, Decoded, Diagnostic, Plan
from provider_py.sandbox.observer import observer
from provider_py.sandbox.vcd import access
from provider_py.sandbox.vcd.app import application
from provider_py.sandbox.world import RecordedRequest, World
from provider_py.systems.vcd.config import VcdSettings
from provider_py.systems.vcd.connection import CloudDirector
from provider_py.systems.vcd.execution import TYPE, VcdExecution, VcdLauncher
from tests.support.clock import ScaledClock

SPEED = 100.0
RUN_SECONDS = 5.0


def text_of(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.summary}\n{diagnostic.detail}"


@dataclass
class Process:
    """One provider process: a connection, and the resource over it."""

    world: World
    director: CloudDirector
    resource: ExecutionResource[VcdExecution]
    stop: asyncio.Event

    async def plan(self, unknown: Sequence[str] = (), **arguments: Any) -> Plan:
        """Plan a creation."""
        planned = Decoded(VcdExecution(**arguments), frozenset(unknown))
        return await self.resource.plan(Change(None, planned, frozenset(arguments)))

    async def create(self, **arguments: Any) -> ApplyResult[VcdExecution]:
        """Start a run and wait for it to finish."""
        return await self.resource.create(VcdExecution(**arguments), b"")

    async def created(self, **arguments: Any) -> VcdExecution:
        """Start a run, which has to succeed, and return its state."""
        result = await self.create(**arguments)
        assert [diagnostic.summary for diagnostic in result.diagnostics] == []
        assert result.state is not None
        return result.state

    def requests(self, method: str, ending: str) -> list[RecordedRequest]:
        """Return the requests of a method whose path has this ending."""
        return [
            request for request in self.world.requests if request.method == method and request.path.endswith(ending)
        ]

    def set_behaviors(self, **switches: object) -> None:
        """Set behaviors of the simulated system."""
        self.world.behaviors.change({"vcd": switches})

    async def until_started(self) -> None:
        """Wait until a run has been started."""
        async with asyncio.timeout(10):
            while not self.world.runs.of("vcd"):  # noqa: ASYNC110 - the run starts on the other side of a socket
                await asyncio.sleep(0.01)


@dataclass
class Server:
    """The simulated Cloud Director, and the provider processes that connect to it."""

    world: World
    url: str
    journal: Path
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def process(self, **settings: Any) -> Process:
        """Configure a provider; by default it signs in with the tenant's API token."""
        stop = asyncio.Event()
        runtime = Runtime(stop, ScaledClock(SPEED))
        settings = {"org": access.ORG, "request_timeout": "600s", "api_version": "37.1", **settings}
        if not {"user", "service_account_token_file"} & settings.keys():
            settings.setdefault("api_token", access.API_TOKEN)
        director = CloudDirector(VcdSettings(url=self.url, **settings), runtime)
        launcher = VcdLauncher(director)
        journal = Journal(self.journal, runtime.clock.time)
        self._stack.push_async_callback(journal.close)
        self._stack.push_async_callback(director.close)
        starter: Starter[VcdExecution] = Starter(TYPE.name, journal, runtime)
        return Process(self.world, director, ExecutionResource(TYPE, lambda: launcher, starter, runtime), stop)

    async def close(self) -> None:
        """Close every connection."""
        await self._stack.aclose()


@pytest.fixture
def world() -> World:
    return World(run_seconds=RUN_SECONDS, speed=SPEED)


@pytest.fixture
async def server(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    app = application(world)
    app.middlewares.insert(0, observer(world, "vcd"))
    async with TestServer(app) as http:
        server = Server(world, str(http.make_url("")).rstrip("/"), tmp_path / "journal.db")
        yield server
        await server.close()


@pytest.fixture
def process(server: Server) -> Process:
    return server.process()
