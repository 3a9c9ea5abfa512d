"""The life of a run as a Terraform resource: started once, waited for, resumed, never repeated by itself."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, Generic, TypeAlias, TypeVar

from provider_py.execution import messages
from provider_py.execution.errors import (
    Interrupted,
    Missing,
    Refused,
    SystemFault,
)
from provider_py.execution.journal import JournalError
from provider_py.execution.launcher import Cancelling, Launcher, Remembering
from provider_py.execution.poller import Poller, adaptive_interval
from provider_py.execution.preflight import preflight
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.run import Execution, Phase, Run, together
from provider_py.execution.runtime import Runtime
from provider_py.execution.starting import Starter
from provider_py.execution.times import rfc3339
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
Ending: TypeAlias = SystemFault | TimeoutError | DiagnosticError

IMPORTED: Final = b"imported"
"""Kept with an imported run until its first update: the configuration may then name its inputs anew without a start."""
UNFINISHED: Final = b"unfinished"
"""Kept with a run whose end an error kept from being seen, such as a time limit: the next apply takes it up again."""
SETTLED: Final = b"settled"
"""Kept with every other run, since an empty text would leave the stored one in place.

What is kept reaches an outright destruction; the destroy half of a replacement gets what was planned for the creation.
"""
RESUMES: Final = b"resumes"
"""Planned for a creation that takes up an unfinished run."""
LOOKS_BEFORE_GONE: Final = 3
"""How many looks in a row find no record before it counts as gone: systems list a new run with some delay."""


class ExecutionResource(Generic[E]):
    """A `*_execution` resource: the shared life cycle over one system's launcher."""

    version = 0

    def __init__(
        self,
        type_: ExecutionType[E],
        launcher: Callable[[], Launcher[E, Any, Any] | None],
        starter: Starter[E],
        runtime: Runtime,
    ) -> None:
        """`launcher` gives the launcher, None while the provider's settings for the system are not known yet."""
        self.name = type_.name
        self.model = type_.model
        self.description = type_.description
        self._type = type_
        self._launcher = launcher
        self._starter = starter
        self._runtime = runtime
        self._shared_poller: Poller[str, Run[Any]] | None = None

    def validate(self, config: Decoded[E]) -> Iterable[Diagnostic]:
        """Validate the arguments together."""
        return self._type.validate(config)

    async def plan(self, change: Change[E]) -> Plan:
        """Preflight a start; plan to resume where a run that is to be waited for has not ended."""
        if change.prior is None:
            resumes = change.planned.model is not None and self._starter.expected(change.planned.model)
            return Plan(private=RESUMES if resumes else None, diagnostics=await self._preflight(change.planned))
        await self._claim(change.prior, change.private)
        resumes = change.planned.model is not None and change.planned.model.wait and not self._ended(change.prior)
        unknown = frozenset(_results(self.model)) - {"id"} if resumes else frozenset()
        return Plan(unknown=unknown, in_place=change.private == IMPORTED and _named_anew(change))

    async def create(self, planned: E, private: bytes) -> ApplyResult[E]:
        """Start the run and wait for its end."""
        began = self._runtime.clock.monotonic()
        launcher = self._connected(planned)
        try:
            parts = await self._runtime.unless_stopped(
                launcher.prepare(planned, frozenset()), seconds=planned.seconds("create")
            )
        except SystemFault as fault:
            raise DiagnosticError(messages.from_fault(fault, "Nothing was started")) from fault
        except TimeoutError as fault:
            raise DiagnosticError(messages.too_slow(planned, "create")) from fault
        runs: dict[str, Run[Any]] = {}
        said: list[Diagnostic] = []
        for number, part in enumerate(parts):
            try:
                key, started = await self._starter.start(launcher, self._poller(launcher), planned, number, part)
            except (SystemFault, JournalError) as fault:
                said.append(messages.not_started(self._type.title, fault, number + 1, len(parts)))
                return ApplyResult(self._state(launcher, planned, runs) if runs else None, said, UNFINISHED)
            runs[key] = started.run
            said.extend((*started.warnings, *map(messages.journal_warning, self._starter.warnings())))
            log.info("%s %s was started", self._type.title, started.run.id)
            self._report(None, started.run)
        if not planned.wait:
            return ApplyResult(self._state(launcher, planned, runs), said, SETTLED)
        return await self._wait(launcher, planned, runs, began, "create", said)

    async def read(self, state: E, private: bytes) -> ReadResult[E]:
        """Take one look at a run that has not ended; a run that has is not asked for again."""
        await self._claim(state, private)
        keys = self._type.keys(state)
        if self._ended(state) or not keys:
            return ReadResult(state, private=private)
        try:
            launcher = self._launcher()
            if launcher is None:
                return ReadResult(state, private=private)
            self._remember(launcher, state, keys)
            looks = await asyncio.gather(*(self._poller(launcher).next(key, 0) for key in keys))
        except DiagnosticError as fault:
            return ReadResult(state, [messages.softened(each) for each in fault.diagnostics], private)
        except SystemFault as fault:
            told = messages.from_fault(fault, f"{self._type.title} {state.id} could not be looked at")
            return ReadResult(state, [messages.softened(told)], private)
        found = [run for run in looks if run is not None]
        if len(found) < len(keys):
            expired = dataclasses.replace(state, record_expired=True)
            return ReadResult(expired, [messages.gone(self._type.title, state)], private)
        return ReadResult(self._state(launcher, state, dict(zip(keys, found, strict=True))), private=private)

    async def update(self, prior: E, planned: E, private: bytes) -> ApplyResult[E]:
        """Take over changed knobs; resume to wait for a run that has not ended."""
        if private == IMPORTED:
            await self._starter.found_by_hand(planned, self._type.keys(prior))
        if self._ended(prior) or not planned.wait:
            return ApplyResult(planned, private=SETTLED)
        began = self._runtime.clock.monotonic()
        resumed = dataclasses.replace(planned, **{name: getattr(prior, name) for name in _results(self.model)})
        return await self._wait(self._connected(resumed), resumed, {}, began, "update", [])

    async def delete(self, state: E, private: bytes) -> ApplyResult[E]:
        """Forget the run, or cancel it if it has not ended and `on_destroy` says so."""
        keys = self._type.keys(state)
        if any(self._starter.adopted(key) for key in keys):
            return ApplyResult(None)  # the deposed twin of a run that was taken up again
        if private == RESUMES:
            try:
                await self._starter.hand_over(state, keys)
            except JournalError as fault:
                raise DiagnosticError(messages.journal_unusable(self._type.title, state, fault)) from fault
            return ApplyResult(None)
        if state.on_destroy == "cancel" and not self._ended(state):
            await self._cancel(state)
        if private:
            await self._starter.forget(keys)
        return ApplyResult(None)

    async def _cancel(self, state: E) -> None:
        try:
            launcher = self._connected(state)
            if isinstance(launcher, Cancelling):
                await launcher.cancel(state)
        except Missing as fault:
            log.info("%s %s need not be cancelled: %s", self._type.title, state.id, fault)
        except SystemFault as fault:
            told = messages.from_fault(fault, f"{self._type.title} {state.id} was not cancelled")
            raise DiagnosticError(told) from fault

    async def import_state(self, identifier: str) -> ReadResult[E]:
        """Adopt the run that an import id names."""
        title = self._type.title
        key = self._type.import_key(identifier)
        if key is None:
            raise DiagnosticError(
                error(f"{identifier!r} is not an import id of a {title}", f"Write {self._type.import_form}.")
            )
        launcher = self._connected(None)
        try:
            run = await self._poller(launcher).next(key, 0)
        except SystemFault as fault:
            told = messages.from_fault(fault, f"{title} {identifier!r} was not imported")
            raise DiagnosticError(told) from fault
        if run is None:
            advice = f"Check the id, which is {self._type.import_form}, and that these credentials see the run."
            raise DiagnosticError(error(f"There is no {title} {identifier!r}", advice))
        return ReadResult(self._state(launcher, launcher.adopt(identifier, run), {key: run}), private=IMPORTED)

    async def _preflight(self, planned: Decoded[E]) -> Sequence[Diagnostic]:
        launcher = self._launcher()
        if launcher is None or planned.model is None or not self._runtime.preflight:
            return ()
        return await preflight(launcher.prepare(planned.model, planned.unknown), "The run", self._runtime)

    async def _wait(
        self,
        launcher: Launcher[E, Any, Any],
        state: E,
        runs: dict[str, Run[Any]],
        began: float,
        operation: str,
        said: list[Diagnostic],
    ) -> ApplyResult[E]:
        """Follow the runs to their end; whatever happens the answer holds their latest state."""
        keys = list(runs) or list(self._type.keys(state))
        gone: set[str] = set()
        follow = (self._follow(launcher, state, key, runs, gone) for key in keys)
        remaining = state.seconds(operation) - (self._runtime.clock.monotonic() - began)
        ending: Ending | None = None
        try:
            await self._runtime.unless_stopped(_all(follow), seconds=remaining)
        except (SystemFault, TimeoutError, DiagnosticError) as fault:
            ending = fault
        if len(runs) == len(keys):  # else the state knows more of the runs than was seen of them
            state = self._state(launcher, state, {key: runs[key] for key in keys})
        if gone:
            state = dataclasses.replace(state, record_expired=True)
        told = list(self._told(state, ending, operation))
        tainted = operation == "create" and has_error(told)
        if tainted and ending is None:
            await self._starter.forget(keys)  # it ended badly, so the next apply starts another
        return ApplyResult(state, [*said, *told], UNFINISHED if tainted and ending is not None else SETTLED)

    def _told(self, state: E, ending: Ending | None, operation: str) -> Iterable[Diagnostic]:
        title = self._type.title
        if isinstance(ending, Interrupted):
            yield messages.interrupted(title, state)
        elif isinstance(ending, TimeoutError):
            yield messages.timed_out(title, state, operation)
        elif isinstance(ending, DiagnosticError):
            yield from ending.diagnostics
        elif ending is not None:
            yield messages.lost_sight(title, state, ending)
        elif state.record_expired:
            yield messages.gone(title, state)
        elif self._type.phase(state.status) is Phase.FAILED:
            yield messages.failed(title, state)

    async def _follow(
        self, launcher: Launcher[E, Any, Any], state: E, key: str, runs: dict[str, Run[Any]], gone: set[str]
    ) -> None:
        fixed = parse_duration(state.poll_interval) if state.poll_interval else None
        began, missed, seen = self._runtime.clock.monotonic(), 0, runs.get(key)
        while seen is None or not seen.phase.ended:
            age = self._runtime.clock.monotonic() - began
            try:
                run = await self._poller(launcher).next(key, adaptive_interval(age) if fixed is None else fixed)
            except Refused:
                raise
            except SystemFault as fault:
                log.warning("looking at %s %s failed, going on: %s", self._type.title, key, fault)
                continue
            if run is None:
                missed += 1
                if missed >= LOOKS_BEFORE_GONE:
                    gone.add(key)
                    return
                continue
            self._report(seen, run)
            if run.started_at is None and seen is not None:
                run = dataclasses.replace(run, started_at=seen.started_at)
            missed, seen, runs[key] = 0, run, run

    def _report(self, before: Run[Any] | None, run: Run[Any]) -> None:
        if before is None or (before.status, before.phase) != (run.status, run.phase):
            waiting = f" ({run.message})" if run.phase is Phase.HELD and run.message else ""
            log.info("%s %s is %s%s", self._type.title, run.id, run.status, waiting)

    def _state(self, launcher: Launcher[E, Any, Any], state: E, runs: dict[str, Run[Any]]) -> E:
        if not runs:
            return state
        looks = list(runs.values())
        told = together(looks)
        common = dataclasses.replace(
            state,
            id=looks[0].id,
            status=told.status,
            status_message=redact(told.message) if told.message else None,
            url=told.url,
            started_at=looks[0].started_at or state.started_at,
            ended_at=(told.ended_at or state.ended_at or self._now()) if told.phase.ended else None,
            record_expired=False,
        )
        return launcher.results(common, looks)

    def _now(self) -> str:
        return rfc3339(self._runtime.clock.time())

    def _connected(self, state: E | None) -> Launcher[E, Any, Any]:
        launcher = self._launcher()
        if launcher is None:
            raise DiagnosticError(messages.settings_unknown(self._type.title, self._type.system))
        if state is not None:
            self._remember(launcher, state, self._type.keys(state))
        return launcher

    def _remember(self, launcher: Launcher[E, Any, Any], state: E, keys: Sequence[str]) -> None:
        if isinstance(launcher, Remembering):
            launcher.remember(state, keys)

    def _poller(self, launcher: Launcher[E, Any, Any]) -> Poller[str, Run[Any]]:
        """Return the one poller of all runs of this type: those who wait share its requests."""
        if self._shared_poller is None:
            self._shared_poller = Poller(launcher.source, self._runtime)
        return self._shared_poller

    async def _claim(self, state: E, private: bytes) -> None:
        if private == UNFINISHED:
            self._starter.expect(state)
        else:
            await self._starter.claim(self._type.keys(state))

    def _ended(self, state: E) -> bool:
        return bool(state.record_expired) or self._type.phase(state.status).ended


def _named_anew(change: Change[E]) -> bool:
    """Whether inputs are only told that the import left open, or told in another way: a name in place of an id."""
    prior, planned = change.prior, change.planned.model
    inputs = [name for name in change.changed if attributes(type(prior))[name].replace]
    return planned is None or all(getattr(prior, name) is None or getattr(planned, name) is None for name in inputs)


def _results(model: type[Execution]) -> list[str]:
    return [name for name, attribute in attributes(model).items() if attribute.computed and not attribute.optional]


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
