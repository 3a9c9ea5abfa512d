"""The life of a run as a Terraform resource: started once, waited for, resumed, and not repeated by itself.

Terraform knows objects that exist or do not. A run exists, continues, then has failed or not, and may outlast the
apply that started it. What does not work:

- *An error whenever the end was not seen.* Terraform taints what a create returns beside an error, and replaces it at
  the next apply: a second run beside the first.
- *A warning instead.* Dependants are then created from the results of a run that has none yet.
- *No state beside the error.* The run continues and nobody knows it.
- *Deciding at plan what to do with a tainted run.* Its plan is that of a new resource: no prior state, no private
  bytes, and nothing that says which resource instance it is about.

So what a run is to Terraform is decided in `life`, and this module only asks: at a create what answers it, at the end
of a wait what the verdict is, and writes both down where later calls find them. What is owed travels three ways, since
each of them gets lost in some flow of Terraform's: as private bytes beside the state, which a refresh is shown; as an
offer in the journal, which that refresh renews and one create of equal inputs takes; and as the fingerprint in the
private bytes planned for a create, which the destroy half of a replacement is shown in place of its own. That half
leaves an owed run of the same fingerprint alone, and the create half takes it.

A failed run answers nothing. Where the state holds one, the plan replaces it, unless the configuration does not wait
for it or accepts failures; the state alone decides that, so a plan does not depend on who saw the failure. A run of
which the system has no record is reported as an error once and kept for another look; the next apply then keeps it
with a warning, since replacing it would repeat a run that may have ended well.

Not guaranteed: what the table of guarantees in `docs/guarantees.md` says.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from provider_py.execution import messages
from provider_py.execution.errors import Missing, SystemFault
from provider_py.execution.journal import Journal
from provider_py.execution.launcher import AnyLauncher, Cancelling, OpaqueLauncher
from provider_py.execution.life import (
    Attempt,
    Cut,
    Decision,
    End,
    Event,
    Held,
    Place,
    Planned,
    Standing,
    Start,
    Take,
    Verdict,
    private_of,
    verdict,
)
from provider_py.execution.poller import SHORTEST_SECONDS, Poller
from provider_py.execution.preflight import run_preflight
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.run import Execution, Phase, Run, deciding_run
from provider_py.execution.runtime import Runtime
from provider_py.execution.starting import Starter, remember
from provider_py.execution.store import JournalError
from provider_py.execution.times import rfc3339
from provider_py.execution.waiting import MISSES_BEFORE_VANISHED, Watch, log_status
from provider_py.plugin import (
    ApplyResult,
    Change,
    Decoded,
    Diagnostic,
    DiagnosticError,
    Plan,
    ReadResult,
    attributes,
    error,
    parse_duration,
    redact,
)

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Execution)


class ExecutionResource(Generic[E]):
    """A `*_execution` resource: the shared life cycle over one system's launcher."""

    version = 0

    def __init__(
        self,
        type_: ExecutionType[E],
        launcher: Callable[[], AnyLauncher[E] | None],
        journal: Callable[[], Journal],
        runtime: Runtime,
        account: Callable[[], str],
    ) -> None:
        """`launcher` returns None while the provider's settings for the system are unknown.

        `account` returns what tells the account of the system from others.
        """
        self.name = type_.name
        self.model = type_.model
        self.description = type_.description
        self._type = type_
        self._launcher: Callable[[], OpaqueLauncher[E] | None] = launcher
        self._journal = journal
        self._starter = Starter(type_.name, type_.title, type_.workflow, journal, runtime, account)
        self._runtime = runtime
        self._shared_poller: Poller[str, Run[object]] | None = None

    def validate(self, config: Decoded[E]) -> Iterable[Diagnostic]:
        """Validate the arguments against each other, offline."""
        return self._type.validate(config)

    async def plan(self, change: Change[E]) -> Plan:
        """Preflight a start; plan to take up or replace a run that has not ended well."""
        self._journal().planning()
        planned = change.planned.model
        if change.prior is None:
            return await self._plan_creation(change.planned, change.private)
        held = await self._observe(change.prior, change.private)
        await self._retract(change.prior, held)
        in_place = held.standing is Standing.IMPORTED and _completes_import(change)
        if planned is None:
            return Plan(in_place=in_place)
        if self._unaccepted(change.prior, planned):
            # Terraform heeds a path that forces replacement only where the planned value differs.
            warnings = [messages.replaced_failure(self._type.title, change.prior)]
            return Plan(unknown=frozenset(_results(self.model)), replace=[("status",)], diagnostics=warnings)
        rekeyed = None not in (change.prior.idempotency_key, planned.idempotency_key) and (
            change.prior.idempotency_key != planned.idempotency_key
        )
        if not in_place and not held.joined:
            self._yield(change)
        resumes = planned.wait and not self._ended(change.prior)
        unknown = frozenset(_results(self.model)) - {"id"} if resumes else frozenset()
        return Plan(unknown=unknown, in_place=in_place, replace=[("idempotency_key",)] if rekeyed else ())

    async def _plan_creation(self, planned: Decoded[E], private_before: bytes) -> Plan:
        known = planned.model is not None and not planned.unknown & _inputs(self.model)
        wish = self._starter.wish(planned.model) if planned.model is not None and known else None
        waits = planned.model is not None and planned.model.wait
        joined = self._held(private_before).joined if private_before else None
        private = Planned(None if wish is None else wish.fingerprint, waits, joined).encode()
        diagnostics: list[Diagnostic] = []
        if planned.model is not None and known:
            decision, diagnostics = await self._starter.consult(planned.model)
            if not isinstance(decision, Start) and not _is_incomplete(decision):
                return Plan(private=private, diagnostics=tuple(diagnostics))  # what is taken up needs no preflight
        return Plan(private=private, diagnostics=(*diagnostics, *await self._preflight(planned)))

    def _yield(self, change: Change[E]) -> None:
        """Let the plan use the key of the run that it replaces."""
        prior, planned = change.prior, change.planned.model
        if prior is not None and planned is not None:
            unknown = bool(change.planned.unknown & _inputs(self.model))
            self._starter.yield_to(prior, planned, self._type.keys(prior), unknown=unknown)

    async def create(self, planned: E, private: bytes) -> ApplyResult[E]:
        """Start the run, or take up the one that answers already, and wait for its end."""
        self._journal().applying()
        title = self._type.title
        launcher = self._require_launcher(planned)
        try:
            begun = await self._starter.begin(launcher, self._poller(launcher), planned)
        except (SystemFault, JournalError) as fault:
            raise DiagnosticError(messages.not_started(title, fault, 1, 1)) from fault
        except TimeoutError as fault:
            raise DiagnosticError(messages.preparation_timed_out(title, planned.seconds("create"), "create")) from fault
        diagnostics = [*begun.diagnostics, *map(messages.journal_damaged, self._journal().warnings())]
        held = begun.held
        if begun.failed:
            state = self._state(launcher, planned, begun.runs)
            return await self._owe(state, list(begun.runs), held, diagnostics)
        for run in begun.runs.values():
            log_status(title, None, run)
        if not planned.wait:
            return ApplyResult(self._state(launcher, planned, begun.runs), diagnostics, held.encode())
        vanished = begun.attempt is not None and begun.attempt.end is End.VANISHED
        return await self._wait(launcher, planned, begun.runs, held, "create", diagnostics, vanished=vanished)

    async def read(self, state: E, private: bytes) -> ReadResult[E]:
        """Poll a run that has not ended once; a run that has ended is not read again."""
        held = await self._observe(state, private)
        if self._ended(state) or not self._type.keys(state):
            replaced = held.standing is Standing.FAILED and self._unaccepted(state, state)
            warnings = (messages.replaced_failure(self._type.title, state),) if replaced else ()
            return ReadResult(state, warnings, private)
        try:
            launcher = self._launcher()
            if launcher is None:
                return ReadResult(state, (), private)
            return await self._runtime.look(self._look(launcher, state, private))
        except DiagnosticError as fault:
            problems = fault.diagnostics
        except SystemFault as fault:
            problems = (messages.from_fault(fault, f"Failed to read {self._type.title} {state.id}"),)
        return ReadResult(state, [messages.as_warning(problem) for problem in problems], private)

    async def _look(self, launcher: OpaqueLauncher[E], state: E, private: bytes) -> ReadResult[E]:
        """Poll the runs of a state once; where no apply will look again, as often as a wait does before it gives up."""
        keys = self._type.keys(state)
        remember(launcher, state, keys)
        runs: list[Run[object]] = []
        for look in range(1 if state.wait else MISSES_BEFORE_VANISHED):
            polls = (self._poller(launcher).next(key, SHORTEST_SECONDS if look else 0) for key in keys)
            runs = [run for run in await asyncio.gather(*polls) if run is not None]
            if len(runs) == len(keys):
                return ReadResult(self._state(launcher, state, dict(zip(keys, runs, strict=True))), private=private)
        if state.wait:
            return ReadResult(state, [messages.not_found(self._type.title, state, launcher.system)], private)
        expired = dataclasses.replace(state, record_expired=True)
        return ReadResult(expired, [messages.expired(self._type.title, state, launcher.system)], private)

    async def update(self, prior: E, planned: E, private: bytes) -> ApplyResult[E]:
        """Store changed settings; resume waiting for a run that has not ended."""
        self._journal().applying()
        held = self._held(private)
        keys = self._type.keys(prior)
        try:
            if held.standing is Standing.IMPORTED:
                await self._journal().discard_unanswered(self._starter.wish(planned))
            if prior.idempotency_key != planned.idempotency_key:
                await self._journal().rename(self._starter.wish(planned), keys, self._end(prior))
        except JournalError as fault:
            raise DiagnosticError(messages.journal_unusable(fault)) from fault
        settled = dataclasses.replace(held, standing=Standing.SETTLED)
        if self._ended(prior) or not planned.wait:
            return ApplyResult(planned, private=settled.encode())
        resumed = dataclasses.replace(planned, **{name: getattr(prior, name) for name in _results(self.model)})
        launcher = self._require_launcher(resumed)
        vanished = held.standing is Standing.VANISHED
        return await self._wait(launcher, resumed, {}, settled, "update", [], vanished=vanished)

    async def delete(self, state: E, private: bytes) -> ApplyResult[E]:
        """Forget the run, or cancel it if it has not ended and `on_destroy` says so; an owed one is handed over."""
        self._journal().applying()
        stored = private_of(private)
        keys = self._type.keys(state)
        if isinstance(stored, Planned):
            try:
                return await self._delete_replaced(state, keys, stored)
            except JournalError as fault:
                raise DiagnosticError(messages.not_handed_over(self._type.title, state, fault)) from fault
        attempt = None
        try:
            attempt = await self._journal().find(self._starter.kind, keys)
        except JournalError as fault:
            log.warning("%s", fault)
        held_elsewhere = stored.joined or (attempt is not None and attempt.tenure > stored.tenure)
        if not held_elsewhere and (private or self._is_its_own(state, attempt)):
            await self._end_run(state, keys)
        return ApplyResult(None)

    async def _delete_replaced(self, state: E, keys: Sequence[str], planned: Planned) -> ApplyResult[E]:
        """Destroy the entry that a create follows in this process: is its run that create's, or of no more use?"""
        wish = self._starter.wish(state)
        attempt = await self._journal().find(self._starter.kind, keys)
        if attempt is not None and attempt.process == self._journal().store.process:
            return ApplyResult(None)  # an equal create of this apply has taken it
        tenure = 0 if attempt is None else attempt.tenure
        ended = self._ended(state)
        owed = not ended if attempt is None else attempt.place in {Place.OWED, Place.LAPSED}
        if keys and (owed or not ended) and not self._unaccepted(state, state):
            if planned.fingerprint is None:
                await self._journal().park(wish, keys)
                return ApplyResult(None)
            waited = planned.waits and state.wait
            if owed and planned.tainted and waited and planned.fingerprint == wish.fingerprint:
                end = End.OPEN if attempt is None else attempt.end
                await self._journal().offer(wish, keys, tenure, end, handed_over=True)
                return ApplyResult(None)
        its_own = self._is_its_own(state, attempt) if planned.joined is None else not planned.joined
        if its_own:
            await self._end_run(state, keys)
        return ApplyResult(None)

    def _is_its_own(self, state: E, attempt: Attempt | None) -> bool:
        """Whether an entry without `Held` has its run to itself: of one with a key, it may only have joined the run.

        Terraform drops `Held` when an update is not answered, and shows `Planned` instead to a replacement's destroy.
        """
        if state.idempotency_key is None:
            return True
        return attempt is not None and not attempt.joins and attempt.scope == self._starter.wish(state).scope

    async def _end_run(self, state: E, keys: Sequence[str]) -> None:
        """Cancel the run where that is asked for, and close it: it answers no create any more."""
        cancelled = state.on_destroy == "cancel" and not self._ended(state)
        if cancelled:
            await self._cancel(state)
        await self._close(state, keys, End.CANCELLED if cancelled else None)

    async def _cancel(self, state: E) -> None:
        try:
            launcher = self._require_launcher(state)
            if isinstance(launcher, Cancelling):
                await self._runtime.unless_stopped(launcher.cancel(state), seconds=state.seconds("delete"))
        except Missing as fault:
            log.info("%s %s need not be cancelled: %s", self._type.title, state.id, fault)
        except SystemFault as fault:
            summary = f"Failed to cancel {self._type.title} {state.id}"
            raise DiagnosticError(messages.from_fault(fault, summary)) from fault
        except TimeoutError as fault:
            raise DiagnosticError(messages.cancel_timed_out(self._type.title, state)) from fault

    async def import_state(self, identifier: str) -> ReadResult[E]:
        """Adopt the run that an import ID names."""
        title = self._type.title
        key = self._type.import_key(identifier)
        if key is None:
            form = f"The import ID of a {title} is {self._type.import_form}."
            raise DiagnosticError(error(f"Invalid import ID {identifier!r}", form))
        launcher = self._require_launcher(None)
        try:
            run = await self._runtime.look(self._poller(launcher).next(key, 0))
        except SystemFault as fault:
            raise DiagnosticError(messages.from_fault(fault, f"Failed to import {title} {identifier!r}")) from fault
        if run is None:
            advice = f"Check the ID, which is {self._type.import_form}, and that the credentials may read the run."
            raise DiagnosticError(error(f"{title} {identifier!r} does not exist", advice))
        state = self._state(launcher, launcher.adopt(identifier, run), {key: run})
        if self._type.phase(state.status) is Phase.FAILED:  # a configuration generated for it then plans no new run
            state = dataclasses.replace(state, on_failure="keep")
        return ReadResult(state, private=Held(Standing.IMPORTED).encode())

    async def _preflight(self, planned: Decoded[E]) -> Sequence[Diagnostic]:
        launcher = self._launcher()
        if launcher is None or planned.model is None or not self._runtime.preflight:
            return ()
        return await run_preflight(launcher.prepare(planned.model, planned.unknown), "The run", self._runtime)

    async def _wait(
        self,
        launcher: OpaqueLauncher[E],
        state: E,
        started: Mapping[str, Run[object]],
        held: Held,
        operation: str,
        warnings: Sequence[Diagnostic],
        *,
        vanished: bool,
    ) -> ApplyResult[E]:
        """Wait for the end of the runs; whatever ends the wait, the result holds their latest state.

        `vanished`: an earlier apply has reported already that the system has no record of the run.
        """
        keys = list(started) or list(self._type.keys(state))
        watch = Watch(
            self._type.title,
            self._poller(launcher),
            self._runtime,
            parse_duration(state.poll_interval) if state.poll_interval else None,
            note=self._note,
            fails_held=state.on_held == "fail",
        )
        outcome = await watch.outcome(keys, started, state.seconds(operation))
        if len(outcome.runs) == len(keys):  # else the state knows more of the runs than was read of them
            state = self._state(launcher, state, {key: outcome.runs[key] for key in keys})
        ending = outcome.cut or (End.VANISHED if outcome.vanished else self._end(state))
        accepts = state.on_failure == "keep"
        judged = verdict(ending, accepts_failure=accepts, vanished_before=vanished)
        if judged is Verdict.EXPIRED:
            state = dataclasses.replace(state, record_expired=True)
        diagnostics = [*warnings, *self._report(state, judged, ending, outcome.fault, operation, launcher.system)]
        creating = operation == "create"  # else the entry is not tainted, so no create is to take the run
        if judged is Verdict.OWED:
            standing = Standing.VANISHED if ending is End.VANISHED else Standing.OWED
            if creating or ending is End.VANISHED:
                held = dataclasses.replace(held, standing=standing)
            if creating:
                return await self._owe(state, keys, held, diagnostics)
        elif judged is Verdict.FAILED:
            await self._close(state, keys, End.FAILED)
            held = dataclasses.replace(held, standing=Standing.FAILED if creating else Standing.SETTLED)
        elif isinstance(ending, End):
            self._note_end(keys, state, ending)
        return ApplyResult(state, diagnostics, held.encode())

    async def _owe(
        self, state: E, keys: Sequence[str], held: Held, diagnostics: Sequence[Diagnostic]
    ) -> ApplyResult[E]:
        """Answer with an error beside a run that goes on: the next apply takes it up."""
        standing = held.standing if held.standing.owed else Standing.OWED
        held = dataclasses.replace(held, standing=standing)
        end = End.VANISHED if standing is Standing.VANISHED else End.OPEN
        try:
            if not held.joined:
                await self._journal().move(self._starter.kind, keys, Event.OWED, end)
        except JournalError as fault:
            log.warning("%s", fault)
        return ApplyResult(state, diagnostics, held.encode())

    async def _close(self, state: E, keys: Sequence[str], end: End | None) -> None:
        try:
            await self._journal().close_run(self._starter.wish(state), keys, end)
        except JournalError as fault:
            log.warning("%s", fault)

    def _note(self, key: str, run: Run[object]) -> None:
        self._journal().note(self._starter.kind, [key], status=run.status, url=run.url)

    def _note_end(self, keys: Sequence[str], state: E, end: End) -> None:
        self._journal().note(
            self._starter.kind, keys, ending=end, status=state.status, url=state.url, ended_at=state.ended_at
        )

    def _report(
        self, state: E, judged: Verdict, ending: End | Cut, fault: Exception | None, operation: str, system: str
    ) -> Iterable[Diagnostic]:
        title = self._type.title
        match judged, ending:
            case Verdict.DONE, _:
                return
            case Verdict.FAILED | Verdict.KEPT, _:
                yield messages.failed(title, state)
            case Verdict.PAUSED, _:
                yield messages.interrupted(title, state)
            case Verdict.EXPIRED, _:
                yield messages.expired(title, state, system)
            case _, End.VANISHED:
                yield messages.vanished(title, state, system)
            case _, Cut.TIMED_OUT:
                yield messages.timed_out(title, state, operation)
            case _, Cut.HELD:
                yield messages.held(title, state)
            case _:
                yield from messages.lost_track(title, state, fault)

    def _state(self, launcher: OpaqueLauncher[E], state: E, runs: Mapping[str, Run[object]]) -> E:
        if not runs:
            return state
        parts = list(runs.values())
        decider = deciding_run(parts)
        ended_at = decider.ended_at or state.ended_at or rfc3339(self._runtime.clock.time())
        common = dataclasses.replace(
            state,
            id=parts[0].id,
            status=decider.status,
            status_message=redact(decider.message) if decider.message else None,
            url=decider.url,
            started_at=parts[0].started_at or state.started_at,
            ended_at=ended_at if decider.phase.ended else None,
            record_expired=False,
        )
        return launcher.results(common, parts)

    def _require_launcher(self, state: E | None) -> OpaqueLauncher[E]:
        launcher = self._launcher()
        if launcher is None:
            raise DiagnosticError(messages.settings_unknown(self._type.title, self._type.system))
        if state is not None:
            remember(launcher, state, self._type.keys(state))
        return launcher

    def _poller(self, launcher: OpaqueLauncher[E]) -> Poller[str, Run[object]]:
        """Return the one poller of all runs of this type, whose requests they share."""
        if self._shared_poller is None:
            self._shared_poller = Poller(launcher.source, self._runtime)
        return self._shared_poller

    async def _observe(self, state: E, private: bytes) -> Held:
        """Learn from what Terraform has stored: its run is either owed, or no concern of the journal."""
        held, keys = self._held(private), self._type.keys(state)
        if held.standing.owed and not held.joined and keys:
            end = End.VANISHED if held.standing is Standing.VANISHED else End.OPEN
            try:
                await self._journal().offer(self._starter.wish(state), keys, held.tenure, end)
            except JournalError as fault:
                log.warning("%s", fault)
        else:
            await self._journal().show_settled(self._starter.kind, keys)
        return held

    async def _retract(self, state: E, held: Held) -> None:
        """Take back the offer of a run whose entry is not tainted, as its plan shows: an update waits on for it."""
        if held.standing.owed and not held.joined:
            try:
                await self._journal().move(self._starter.kind, self._type.keys(state), Event.SEEN)
            except JournalError as fault:
                log.warning("%s", fault)

    def _held(self, private: bytes) -> Held:
        stored = private_of(private)
        return stored if isinstance(stored, Held) else Held()

    def _unaccepted(self, prior: E, planned: E) -> bool:
        """Whether the stored run has failed and the configuration does not accept that, however it became known."""
        failed = self._type.phase(prior.status) is Phase.FAILED and not prior.record_expired
        return failed and planned.judges_failure

    def _end(self, state: E) -> End:
        phase = self._type.phase(state.status)
        if not phase.ended:
            return End.OPEN
        return End.FAILED if phase is Phase.FAILED else End.SUCCEEDED

    def _ended(self, state: E) -> bool:
        return bool(state.record_expired) or self._type.phase(state.status).ended


def _completes_import(change: Change[E]) -> bool:
    """Whether the changed inputs only add what an import cannot know, or name a thing by name instead of ID."""
    prior, planned = change.prior, change.planned.model
    inputs = [name for name in change.changed if attributes(type(prior))[name].replace]
    return planned is None or all(getattr(prior, name) is None or getattr(planned, name) is None for name in inputs)


def _inputs(model: type[Execution]) -> frozenset[str]:
    """Return the arguments whose change starts a new run."""
    return frozenset(name for name, attribute in attributes(model).items() if attribute.replace)


def _is_incomplete(decision: Decision) -> bool:
    """Whether something has to be sent, or searched for, before the run that there is answers."""
    return isinstance(decision, Take) and not decision.attempt.complete


def _results(model: type[Execution]) -> list[str]:
    return [name for name, attribute in attributes(model).items() if attribute.computed and not attribute.optional]
