"""What a provider hands to the protocol layer: resources and data sources over typed models.

The layer decodes Terraform's values into models before it calls, and encodes the models it gets back. Nothing here
knows gRPC, and an implementation never sees a dictionary in place of a model.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from provider_py.plugin.diagnostics import Diagnostic, Path

M = TypeVar("M")
T = TypeVar("T")


class Decoded(NamedTuple, Generic[M]):
    """A configuration or plan in which some values may not be known yet.

    `model` is None while a required attribute is unknown. Other unknown values are None in it; `unknown` names the
    top-level attributes that are not wholly known, so that nothing is concluded from their absence; results are never
    among them. Defaults are filled in.
    """

    model: M | None
    unknown: frozenset[str] = frozenset()


class Change(NamedTuple, Generic[M]):
    """What a plan is asked for: `prior` is None for a creation (the second half of a replacement is one too).

    `changed` names the top-level attributes whose planned value differs from the prior one, results left out.
    Values of write-only attributes are present in `planned`. `private` is what the provider stored with the state.
    """

    prior: M | None
    planned: Decoded[M]
    changed: frozenset[str]
    private: bytes = b""


class Plan(NamedTuple):
    """The resource's own part of a plan, over what the layer plans by itself.

    By itself the layer gives defaults, makes every result unknown on creation, keeps all results on update, and
    replaces when an attribute declared with `replace` changed. `unknown`: results that the update will change.
    `replace`: further paths that force replacement. `in_place`: declared replacements are waived.
    `private` is handed back at apply; None keeps what is stored.
    """

    unknown: frozenset[str] = frozenset()
    replace: Sequence[Path] = ()
    in_place: bool = False
    private: bytes | None = None
    diagnostics: Sequence[Diagnostic] = ()


class ApplyResult(NamedTuple, Generic[M]):
    """The outcome of a create, update or delete: the new state (None: destroyed) and what to tell the user.

    Terraform stores a creation that returns a state *and* an error as tainted, and one with a warning as good.
    An empty `private` keeps what is stored.
    """

    state: M | None
    diagnostics: Sequence[Diagnostic] = ()
    private: bytes = b""


class ReadResult(NamedTuple, Generic[M]):
    """The outcome of a read or an import: the state (None: no such object) and what to tell the user.

    An empty `private` keeps what is stored.
    """

    state: M | None
    diagnostics: Sequence[Diagnostic] = ()
    private: bytes = b""


class Resource(Protocol[M]):
    """A managed resource. Any method may raise DiagnosticError; the state then stays what it was."""

    name: str
    """The type without the provider's prefix: `harness_execution` of `workflow_harness_execution`."""
    model: type[M]
    description: str
    version: int

    def validate(self, config: Decoded[M]) -> Iterable[Diagnostic]:
        """Validate attributes against each other, offline and before the provider is configured."""

    async def plan(self, change: Change[M]) -> Plan:
        """Add to a plan; called for creations and updates, also when nothing changed, never for destruction."""

    async def create(self, planned: M, private: bytes) -> ApplyResult[M]:
        """Create; results are None in `planned`, write-only attributes have their values."""

    async def read(self, state: M, private: bytes) -> ReadResult[M]:
        """Refresh the state."""

    async def update(self, prior: M, planned: M, private: bytes) -> ApplyResult[M]:
        """Change in place; results that the plan left alone have their prior values in `planned`."""

    async def delete(self, state: M, private: bytes) -> ApplyResult[M]:
        """Destroy; the result's state is None unless it failed."""

    async def import_state(self, identifier: str) -> ReadResult[M]:
        """Return the state of the object that `terraform import` names."""


class DataSource(Protocol[M]):
    """A data source; its model's results are what it looks up."""

    name: str
    model: type[M]
    description: str

    def validate(self, config: Decoded[M]) -> Iterable[Diagnostic]:
        """Validate attributes against each other, offline."""

    async def read(self, config: M) -> ReadResult[M]:
        """Look up what the configuration names."""


AnyResource: TypeAlias = Resource[Any]
AnyDataSource: TypeAlias = DataSource[Any]
AnyConfig: TypeAlias = Decoded[Any]


class Registered(Generic[T]):
    """Resources, data sources or their types by name, each made when it is first asked for.

    Only the process that is asked for the schema needs all of them, so a name must not cost an import.
    """

    def __init__(self, names: Sequence[str], make: Callable[[str], T]) -> None:
        self.names = names
        self._make = functools.cache(make)

    def __getitem__(self, name: str) -> T:
        if name not in self.names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self.names)


class Provider(Protocol):
    """A provider: its configuration's model and its registry."""

    name: str
    model: type[Any]
    description: str
    resources: Registered[AnyResource]
    data_sources: Registered[AnyDataSource]

    def validate(self, config: AnyConfig) -> Iterable[Diagnostic]:
        """Validate the provider block, offline."""

    async def configure(self, config: AnyConfig) -> Iterable[Diagnostic]:
        """Take the configuration without contacting a system."""

    async def abandon(self) -> None:
        """Learn that the host is gone: calls in flight are still carried out, and nobody gets their answers."""

    async def close(self, *, orderly: bool) -> None:
        """Release connections and files before the process ends.

        `orderly`: the host asked for the end while no call was in flight, and no interrupt came before. Then it has
        every answer, which says nothing about whether it has written the state yet.
        """


ProviderFactory: TypeAlias = Callable[[asyncio.Event], Provider]
"""Makes the provider; the event is set when Terraform asks to stop, and every wait observes it."""
