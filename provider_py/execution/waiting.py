"""Waiting for runs to end, so that neither a bad answer nor the way the waiting ends costs what is known of them.

What does not work:

- *Ending the wait when a poll fails.* A wait of an hour outlives restarts, proxies and network changes. Failing the
  apply would taint a run that is well, so the next apply would replace it.
- *Believing one poll that finds no record.* Systems list a new run with some delay, and replicas disagree.
- *Collecting what the waiting coroutines return.* A timeout or Ctrl-C cancels them at any `await`, and what they knew
  goes with them.

So a poll that fails is logged and repeated, unless the system refused it, which no repetition mends. A run counts as
vanished after MISSES_BEFORE_VANISHED polls in a row without a record. The latest reading of each run lives in the
`Watch`, outside the coroutines, and `Watch.outcome` returns it together with what ended the wait, which may be any
exception: whatever it is, the state must get the runs.

Not guaranteed: three misses prove nothing. A run that its system does not list for longer than that is reported as
vanished while it still runs; hence the first report keeps it for another look.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from provider_py.execution.errors import Interrupted, Refused, SystemFault
from provider_py.execution.life import Cut
from provider_py.execution.poller import Poller, adaptive_interval
from provider_py.execution.run import Phase, Run
from provider_py.execution.runtime import Runtime

log = logging.getLogger(__name__)

MISSES_BEFORE_VANISHED: Final = 3


class Held(Exception):
    """A run waits for a person, and the configuration does not wait for that."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What waiting came to; `fault` is what ended it before the runs did."""

    runs: Mapping[str, Run[object]]
    """The latest reading of each run, by key; a run that was never read is absent."""
    vanished: bool
    """Whether the system has no record of one of the runs."""
    fault: Exception | None

    @property
    def cut(self) -> Cut | None:
        """What kind of thing ended the wait before the runs did; None: they have ended, or vanished."""
        match self.fault:
            case None:
                return None
            case Interrupted():
                return Cut.INTERRUPTED
            case TimeoutError():
                return Cut.TIMED_OUT
            case Held():
                return Cut.HELD
            case _:
                return Cut.LOST


class Watch:
    """One wait for the runs of one resource."""

    def __init__(
        self,
        title: str,
        poller: Poller[str, Run[object]],
        runtime: Runtime,
        interval: float | None,
        *,
        note: Callable[[str, Run[object]], None],
        fails_held: bool = False,
    ) -> None:
        """`interval` is the time between two polls of a run in seconds; None: it grows with the time waited.

        `note` is told each change of a run's status. `fails_held`: a run that waits for a person ends the wait.
        """
        self._title = title
        self._poller = poller
        self._runtime = runtime
        self._interval = interval
        self._note = note
        self._fails_held = fails_held
        self._runs: dict[str, Run[object]] = {}
        self._vanished = False

    async def outcome(self, keys: Iterable[str], started: Mapping[str, Run[object]], seconds: float) -> Outcome:
        """Wait for the end of all runs, for `seconds` at most; `started` are those this apply has read already."""
        self._runs.update(started)
        ended_by: Exception | None = None
        try:
            await self._runtime.unless_stopped(self._follow_all(keys), seconds=seconds)
        except Exception as fault:  # noqa: BLE001 - the state must get the runs, whatever it is
            ended_by = fault
        return Outcome(self._runs, self._vanished, ended_by)

    async def _follow_all(self, keys: Iterable[str]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for key in keys:
                    group.create_task(self._follow(key))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _follow(self, key: str) -> None:
        began, misses, last = self._runtime.clock.monotonic(), 0, self._runs.get(key)
        while last is None or not last.phase.ended:
            if last is not None and last.phase is Phase.HELD and self._fails_held:
                raise Held(last.message or "")
            waited = self._runtime.clock.monotonic() - began
            interval = adaptive_interval(waited) if self._interval is None else self._interval
            try:
                run = await self._poller.next(key, interval)
            except SystemFault as fault:
                if isinstance(fault, Refused | Interrupted):
                    raise
                log.warning("polling %s %s failed, trying again: %s", self._title, key, fault)
                continue
            if run is None:
                misses += 1
                if misses >= MISSES_BEFORE_VANISHED:
                    self._vanished = True
                    return
                continue
            if log_status(self._title, last, run):
                self._note(key, run)
            if run.started_at is None and last is not None:
                run = dataclasses.replace(run, started_at=last.started_at)
            misses, last, self._runs[key] = 0, run, run


def log_status(title: str, before: Run[object] | None, run: Run[object]) -> bool:
    """Log the status of a run where it differs from the reading before; return whether it does."""
    if before is not None and (before.status, before.phase) == (run.status, run.phase):
        return False
    reason = f" ({run.message})" if run.phase is Phase.HELD and run.message else ""
    log.info("%s %s is %s%s", title, run.id, run.status, reason)
    return True
