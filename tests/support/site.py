"""The one rig in process: the simulated systems, and provider processes that talk to them over real sockets.

Everything runs on one clock, a hundred times faster than ours, so that waits and time limits take their course.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from provider_py.plugin import ApplyResult, Change, Decoded, Diagnostic, DiagnosticError, Resource, Severity
from provider_py.provider import ProviderConfig, WorkflowProvider
from provider_py.sandbox import Sandbox, World
from provider_py.sandbox.faults import Fault, FaultKind
from provider_py.sandbox.faults import Match as FaultMatch
from provider_py.sandbox.world import RecordedRequest, Run, Script
from provider_py.systems.harness.config import HarnessSettings
from provider_py.systems.harness.execution import HarnessExecution
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.targets import Device
from provider_py.systems.vcd.config import VcdSettings
from provider_py.systems.vcd.execution import VcdExecution
from tests.support.clock import Clock
from tests.support.systems import POLLS, STARTS, Match, matches
from tests.support.waiting import eventually

PACE: Final = 100.0
RUN_SECONDS: Final = 5.0
HOUR: Final = 3600.0
IMPATIENT: Final[Mapping[str, Any]] = {
    "harness": HarnessSettings(request_timeout="300ms"),
    "nexthink": NexthinkSettings(request_timeout="300ms"),
    "vcd": VcdSettings(request_timeout="300ms"),
}
"""Settings for `Site.process` with a short request timeout; the others come from the environment."""
_PATIENCE: Final = 20.0
"""Real seconds after which an apply is considered hung."""


def simple(system: str, **arguments: Any) -> Any:
    """Configure a run that needs nothing but its name."""
    match system:
        case "harness":
            return HarnessExecution(**{"application": "Test App", "workflow": "restart", **arguments})
        case "nexthink":
            laptop = [Device(name="LAPTOP-01")]
            return NexthinkExecution(**{"workflow": "#reboot_device", "devices": laptop, **arguments})
        case _:
            return VcdExecution(**{"workflow": "Refresh inventory", **arguments})


def only(diagnostics: Sequence[Diagnostic], severity: Severity = Severity.ERROR) -> str:
    """Return the text of the one diagnostic, which is of this severity."""
    (diagnostic,) = diagnostics
    assert diagnostic.severity is severity, diagnostic
    return f"{diagnostic.summary}\n{diagnostic.detail}"


@dataclass
class Process:
    """A provider process, driven as the protocol layer does."""

    site: Site
    provider: WorkflowProvider
    stop: asyncio.Event

    def resource(self, name: str) -> Any:
        """Return a resource by its name without prefix, untyped: tests know its model."""
        return next(resource for resource in self.provider.resources if resource.name == name)

    def execution(self, system: str) -> Any:
        """Return a system's execution resource."""
        return self.resource(f"{system}_execution")

    def connection(self, system: str) -> Any:
        """Return the connection to a system; raises DiagnosticError for its settings."""
        return self.provider._connection(system)

    def launcher(self, system: str) -> Any:
        """Return what starts a system's runs, to drive it without the life cycle."""
        return self.execution(system)._launcher()

    def _for(self, config: object) -> Resource[Any]:
        return next(resource for resource in self.provider.resources if isinstance(config, resource.model))

    async def plan(self, config: object, *unknown: str) -> Sequence[Diagnostic]:
        """Validate and plan a creation, and return all diagnostics."""
        resource, decoded = self._for(config), Decoded(config, frozenset(unknown))
        problems = list(resource.validate(decoded))
        if problems:
            return problems
        try:
            return (await resource.plan(Change(None, decoded, frozenset()))).diagnostics
        except DiagnosticError as fault:
            return fault.diagnostics

    async def create(self, config: object) -> Any:
        """Apply a creation; diagnostics are returned, whether the resource raises them or not."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._for(config).create(config, b"")
        except DiagnosticError as fault:
            return ApplyResult(None, fault.diagnostics)

    async def created(self, config: object) -> Any:
        """Apply a creation, which has to succeed, and return the state."""
        result = await self.create(config)
        assert list(result.diagnostics) == []
        assert result.state is not None
        return result.state

    async def started(self, config: Any) -> Any:
        """Apply the creation of a run without waiting, and return its state."""
        return await self.created(dataclasses.replace(config, wait=False))

    async def look_up(self, config: object) -> Any:
        """Read a data source, and return its state; raises DiagnosticError."""
        source = next(source for source in self.provider.data_sources if isinstance(config, source.model))
        assert list(source.validate(Decoded(config))) == []
        return (await source.read(config)).state

    async def close(self) -> None:
        """End the process as Terraform does; a second time does nothing."""
        await self.provider.close()


@dataclass
class Site:
    """The simulated systems: what they received, the runs they started, and how they misbehave."""

    sandbox: Sandbox
    clock: Clock
    environment: Mapping[str, str]
    _patch: pytest.MonkeyPatch
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def world(self) -> World:
        """The state of the systems; its `advance` leaves the provider's time alone."""
        return self.sandbox.world

    async def process(self, environment: Mapping[str, str | None] | None = None, **settings: Any) -> Process:
        """Run a provider with these blocks and settings; the environment of the last process holds for all.

        `environment` changes that which points at the systems; None removes a variable.
        """
        variables: dict[str, str | None] = {**self.environment, **(environment or {})}
        for name, value in variables.items():
            if value is None:
                self._patch.delenv(name, raising=False)
            else:
                self._patch.setenv(name, value)
        stop = asyncio.Event()
        provider = WorkflowProvider(stop)
        provider._runtime.clock = self.clock
        self._stack.push_async_callback(provider.close)
        await provider.configure(Decoded(ProviderConfig(**settings)))
        return Process(self, provider, stop)

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests that the systems received."""
        return self.world.requests

    def received(self, ending: str, method: str | None = None) -> list[RecordedRequest]:
        """Return the requests whose path has this ending."""
        return [
            request for request in self.requests if request.path.endswith(ending) and method in {None, request.method}
        ]

    def matching(self, system: str, table: Mapping[str, Match]) -> list[RecordedRequest]:
        """Return a system's requests of one of the tables in `tests.support.systems`."""
        return [
            request
            for request in self.requests
            if request.system == system and matches(table[system], request.method, request.path, request.body)
        ]

    def starts(self, system: str) -> list[RecordedRequest]:
        """Return the requests for a start."""
        return self.matching(system, STARTS)

    def runs(self, system: str | None = None) -> list[Run]:
        """Return the runs that were started, oldest first."""
        return self.world.runs.of(system)

    def script(self, system: str, **script: Any) -> None:
        """Have the next run, or `times` runs, go as the script says; by default it lasts until the test ends it."""
        self.world.runs.scripts.append(Script(system, **({"seconds": 24 * HOUR} | script)))

    def finish(self) -> None:
        """Let every run end successfully now."""
        for run in self.runs():
            run.finish(self.world.clock())

    def set_behaviors(self, system: str, **switches: object) -> None:
        """Change how a system behaves."""
        self.world.behaviors.change({system: switches})

    def inject_fault(self, system: str, match: Match | None = None, kind: str = "status", **options: Any) -> None:
        """Have the next matching request, or `times` of them, fail."""
        self.world.faults.add(Fault(system, FaultKind(kind), FaultMatch(**(match or {})), **options))

    async def until_started(self, system: str, runs: int = 1) -> None:
        """Wait until a system has started so many runs."""
        await eventually(lambda: len(self.runs(system)) >= runs, f"start of {runs} runs")

    async def until_polled(self, system: str, times: int = 1) -> None:
        """Wait for so many further answers to polls."""

        def answered() -> int:
            return sum(request.status is not None for request in self.matching(system, POLLS))

        before = answered()
        await eventually(lambda: answered() >= before + times, f"{times} polls")


@asynccontextmanager
async def serving_systems(directory: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Serve the three systems without request limits; journal and request budget are kept in a directory."""
    clock = Clock(PACE)
    async with Sandbox(world=World(RUN_SECONDS, timer=clock.monotonic)) as sandbox:
        environment = {
            **sandbox.environment(),
            "HARNESS_REQUESTS_PER_MINUTE": "10000",
            "WORKFLOW_JOURNAL": str(directory / "journal.sqlite"),
            "XDG_CACHE_HOME": str(directory / "cache"),
            "NO_PROXY": "127.0.0.1",
        }
        site = Site(sandbox, clock, environment, patch)
        site.set_behaviors("harness", requests_per_minute=0, deployments_per_day=0)
        try:
            yield site
        finally:
            await site._stack.aclose()
