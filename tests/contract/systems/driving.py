"""Driving the provider as the protocol layer does, against a sandbox whose time goes faster than ours."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from provider_py.execution import Execution
from provider_py.plugin import ApplyResult, Change, Decoded, Diagnostic, DiagnosticError, Resource, Severity
from provider_py.provider import ProviderConfig, WorkflowProvider
from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.world import RecordedRequest, Run
from provider_py.systems.harness.execution import Artifact, HarnessExecution
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.targets import Device
from provider_py.systems.vcd.execution import VcdExecution
from tests.support.clock import ScaledClock
from tests.support.requests import STARTS, matches

SPEED = 100.0
RUN_SECONDS = 6.0
PATIENCE_SECONDS = 20.0
"""Real seconds after which a test that waits has failed."""
SYSTEMS = ("harness", "nexthink", "vcd")


def simple(system: str, **arguments: Any) -> Any:
    """Configure a run that needs nothing but its name."""
    match system:
        case "harness":
            return HarnessExecution(**{"application": "Test App", "workflow": "restart", **arguments})
        case "nexthink":
            return NexthinkExecution(
                **{"workflow": "#reboot_device", "devices": [Device(name="LAPTOP-01")], **arguments}
            )
        case _:
            return VcdExecution(**{"workflow": "Refresh inventory", **arguments})


def published_example(**arguments: Any) -> HarnessExecution:
    """Configure the run of Harness' own example."""
    variables = {"Environment": "Prod", "InfraDefinition_Kubernetes": "k8s", "InfraDefinition_Kubernetes2": "k8s"}
    artifacts = {
        "test": Artifact(source="library_nginx", build_number="stable-perl"),
        "k8s": Artifact(source="docker_hello-world", build_number="latest"),
    }
    named: dict[str, Any] = {"application": "Test App", "workflow": "multi service graphql test"}
    return HarnessExecution(**(named | {"variables": variables, "artifacts": artifacts} | arguments))


async def eventually(happened: Callable[[], object]) -> None:
    """Wait until something has happened."""
    for _ in range(int(PATIENCE_SECONDS * 200)):
        if happened():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it has not happened in time")


@dataclass
class Driver:
    """A provider process, and the sandbox that it talks to."""

    provider: WorkflowProvider
    sandbox: Sandbox
    stop: asyncio.Event
    resources: dict[str, Resource[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.resources = {each.name: each for each in self.provider.resources}

    def of(self, system: str) -> Any:
        """Return a system's execution resource, untyped: tests know which of the three models it has."""
        return self.resources[f"{system}_execution"]

    def _for(self, config: Execution) -> Resource[Any]:
        return next(each for each in self.resources.values() if isinstance(config, each.model))

    async def plan(self, config: Execution, *unknown: str) -> Sequence[Diagnostic]:
        """Validate and plan a creation."""
        resource, decoded = self._for(config), Decoded(config, frozenset(unknown))
        said = list(resource.validate(decoded))
        if said:
            return said
        try:
            return (await resource.plan(Change(None, decoded, frozenset()))).diagnostics
        except DiagnosticError as fault:
            return fault.diagnostics

    async def create(self, config: Execution) -> Any:
        """Apply a creation and give its answer; what is raised counts as told."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._for(config).create(config, b"")
        except DiagnosticError as fault:
            return ApplyResult(None, fault.diagnostics)

    async def started(self, config: Execution) -> Any:
        """Apply a creation without waiting, and return its state."""
        answer = await self.create(dataclasses.replace(config, wait=False))
        assert answer.diagnostics == []
        return answer.state

    def runs(self, system: str | None = None) -> list[Run]:
        """Return the runs that the systems have started."""
        return self.sandbox.world.runs.of(system)

    def starts(self, system: str) -> list[RecordedRequest]:
        """Return the requests for a start."""
        return [
            request
            for request in self.requests
            if request.system == system and matches(STARTS[system], request.method, request.path, request.body)
        ]

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests that the systems got."""
        return self.sandbox.world.requests

    async def until(self, system: str, runs: int = 1) -> None:
        """Wait until a system has started so many runs."""
        await eventually(lambda: len(self.runs(system)) >= runs)


@asynccontextmanager
async def driving(sandbox: Sandbox, **settings: Any) -> AsyncIterator[Driver]:
    """Run a provider with these settings; the environment gives the others."""
    stop = asyncio.Event()
    provider = WorkflowProvider(stop)
    provider._runtime.clock = ScaledClock(SPEED)
    await provider.configure(Decoded(ProviderConfig(**settings)))
    try:
        yield Driver(provider, sandbox, stop)
    finally:
        await provider.close()


def only(said: Sequence[Diagnostic], severity: Severity) -> str:
    """Return the text of the one diagnostic, which is of this severity."""
    (one,) = said
    assert one.severity is severity, one
    return f"{one.summary}\n{one.detail}"
