"""The provider `workflow`: its configuration, the systems it reaches and the registry of what it offers."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Iterable
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
from provider_py.execution.journal import Journal
from provider_py.execution.journal_setting import open_store
from provider_py.execution.lifecycle import ExecutionResource
from provider_py.execution.scope import Scope, host_is_testing, state_scope
from provider_py.plugin import (
    AnyDataSource,
    AnyResource,
    Decoded,
    Diagnostic,
    Registered,
    model,
    not_empty,
    optional,
    resolve,
    setting,
)
from provider_py.systems.harness.config import HarnessSettings
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.vcd.config import VcdSettings

AnyExecutionType: TypeAlias = ExecutionType[Any]
AnyResourceType: TypeAlias = AnyExecutionType | ResourceType[Any, Any]
AnyDataSourceType: TypeAlias = DataSourceType[Any, Any]
AnyLauncher: TypeAlias = Launcher[Any, Any, Any]


def _declared(name: str) -> Any:
    """Import the type of a resource or data source: `harness_trigger` is `TYPE` of `systems.harness.trigger`."""
    system, _, module = name.partition("_")
    return importlib.import_module(f"provider_py.systems.{system}.{module}").TYPE


RESOURCES: Final[Registered[AnyResourceType]] = Registered(
    ("harness_execution", "harness_trigger", "nexthink_execution", "nexthink_event", "vcd_execution"), _declared
)
DATA_SOURCES: Final[Registered[AnyDataSourceType]] = Registered(
    (
        "harness_application",
        "harness_workflow",
        "harness_pipeline",
        "harness_service",
        "harness_execution_inputs",
        "harness_executions",
        "nexthink_workflow",
        "nexthink_workflows",
        "vcd_workflow",
        "vcd_workflows",
    ),
    _declared,
)
SYSTEMS: Final = {"harness": HarnessSettings, "nexthink": NexthinkSettings, "vcd": VcdSettings}


def connect(system: str, settings: object, runtime: Runtime) -> Connection:
    """Make the connection to a system with its resolved settings; raises DiagnosticError for missing ones."""
    module = importlib.import_module(f"provider_py.systems.{system}.connection")
    connection: Connection = module.CONNECTION(settings, runtime)
    return connection


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
            "Path of the journal file, which keeps runs from being started twice; its directory must exist. For a "
            "team, the address of a PostgreSQL database that its machines share: `postgresql://user@host/database`, "
            "with the password and TLS settings in libpq's own variables.",
            environment="WORKFLOW_JOURNAL",
        ),
    ] = None
    journal_scope: Annotated[
        str | None,
        setting(
            "Name of the state in the journal, in place of the one made of the backend's settings: runs that an "
            "interrupted apply left are taken up by applies of the same scope only.",
            environment="WORKFLOW_JOURNAL_SCOPE",
            checks=(not_empty,),
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
        self._launchers: dict[str, AnyLauncher] = {}
        self._journal = self._open_journal(None, None)
        self.resources = Registered(RESOURCES.names, self._resource)
        self.data_sources = Registered(DATA_SOURCES.names, self._data_source)

    def validate(self, config: Decoded[ProviderConfig]) -> Iterable[Diagnostic]:
        """Nothing more than the checks of the attributes: what is missing is told by the resource that needs it."""
        return ()

    async def configure(self, config: Decoded[ProviderConfig]) -> Iterable[Diagnostic]:
        """Take the configuration; a system's settings are judged when a resource first needs them."""
        self._config = Decoded(resolve(ProviderConfig, config.model, os.environ), config.unknown)
        if self._config.model:
            settings = self._config.model
            self._journal = self._open_journal(settings.journal or None, settings.journal_scope or None)
        self._runtime.preflight = bool(self._config.model and self._config.model.preflight)
        return ()

    async def abandon(self) -> None:
        """Leave the runs of this process to the next one."""
        await self._journal.abandon()

    async def close(self, *, orderly: bool = False) -> None:
        """Close the journal and all connections."""
        await self._journal.close(orderly=orderly)
        for connection in self._connections.values():
            await connection.close()

    def _resource(self, name: str) -> AnyResource:
        type_ = RESOURCES[name]
        if isinstance(type_, ResourceType):
            return type_.make(self._connector(type_.system), lambda: self._journal, self._runtime)
        return ExecutionResource(
            type_,
            lambda: self._launcher(type_),
            lambda: self._journal,
            self._runtime,
            self._connector(type_.system).account,
        )

    def _open_journal(self, setting: str | None, scope_name: str | None) -> Journal:
        store = open_store(setting, os.environ)
        testing = host_is_testing()
        scope = state_scope(os.environ, shared=store.shared, testing=testing)
        if scope_name is not None and not testing:
            scope = Scope(scope_name, scope.state_file)
        return Journal(store, self._runtime.clock.time, scope, adopts=not testing, stop=self._runtime.stop)

    def _data_source(self, name: str) -> AnyDataSource:
        type_ = DATA_SOURCES[name]
        return LookupDataSource(type_, self._connector(type_.system), self._runtime)

    def _launcher(self, type_: AnyExecutionType) -> AnyLauncher | None:
        if type_.name not in self._launchers:
            connection = self._connection(type_.system)
            if connection is None:
                return None
            self._launchers[type_.name] = type_.launcher(connection)
        return self._launchers[type_.name]

    def _connector(self, system: str) -> Connector[Connection]:
        return Connector(system, lambda: self._connection(system))

    def _connection(self, system: str) -> Connection | None:
        """Return the connection to a system; None while its settings are not known."""
        if system in self._config.unknown:
            return None
        if system not in self._connections:
            settings = resolve(SYSTEMS[system], getattr(self._config.model, system), os.environ, (system,))
            self._connections[system] = connect(system, settings, self._runtime)
        return self._connections[system]


def create(stop: asyncio.Event) -> WorkflowProvider:
    """Make the provider for `plugin.serve`."""
    return WorkflowProvider(stop)
