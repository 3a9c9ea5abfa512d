"""What is started once and has no end that is waited for: an event that is sent, a trigger that is created.

It is started as a run is: the journal is asked what answers the create, the intent is written before the request, and
the request is sent once. An apply that ends before Terraform has stored the answer leaves it to the next create of
equal inputs. What a resource does besides is its own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic

from provider_py.execution import messages
from provider_py.execution.journal import Journal
from provider_py.execution.launcher import AnyStarting
from provider_py.execution.life import End, Planned, Start, private_of
from provider_py.execution.messages import Wording
from provider_py.execution.poller import Poller
from provider_py.execution.runtime import LOOKING_SECONDS, Runtime
from provider_py.execution.starting import Begun, S, Starter, only_logged, replacing
from provider_py.execution.store import JournalError
from provider_py.plugin import Diagnostic, DiagnosticError


class Once(Generic[S]):
    """The part of a resource that the journal knows. Keys are those that its launcher gives."""

    def __init__(
        self,
        name: str,
        title: str,
        words: Wording,
        workflow: Callable[[S], str | None],
        journal: Callable[[], Journal],
        runtime: Runtime,
        account: Callable[[], str],
        *,
        inputs: Callable[[S], Mapping[str, object]] = replacing,
    ) -> None:
        """The parameters are those of `Starter`."""
        self._starter = Starter(name, title, workflow, journal, runtime, account, words=words, inputs=inputs)
        self._runtime = runtime

    def planned(self, planned: S) -> bytes:
        """Return what to plan as private for a create whose inputs are known."""
        return Planned(self._starter.wish(planned).fingerprint, planned.wait).encode()

    async def consult(self, planned: S) -> tuple[bool, Sequence[Diagnostic]]:
        """Say at plan whether a create would have to start something, and what the user should know."""
        self._starter.journal.planning()
        decision, diagnostics = await self._starter.consult(planned)
        return isinstance(decision, Start), diagnostics

    def yield_to(self, prior: S, planned: S, keys: Sequence[str], *, unknown: bool) -> None:
        """Let a plan with other inputs use the key of what it replaces."""
        self._starter.journal.planning()
        self._starter.yield_to(prior, planned, keys, unknown=unknown)

    async def begin(self, launcher: AnyStarting[S], planned: S) -> Begun:
        """Find or start what answers a create, with one key.

        Raises SystemFault (Unsettled where it is not known whether it started) or DiagnosticError.
        """
        journal = self._starter.journal
        journal.applying()
        title, words = self._starter.title, self._starter.words
        try:
            begun = await self._starter.begin(launcher, Poller(launcher.source, self._runtime), planned)
        except JournalError as fault:
            raise DiagnosticError(messages.not_started(title, fault, 1, 1, words)) from fault
        except TimeoutError as fault:
            raise DiagnosticError(messages.not_in_time(title, LOOKING_SECONDS, words)) from fault
        journal.note(self._starter.kind, list(begun.runs), ending=End.SUCCEEDED)
        begun.diagnostics.extend(map(messages.journal_damaged, journal.warnings()))
        return begun

    async def observe(self, keys: Sequence[str]) -> None:
        """Note that Terraform's state holds this."""
        await self._starter.journal.show_settled(self._starter.kind, keys)

    async def rename(self, planned: S, keys: Sequence[str]) -> None:
        """Give what a state holds the `idempotency_key` of the plan, or take it away; raises DiagnosticError."""
        self._starter.journal.applying()
        try:
            await self._starter.journal.rename(self._starter.wish(planned), keys, End.SUCCEEDED)
        except JournalError as fault:
            raise DiagnosticError(messages.journal_unusable(fault)) from fault

    async def imported(self, state: S) -> None:
        """Note that an import has brought what an unanswered start of equal inputs may have started."""
        with only_logged():
            await self._starter.journal.discard_unanswered(self._starter.wish(state))

    async def destroyed(self, state: S, keys: Sequence[str], private: bytes | None = None) -> None:
        """Close what an entry held: it answers no create any more.

        `private` is what the entry or its replacement has in private, which tells whether another entry holds the same
        by its key; that is left alone. None: only this entry can hold it.
        """
        self._starter.journal.applying()
        with only_logged():
            if not await self._is_held_elsewhere(state, keys, private):
                await self._starter.journal.close_run(self._starter.wish(state), keys)

    async def _is_held_elsewhere(self, state: S, keys: Sequence[str], private: bytes | None) -> bool:
        attempt = await self._starter.journal.find(self._starter.kind, keys)
        if attempt is None or private is None:
            return False
        stored = private_of(private)
        if isinstance(stored, Planned):  # the destroy half of a replacement: the entry may only have joined it
            return attempt.joins > 0 or attempt.scope != self._starter.wish(state).scope
        return stored.joined or attempt.tenure > stored.tenure
