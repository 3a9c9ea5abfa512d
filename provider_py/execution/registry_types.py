"""What a system offers besides runs: data sources that look something up, and resources with a life of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from provider_py.execution import messages
from provider_py.execution.errors import SystemFault
from provider_py.plugin import Decoded, Diagnostic, DiagnosticError, ReadResult, Resource

M = TypeVar("M")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class DataSourceType(Generic[M, C]):
    """A data source as the registry lists it. `read` gets the connection to the system; it may raise SystemFault."""

    name: str
    title: str
    """How messages call what is looked up: `Harness application`."""
    system: str
    model: type[M]
    description: str
    read: Callable[[C, M], Awaitable[M]]
    validate: Callable[[Decoded[M]], Iterable[Diagnostic]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class ResourceType(Generic[M, C]):
    """A resource that is not a run as the registry lists it. `make` builds it on what gives it its connection."""

    name: str
    system: str
    model: type[M]
    description: str
    make: Callable[[Callable[[], C | None]], Resource[M]]
    """The connection is None while the provider's settings for the system are not known."""


class LookupDataSource(Generic[M, C]):
    """A data source over one connection; faults become diagnostics."""

    def __init__(self, kind: DataSourceType[M, C], connect: Callable[[], C | None]) -> None:
        """`connect` gives the connection, None while the provider's settings for the system are not known."""
        self.name = kind.name
        self.model = kind.model
        self.description = kind.description
        self._kind = kind
        self._connect = connect

    def validate(self, config: Decoded[M]) -> Iterable[Diagnostic]:
        """Validate the arguments together."""
        return self._kind.validate(config)

    async def read(self, config: M) -> ReadResult[M]:
        """Look up."""
        connection: Any = self._connect()
        if connection is None:
            raise DiagnosticError(messages.settings_unknown(self._kind.title, self._kind.system))
        try:
            return ReadResult(await self._kind.read(connection, config))
        except SystemFault as fault:
            raise DiagnosticError(messages.from_fault(fault, f"{self._kind.title} could not be looked up")) from fault
