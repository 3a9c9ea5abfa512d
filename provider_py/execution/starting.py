"""Answering a create: the order of journal and request, and what is done when no answer comes.

What does not work:

- *Sending a start again when its answer is lost.* The system may have taken the first one: two runs.
- *Counting a lost answer as a failure.* The run continues and no state knows it.
- *Recording a start after its answer.* Whatever ends the process in between takes the only trace along.
- *Recognizing a lost run by its inputs.* Other resources, colleagues and schedules start equal ones.
- *Answering a create without the run, because one look at it failed.* The destroy half of the replacement has removed
  it from the state already.

So the journal is asked first what answers the wish (`life.decide`). A run that there is needs no preflight: its
workflow may have changed since. A run to be started is prepared, then claimed in the journal, sent once, and its key
recorded. A request without a readable answer is never sent again: its run is searched for by the token it carries, or,
in a system without room for a token, as the one run of these inputs and this time that no journal row names; equal
starts are then sent one at a time. A run that is not found stays an intent in the journal, and whoever takes it
searches again before anything else. A system that cannot list its runs leaves the question to the user.

Getting a run sent may take `timeouts.create`. What only looks is cancelled then. A start is not, since its answer names
the run: it is sent under a `Limit`, after which nothing new is sent (see `runtime`). Searching for a run that may have
started goes on past the limit, SEARCH_SECONDS for each search.

With an `idempotency_key`, systems whose runs show their mark are asked for the attempts at the key as well, since
another machine may have started them; and once more after a start, unless all who apply share the journal.

Not guaranteed:

- That nothing was started when a run was searched for during CERTAIN_SECONDS and not found: the system's list is
  believed, and one that lags longer hides the run. A second one is then started.
- Anything about other machines without a shared journal, except what a mark shows, and that only to one after another:
  two that start a key at the same moment are reported, not prevented.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from provider_py.execution import messages
from provider_py.execution.errors import Interrupted, NotStarted, SystemFault, Unanswered, Unsettled
from provider_py.execution.journal import Journal, Kind
from provider_py.execution.launcher import (
    AnyStarting,
    Dating,
    Indistinct,
    Marking,
    OpaqueStarting,
    Remembering,
    Searching,
)
from provider_py.execution.life import (
    ANY_WISH,
    Attempt,
    Decision,
    End,
    Event,
    Held,
    Join,
    Place,
    Refuse,
    Start,
    Take,
    Wait,
    Wish,
    attempt_mark,
    key_mark,
    marked_attempt,
)
from provider_py.execution.messages import RUN, Wording
from provider_py.execution.poller import Poller
from provider_py.execution.run import Phase, Run
from provider_py.execution.runtime import Limit, Runtime, sending_within
from provider_py.execution.store import JournalError
from provider_py.plugin import Diagnostic, DiagnosticError, attributes

log = logging.getLogger(__name__)

T = TypeVar("T")

SEARCH_PAUSES: Final = (1.0, 4.0, 10.0)
"""Seconds between searches for a run whose start was not answered: systems list a new run with some delay."""
SEARCH_SECONDS: Final = 60.0
"""How long one search may take."""
CERTAIN_SECONDS: Final = 120.0
"""How long the run of an earlier process' start is searched for until there counts as being none."""
OTHERS_SECONDS: Final = 1.0
"""Seconds between two looks at a start that another process is sending."""


class Startable(Protocol):
    """What a create asks for: a run, or anything else that is started once."""

    @property
    def idempotency_key(self) -> str | None:
        """The user's name for it."""

    @property
    def wait(self) -> bool:
        """Whether its end is waited for."""

    @property
    def judges_failure(self) -> bool:
        """Whether one that has failed does not count as done."""

    def seconds(self, operation: str) -> float:
        """Return the time limit of an operation in seconds."""


S = TypeVar("S", bound=Startable)


