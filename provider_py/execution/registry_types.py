"""What the registry lists: the types of runs, of other resources and of data sources, each bound to one system."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from provider_py.execution import messages
from provider_py.execution.connection import Connection, Connector
from provider_py.execution.errors import SystemFault
from provider_py.execution.journal import Journal
from provider_py.execution.launcher import AnyLauncher
from provider_py.execution.run import Execution, Phase
from provider_py.execution.runtime import Runtime
from provider_py.plugin import Decoded, Diagnostic, DiagnosticError, ReadResult, Resource

M = TypeVar("M")
C = TypeVar("C", bound=Connection)
E = TypeVar("E", bound=Execution)


class ExecutionType(NamedTuple, Generic[E]):
    """The type of a run. `system` names the provider's block for it."""

    name: str
    title: str
    """Display name in messages: `Harness execution`."""
    system: str
    model: type[E]
    description: str
    phase: Callable[[str | None], Phase]
    """What a status word means; an unknown one means that the run is still active."""
    keys: Callable[[E], Sequence[str]]
    """The keys of the runs in a state."""
    import_form: str
    """What `terraform import` takes, as messages put it: "the ID of the execution"."""
    import_key: Callable[[str], str | None]
    """The key of the run that an import ID names; None if the ID does not have the form."""
    workflow: Callable[[E], str | None]
    """Name or ID of what a state or plan runs, for messages and the journal."""
    validate: Callable[[Decoded[E]], Iterable[Diagnostic]]
    launcher: Callable[[Any], AnyLauncher[E]]
    """Makes the launcher over the provider's connection to the system."""


class ResourceType(NamedTuple, Generic[M, C]):
    """The type of a resource that is not a run."""

    name: str
    system: str
    model: type[M]
    description: str
    make: Callable[[Connector[C], Callable[[], Journal], Runtime], Resource[M]]
    """Makes the resource over the connection to its system, the journal of the process and what the process shares."""


def nothing_to_validate(_config: Decoded[M]) -> Iterable[Diagnostic]:
    """Return no diagnostics, where checking each attribute by itself suffices."""
    return ()


class DataSourceType(NamedTuple, Generic[M, C]):
    """The type of a data source. `read` takes the connection to the system and may raise SystemFault."""

    name: str
    title: str
    """Display name in messages: `Harness application`."""
    system: str
    model: type[M]
    description: str
    read: Callable[[C, M], Awaitable[M]]
    validate: Callable[[Decoded[M]], Iterable[Diagnostic]] = nothing_to_validate


class LookupDataSource(Generic[M, C]):
    """A data source over one connection; what SystemFault says becomes a diagnostic."""

    def __init__(self, type_: DataSourceType[M, C], connector: Connector[C], runtime: Runtime) -> None:
        self.name = type_.name
        self.model = type_.model
        self.description = type_.description
        self._type = type_
        self._connector = connector
        self._runtime = runtime

    def validate(self, config: Decoded[M]) -> Iterable[Diagnostic]:
        """Validate the arguments against each other, offline."""
        return self._type.validate(config)

    async def read(self, config: M) -> ReadResult[M]:
        """Look up what the configuration names, for LOOKING_SECONDS at most."""
        connection = self._connector.connect(self._type.title)
        try:
            return ReadResult(await self._runtime.look(self._type.read(connection, config)))
        except SystemFault as fault:
            raise DiagnosticError(messages.from_fault(fault, f"Failed to look up {self._type.title}")) from fault
