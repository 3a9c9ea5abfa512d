"""What a system implements for its runs: the only part of their life that differs between systems.

`Starting` is what anything needs that is started once, such as an event; a run has results besides (`Launcher`).

A resource may be several runs (its *parts*): a system that takes 10 000 targets at most gets 25 000 in three requests.
A run's *key* is a string that suffices to find it again.

Every system implements `Launcher` for its runs. What only some can do is a protocol of its own, which the life cycle
tests for with `isinstance`:

    Searching      find the run of a start that was not answered
    Dating         tell the time by the system's clock
    Marking        find the runs that were started for an `idempotency_key`
    Indistinct     starts that a search cannot tell apart
    Cancelling     cancel unfinished runs
    Remembering    polling that needs more than a run's key

All coroutines may raise SystemFault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from provider_py.execution.poller import PollSource
from provider_py.execution.run import Run
from provider_py.plugin import Diagnostic

E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)
P = TypeVar("P")
P_contra = TypeVar("P_contra", contravariant=True)
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Started(Generic[D]):
    """The answer to a start: the first reading of the run, and warnings for the user."""

    run: Run[D]
    warnings: Sequence[Diagnostic] = ()


class Starting(Protocol[E_contra, P, D]):
    """Starts the things of one resource type, and finds out what has become of them."""

    system: str
    """The system's name as users know it."""
    source: PollSource[str, Run[D]]
    """Where the state of runs comes from, by their keys."""

    async def prepare(self, config: E_contra, unknown: frozenset[str]) -> Sequence[P]:
        """Look up what a start needs and check what can be checked; starts nothing.

        Also the preflight of a plan: nothing is concluded from the attributes in `unknown`. Raises DiagnosticError
        with every problem at its attribute.
        """

    async def start(self, part: P, token: str) -> Started[D]:
        """Start one part, sending the request once. `token` marks the run where the system has room for a mark."""

    def key(self, part: P, run: Run[D]) -> str:
        """Return the key of the run that a part was started as."""

    def unread(self, key: str) -> Run[D]:
        """Return what is known of a run that was started and cannot be read: its ID, and that it is active."""


class Launcher(Starting[E, P, D], Protocol[E, P, D]):
    """Starts the runs of one resource type and reads them back."""

    def results(self, state: E, runs: Sequence[Run[D]]) -> E:
        """Add the results that only this system's runs have; the common ones are in the state already."""

    def adopt(self, identifier: str, run: Run[D]) -> E:
        """Return the state of an imported run: the arguments that name what it ran, without its results."""


@runtime_checkable
class Searching(Protocol[P_contra, D]):
    """A launcher of a system that lists its runs."""

    async def search(self, part: P_contra, token: str, since: float, taken: frozenset[str]) -> Run[D] | None:
        """Find the run of a start that was sent after `since` (seconds since the epoch) and not answered.

        Runs whose keys are in `taken` are known to be others. None: the system lists no such run. Raises Unanswered
        where several runs qualify.
        """


@runtime_checkable
class Dating(Protocol):
    """A launcher that knows its system's clock, so that a search compares no times of different clocks."""

    def now(self) -> float:
        """Return seconds since the epoch by the system's clock, as far as it is known."""


@runtime_checkable
class Marking(Protocol[P_contra, D]):
    """A launcher of a system whose runs show the mark they were started with, to whoever may read them."""

    async def marked(self, part: P_contra, beginning: str) -> Sequence[tuple[str, Run[D]]]:
        """Return the runs of the part's workflow whose marks begin so, each with its mark, in any order.

        Raises SystemFault where there are more runs than can be searched: then nothing may be started.
        """


@runtime_checkable
class Indistinct(Protocol[P_contra]):
    """A launcher of a system whose runs carry no mark: equal starts are sent one at a time."""

    def dedup_key(self, part: P_contra) -> str:
        """Return what starts have in common that `search` cannot tell apart."""


@runtime_checkable
class Cancelling(Protocol[E_contra]):
    """A launcher of a system that can cancel runs."""

    async def cancel(self, state: E_contra) -> None:
        """Ask the system to cancel the unfinished runs of a state."""


@runtime_checkable
class Remembering(Protocol[E_contra]):
    """A launcher whose polling needs to know more of a run than its key."""

    def remember(
        self, state: E_contra, keys: Sequence[str], *, sent_at: float | None = None, seen: bool = False
    ) -> None:
        """Keep what polling the runs of a state or plan needs besides their keys.

        `sent_at` is when they were started, in seconds since the epoch, where that is known better than by the state.
        `seen`: the system has shown records of them before, so that none now means that they are gone.
        """


AnyStarting: TypeAlias = Starting[E, Any, Any]
OpaqueStarting: TypeAlias = Starting[E, object, object]
AnyLauncher: TypeAlias = Launcher[E, Any, Any]
"""The launcher of any system, where the registry loses the types of its parts and details."""
OpaqueLauncher: TypeAlias = Launcher[E, object, object]
"""The same where the life cycle holds it: parts and details go back to the launcher they came from, unread."""
