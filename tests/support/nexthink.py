"""The provider's side of Nexthink against the simulated tenant, on a real socket and on one clock."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler, Middleware

from provider_py.execution import Connector, Runtime
from provider_py.execution.journal import Journal
from provider_py.execution.lifecycle import ExecutionResource
from provider_py.execution.starting import Starter
from provider_py.plugin import Change, Decoded, Plan
from provider_py.sandbox import Contract, RecordedRequest, World, observer
from provider_py.sandbox.nexthink import CREDENTIALS, TOKEN_PATH, application
from provider_py.systems.nexthink import execution
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.nexthink.connection import Nexthink
from provider_py.systems.nexthink.event import EventResource
from provider_py.systems.nexthink.execution import NexthinkExecution, NexthinkLauncher
from provider_py.systems.nexthink.targets import Device
from tests.support.clock import EPOCH, ScaledClock

QUERY = CREDENTIALS["NEXTHINK_STATUS_QUERY"]
SPEED = 100.0


class SharedClock(ScaledClock):
    """One clock for provider and tenant, which a test may also advance."""

    def __init__(self) -> None:
        super().__init__(SPEED)
        self._ahead = 0.0
        self.slept: list[float] = []

    def time(self) -> float:
        """Return seconds since the epoch."""
        return EPOCH + self.monotonic()

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return super().monotonic() + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Sleep a fraction of these seconds."""
        self.slept.append(seconds)
        await super().sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Move the clock forward by this many seconds."""
        self._ahead += seconds


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request, and how it violates the documents as published."""

    method: str
    path: str
    violation: str | None


@dataclass
class Bench:
    """One tenant and, for each process of the provider, a connection to it."""

    url: str
    world: World
    clock: SharedClock
    journal: Path
    checked: list[CheckedRequest] = field(default_factory=list)
    runtime: Runtime = field(init=False)
    nexthink: Nexthink = field(init=False)
    _opened: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.process()

    def process(self, **settings: Any) -> Nexthink:
        """Start over, as the next process of the provider does: nothing is remembered."""
        defaults: dict[str, Any] = {
            "api_url": self.url,
            "token_url": f"{self.url}{TOKEN_PATH}",
            "client_id": CREDENTIALS["NEXTHINK_CLIENT_ID"],
            "client_secret": CREDENTIALS["NEXTHINK_CLIENT_SECRET"],
            "status_query": QUERY,
            "request_timeout": "10s",
        }
        self.runtime = Runtime(asyncio.Event(), self.clock)
        self.nexthink = Nexthink(NexthinkSettings(**(defaults | settings)), self.runtime)
        self._opened.append(self.nexthink)
        return self.nexthink

    def executions(self) -> ExecutionResource[NexthinkExecution]:
        """Return the resource in the current process."""
        journal = Journal(self.journal, self.clock.time)
        self._opened.append(journal)
        launcher = NexthinkLauncher(self.nexthink)
        starter: Starter[NexthinkExecution] = Starter(execution.TYPE.name, journal, self.runtime)
        return ExecutionResource(execution.TYPE, lambda: launcher, starter, self.runtime)

    def events(self) -> EventResource:
        """Return the resource in the current process."""
        return EventResource(Connector("nexthink", lambda: self.nexthink))

    async def run(self, **arguments: Any) -> NexthinkExecution:
        """Create an execution that succeeds, and return its state."""
        result = await self.executions().create(NexthinkExecution(**arguments), b"")
        assert result.diagnostics == []
        assert result.state is not None
        return result.state

    def requests(self, path: str) -> Sequence[RecordedRequest]:
        """Return the requests whose path ends with `path`."""
        return [request for request in self.world.requests if request.path.endswith(path)]

    async def close(self) -> None:
        """Close every connection and journal."""
        for opened in reversed(self._opened):
            await opened.close()


@asynccontextmanager
async def bench(journal: Path, *, run_seconds: float = 10.0) -> AsyncIterator[Bench]:
    """Serve a tenant on the provider's clock: its runs go on while the provider sleeps."""
    clock = SharedClock()
    world = World(run_seconds, timer=clock.monotonic)
    app = application(world)
    checked: list[CheckedRequest] = []
    app.middlewares.insert(0, _check(checked))
    app.middlewares.insert(0, observer(world, "nexthink"))
    async with TestServer(app) as server:
        opened = Bench(str(server.make_url("")).rstrip("/"), world, clock, journal, checked)
        try:
            yield opened
        finally:
            await opened.close()


def _check(checked: list[CheckedRequest]) -> Middleware:
    published = Contract.read("nexthink", "openapi.json")

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        violation = published.request_error(request, await request.read())
        checked.append(CheckedRequest(request.method, request.path, violation))
        return await handler(request)

    return check


def fleet(count: int) -> list[Device]:
    """Return the first devices of the tenant's fleet."""
    return [Device(name=f"DESK-{number:05}") for number in range(1, count + 1)]


def laptops(count: int = 1) -> list[Device]:
    """Return some of the tenant's laptops."""
    return [Device(name=f"LAPTOP-{number:02}") for number in range(1, count + 1)]


async def planned(resource: Any, model: Any, unknown: frozenset[str] = frozenset()) -> Plan:
    """Plan a creation."""
    plan: Plan = await resource.plan(Change(None, Decoded(model, unknown), frozenset()))
    return plan


def changed(state: NexthinkExecution, **values: Any) -> NexthinkExecution:
    """Return a state with other values."""
    return dataclasses.replace(state, **values)
