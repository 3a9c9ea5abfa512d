"""The journal: the runs that Terraform may not have in its state, and whose they are.

Terraform saves a state when a create returns, and nothing of a create that does not. So an attempt is written here, and
synced to disk, before its request is sent; the run's key is added when the answer names it, and from then on every
event of its life moves it as the table in `life` says. What a create finds here, `life.decide` judges; this module
reads and writes, each claim in one transaction, so that of several processes one gets a run.

What does not work:

- *Keeping starts in memory.* The case that matters is the process that is gone.
- *Deleting a row when the create returns.* Terraform may be killed before it has written the state.
- *Keeping it for the next equal create.* After `-target`, `state rm` or in another state that is a wish of its own, and
  would silently be answered by an older run.
- *A transaction, and a sync to disk, for each row.* A thousand runs at once wait for each other; so what has gathered
  while one transaction was written shares the next.

After a stop of Terraform nobody waits for a database that another process holds: whoever asks or claims is told that it
was interrupted, and does not get what it asked for later either; what has happened is still written when it is free.

What a plan process is shown of owed runs it offers again; when it ends, what was offered before and not renewed lapses:
the entry that held it is gone. That holds only of what Terraform has got: an offer stays that was made by a process
which did not end in order, or that only an `errored.tfstate` may hold. Rows hold hashes, keys of runs, names of
workflows, statuses and times, never inputs. They stay FINISHED_DAYS after their last change, and those of the latest
attempt at an `idempotency_key` for good.

Not guaranteed: that the state has a run that was answered in order. Shutdown comes before a remote state is written, so
a host that dies in between loses it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hashlib
import json
import logging
import platform
import queue
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar, cast

from provider_py.execution.life import (
    Attempt,
    Decision,
    End,
    Event,
    Join,
    Place,
    Start,
    Take,
    Wait,
    Wish,
    decide,
    moved,
    one_of_each_number,
)
from provider_py.execution.scope import Scope
from provider_py.execution.store import JournalError, Session, Store, Value

log = logging.getLogger(__name__)

T = TypeVar("T")

ERRORED_STATE: Final = Path("errored.tfstate")
"""What Terraform leaves in the working directory when it could not write the state."""
FINISHED_DAYS: Final = 90
"""How long rows stay after their last change, in days."""
_DAY: Final = 86400.0
_UNCONFIRMED: Final = 0
"""The number of an offer that Terraform may not have got: the process that made it has not ended in order."""
_COLUMNS: Final = (
    "token, type, account, scope, fingerprint, process, place, ending, parts, key, number, tenure, joins, sent_at, "
    "arguments, yields_to, workflow, status, url, ended_at"
)
_KEPT: Final = (Place.SEEN, Place.ANSWERED, Place.CLOSED, Place.LAPSED)

STOP_SECONDS: Final = 0.5
"""How long the journal is waited for after Terraform has asked to stop, in real time."""

Work: TypeAlias = Callable[[Session], T]
_Entry: TypeAlias = tuple[Work[object], asyncio.Future[object]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Which runs a resource type and account have in common: their keys are compared within it."""

    type: str
    account: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a create has been given: the decision, and the attempt as it is recorded now."""

    decision: Decision
    attempt: Attempt


class TakenOver(JournalError):
    """Another process has taken an attempt over: this one was not known to live for a while."""

    def __init__(self) -> None:
        """There is one reason for it."""
        super().__init__("another process has taken this run over, since this one could not reach the journal in time")


class _InterruptedError(JournalError):
    """Terraform asked to stop while another process held the database."""


class Journal:
    """One process's access to the journal, in a thread of its own, so that the event loop never waits for the disk."""

    def __init__(
        self,
        store: Store,
        time: Callable[[], float],
        scope: Scope,
        *,
        adopts: bool = True,
        stop: asyncio.Event | None = None,
    ) -> None:
        """`time` returns seconds since the epoch. `adopts`: whether runs of other processes may be taken.

        `stop` is set when Terraform asks to stop.
        """
        self.store = store
        self.scope = scope
        self._time = time
        self._adopts = adopts
        self._directory = hashlib.sha256(f"{platform.node()}:{Path.cwd()}".encode()).hexdigest()[:16]
        self._stop = asyncio.Event() if stop is None else stop
        self._held_up = False
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._unsettled: set[str] | None = None
        self._owed: set[str] = set()
        self._handed_over: set[str] = set()
        self._offered_before: int | None = None
        self._planned = self._applied = self._parked = False

    # What a create asks and does.

    async def consult(self, wish: Wish) -> Decision:
        """Say what would answer a wish, without a claim to it."""
        return await self._do(lambda session: self._decide(session, wish)) if self.store.exists() else Start()

    async def claim(self, wish: Wish, parts: int, sent_at: float | None = None) -> Claim:
        """Decide what answers a wish, and record that this process is about to do it.

        `parts` is the number of requests that a new run takes, `sent_at` the time now by the system's clock.
        """
        while True:
            claim, now = secrets.token_hex(8), self._time() if sent_at is None else sent_at
            try:
                claimed = await self._do(functools.partial(self._claim, wish=wish, parts=parts, claim=claim, now=now))
            except _InterruptedError:
                self._submit(functools.partial(self._unclaim, claim=claim)).add_done_callback(_log_failure)
                raise
            if claimed is not None:
                return claimed

    async def sending(self, attempt: Attempt, part: int, sent_at: float | None = None) -> None:
        """Record durably that a further part is about to be sent; `sent_at` is the time by the system's clock.

        Raises TakenOver; nothing may be sent then.
        """
        now = self._time() if sent_at is None else sent_at

        def work(session: Session) -> bool:
            if not self._owns(session, attempt.token):
                return False
            session.execute(
                "INSERT INTO workflow_part (token, part, run) VALUES (?, ?, NULL) ON CONFLICT DO NOTHING",
                *(attempt.token, part),
            )
            self._move(session, attempt.token, Event.SENT)
            session.execute("UPDATE workflow_attempt SET sent_at = ? WHERE token = ?", now, attempt.token)
            return True

        if not await self._do(work):
            raise TakenOver

    async def not_sent(self, attempt: Attempt, part: int) -> None:
        """Record that the request of a part had no effect; an attempt without any part is no attempt.

        Nothing is recorded of an attempt that another process has taken over: it may be sending the part itself.
        """

        def work(session: Session) -> None:
            if not self._owns(session, attempt.token):
                return
            self._remove_part(session, attempt.token, part)

        await self._do(work, kept=True)

    async def named(self, attempt: Attempt, part: int, run: str) -> None:
        """Record the key of the run that a part was started as.

        Raises TakenOver; the key is recorded then too, where the other process has not found one, since nobody else may
        ever learn it.
        """

        def work(session: Session) -> bool:
            owned = self._owns(session, attempt.token)
            session.execute(
                f"UPDATE workflow_part SET run = ? WHERE token = ? AND part = ? {'' if owned else 'AND run IS NULL'}",  # noqa: S608
                *(run, attempt.token, part),
            )
            self._move_answered(session, attempt.token)
            return owned

        if not await self._do(work, kept=True):
            raise TakenOver

    async def known_runs(self, kind: Kind) -> frozenset[str]:
        """Return the keys of all runs of a kind in the journal, which a search for a lost one must not return."""
        statement = (
            "SELECT run FROM workflow_part JOIN workflow_attempt ON workflow_part.token = workflow_attempt.token "
            "WHERE run IS NOT NULL AND type = ? AND account = ?"
        )
        rows = await self._do(lambda session: session.execute(statement, kind.type, kind.account))
        return frozenset(str(run) for (run,) in rows)

    async def discard_unanswered(self, wish: Wish) -> None:
        """Close one unanswered attempt of equal inputs that an ended process left: an import has brought its run."""
        closed: set[str] = set()

        def work(session: Session) -> None:
            for attempt in self._candidates(session, wish):
                if attempt.token in closed and attempt.place is Place.CLOSED:
                    return  # by the first try
                same = attempt.fingerprint == wish.fingerprint and attempt.scope == wish.scope
                if same and attempt.place is Place.INTENDED and not session.alive(attempt.process):
                    self._move(session, attempt.token, Event.CLOSED)
                    closed.add(attempt.token)
                    return

        if self.store.exists():
            await self._do(work)

    # What a user asks and settles.

    async def attempts(self) -> Sequence[Attempt]:
        """Return all attempts, in the order in which they were sent."""
        return sorted(
            await self._do(lambda session: self._select(session, "token != ?", "")),
            key=lambda attempt: attempt.sent_at,
        )

    async def parts(self, attempt: Attempt) -> Mapping[int, str | None]:
        """Return the run of each part that was sent, by the part's number from 0."""
        statement = "SELECT part, run FROM workflow_part WHERE token = ? ORDER BY part"
        rows = await self._do(lambda session: session.execute(statement, attempt.token))
        return {int(part or 0): None if run is None else str(run) for part, run in rows}

    async def settle(self, token: str, part: int, run: str | None) -> Attempt | None:
        """Record what a user knows of an unanswered part: that it was started as a run, or that it was not (None).

        Returns what is left of the attempt. Raises JournalError where there is nothing to settle, or where the process
        that sent the part still lives, and where the run is known as another's.
        """
        settled = False

        def work(session: Session) -> Attempt | None:
            nonlocal settled
            attempt = self._of_token(session, token)
            unanswered = session.execute(
                "SELECT part FROM workflow_part WHERE token = ? AND part = ? AND run IS NULL", token, part
            )
            if settled and not unanswered:
                return attempt  # by the first try
            if attempt is None or attempt.place is Place.CLOSED or not unanswered:
                message = f"no request of the attempt {token} is waiting for an answer"
                raise JournalError(message)
            if session.alive(attempt.process):
                message = f"the process that sent the attempt {token} still runs, and may still get the answer"
                raise JournalError(message)
            if run is None:
                self._remove_part(session, token, part)
            elif self._of_runs(session, Kind(attempt.type, attempt.account), [run]) is not None:
                message = f"the run {run} is that of another request in the journal"
                raise JournalError(message)
            else:
                session.execute("UPDATE workflow_part SET run = ? WHERE token = ? AND part = ?", run, token, part)
                self._move_answered(session, token)
            settled = True
            return self._of_token(session, token)

        return await self._do(work)

    # What the entries of a state show.

    async def show_settled(self, kind: Kind, runs: Iterable[str]) -> None:
        """Note that Terraform has these runs in its state, and nothing more is to come of them.

        An unusable journal is only logged: nothing is started here, and the next start reports it.
        """
        if not self.store.exists():
            return
        try:
            if self._unsettled is None:
                self._unsettled = await self._do(self._runs_of_others)
            for run in self._unsettled.intersection(runs):
                await self.move(kind, [run], Event.SEEN)
                self._unsettled.discard(run)
        except JournalError as fault:
            log.warning("%s", fault)

    async def offer(
        self, wish: Wish, runs: Sequence[str], tenure: int, ending: End = End.OPEN, *, handed_over: bool = False
    ) -> bool:
        """Offer an owed run to the create that replaces the entry that holds it; False where another one holds it.

        `handed_over`: that entry is destroyed now, so that no plan will be shown it again.
        """
        token, now = secrets.token_hex(8), self._time()
        self._owed.update(runs)

        def work(session: Session) -> bool:
            attempt = self._offer(session, wish, runs, tenure, ending, token, now)
            if attempt is not None and handed_over:
                self._handed_over.add(attempt.token)
                self._set(session, attempt.token, offered=_UNCONFIRMED, process="")
            return attempt is not None

        return await self._do(work, kept=True)

    async def find(self, kind: Kind, runs: Sequence[str]) -> Attempt | None:
        """Return the attempt that these runs are parts of; None if the journal does not know them."""
        if not runs or not self.store.exists():
            return None
        return await self._do(lambda session: self._of_runs(session, kind, runs))

    async def find_token(self, token: str) -> Attempt | None:
        """Return the attempt with this token."""
        return await self._do(lambda session: self._of_token(session, token))

    async def parked(self, kind: Kind) -> Sequence[Attempt]:
        """Return the runs that this process has parked, and no create has taken."""
        if not self._parked:
            return ()
        values = (kind.type, kind.account, self.store.process, Place.PARKED)
        condition = "type = ? AND account = ? AND process = ? AND place = ?"
        return await self._do(lambda session: self._select(session, condition, *values))

    async def park(self, wish: Wish, runs: Sequence[str]) -> None:
        """Keep a run whose entry is replaced with inputs unknown at plan, for a create of equal inputs."""
        self._parked = True
        token, now = secrets.token_hex(8), self._time()

        def work(session: Session) -> None:
            attempt = self._of_runs(session, Kind(wish.type, wish.account), runs)
            if attempt is None:
                attempt = self._insert(session, wish, token, now, place=Place.SEEN, runs=runs, parts=0)
            self._move(session, attempt.token, Event.PARKED)
            self._set(session, attempt.token, process=self.store.process, scope=wish.scope)

        await self._do(work, kept=True)

    async def move(self, kind: Kind, runs: Sequence[str], event: Event, ending: End | None = None) -> None:
        """Record what happened to a run, and its end where that is known."""
        if event is Event.OWED:
            self._owed.update(runs)
        else:
            self._owed.difference_update(runs)

        def work(session: Session) -> None:
            attempt = self._of_runs(session, kind, runs)
            if attempt is not None:
                self._move(session, attempt.token, event)
                if ending is not None:
                    self._set(session, attempt.token, ending=ending)

        if runs and self.store.exists():
            await self._do(work, kept=True)

    def note(self, kind: Kind, runs: Sequence[str], **columns: Value) -> None:
        """Write what was learned of a run: `status`, `url`, `ending`, `ended_at`.

        Nobody waits for that, lest a journal that cannot be reached hold up who waits for a run; a failure is logged.
        What is asked afterwards finds it written.
        """

        def work(session: Session) -> None:
            attempt = self._of_runs(session, kind, runs)
            if attempt is not None:
                self._set(session, attempt.token, **columns)

        if runs and self.store.exists():
            self._submit(work).add_done_callback(_log_failure)

    def yield_to(self, wish: Wish, runs: Sequence[str], fingerprint: str) -> None:
        """Record which wish is planned to replace a run, so that it may use the run's key."""
        token, now = secrets.token_hex(8), self._time()

        def work(session: Session) -> None:
            attempt = self._of_entry(session, wish, runs, token, now)
            if attempt is not None:
                self._set(session, attempt.token, yields_to=fingerprint)

        if runs:
            self._submit(work).add_done_callback(_log_failure)

    async def close_run(self, wish: Wish, runs: Sequence[str], ending: End | None = None) -> None:
        """Record that a run answers no create any more; with a key also where the journal did not know of it."""
        token, now = secrets.token_hex(8), self._time()
        self._owed.difference_update(runs)

        def work(session: Session) -> None:
            attempt = self._of_entry(session, wish, runs, token, now)
            if attempt is not None:
                self._move(session, attempt.token, Event.CLOSED)
                if ending is not None:
                    self._set(session, attempt.token, ending=ending)

        if runs and (wish.key is not None or self.store.exists()):
            await self._do(work, kept=True)

    async def rename(self, wish: Wish, runs: Sequence[str], ending: End) -> None:
        """Give a run in a state the key of its wish, or take the key away; the run need not be in the journal."""
        token, now = secrets.token_hex(8), self._time()

        def work(session: Session) -> None:
            attempt = self._of_entry(session, wish, runs, token, now)
            if attempt is None:
                return
            if wish.key != attempt.key:
                self._set(session, attempt.token, key=wish.key, number=self._next_number(session, wish))
            self._set(session, attempt.token, ending=ending)

        if runs and (wish.key is not None or self.store.exists()):
            await self._do(work)

    async def learn(self, wish: Wish, attempts: Sequence[Attempt]) -> None:
        """Record attempts at a key that the system itself has shown, started where this journal is not used."""
        now = self._time()

        def work(session: Session) -> None:
            known = {attempt.number: attempt for attempt in self._candidates(session, wish) if attempt.key == wish.key}
            of_runs = {attempt.known_runs: attempt for attempt in known.values()}
            for attempt in one_of_each_number(attempts):
                own = of_runs.get(attempt.known_runs)
                if own is not None:
                    self._set(session, own.token, ending=attempt.end, status=attempt.status)
                    if attempt.number not in known:  # what an entry has shown of it did not tell its number
                        self._set(session, own.token, number=attempt.number)
                if own is not None or attempt.number in known:
                    continue
                self._insert(
                    session,
                    dataclasses.replace(wish, fingerprint=attempt.fingerprint, arguments={}, scope=None),
                    attempt.token,
                    now,
                    place=Place.SEEN,
                    number=attempt.number,
                    runs=attempt.known_runs,
                    parts=attempt.parts,
                )
                self._set(session, attempt.token, ending=attempt.end, status=attempt.status, url=attempt.url)

        if attempts:
            await self._do(work)

    async def elsewhere(self, wish: Wish) -> Sequence[Attempt]:
        """Return open runs of equal inputs that this directory has started for another state."""
        if not self.store.exists():
            return ()

        def work(session: Session) -> list[Attempt]:
            tokens = session.execute(
                "SELECT token FROM workflow_attempt WHERE type = ? AND account = ? AND fingerprint = ? "
                "AND directory = ? AND ending = ? AND place != ?",
                *(wish.type, wish.account, wish.fingerprint, self._directory, End.OPEN, Place.CLOSED),
            )
            attempts = (self._of_token(session, str(token)) for (token,) in tokens)
            return [attempt for attempt in attempts if attempt is not None and attempt.scope != wish.scope]

        return await self._do(work)

    def planning(self) -> None:
        """Note that this process plans: offers that it does not renew lapse when it ends."""
        self._planned = True

    def applying(self) -> None:
        """Note that this process applies: it renews no offers, so none lapses."""
        self._applied = True

    def warnings(self) -> Sequence[str]:
        """Return problems of the journal that the user should know, each once."""
        return self.store.warnings()

    async def abandon(self) -> None:
        """Leave the runs of this process to the next one, although what is being sent is still recorded here.

        Nobody gets the answers of a process whose host is gone, and the next apply must not count it among the living:
        it would take an equal run of this process for that of another resource, and start one of its own.
        """
        if self._thread is not None:
            try:
                await self._do(lambda session: session.abandon())
            except JournalError as fault:
                log.warning("%s", fault)

    async def close(self, *, orderly: bool = False) -> None:
        """Close the journal. An orderly end is one after which the host has every answer, as far as can be known.

        Runs without an answer are for the next process, and after any other end all runs of this one are.
        """
        if self._thread is not None or (self._planned and self.store.exists()):
            if orderly:
                try:
                    await self._do(self._end_in_order, kept=True)
                except JournalError as fault:
                    log.warning("%s", fault)
            self._queue.put(None)
            if self._thread is not None:
                await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
                self._thread = None
                if not self._queue.empty():
                    self._start_thread()

    # The thread.

    async def _do(self, work: Work[T], *, kept: bool = False) -> T:
        """Do work in the thread. Raises JournalError; `kept` work is done although a stop has ended the wait for it."""
        future = self._submit(work)
        stopped = asyncio.create_task(self._stop.wait())
        try:
            ends: set[asyncio.Future[object] | asyncio.Task[Literal[True]]] = {future, stopped}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if not future.done():
            await asyncio.wait({future}, timeout=0 if self._held_up else STOP_SECONDS)
        self._held_up = not future.done()
        if not self._held_up:
            return cast(T, future.result())
        if not kept:
            future.cancel()
        message = f"the journal {self.store.name} is in use by another process, and the operation was interrupted"
        raise _InterruptedError(message)

    def _submit(self, work: Work[T]) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._queue.put((cast(Work[object], work), future))
        if self._thread is None:  # also after `close`: what a request that was in flight has started must be recorded
            self._start_thread()
        return future

    def _start_thread(self) -> None:
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, args=(loop,), name="journal", daemon=True)
        self._thread.start()

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what is queued, all that has gathered in one transaction."""
        ended = False
        while not ended:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            ended = None in batch
            entries = [entry for entry in batch if entry is not None]
            if entries:
                outcomes = self._run_together(entries)
                for (_, future), outcome in zip(entries, outcomes, strict=True):
                    loop.call_soon_threadsafe(_resolve, future, outcome)
        self.store.close()

    def _run_together(self, entries: Sequence[_Entry]) -> Sequence[object]:
        def together(session: Session) -> list[object]:
            if self._offered_before is None:
                self._offered_before = _latest_offer(session)
            return [None if future.cancelled() else work(session) for work, future in entries]

        try:
            return self.store.run(together)
        except Exception as fault:  # noqa: BLE001 - whatever it is, whoever waits has to handle it
            return [fault] * len(entries)

    # The rules, applied.

    def _decide(self, session: Session, wish: Wish) -> Decision:
        return decide(wish, self._candidates(session, wish), _View(session, self.scope, adopts=self._adopts))

    def _doubted(self, session: Session, wish: Wish) -> Wait | None:
        """Return that the wish is to wait, where a process whose run it could then take may turn out to be dead."""
        attempts = self._candidates(session, wish)
        if not any(session.doubtful(attempt.process) for attempt in attempts):
            return None
        view = _View(session, self.scope, adopts=self._adopts)
        view.alive = lambda process: session.alive(process) and not session.doubtful(process)
        decision = decide(wish, attempts, view)
        return Wait(decision.attempt) if isinstance(decision, Take) else None

    def _claim(self, session: Session, wish: Wish, parts: int, claim: str, now: float) -> Claim | None:
        """Claim what answers a wish; None where another process has taken over what the first try has started."""
        own = self._select(session, "claim = ? OR token = ?", claim, claim)
        if own:  # the answer to this claim was lost on its way from the database
            if own[0].process != self.store.process:
                return None
            return Claim(Start(own[0].number) if own[0].token == claim else Take(own[0]), own[0])
        decision = self._decide(session, wish)
        if decision == Start():
            decision = self._doubted(session, wish) or decision
        match decision:
            case Start(number):
                attempt = self._insert(
                    session, wish, claim, now, place=Place.INTENDED, number=number, runs=(None,), parts=parts
                )
                return Claim(decision, attempt)
            case Take(attempt):
                self._move(session, attempt.token, Event.TAKEN)
                self._set(session, attempt.token, tenure=attempt.tenure + 1, claim=claim)
                self._set(session, attempt.token, process=self.store.process, offered=_UNCONFIRMED)
                if wish.key is not None and attempt.key is None:
                    self._set(session, attempt.token, key=wish.key)
                taken = self._of_token(session, attempt.token) or attempt
                self._owed.difference_update(taken.known_runs)
                return Claim(decision, taken)
            case Join(attempt):
                if attempt.scope == wish.scope:
                    self._set(session, attempt.token, tenure=attempt.tenure + 1)
                session.execute("UPDATE workflow_attempt SET joins = joins + 1 WHERE token = ?", attempt.token)
                return Claim(decision, self._of_token(session, attempt.token) or attempt)
            case _:
                return Claim(decision, decision.attempt)

    def _unclaim(self, session: Session, claim: str) -> None:
        """Take back a claim to start a run that was written although nobody waited for it any more."""
        if self._select(session, "token = ? AND place = ?", claim, Place.INTENDED):
            session.execute("DELETE FROM workflow_part WHERE token = ?", claim)
            session.execute("DELETE FROM workflow_attempt WHERE token = ?", claim)

    def _offer(
        self, session: Session, wish: Wish, runs: Sequence[str], tenure: int, ending: End, token: str, now: float
    ) -> Attempt | None:
        attempt = self._of_runs(session, Kind(wish.type, wish.account), runs)
        if attempt is None:
            attempt = self._insert(session, wish, token, now, place=Place.SEEN, runs=runs, parts=0, tenure=tenure)
            self._set(session, attempt.token, process="")  # whoever started it is not this one
        elif attempt.place is Place.CLOSED or (attempt.tenure > tenure and not _was_dropped(session, attempt)):
            return None
        self._move(session, attempt.token, Event.OWED)
        self._set(
            session,
            attempt.token,
            offered=_latest_offer(session) + 1,
            scope=wish.scope,
            fingerprint=wish.fingerprint,
            ending=ending,
        )
        return attempt

    def _end_in_order(self, session: Session) -> None:
        if self._planned and not self._applied and not ERRORED_STATE.exists():
            before = cast(int, self._offered_before)
            condition = "place = ? AND offered != ? AND offered <= ?"
            for attempt in self._select(session, condition, Place.OWED, _UNCONFIRMED, before):
                if attempt.scope == self.scope.name:
                    self._move(session, attempt.token, Event.LAPSED)
        for attempt in self._select(session, "place = ? AND offered = ?", Place.OWED, _UNCONFIRMED):
            if attempt.process == self.store.process or attempt.token in self._handed_over:
                self._set(session, attempt.token, offered=_latest_offer(session) + 1)
        for attempt in self._select(session, "process = ? AND place = ?", self.store.process, Place.STARTED):
            if not self._owed.intersection(attempt.known_runs):
                self._move(session, attempt.token, Event.ANSWERED)
        for attempt in self._select(session, "process = ? AND place = ?", self.store.process, Place.PARKED):
            self._move(session, attempt.token, Event.CLOSED)
        self._remove_finished(session)

    def _remove_finished(self, session: Session) -> None:
        kept_since = self._time() - FINISHED_DAYS * _DAY
        old = (
            f"SELECT token FROM workflow_attempt WHERE updated_at < ? AND place IN ({', '.join('?' * len(_KEPT))}) "  # noqa: S608
            "AND (key IS NULL OR EXISTS (SELECT 1 FROM workflow_attempt newer WHERE newer.key = workflow_attempt.key "
            "AND newer.type = workflow_attempt.type AND newer.account = workflow_attempt.account "
            "AND newer.number > workflow_attempt.number))"
        )
        for table in ("workflow_part", "workflow_attempt"):
            session.execute(f"DELETE FROM {table} WHERE token IN ({old})", kept_since, *_KEPT)  # noqa: S608

    # Rows.

    def _owns(self, session: Session, token: str) -> bool:
        """Whether an attempt is there and this process's own. Another may have taken it while this one seemed dead."""
        return bool(
            session.execute(
                "SELECT token FROM workflow_attempt WHERE token = ? AND process = ?", token, self.store.process
            )
        )

    def _move(self, session: Session, token: str, event: Event) -> None:
        """Move an attempt as the table of transitions says; what the table does not list stays where it is."""
        attempt = self._of_token(session, token)
        if attempt is not None and (place := moved(attempt.place, event)) is not attempt.place:
            self._set(session, token, place=place)

    def _move_answered(self, session: Session, token: str) -> None:
        """Move an attempt of which no part is unanswered any more."""
        if not session.execute("SELECT part FROM workflow_part WHERE token = ? AND run IS NULL", token):
            self._move(session, token, Event.NAMED)

    def _remove_part(self, session: Session, token: str, part: int) -> None:
        session.execute("DELETE FROM workflow_part WHERE token = ? AND part = ?", token, part)
        if session.execute("SELECT part FROM workflow_part WHERE token = ?", token):
            self._move_answered(session, token)
        else:
            session.execute("DELETE FROM workflow_attempt WHERE token = ?", token)

    def _set(self, session: Session, token: str, **columns: Value) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        session.execute(
            f"UPDATE workflow_attempt SET {assignments}, updated_at = ? WHERE token = ?",  # noqa: S608 - own names
            *columns.values(),
            self._time(),
            token,
        )

    def _next_number(self, session: Session, wish: Wish) -> int:
        """Return the number of the next attempt at a wish's key, or 1 without a key."""
        numbers = (known.number for known in self._candidates(session, wish) if known.key == wish.key)
        return 1 if wish.key is None else max(numbers, default=0) + 1

    def _insert(
        self,
        session: Session,
        wish: Wish,
        token: str,
        now: float,
        *,
        place: Place,
        runs: Sequence[str | None],
        parts: int,
        number: int | None = None,
        tenure: int = 0,
    ) -> Attempt:
        """Insert an attempt, as the newest at its key where no `number` says otherwise."""
        number = self._next_number(session, wish) if number is None else number
        session.execute(
            "INSERT INTO workflow_attempt (token, type, account, scope, directory, fingerprint, arguments, key, "
            "number, parts, place, ending, tenure, joins, process, claim, offered, workflow, sent_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0, ?, ?, ?)",
            *(token, wish.type, wish.account, wish.scope, self._directory, wish.fingerprint),
            *(json.dumps(dict(wish.arguments), sort_keys=True), wish.key, number, parts, place, End.OPEN, tenure),
            *(self.store.process, token, wish.workflow, now, self._time()),
        )
        for part, run in enumerate(runs):
            session.execute("INSERT INTO workflow_part (token, part, run) VALUES (?, ?, ?)", token, part, run)
        return cast(Attempt, self._of_token(session, token))

    def _candidates(self, session: Session, wish: Wish) -> list[Attempt]:
        return self._select(
            session,
            "type = ? AND account = ? AND (fingerprint = ? OR key = ?)",
            *(wish.type, wish.account, wish.fingerprint, wish.key),
        )

    def _of_entry(self, session: Session, wish: Wish, runs: Sequence[str], token: str, now: float) -> Attempt | None:
        """Return the attempt of an entry's runs; one that another machine has started is recorded if it has a key."""
        attempt = self._of_runs(session, Kind(wish.type, wish.account), runs)
        if attempt is not None or wish.key is None:
            return attempt
        return self._insert(session, wish, token, now, place=Place.SEEN, runs=runs, parts=len(runs))

    def _of_runs(self, session: Session, kind: Kind, runs: Sequence[str]) -> Attempt | None:
        found = self._select(
            session,
            "type = ? AND account = ? AND token IN (SELECT token FROM workflow_part WHERE run = ?)",
            *(kind.type, kind.account, runs[0]),
        )
        return max(found, key=lambda attempt: attempt.tenure, default=None)

    def _of_token(self, session: Session, token: str) -> Attempt | None:
        return next(iter(self._select(session, "token = ?", token)), None)

    def _select(self, session: Session, condition: str, *values: Value) -> list[Attempt]:
        """Return the attempts with their runs: two statements, however many there are."""
        rows = session.execute(f"SELECT {_COLUMNS} FROM workflow_attempt WHERE {condition}", *values)  # noqa: S608
        selected = f"SELECT token FROM workflow_attempt WHERE {condition}"  # noqa: S608
        parts = f"SELECT token, run FROM workflow_part WHERE token IN ({selected}) ORDER BY part"  # noqa: S608
        runs: dict[Value, list[str | None]] = {}
        for token, run in session.execute(parts, *values) if rows else ():
            runs.setdefault(token, []).append(None if run is None else str(run))
        return [_attempt(row, tuple(runs.get(row[0], ()))) for row in rows]

    def _runs_of_others(self, session: Session) -> set[str]:
        """Return the runs that Terraform may have in its state without this journal knowing."""
        rows = session.execute(
            "SELECT run FROM workflow_part JOIN workflow_attempt ON workflow_part.token = workflow_attempt.token "
            "WHERE run IS NOT NULL AND process != ? AND place NOT IN (?, ?)",
            *(self.store.process, Place.SEEN, Place.CLOSED),
        )
        return {str(run) for (run,) in rows}


