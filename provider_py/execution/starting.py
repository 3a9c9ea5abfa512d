"""Starting a run exactly once, whatever breaks: the order of journal and request, and what is done without an answer.

    1. A run that the destroy half of a replacement handed over, because it was not waited for, is taken up again.
    2. A start that another process left behind in the journal is taken over: its run is looked at, or searched for.
    3. Otherwise the intent is written, the request sent once, the run's key written.

A request that got no readable answer is never sent again: the run is searched for, and if it is not found, the intent
stays in the journal, so that the next apply searches again before it does anything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from provider_py.execution.errors import Interrupted, NotResumed, NotStarted, SystemFault, Unanswered
from provider_py.execution.journal import Entry, Journal, JournalError
from provider_py.execution.launcher import Indistinct, Launcher, Remembering, Searching, Started
from provider_py.execution.poller import Poller
from provider_py.execution.run import Execution, Run
from provider_py.execution.runtime import Runtime
from provider_py.plugin import attributes

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Execution)

SEARCH_PAUSES: Final = (1.0, 4.0, 10.0)
"""Seconds between searches for a run whose start was not answered: systems list a new run with some delay."""
CERTAIN_SECONDS: Final = 120.0
"""The age of an unanswered start from which a system that lists all runs can be believed that it has none."""


class Starter(Generic[E]):
    """Starts the runs of one resource type in one process."""

    def __init__(self, name: str, journal: Journal, runtime: Runtime) -> None:
        """`name` is the resource type, which is part of every fingerprint."""
        self._name = name
        self._journal = journal
        self._runtime = runtime
        self._unfinished: Counter[str] = Counter()
        self._handed_over: dict[str, list[Entry]] = {}
        self._adopted: set[str] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def fingerprint(self, planned: E, part: int) -> str:
        """Return a hash of what is started: the inputs whose change starts a new run, workspace and part number."""
        inputs = {
            name: getattr(planned, name) for name, attribute in attributes(type(planned)).items() if attribute.replace
        }
        text = json.dumps([self._name, self._runtime.scope, part, inputs], sort_keys=True, default=dataclasses.asdict)
        return hashlib.sha256(text.encode()).hexdigest()

    def expect(self, state: E) -> None:
        """The state holds a run that was not waited for: a creation like it is there to take it up again."""
        self._unfinished[self.fingerprint(state, 0)] += 1

    def expected(self, planned: E) -> bool:
        """Whether a creation is planned to take up a run that was not waited for; tells it once for each run."""
        fingerprint = self.fingerprint(planned, 0)
        expected = self._unfinished[fingerprint] > 0
        self._unfinished[fingerprint] -= expected
        return expected

    async def hand_over(self, state: E, keys: Iterable[str]) -> None:
        """The destroy half of a replacement leaves a run that was not waited for to the create half."""
        for part, key in enumerate(keys):
            fingerprint = self.fingerprint(state, part)
            entry = await self._journal.leave(fingerprint, key)
            self._handed_over.setdefault(fingerprint, []).append(entry)

    async def claim(self, keys: Iterable[str]) -> None:
        """Terraform shows that it has these runs in its state."""
        await self._journal.claim(keys)

    async def found_by_hand(self, state: E, keys: Sequence[str]) -> None:
        """An imported run is the one of a start that was not answered, if there is one of the same inputs."""
        with _noted():
            for part in range(len(keys)):
                await self._journal.settle(self.fingerprint(state, part))

    async def forget(self, keys: Iterable[str]) -> None:
        """These runs are not to be taken up again."""
        with _noted():
            for key in keys:
                await self._journal.forget(key)

    def warnings(self) -> list[str]:
        """Return what the user should hear of the journal, once."""
        return self._journal.warnings()

    def adopted(self, key: str) -> bool:
        """Whether a run was taken up again in this process: its deposed twin must leave it alone."""
        return key in self._adopted

    async def start(
        self, launcher: Launcher[E, Any, Any], poller: Poller[str, Run[Any]], planned: E, number: int, part: Any
    ) -> tuple[str, Started[Any]]:
        """Return the key and first look of the part's run. Raises SystemFault or JournalError."""
        fingerprint = self.fingerprint(planned, number)
        handed = self._handed_over.get(fingerprint)
        entry = handed.pop(0) if handed else await self._journal.take_over(fingerprint)
        if entry is not None and entry.run is not None:
            log.warning("an earlier apply started run %s: taking it over", entry.run)
            return entry.run, Started(await self._look(launcher, poller, planned, entry.run))
        if entry is not None:
            found = await self._search(launcher, part, entry, (0.0,))
            if found is not None:
                return await self._found(launcher, part, entry, found)
            if not isinstance(launcher, Searching) or self._runtime.clock.time() - entry.intended_at < CERTAIN_SECONDS:
                raise Unanswered(launcher.system, "an earlier apply sent the start and got no answer")
            log.warning("an earlier apply's start did not arrive: starting now")
        turn = self._turns[launcher.dedup_key(part)] if isinstance(launcher, Indistinct) else contextlib.nullcontext()
        async with turn:
            return await self._send(launcher, part, entry or await self._journal.intend(fingerprint))

    async def _send(self, launcher: Launcher[E, Any, Any], part: Any, entry: Entry) -> tuple[str, Started[Any]]:
        try:
            started: Started[Any] = await launcher.start(part, entry.token)
        except NotStarted:
            await self._journal.drop(entry)
            raise
        except Unanswered as fault:
            log.warning("the start was not answered, searching for its run: %s", fault)
            found = await self._search(launcher, part, entry, SEARCH_PAUSES)
            if found is None:
                raise
            return await self._found(launcher, part, entry, found)
        return await self._record(launcher, part, entry, started), started

    async def _record(self, launcher: Launcher[E, Any, Any], part: Any, entry: Entry, started: Started[Any]) -> str:
        """Write the key of a run that was started; if that fails the state is still going to have it."""
        key = launcher.key(part, started.run)
        with _noted():
            await self._journal.started(entry, key)
        return key

    async def _found(
        self, launcher: Launcher[E, Any, Any], part: Any, entry: Entry, run: Run[Any]
    ) -> tuple[str, Started[Any]]:
        log.warning("found run %s, whose start was not answered", run.id)
        started = Started(run)
        return await self._record(launcher, part, entry, started), started

    async def _search(
        self, launcher: Launcher[E, Any, Any], part: Any, entry: Entry, pauses: Iterable[float]
    ) -> Run[Any] | None:
        if not isinstance(launcher, Searching):
            return None
        for pause in pauses:
            try:
                await self._runtime.sleep(pause)
                taken = await self._journal.known_runs()
                found = await launcher.search(part, entry.token, entry.intended_at, taken)
            except Interrupted:
                return None
            except SystemFault as fault:
                log.warning("searching for the run failed: %s", fault)
                continue
            if found is not None:
                return found
        return None

    async def _look(
        self, launcher: Launcher[E, Any, Any], poller: Poller[str, Run[Any]], planned: E, key: str
    ) -> Run[Any]:
        self._adopted.add(key)
        if isinstance(launcher, Remembering):
            launcher.remember(planned, (key,))
        try:
            run = await poller.next(key, 0)
        except SystemFault as fault:
            reason = f"run {key} was started by an earlier apply and could not be looked at: {fault.reason}"
            raise NotResumed(launcher.system, reason, advice="The next apply tries again.") from fault
        if run is None:
            raise NotResumed(
                launcher.system,
                f"run {key} was started by an earlier apply, and there is no record of it any more",
                advice="It is not started again by itself. To start a new run, change `triggers`.",
            )
        return run


@contextlib.contextmanager
def _noted() -> Iterator[None]:
    """Log a journal that fails where nothing is lost by it for now."""
    try:
        yield
    except JournalError as fault:
        log.warning("%s", fault)
