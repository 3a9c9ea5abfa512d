"""The provider `workflow`: its configuration, the systems it reaches and the registry of what it offers."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, TypeAlias

from provider_py.execution import (
    Connection,
    Connector,
    DataSourceType,
    ExecutionType,
    Launcher,
    LookupDataSource,
    ResourceType,
    Runtime,
)
from provider_py.execution.journal import Journal, default_path, workspace
from provider_py.execution.lifecycle import ExecutionResource
from provider_py.execution.local_settings import writable_path
from provider_py.execution.starting import Starter
from provider_py.plugin import (
    DataSource,
    Decoded,
    Diagnostic,
    DiagnosticError,
    Resource,
    model,
    optional,
    resolve,
    setting,
)
from provider_py.systems.harness import application as harness_application
from provider_py.systems.harness import execution as harness_execution
from provider_py.systems.harness import execution_inputs as harness_execution_inputs
from provider_py.systems.harness import executions as harness_executions
from provider_py.systems.harness import pipeline as harness_pipeline
from provider_py.systems.harness import service as harness_service
from provider_py.systems.harness import trigger as harness_trigger
from provider_py.systems.harness import workflow as harness_workflow
from provider_py.systems.harness.config import HarnessSettings
from provider_py.systems.harness.connection import Harness
from provider_py.systems.nexthink import event as nexthink_event
from provider_py.systems.nexthink import execution as nexthink_execution
from provider_py.systems.nexthink import workflow as nexthink_workflow
from provider_py.systems.nexthink import workflows as nexthink_workflows
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.nexthink.connection import Nexthink
from provider_py.systems.vcd import execution as vcd_execution
from provider_py.systems.vcd import workflow as vcd_workflow
from provider_py.systems.vcd import workflows as vcd_workflows
from provider_py.systems.vcd.config import VcdSettings
from provider_py.systems.vcd.connection import CloudDirector

AnyExecutionType: TypeAlias = ExecutionType[Any]
AnyResourceType: TypeAlias = AnyExecutionType | ResourceType[Any, Any]

RESOURCES: Final[tuple[AnyResourceType, ...]] = (
    harness_execution.TYPE,
    harness_trigger.TYPE,
    nexthink_execution.TYPE,
    nexthink_event.TYPE,
    vcd_execution.TYPE,
)
DATA_SOURCES: Final[tuple[DataSourceType[Any, Any], ...]] = (
    harness_application.TYPE,
    harness_workflow.TYPE,
    harness_pipeline.TYPE,
    harness_service.TYPE,
    harness_execution_inputs.TYPE,
    harness_executions.TYPE,
    nexthink_workflow.TYPE,
    nexthink_workflows.TYPE,
    vcd_workflow.TYPE,
    vcd_workflows.TYPE,
)
SYSTEMS: Final = {
    "harness": (HarnessSettings, Harness),
    "nexthink": (NexthinkSettings, Nexthink),
    "vcd": (VcdSettings, CloudDirector),
}


@model
class ProviderConfig:
    """Runs workflows of Harness FirstGen, Nexthink and VMware Cloud Director.

    Every setting can come from an environment variable. Nothing is contacted before a resource needs it.
    """

    harness: Annotated[HarnessSettings | None, optional("A Harness FirstGen account.")] = None
    nexthink: Annotated[NexthinkSettings | None, optional("A Nexthink instance.")] = None
    vcd: Annotated[VcdSettings | None, optional("A VMware Cloud Director.")] = None
    preflight: Annotated[
        bool | None,
        setting("Check runs against their systems at plan time.", environment="WORKFLOW_PREFLIGHT", fallback=True),
    ] = None
    journal: Annotated[
        str | None,
        setting(
            "Path of the journal file, which keeps runs from being started twice. Its directory must exist.",
            environment="WORKFLOW_JOURNAL",
        ),
    ] = None


class WorkflowProvider:
    """One provider process: systems are connected to when a resource first needs them."""

    name = "workflow"
    model = ProviderConfig
    description = str(ProviderConfig.__doc__)

    def __init__(self, stop: asyncio.Event) -> None:
        """`stop` is set when Terraform asks to stop."""
        self._runtime = Runtime(stop)
        self._config: Decoded[ProviderConfig] = Decoded(None)
        self._connections: dict[str, Connection] = {}
        self._launchers: dict[str, Launcher[Any, Any, Any]] = {}
        self._journal = Journal(default_path(os.environ), self._runtime.clock.time)
        self.resources: Sequence[Resource[Any]] = tuple(self._resource(type_) for type_ in RESOURCES)
        self.data_sources: Sequence[DataSource[Any]] = tuple(
            LookupDataSource(type_, self._connector(type_.system)) for type_ in DATA_SOURCES
        )

    def validate(self, config: Decoded[ProviderConfig]) -> Iterable[Diagnostic]:
        """Nothing more than the checks of the attributes: what is missing is told by the resource that needs it."""
        return ()

    async def configure(self, config: Decoded[ProviderConfig]) -> Iterable[Diagnostic]:
        """Take the configuration; a system's settings are judged when a resource first needs them."""
        self._config = Decoded(resolve(ProviderConfig, config.model, os.environ), config.unknown)
        self._runtime.scope = workspace(os.environ)
        if self._config.model and self._config.model.journal:
            self._journal.path = writable_path(self._config.model.journal, ("journal",), "WORKFLOW_JOURNAL")
        self._runtime.preflight = bool(self._config.model and self._config.model.preflight)
        return ()

    async def close(self, *, orderly: bool = False) -> None:
        """Close the journal and all connections."""
        await self._journal.close(orderly=orderly)
        for connection in self._connections.values():
            await connection.close()

    def _resource(self, type_: AnyResourceType) -> Resource[Any]:
        if isinstance(type_, ResourceType):
            return type_.make(self._connector(type_.system))
        account = functools.partial(self._account, type_.system)
        starter: Starter[Any] = Starter(type_.name, self._journal, self._runtime, account)
        return ExecutionResource(type_, lambda: self._launcher(type_), starter, self._runtime)

    def _launcher(self, type_: AnyExecutionType) -> Launcher[Any, Any, Any] | None:
        if type_.name not in self._launchers:
            connection = self._connection(type_.system)
            if connection is None:
                return None
            self._launchers[type_.name] = type_.launcher(connection)
        return self._launchers[type_.name]

    def _account(self, system: str) -> str:
        """Return what tells the system's account from others; empty while its settings are unknown or invalid."""
        try:
            connection = self._connection(system)
        except DiagnosticError:
            return ""
        return "" if connection is None else connection.account

    def _connector(self, system: str) -> Connector[Any]:
        return Connector(system, lambda: self._connection(system))

    def _connection(self, system: str) -> Connection | None:
        """Return the connection to a system; None while its settings are not known."""
        if system in self._config.unknown:
            return None
        if system not in self._connections:
            settings, connect = SYSTEMS[system]
            given = getattr(self._config.model, system)
            self._connections[system] = connect(resolve(settings, given, os.environ, (system,)), self._runtime)
        return self._connections[system]


def create(stop: asyncio.Event) -> WorkflowProvider:
    """Make the provider for `plugin.serve`."""
    return WorkflowProvider(stop)
