"""What a system has to bring so that its runs can be lived: the only part of a run that differs between systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from provider_py.execution.poller import Poller
from provider_py.execution.run import Execution, Phase, Run
from provider_py.plugin import Decoded, Diagnostic

E = TypeVar("E", bound=Execution)
P = TypeVar("P")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Started(Generic[D]):
    """The answer to a start: the run's first look, and the warnings that came with it."""

    run: Run[D]
    warnings: Sequence[Diagnostic] = ()


class Launcher(Protocol[E, P, D]):
    """Starts the runs of one resource type and reads them back. Every method may raise SystemFault.

    A resource may be several runs (the *parts*): a system that takes 10 000 targets at most gets 25 000 in three.
    A run's *key* is a string that is enough to find it again.
    """

    system: str
    """The system's name as users know it."""
    searchable: bool
    """Whether `search` can find a run whose start was not answered."""
    poller: Poller[str, Run[D]]

    async def prepare(self, config: E, unknown: frozenset[str]) -> Sequence[P]:
        """Look up all a start needs and check all that can be checked; starts nothing.

        Also the preflight of a plan, where the attributes in `unknown` are not concluded from. Raises DiagnosticError
        with each finding on its attribute.
        """

    def dedup_key(self, part: P) -> str | None:
        """Return a text that starts have in common which `search` cannot tell apart; None if a mark tells each."""

    async def start(self, part: P, token: str) -> Started[D]:
        """Start one part, sending the request once. `token` marks the run where the system has room for a mark."""

    async def search(self, part: P, token: str, since: float, taken: frozenset[str]) -> Run[D] | None:
        """Find the run of a start that was sent at `since` (seconds since the epoch) and not answered.

        Runs whose keys are in `taken` are known to be others. None: the system lists no such run. Raises Unanswered
        where several runs could be meant.
        """

    def key(self, part: P, run: Run[D]) -> str:
        """Return the key of a part that was just started."""

    def remember(self, state: E, keys: Sequence[str]) -> None:
        """Learn from a state or plan what looking at its runs needs besides their keys."""

    def results(self, state: E, runs: Sequence[Run[D]]) -> E:
        """Put into a state what only this system's runs have; the common results are there already."""

    async def cancel(self, state: E) -> None:
        """Ask the system to cancel the unfinished runs of a state."""

    def adopt(self, identifier: str, run: Run[D]) -> E:
        """Make the state of an imported run: the arguments that name what it ran, without its results."""


@dataclass(frozen=True, slots=True)
class ExecutionType(Generic[E]):
    """An execution resource type as the registry lists it. `system` names the provider's setting for it."""

    name: str
    title: str
    """How messages call such a run: `Harness execution`."""
    system: str
    model: type[E]
    description: str
    phase: Callable[[str | None], Phase]
    """What a status word means; an unknown word means that the run is still going on."""
    keys: Callable[[E], Sequence[str]]
    """The keys of the runs that a state holds."""
    import_form: str
    """What `terraform import` takes, in words."""
    import_key: Callable[[str], str | None]
    """The key of the run that an import id names; None if the id is not of the form."""
    validate: Callable[[Decoded[E]], Iterable[Diagnostic]]
    launcher: Callable[[Any], Launcher[E, Any, Any]]
    """Makes the launcher on the provider's connection to the system."""