class _View:
    """The world as one transaction sees it."""

    def __init__(self, session: Session, scope: Scope, *, adopts: bool) -> None:
        self.alive = session.alive
        self._file = scope.state_file
        self._adopts = adopts
        self._stored: frozenset[str] | None = None

    def state_lost(self) -> bool:
        return ERRORED_STATE.exists()

    def adopts(self) -> bool:
        return self._adopts

    def in_state(self, runs: Sequence[str]) -> bool:
        if self._stored is None:
            self._stored = frozenset() if self._file is None else _stored_strings(self._file)
        return bool(runs) and self._stored.issuperset(runs)


def _stored_strings(file: Path) -> frozenset[str]:
    """Return all strings in the attributes of a state file; none where it cannot be read."""
    try:
        content = json.loads(file.read_text("utf-8"))
        attributes = [instance["attributes"] for resource in content["resources"] for instance in resource["instances"]]
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
    found, remaining = set(), list(attributes)
    while remaining:
        value = remaining.pop()
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, Mapping):
            remaining.extend(value.values())
        elif isinstance(value, list):
            remaining.extend(value)
    return frozenset(found)


def _attempt(row: Sequence[Value], runs: tuple[str | None, ...]) -> Attempt:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    values["place"] = Place(str(values["place"]))
    values["end"] = End(str(values.pop("ending")))
    arguments: Mapping[str, str] = json.loads(str(values.pop("arguments")))
    return Attempt(**values, runs=runs, arguments=arguments)  # type: ignore[arg-type]


def _was_dropped(session: Session, attempt: Attempt) -> bool:
    """Whether the create that took a run ended without an answer, as far as can be known.

    Then no other entry holds the run: a create-before-destroy replacement has left it to the entry that had it before.
    Was it answered after all, its own entry is shown too, and has the last word.
    """
    return attempt.place is Place.STARTED and not session.alive(attempt.process)


def _latest_offer(session: Session) -> int:
    rows = session.execute("SELECT COALESCE(MAX(offered), 0) FROM workflow_attempt")
    return int(rows[0][0] or 0)


def _log_failure(future: asyncio.Future[object]) -> None:
    if not future.cancelled() and future.exception() is not None:
        log.warning("%s", future.exception())


def _resolve(future: asyncio.Future[object], outcome: object) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
