"""Waiting for runs to end, so that neither a bad answer nor the way the waiting ends costs what is known of them.

What does not work:

- *Ending the wait when a poll fails.* A wait of an hour outlives restarts, proxies and network changes. Failing the
  apply would taint a run that is well, so the next apply would replace it.
- *Believing one poll that finds no record.* Systems list a new run with some delay, and replicas disagree.
- *Collecting what the waiting coroutines return.* A timeout or Ctrl-C cancels them at any `await`, and what they knew
  goes with them.

So a poll that fails is logged and repeated, unless the system refused it, which no repetition mends. A run counts as
expired after MISSES_BEFORE_EXPIRED polls in a row without a record. The latest reading of each run lives in the
`Watch`, outside the coroutines, and `Watch.outcome` returns it together with what ended the wait.

Not guaranteed: three misses prove nothing. A run that its system does not list for longer than that is reported as
expired while it still runs. And exceptions other than those of `CutShort` are raised: the state of the started runs is
then lost, and only the journal has them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from provider_py.execution.errors import Interrupted, Refused, SystemFault
from provider_py.execution.poller import Poller, adaptive_interval
from provider_py.execution.run import Phase, Run
from provider_py.execution.runtime import Runtime
from provider_py.plugin import DiagnosticError

log = logging.getLogger(__name__)

CutShort: TypeAlias = SystemFault | TimeoutError | DiagnosticError
MISSES_BEFORE_EXPIRED: Final = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What waiting came to; `cut_short` is what ended it before the runs did."""

    runs: Mapping[str, Run[object]]
    """The latest reading of each run, by key; a run that was never read is absent."""
    expired: bool
    """Whether the system has no record of one of the runs."""
    cut_short: CutShort | None


class Watch:
    """One wait for the runs of one resource."""

    def __init__(self, title: str, poller: Poller[str, Run[object]], runtime: Runtime, interval: float | None) -> None:
        """`interval` is the time between two polls of a run in seconds; None: it grows with the time waited."""
        self._title = title
        self._poller = poller
        self._runtime = runtime
        self._interval = interval
        self._runs: dict[str, Run[object]] = {}
        self._expired = False

    async def outcome(self, keys: Iterable[str], started: Mapping[str, Run[object]], seconds: float) -> Outcome:
        """Wait for the end of all runs, for `seconds` at most; `started` are those this apply has read already."""
        self._runs.update(started)
        cut_short: CutShort | None = None
        try:
            await self._runtime.unless_stopped(self._follow_all(keys), seconds=seconds)
        except (SystemFault, TimeoutError, DiagnosticError) as fault:
            cut_short = fault
        return Outcome(self._runs, self._expired, cut_short)

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
                if misses >= MISSES_BEFORE_EXPIRED:
                    self._expired = True
                    return
                continue
            log_status(self._title, last, run)
            if run.started_at is None and last is not None:
                run = dataclasses.replace(run, started_at=last.started_at)
            misses, last, self._runs[key] = 0, run, run


def log_status(title: str, before: Run[object] | None, run: Run[object]) -> None:
    """Log the status of a run where it differs from the reading before."""
    if before is None or (before.status, before.phase) != (run.status, run.phase):
        reason = f" ({run.message})" if run.phase is Phase.HELD and run.message else ""
        log.info("%s %s is %s%s", title, run.id, run.status, reason)
