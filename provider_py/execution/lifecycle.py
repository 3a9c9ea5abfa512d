"""The life of a run as a Terraform resource: started once, waited for, resumed, and not repeated by itself.

Terraform knows objects that exist or do not. A run exists, continues, then has failed or not, and may outlast the
apply that started it. What does not work:

- *An error whenever the end was not seen.* Terraform taints what a create returns beside an error, and replaces it at
  the next apply: a second run beside the first.
- *A warning instead.* Dependants are then created from the results of a run that has none yet.
- *No state beside the error.* The run continues and nobody knows it.
- *Deciding at plan what to do with a tainted run.* Its plan is that of a new resource: no prior state, no private
  bytes, and nothing that says which resource instance it is about.

The way taken, by how the wait of a create ends:

- *The run failed*: state and error. Terraform taints and replaces it, which here is what the user wants: a new run.
  A failure that another call sees, such as a refresh after Ctrl-C, taints nothing; then the plan replaces the run,
  unless the configuration does not wait for it or accepts failures. The state alone decides that, so a plan does not
  depend on who saw the failure.
- *Timed out, or lost track of*: state, error, and UNFINISHED as private state (see `private_state`). The next refresh
  shows it to us, and we count it under the fingerprint of its inputs. A create of the same fingerprint that is planned
  in that process takes one from the count and is planned as RESUMES. The destroy half of the replacement, which gets
  that mark as well, hands the run over through the journal instead of cancelling it; the create half takes it from
  there and waits on (see `starting`).
- *Ctrl-C*: state and a warning. An error would taint for nothing, as Terraform creates no dependants any more; the next
  plan has an update that waits on.
- *Expired* (see `waiting`): state and a warning. It is not replaced, since that would repeat a run that may have ended
  well.

Not guaranteed:

- Which of several equal runs is resumed: a fingerprint does not tell resource instances apart, so one that failed may
  get the run of one that timed out.
- Resumption without a refresh (`-refresh=false`), or while an input is unknown at plan: the old run is treated as
  replaced, and so cancelled where `on_destroy` says so.
- That a create whose run expired has succeeded: dependants go on although its end was not seen.
- Limits other than those of preparing, waiting and cancelling: sending a start, reading and importing have none. What
  queues for a start uses up `timeouts.create`.
- Resumption of a run whose configuration the system no longer accepts: it passes the same preflight as a start.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from provider_py.execution import messages
from provider_py.execution.errors import Interrupted, Missing, SystemFault
from provider_py.execution.journal import JournalError
from provider_py.execution.launcher import AnyLauncher, Cancelling, OpaqueLauncher, Remembering
from provider_py.execution.poller import Poller
from provider_py.execution.preflight import run_preflight
from provider_py.execution.private_state import PrivateState
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.run import Execution, Phase, Run, deciding_run
from provider_py.execution.runtime import Runtime
from provider_py.execution.starting import Starter
from provider_py.execution.times import rfc3339
from provider_py.execution.waiting import CutShort, Watch, log_status
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
    has_error,
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
        starter: Starter[E],
        runtime: Runtime,
    ) -> None:
        """`launcher` returns None while the provider's settings for the system are unknown."""
        self.name = type_.name
        self.model = type_.model
        self.description = type_.description
        self._type = type_
        self._launcher: Callable[[], OpaqueLauncher[E] | None] = launcher
        self._starter = starter
        self._runtime = runtime
        self._shared_poller: Poller[str, Run[object]] | None = None

    def validate(self, config: Decoded[E]) -> Iterable[Diagnostic]:
        """Validate the arguments against each other, offline."""
        return self._type.validate(config)

    async def plan(self, change: Change[E]) -> Plan:
        """Preflight a start; plan to resume where a run that is to be waited for has not ended."""
        planned = change.planned.model
        if change.prior is None:
            resumes = planned is not None and self._starter.take_unfinished(planned)
            private = PrivateState.RESUMES.encode() if resumes else None
            return Plan(private=private, diagnostics=await self._preflight(change.planned))
        private_state = await self._observe(change.prior, change.private)
        if planned is not None and self._unaccepted(change.prior, planned):
            # Terraform heeds a path that forces replacement only where the planned value differs.
            warnings = [messages.replaced_failure(self._type.title, change.prior)]
            return Plan(unknown=frozenset(_results(self.model)), replace=[("status",)], diagnostics=warnings)
        resumes = planned is not None and planned.wait and not self._ended(change.prior)
        unknown = frozenset(_results(self.model)) - {"id"} if resumes else frozenset()
        return Plan(unknown=unknown, in_place=private_state is PrivateState.IMPORTED and _completes_import(change))

    async def create(self, planned: E, private: bytes) -> ApplyResult[E]:
        """Start the run and wait for its end."""
        began = self._runtime.clock.monotonic()
        launcher = self._require_launcher(planned)
        title = self._type.title
        try:
            parts = await self._runtime.unless_stopped(
                launcher.prepare(planned, frozenset()), seconds=planned.seconds("create")
            )
        except SystemFault as fault:
            raise DiagnosticError(messages.from_fault(fault, "Nothing was started")) from fault
        except TimeoutError as fault:
            raise DiagnosticError(messages.preparation_timed_out(title, planned, "create")) from fault
        runs: dict[str, Run[object]] = {}
        diagnostics: list[Diagnostic] = []
        for number, part in enumerate(parts):
            try:
                key, started = await self._starter.start(launcher, self._poller(launcher), planned, number, part)
            except (SystemFault, JournalError) as fault:
                diagnostics.append(messages.not_started(title, fault, number + 1, len(parts)))
                state = self._state(launcher, planned, runs) if runs else None
                self._starter.keep(runs)
                return ApplyResult(state, diagnostics, PrivateState.UNFINISHED.encode())
            runs[key] = started.run
            diagnostics.extend((*started.warnings, *map(messages.journal_damaged, self._starter.warnings())))
            log.info("%s %s was started", title, started.run.id)
            log_status(title, None, started.run)
        if not planned.wait:
            return ApplyResult(self._state(launcher, planned, runs), diagnostics, PrivateState.SETTLED.encode())
        return await self._wait(launcher, planned, runs, began, "create", diagnostics)

    async def read(self, state: E, private: bytes) -> ReadResult[E]:
        """Poll a run that has not ended once; a run that has ended is not read again."""
        private_state = await self._observe(state, private)
        keys = self._type.keys(state)
        if self._ended(state) or not keys:
            replaced = private_state is PrivateState.FAILED and self._unaccepted(state, state)
            warnings = (messages.replaced_failure(self._type.title, state),) if replaced else ()
            return ReadResult(state, warnings, private)
        try:
            launcher = self._launcher()
            if launcher is None:
                return ReadResult(state, private=private)
            _remember(launcher, state, keys)
            polled = await asyncio.gather(*(self._poller(launcher).next(key, 0) for key in keys))
        except DiagnosticError as fault:
            return ReadResult(state, [messages.as_warning(diagnostic) for diagnostic in fault.diagnostics], private)
        except SystemFault as fault:
            problem = messages.from_fault(fault, f"Failed to read {self._type.title} {state.id}")
            return ReadResult(state, [messages.as_warning(problem)], private)
        runs = [run for run in polled if run is not None]
        if len(runs) < len(keys):
            warning = messages.expired(self._type.title, state, launcher.system)
            return ReadResult(dataclasses.replace(state, record_expired=True), [warning], private)
        return ReadResult(self._state(launcher, state, dict(zip(keys, runs, strict=True))), private=private)

    async def update(self, prior: E, planned: E, private: bytes) -> ApplyResult[E]:
        """Store changed settings; resume waiting for a run that has not ended."""
        if PrivateState.decode(private) is PrivateState.IMPORTED:
            await self._starter.settle_imported(planned, self._type.keys(prior))
        if self._ended(prior) or not planned.wait:
            return ApplyResult(planned, private=PrivateState.SETTLED.encode())
        began = self._runtime.clock.monotonic()
        resumed = dataclasses.replace(planned, **{name: getattr(prior, name) for name in _results(self.model)})
        return await self._wait(self._require_launcher(resumed), resumed, {}, began, "update", [])

    async def delete(self, state: E, private: bytes) -> ApplyResult[E]:
        """Forget the run, or cancel it if it has not ended and `on_destroy` says so."""
        private_state = PrivateState.decode(private)
        keys = self._type.keys(state)
        if any(self._starter.resumed(key) for key in keys):
            return ApplyResult(None)  # create_before_destroy: the new resource holds this run already
        if private_state is PrivateState.RESUMES:
            try:
                await self._starter.hand_over(state, keys)
            except JournalError as fault:
                raise DiagnosticError(messages.not_handed_over(self._type.title, state, fault)) from fault
            return ApplyResult(None)
        if state.on_destroy == "cancel" and not self._ended(state):
            await self._cancel(state)
        if private_state is PrivateState.NOTHING:  # a replacement, whose inputs may turn out equal during the apply
            self._starter.park(keys)
        else:
            await self._starter.forget(keys)
        return ApplyResult(None)

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
            run = await self._poller(launcher).next(key, 0)
        except SystemFault as fault:
            summary = f"Failed to import {title} {identifier!r}"
            raise DiagnosticError(messages.from_fault(fault, summary)) from fault
        if run is None:
            advice = f"Check the ID, which is {self._type.import_form}, and that the credentials may read the run."
            raise DiagnosticError(error(f"{title} {identifier!r} does not exist", advice))
        state = self._state(launcher, launcher.adopt(identifier, run), {key: run})
        if self._type.phase(state.status) is Phase.FAILED:  # a configuration generated for it then plans no new run
            state = dataclasses.replace(state, on_failure="keep")
        return ReadResult(state, private=PrivateState.IMPORTED.encode())

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
        began: float,
        operation: str,
        warnings: Sequence[Diagnostic],
    ) -> ApplyResult[E]:
        """Wait for the end of the runs; whatever ends the wait, the result holds their latest state."""
        keys = list(started) or list(self._type.keys(state))
        interval = parse_duration(state.poll_interval) if state.poll_interval else None
        remaining = state.seconds(operation) - (self._runtime.clock.monotonic() - began)
        watch = Watch(self._type.title, self._poller(launcher), self._runtime, interval)
        outcome = await watch.outcome(keys, started, remaining)
        if len(outcome.runs) == len(keys):  # else the state knows more of the runs than was read of them
            state = self._state(launcher, state, {key: outcome.runs[key] for key in keys})
        if outcome.expired:
            state = dataclasses.replace(state, record_expired=True)
        diagnostics = list(self._report(state, outcome.cut_short, operation, launcher.system))
        tainted = operation == "create" and has_error(diagnostics)
        private = PrivateState.SETTLED
        if tainted and outcome.cut_short is None:
            private = PrivateState.FAILED
            await self._starter.forget(keys)  # the next apply starts another
        elif tainted:
            private = PrivateState.UNFINISHED
            self._starter.keep(keys)
        return ApplyResult(state, [*warnings, *diagnostics], private.encode())

    def _report(self, state: E, cut_short: CutShort | None, operation: str, system: str) -> Iterable[Diagnostic]:
        title = self._type.title
        if isinstance(cut_short, Interrupted):
            yield messages.interrupted(title, state)
        elif isinstance(cut_short, TimeoutError):
            yield messages.timed_out(title, state, operation)
        elif isinstance(cut_short, DiagnosticError):
            yield from cut_short.diagnostics
        elif cut_short is not None:
            yield messages.lost_track(title, state, cut_short)
        elif state.record_expired:
            yield messages.expired(title, state, system)
        elif self._type.phase(state.status) is Phase.FAILED:
            yield messages.failed(title, state)

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
            _remember(launcher, state, self._type.keys(state))
        return launcher

    def _poller(self, launcher: OpaqueLauncher[E]) -> Poller[str, Run[object]]:
        """Return the one poller of all runs of this type, whose requests they share."""
        if self._shared_poller is None:
            self._shared_poller = Poller(launcher.source, self._runtime)
        return self._shared_poller

    async def _observe(self, state: E, private: bytes) -> PrivateState:
        """Learn from what Terraform has stored: its run is either to be resumed, or no concern of the journal."""
        private_state = PrivateState.decode(private)
        if private_state is PrivateState.UNFINISHED:
            self._starter.note_unfinished(state)
        else:
            await self._starter.confirm_stored(self._type.keys(state))
        return private_state

    def _unaccepted(self, prior: E, planned: E) -> bool:
        """Whether the stored run has failed and the configuration does not accept that, however it became known."""
        failed = self._type.phase(prior.status) is Phase.FAILED and not prior.record_expired
        return failed and planned.judges_failure

    def _ended(self, state: E) -> bool:
        return bool(state.record_expired) or self._type.phase(state.status).ended


def _completes_import(change: Change[E]) -> bool:
    """Whether the changed inputs only add what an import cannot know, or name a thing by name instead of ID."""
    prior, planned = change.prior, change.planned.model
    inputs = [name for name in change.changed if attributes(type(prior))[name].replace]
    return planned is None or all(getattr(prior, name) is None or getattr(planned, name) is None for name in inputs)


def _results(model: type[Execution]) -> list[str]:
    return [name for name, attribute in attributes(model).items() if attribute.computed and not attribute.optional]


def _remember(launcher: OpaqueLauncher[E], state: E, keys: Sequence[str]) -> None:
    if isinstance(launcher, Remembering):
        launcher.remember(state, keys)
