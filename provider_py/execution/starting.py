"""Starting a run: the order of journal and request, and what is done when no answer comes.

What does not work:

- *Sending a start again when its answer is lost.* The system may have taken the first one: two runs.
- *Counting a lost answer as a failure.* The run continues and no state knows it.
- *Recording a start after its answer.* Whatever ends the process in between takes the only trace along.
- *Recognizing a lost run by its inputs.* Other resources, colleagues and schedules start equal ones.

So, in this order:

    1. A run that the destroy half of a replacement handed over, because its end was not seen, is resumed.
    2. A start that another process left in the journal is taken over: its run is polled, or searched for.
       One that has failed answers nothing, so another is started, unless the configuration accepts failures.
    3. Otherwise the intent is recorded, the request sent once, and the run's key recorded.

A request without a readable answer is never sent again: its run is searched for by the token it carries, or, in a
system without room for a token, as the one run of these inputs and this time that no journal row names; equal starts
are then sent one at a time. A run that is not found stays an intent in the journal, and the next apply searches again
before it does anything else. A system that cannot list its runs leaves the question to the user.

Not guaranteed:

- That a create is answered by a run of its own. A fingerprint has the inputs, the workspace, the account and the type,
  but not the state or the resource instance. What a process recorded that did not end in order is taken over by the
  next equal create, even if that is one in another state.
- That nothing was started when CERTAIN_SECONDS have passed and a search finds nothing: it believes the system's list,
  and a list that is cut off or lags longer hides the run. A second one is then started.
- Anything about other machines, or working directories with journals of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from provider_py.execution import messages
from provider_py.execution.errors import Interrupted, NotResumed, NotStarted, SystemFault, Unanswered
from provider_py.execution.journal import Entry, Journal, JournalError
from provider_py.execution.launcher import Indistinct, OpaqueLauncher, Remembering, Searching, Started
from provider_py.execution.poller import Poller
from provider_py.execution.run import Execution, Phase, Run
from provider_py.execution.runtime import Runtime
from provider_py.plugin import attributes

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Execution)

SEARCH_PAUSES: Final = (1.0, 4.0, 10.0)
"""Seconds between searches for a run whose start was not answered: systems list a new run with some delay."""
CERTAIN_SECONDS: Final = 120.0
"""The age of an unanswered start from which a search that finds no run counts as proof that there is none."""


class Starter(Generic[E]):
    """Starts the runs of one resource type in one process."""

    def __init__(self, name: str, journal: Journal, runtime: Runtime, account: Callable[[], str] = lambda: "") -> None:
        """`name` is the resource type; `account` returns what tells the account of the system from others."""
        self._name = name
        self._account = account
        self._journal = journal
        self._runtime = runtime
        self._unfinished: Counter[str] = Counter()
        self._handed_over: dict[str, list[Entry]] = {}
        self._resumed: set[str] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def fingerprint(self, planned: E, part: int) -> str:
        """Return a hash of type, account, workspace, part number and the inputs whose change starts a new run.

        Nulls and defaults are left out, so that an argument that a later version adds changes no fingerprint.
        """
        inputs = {
            name: getattr(planned, name)
            for name, attribute in attributes(type(planned)).items()
            if attribute.replace and getattr(planned, name) not in (None, attribute.default)
        }
        identity = [self._name, self._account(), self._runtime.scope, part, inputs]
        text = json.dumps(identity, sort_keys=True, default=_without_nulls)
        return hashlib.sha256(text.encode()).hexdigest()

    def note_unfinished(self, state: E) -> None:
        """Count a run whose end was not seen: one create of the same inputs is to resume it."""
        self._unfinished[self.fingerprint(state, 0)] += 1

    def take_unfinished(self, planned: E) -> bool:
        """Take one from the count; False if none is left for these inputs."""
        fingerprint = self.fingerprint(planned, 0)
        available = self._unfinished[fingerprint] > 0
        self._unfinished[fingerprint] -= available
        return available

    async def hand_over(self, state: E, keys: Iterable[str]) -> None:
        """Leave a run to the create half of the replacement that destroys its state entry."""
        for part, key in enumerate(keys):
            fingerprint = self.fingerprint(state, part)
            entry = await self._journal.hand_over(fingerprint, key)
            self._handed_over.setdefault(fingerprint, []).append(entry)

    async def confirm_stored(self, keys: Iterable[str]) -> None:
        """Note that Terraform has these runs in its state."""
        await self._journal.confirm_stored(keys)

    async def settle_imported(self, state: E, keys: Sequence[str]) -> None:
        """Take an imported run for that of an unanswered start of the same inputs, if there is one."""
        with _logged():
            for part in range(len(keys)):
                await self._journal.discard_unanswered(self.fingerprint(state, part))

    def keep(self, keys: Iterable[str]) -> None:
        """Note that the state gets these runs with an error although they are open: a create is to resume them."""
        self._journal.keep(keys)

    def park(self, keys: Iterable[str]) -> None:
        """Note that the state has dropped these runs; a create of the same inputs in this process may resume them."""
        self._journal.park(keys)

    async def forget(self, keys: Iterable[str]) -> None:
        """Note that these runs are not to be resumed."""
        with _logged():
            for key in keys:
                await self._journal.forget(key)

    def warnings(self) -> list[str]:
        """Return problems of the journal that the user should know, each once."""
        return self._journal.warnings()

    def resumed(self, key: str) -> bool:
        """Whether this process has resumed a run: the state entry that held it before must leave it alone."""
        return key in self._resumed

    async def start(
        self, launcher: OpaqueLauncher[E], poller: Poller[str, Run[object]], planned: E, number: int, part: object
    ) -> tuple[str, Started[object]]:
        """Return the key and first reading of the part's run. Raises SystemFault or JournalError."""
        fingerprint = self.fingerprint(planned, number)
        handed_over = self._handed_over.get(fingerprint)
        entry = handed_over.pop(0) if handed_over else await self._journal.take_over(fingerprint)
        failed: Run[object] | None = None
        if entry is not None:
            recovered = await self._recover(launcher, poller, planned, part, entry)
            if recovered is not None:
                key, started = recovered
                if started.run.phase is not Phase.FAILED or not planned.judges_failure:
                    warnings = started.warnings if handed_over is not None else (messages.taken_over(started.run),)
                    return key, dataclasses.replace(started, warnings=warnings)
                log.warning("run %s, which an earlier apply started, has failed: starting another", started.run.id)
                await self.forget([key])
                self._resumed.discard(key)
                failed, entry = started.run, None
        turn = self._turns[launcher.dedup_key(part)] if isinstance(launcher, Indistinct) else contextlib.nullcontext()
        async with turn:
            if self._runtime.stop.is_set():
                raise Interrupted(launcher.system, "the operation was interrupted")
            key, started = await self._send(launcher, part, entry or await self._journal.intend(fingerprint))
        if failed is not None:
            warnings = (messages.not_taken_over(failed), *started.warnings)
            started = dataclasses.replace(started, warnings=warnings)
        return key, started

    async def _recover(
        self,
        launcher: OpaqueLauncher[E],
        poller: Poller[str, Run[object]],
        planned: E,
        part: object,
        entry: Entry,
    ) -> tuple[str, Started[object]] | None:
        """Return the run of a start that another process left; None: it did not arrive, for all that can be known."""
        if entry.run is not None:
            log.warning("an earlier apply started run %s: taking it over", entry.run)
            self._journal.keep([entry.run])
            run = await self._resume(launcher, poller, planned, entry.run)
            self._journal.release([entry.run])
            return entry.run, Started(run)
        recovered = await self._search(launcher, part, entry, (0.0,))
        if recovered is None:
            if not isinstance(launcher, Searching) or self._runtime.clock.time() - entry.intended_at < CERTAIN_SECONDS:
                raise Unanswered(launcher.system, "an earlier apply sent the start and received no answer")
            log.warning("the start that an earlier apply sent did not arrive: starting now")
        return recovered

    async def _send(self, launcher: OpaqueLauncher[E], part: object, entry: Entry) -> tuple[str, Started[object]]:
        try:
            started = await launcher.start(part, entry.token)
        except NotStarted:
            await self._journal.discard(entry)
            raise
        except Unanswered as fault:
            log.warning("the start was not answered, searching for its run: %s", fault)
            recovered = await self._search(launcher, part, entry, SEARCH_PAUSES)
            if recovered is None:
                raise
            return recovered
        return await self._record(launcher, part, entry, started)

    async def _record(
        self, launcher: OpaqueLauncher[E], part: object, entry: Entry, started: Started[object]
    ) -> tuple[str, Started[object]]:
        """Record the key of a run that was started; if that fails, the state still gets it."""
        key = launcher.key(part, started.run)
        with _logged():
            await self._journal.record_run(entry, key)
        return key, started

    async def _search(
        self, launcher: OpaqueLauncher[E], part: object, entry: Entry, pauses: Iterable[float]
    ) -> tuple[str, Started[object]] | None:
        if not isinstance(launcher, Searching):
            return None
        for pause in pauses:
            try:
                await self._runtime.sleep(pause)
                known = await self._journal.known_runs()
                run = await launcher.search(part, entry.token, entry.intended_at, known)
            except Interrupted:
                return None
            except SystemFault as fault:
                log.warning("searching for the run of the start failed: %s", fault)
                continue
            if run is not None:
                log.warning("found run %s, whose start was not answered", run.id)
                return await self._record(launcher, part, entry, Started(run))
        return None

    async def _resume(
        self, launcher: OpaqueLauncher[E], poller: Poller[str, Run[object]], planned: E, key: str
    ) -> Run[object]:
        self._resumed.add(key)
        if isinstance(launcher, Remembering):
            launcher.remember(planned, (key,))
        try:
            run = await poller.next(key, 0)
        except SystemFault as fault:
            reason = f"run {key} was started by an earlier apply and could not be read: {fault.reason}"
            raise NotResumed(launcher.system, reason, advice="The next apply tries again.") from fault
        if run is None:
            raise NotResumed(
                launcher.system,
                f"run {key} was started by an earlier apply and no longer exists",
                advice="It is not repeated automatically. To start a new run, change `triggers`.",
            )
        return run


def _without_nulls(nested: Any) -> dict[str, object]:
    values = {field.name: getattr(nested, field.name) for field in dataclasses.fields(nested)}
    return {name: value for name, value in values.items() if value is not None}


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Only log a failing journal, where nothing is lost by it for now."""
    try:
        yield
    except JournalError as fault:
        log.warning("%s", fault)