@dataclass
class Begun:
    """What a create has: its runs as last read, by key, and the start that failed, if one did, as a diagnostic."""

    runs: dict[str, Run[object]] = field(default_factory=dict)
    attempt: Attempt | None = None
    joined: bool = False
    diagnostics: list[Diagnostic] = field(default_factory=list)
    failed: bool = False
    """Whether a part could not be started, so that the next apply has to go on."""

    @property
    def held(self) -> Held:
        """What the entry that gets the runs keeps of them in private."""
        return Held(tenure=self.tenure, joined=self.joined)

    @property
    def tenure(self) -> int:
        """The tenure of the entry that gets the runs: 0 where they were started for it."""
        return self.attempt.tenure if self.attempt is not None else 0


def replacing(planned: Startable) -> Mapping[str, object]:
    """Return the arguments whose change starts another run, without nulls and defaults.

    So an argument that a later version adds changes no fingerprint.
    """
    return {
        name: getattr(planned, name)
        for name, attribute in attributes(type(planned)).items()
        if attribute.replace and getattr(planned, name) not in (None, attribute.default)
    }


class Starter(Generic[S]):
    """Answers the creates of one resource type in one process."""

    def __init__(
        self,
        name: str,
        title: str,
        workflow: Callable[[S], str | None],
        journal: Callable[[], Journal],
        runtime: Runtime,
        account: Callable[[], str],
        *,
        words: Wording = RUN,
        inputs: Callable[[S], Mapping[str, object]] = replacing,
    ) -> None:
        """`name` is the resource type; `title` and `words` are what messages call what it starts.

        `workflow` names what a plan runs, and `account` returns what tells the account of the system from others.
        `inputs` returns what makes two plans ask for the same.
        """
        self.title = title
        self.words = words
        self._inputs = inputs
        self._name = name
        self._workflow = workflow
        self._account = account
        self._journal = journal
        self._runtime = runtime
        self._joined: set[str] = set()
        self._told: set[str] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def kind(self) -> Kind:
        """The runs that this type's are compared with."""
        return Kind(self._name, _hash(self._account())[:16])

    def wish(self, planned: S) -> Wish:
        """Return what a plan or state asks for, in words that can be compared."""
        inputs = {
            name: json.dumps(value, sort_keys=True, default=_without_nulls)
            for name, value in self._inputs(planned).items()
        }
        kind = self.kind
        return Wish(
            type=kind.type,
            account=kind.account,
            scope=self._journal().scope.name,
            fingerprint=_hash(json.dumps([kind.type, kind.account, inputs], sort_keys=True)),
            arguments={name: _hash(value)[:16] for name, value in inputs.items()},
            key=planned.idempotency_key,
            waits=planned.wait,
            judges=planned.judges_failure,
            workflow=self._workflow(planned),
        )

    async def consult(self, planned: S) -> tuple[Decision, list[Diagnostic]]:
        """Say at plan what would answer a create, and what the user should know of it.

        A journal that cannot be used is only logged: nothing is started here, and the create reports it.
        """
        wish = self.wish(planned)
        try:
            decision, others = await self.journal.consult(wish), await self.journal.elsewhere(wish)
        except JournalError as fault:
            log.warning("%s", fault)
            return Start(), []
        diagnostics = [messages.runs_elsewhere(self.title, other, self.words) for other in others]
        if isinstance(decision, Refuse):
            diagnostics.append(messages.other_inputs(decision.attempt, decision.differing, self.words))
        return decision, diagnostics

    def yield_to(self, prior: S, planned: S, keys: Sequence[str], *, unknown: bool) -> None:
        """Record at plan that a wish with other inputs is to replace a run, whose key it may then use.

        `unknown`: inputs of the plan are not known yet.
        """
        if prior.idempotency_key is None:
            return
        fingerprint = ANY_WISH if unknown else self.wish(planned).fingerprint
        if fingerprint != self.wish(prior).fingerprint:
            self.journal.yield_to(self.wish(prior), keys, fingerprint)

    async def begin(
        self,
        launcher: AnyStarting[S],
        poller: Poller[str, Run[object]],
        planned: S,
    ) -> Begun:
        """Find or start the run that answers a create, within `timeouts.create`.

        Raises SystemFault, JournalError, DiagnosticError or TimeoutError if there is no run of which anything is known.
        """
        creation = _Creation(self, launcher, poller, self.wish(planned), planned)
        await creation.answer()
        return creation.begun

    def first_join(self, key: str) -> bool:
        """Whether no other resource in this process has joined the run of this key."""
        known = key in self._joined
        self._joined.add(key)
        return not known

    def first_told(self, token: str) -> bool:
        """Whether the user has not been told of a parked run yet."""
        known = token in self._told
        self._told.add(token)
        return not known

    @contextlib.asynccontextmanager
    async def turn(self, launcher: OpaqueStarting[S], part: object, limit: Limit) -> AsyncIterator[None]:
        """Let only one of several starts be on its way that a search could not tell apart.

        Raises Interrupted, or NotStarted where its turn has not come at the limit.
        """
        if not isinstance(launcher, Indistinct):
            yield
            return
        turn = self._turns[launcher.dedup_key(part)]
        with sending_within(limit):
            await self._runtime.unless_stopped(turn.acquire())
        try:
            yield
        finally:
            turn.release()

    @property
    def journal(self) -> Journal:
        """The journal of the process."""
        return self._journal()

    @property
    def runtime(self) -> Runtime:
        """What the process shares."""
        return self._runtime


class _Creation(Generic[S]):
    """One create on its way to a run."""

    def __init__(
        self,
        starter: Starter[S],
        launcher: OpaqueStarting[S],
        poller: Poller[str, Run[object]],
        wish: Wish,
        planned: S,
    ) -> None:
        self.begun = Begun()
        self._starter = starter
        self._journal = starter.journal
        self._runtime = starter.runtime
        self._words = starter.words
        self._launcher = launcher
        self._poller = poller
        self._wish = wish
        self._planned = planned
        deadline = self._runtime.clock.monotonic() + planned.seconds("create")
        self._limit = Limit(deadline, "timeouts.create", launcher.system)
        self._parts: Sequence[object] | None = None
        self._asked_system = False

    async def answer(self) -> None:
        """Go on until a run is found or started. Raises SystemFault, JournalError or DiagnosticError."""
        while not await self._try():
            pass

    async def _try(self) -> bool:
        """Do what the rules say of this moment; False: what there was is of no use, or not ready, so ask them again."""
        decision = await self._journal.consult(self._wish)
        if isinstance(decision, Start) and not self._asked_system:
            await self._ask_system()
            return False
        parts = await self._prepared() if _needs_parts(decision) else ()
        claim = await self._journal.claim(self._wish, len(parts), self._now())
        match claim.decision:
            case Start():
                return await self._start(claim.attempt)
            case Take(found):
                return await self._take(claim.attempt, was=found.place)
            case Join():
                return await self._join(claim.attempt)
            case Refuse(attempt, differing):
                raise DiagnosticError(messages.other_inputs(attempt, differing, self._words))
            case Wait():
                await self._within_limit(self._runtime.clock.sleep(OTHERS_SECONDS))
                return False

    async def _prepared(self) -> Sequence[object]:
        if self._parts is None:
            try:
                self._parts = await self._within_limit(self._launcher.prepare(self._planned, frozenset()))
            except SystemFault as fault:
                raise DiagnosticError(messages.from_fault(fault, f"Nothing was {self._words.past}")) from fault
        return self._parts

    async def _within_limit(self, work: Awaitable[T]) -> T:
        """Do work that sends no start. Raises Interrupted, or TimeoutError at the limit."""
        left = self._limit.at - self._runtime.clock.monotonic()
        return await self._runtime.unless_stopped(work, seconds=max(0.0, left))

    async def _ask_system(self) -> None:
        """Learn of attempts at the key that were started where this journal is not used."""
        self._asked_system = True
        if self._wish.key is not None and isinstance(self._launcher, Marking):
            await self._journal.learn(self._wish, await self._within_limit(self._marked(self._launcher)))

    async def _marked(self, launcher: Marking[object, object]) -> Sequence[Attempt]:
        part = (await self._prepared())[0]
        attempts = (
            marked_attempt(self._wish, mark, self._launcher.key(part, run), end_of(run), run.status)
            for mark, run in await launcher.marked(part, key_mark(self._wish))
        )
        return [attempt for attempt in attempts if attempt is not None]

    # A run that is to be started.

    async def _start(self, attempt: Attempt) -> bool:
        self.begun.attempt = attempt
        try:
            parts = await self._prepared()
        except BaseException:
            with only_logged():
                await self._journal.not_sent(attempt, 0)
            raise
        await self._send_all(attempt, parts, range(len(parts)), recorded=0)
        await self._tell_parked()
        if self._wish.key is not None and not self._journal.store.remote and not self.begun.failed:
            await self._report_twins(attempt)
        return True

    async def _send_all(
        self, attempt: Attempt, parts: Sequence[object], numbers: Iterable[int], recorded: int | None = None
    ) -> None:
        """Send some of the parts, each recorded first unless it is already; a failure ends it."""
        for number in numbers:
            try:
                if number != recorded:
                    await self._journal.sending(attempt, number, self._now())
                await self._send(attempt, number, parts[number])
            except (SystemFault, JournalError) as fault:
                self._fail(fault, number, len(parts))
                return

    def _fail(self, fault: Exception, number: int, parts: int) -> None:
        """Make a failure a diagnostic beside the runs that there are; without any, raise it."""
        if not self.begun.runs:
            raise fault
        self.begun.failed = True
        if isinstance(fault, DiagnosticError):
            self.begun.diagnostics.extend(fault.diagnostics)
        elif isinstance(fault, SystemFault | JournalError):
            self.begun.diagnostics.append(messages.not_started(self._starter.title, fault, number + 1, parts))
        else:
            limit = self._planned.seconds("create")
            self.begun.diagnostics.append(messages.preparation_timed_out(self._starter.title, limit, "create"))

    async def _send(self, attempt: Attempt, number: int, part: object) -> None:
        try:
            async with self._starter.turn(self._launcher, part, self._limit):
                await self._send_in_turn(attempt, number, part)
        except NotStarted:
            await self._journal.not_sent(attempt, number)
            raise

    async def _send_in_turn(self, attempt: Attempt, number: int, part: object) -> None:
        """Send a part. The turn lasts until its run is known: a search would mistake the next run for a lost one."""
        try:
            with sending_within(self._limit):
                self._runtime.check()
                started = await self._launcher.start(part, self._token(attempt, number))
        except Unanswered as fault:
            log.warning("the start was not answered, searching for its run: %s", fault)
            with contextlib.suppress(SystemFault, JournalError):
                if await self._search(attempt, number, part, SEARCH_PAUSES):
                    return
            raise self._unsettled(attempt, fault.reason) from fault
        self.begun.diagnostics.extend(started.warnings)
        await self._name(attempt, number, part, started.run)

    async def _name(self, attempt: Attempt, number: int, part: object, run: Run[object]) -> None:
        """Record the key of a run that was started; if that fails, the state still gets it."""
        key = self._launcher.key(part, run)
        self.begun.runs[key] = run
        log.info("%s %s was started", self._starter.title, run.id)
        with only_logged():
            await self._journal.named(attempt, number, key)

    async def _search(self, attempt: Attempt, number: int, part: object, pauses: Sequence[float]) -> bool:
        """Search for the run of a start that was not answered, after each pause; False: the system lists none.

        Raises SystemFault where that cannot be known: the system has no list, or the last search failed.
        """
        launcher, failed = self._launcher, True
        if not isinstance(launcher, Searching):
            raise Unanswered(launcher.system, "it has no list of its runs")
        for pause in pauses:
            await self._runtime.sleep(pause)
            known = await self._journal.known_runs(self._starter.kind)
            try:
                search = launcher.search(part, self._token(attempt, number), attempt.sent_at, known)
                run = await self._runtime.look(search, SEARCH_SECONDS)
            except Interrupted:
                raise
            except SystemFault as fault:
                log.warning("searching for the run of the start failed: %s", fault)
                failed = True
                continue
            failed = False
            if run is not None:
                log.warning("found run %s, whose start was not answered", run.id)
                await self._name(attempt, number, part, run)
                return True
        if failed:
            raise Unanswered(launcher.system, "the last search for the run of the start failed")
        return False

    def _now(self) -> float:
        """Return the time by the system's clock: that of this machine may be wrong, or set before a search."""
        return self._launcher.now() if isinstance(self._launcher, Dating) else self._runtime.clock.time()

    def _token(self, attempt: Attempt, number: int) -> str:
        """Return the mark of a part: that of its key, where there is one, so that others recognize it."""
        token = attempt.token if attempt.key is None else attempt_mark(self._wish, attempt.number)
        return f"{token}-{number}" if number else token

    async def _report_twins(self, attempt: Attempt) -> None:
        """Tell of another run that was started for the same attempt at the same moment elsewhere; none is cancelled."""
        if not isinstance(self._launcher, Marking):
            return
        try:
            marked = await self._runtime.look(self._marked(self._launcher), SEARCH_SECONDS)
        except SystemFault as fault:
            log.warning("searching for other runs of the key failed: %s", fault)
            return
        same = [other for other in marked if other.number == attempt.number]
        others = [run for other in same for run in other.known_runs if run not in self.begun.runs]
        if others:
            self.begun.diagnostics.append(messages.started_twice(self._wish.key or "", list(self.begun.runs), others))

    async def _tell_parked(self) -> None:
        """Name the runs of replaced entries that this process has left, and that this create did not take."""
        for parked in await self._journal.parked(self._starter.kind):
            if parked.workflow == self._wish.workflow and self._starter.first_told(parked.token):
                self.begun.diagnostics.append(messages.left_running(self._starter.title, parked))

    # A run that there is.

    async def _take(self, attempt: Attempt, was: Place) -> bool:
        """Take up an owed run or an orphan; False: it is of no use, so decide again."""
        self.begun.attempt = attempt
        runs = await self._read(attempt)
        self.begun.runs.update(runs)
        if await self._discard_failed(attempt):
            return False
        if was is not Place.OWED and runs:
            self._tell_taken(list(runs.values()))
        return attempt.complete or await self._complete(attempt, was)

    def _tell_taken(self, runs: Sequence[Run[object]]) -> None:
        log.warning("an earlier apply started %s %s: taking it", self._starter.title, ", ".join(run.id for run in runs))
        self.begun.diagnostics.append(messages.taken_over(runs, self._words))

    async def _discard_failed(self, attempt: Attempt) -> bool:
        """Close an attempt that has failed, and so answers nothing."""
        failed = self._failed(self.begun.runs)
        if failed is None:
            return False
        log.warning("run %s, which an earlier apply started, has failed: starting another", failed.id)
        await self._journal.move(self._starter.kind, list(self.begun.runs), Event.CLOSED, End.FAILED)
        self.begun.diagnostics.append(messages.not_taken_over(failed, self._words))
        self.begun.runs.clear()
        return True

    async def _complete(self, attempt: Attempt, was: Place) -> bool:
        """Search for the parts of which no answer came, and send what is missing; False: nothing ever started."""
        number = 0
        try:
            parts = await self._prepared()
            missing = []
            for number, part in enumerate(parts):
                if number >= len(attempt.runs) or (
                    attempt.runs[number] is None and not await self._has_arrived(attempt, number, part)
                ):
                    missing.append(number)
            if not self.begun.runs or await self._discard_failed(attempt):
                return False
            found = [run for key, run in self.begun.runs.items() if key not in attempt.known_runs]
            if was is not Place.OWED and found:
                self._tell_taken(found)
            await self._send_all(attempt, parts, missing)
        except (SystemFault, JournalError, DiagnosticError, TimeoutError) as fault:
            self._fail(fault, number, max(attempt.parts, len(attempt.runs)))
        known = await self._journal.find_token(attempt.token)
        if known is not None:  # the order of the parts
            self.begun.runs = {run: self.begun.runs[run] for run in known.known_runs if run in self.begun.runs}
        return True

    async def _has_arrived(self, attempt: Attempt, number: int, part: object) -> bool:
        """Search for a part of which no answer came; False: it did not arrive, for all that can be known.

        How long ago it was sent is not known: its row was written before it waited for its turn, and clocks of other
        machines or of an earlier time prove nothing. So it is searched for until CERTAIN_SECONDS have passed here.
        """
        pauses = (0.0, *SEARCH_PAUSES, max(0.0, CERTAIN_SECONDS - sum(SEARCH_PAUSES)))
        try:
            if await self._within_limit(self._search(attempt, number, part, pauses)):
                return True
        except (SystemFault, TimeoutError) as fault:
            reason = f"an earlier apply sent the {self._words.request} and received no answer"
            raise self._unsettled(attempt, reason) from fault
        log.warning("the start that an earlier apply sent did not arrive: starting now")
        await self._journal.not_sent(attempt, number)
        return False

    def _unsettled(self, attempt: Attempt, reason: str) -> Unsettled:
        """Return the fault of a start without an answer, with what there is to do about it."""
        system, certain = self._launcher.system, CERTAIN_SECONDS if isinstance(self._launcher, Searching) else None
        advice = messages.how_to_settle(system, attempt.token, self._words, certain)
        return Unsettled(system, reason, token=attempt.token, advice=advice)

    async def _join(self, attempt: Attempt) -> bool:
        """Join the run that has the wish's key; False: it has failed, so the next attempt is due."""
        runs = await self._read(attempt)
        failed = self._failed(runs)
        ended = all(run.phase.ended for run in runs.values())
        if failed is not None:
            self._journal.note(self._starter.kind, attempt.known_runs, ending=End.FAILED, status=failed.status)
            return False
        self.begun.attempt, self.begun.joined = attempt, True
        self.begun.runs.update(runs)
        first = self._starter.first_join(self._wish.key or "")
        self.begun.diagnostics.append(
            messages.joined(
                self._starter.title, attempt, list(runs.values()), ended=ended, first=first, words=self._words
            )
        )
        return True

    async def _read(self, attempt: Attempt) -> dict[str, Run[object]]:
        """Look at each run once; one that cannot be read now is waited for like any other."""
        keys = attempt.known_runs
        seen = attempt.end is End.VANISHED
        remember(self._launcher, self._planned, keys, sent_at=attempt.sent_at, seen=seen)
        polls = (self._within_limit(self._poller.next(key, 0)) for key in keys)
        readings = await asyncio.gather(*polls, return_exceptions=True)
        runs: dict[str, Run[object]] = {}
        for key, reading in zip(keys, readings, strict=True):
            if isinstance(reading, BaseException) and not isinstance(reading, SystemFault | TimeoutError):
                raise reading
            if isinstance(reading, Run):
                runs[key] = reading
            else:
                log.warning("run %s of an earlier apply could not be read: %s", key, reading or "there is no record")
                runs[key] = dataclasses.replace(self._launcher.unread(key), status=attempt.status, url=attempt.url)
        return runs

    def _failed(self, runs: dict[str, Run[object]]) -> Run[object] | None:
        """Return a failed run that makes the whole of no use: all have ended, and failure is not accepted."""
        if not self._wish.judges or not all(run.phase.ended for run in runs.values()):
            return None
        return next((run for run in runs.values() if run.phase is Phase.FAILED), None)


def remember(
    launcher: OpaqueStarting[S], state: S, keys: Sequence[str], *, sent_at: float | None = None, seen: bool = False
) -> None:
    """Have a launcher learn what polling the runs of a state or plan needs besides their keys."""
    if isinstance(launcher, Remembering):
        launcher.remember(state, keys, sent_at=sent_at, seen=seen)


def end_of(run: Run[object]) -> End:
    """Return the end of a run as it was read."""
    if not run.phase.ended:
        return End.OPEN
    return End.FAILED if run.phase is Phase.FAILED else End.SUCCEEDED


def _needs_parts(decision: object) -> bool:
    """Whether the requests of a run must be known: to start it, to search for one, or to send what is missing."""
    return isinstance(decision, Start) or (isinstance(decision, Take) and not decision.attempt.complete)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _without_nulls(nested: Any) -> dict[str, object]:
    values = {field.name: getattr(nested, field.name) for field in dataclasses.fields(nested)}
    return {name: value for name, value in values.items() if value is not None}


@contextlib.contextmanager
def only_logged() -> Iterator[None]:
    """Only log a failing journal, where nothing is lost by it for now."""
    try:
        yield
    except JournalError as fault:
        log.warning("%s", fault)
