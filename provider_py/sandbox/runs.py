"""Runs over time, whatever the vendor: their duration and ending, as scripts or the control API set them.

No task advances a run. A timer would make tests wait for real time, and race with the request that reads its state; a
stored status would have to be kept in step with every change of the clock, the ending or the duration. Instead a run
stores only what was decided (start, duration, ending, hold, cancellation), and its phase is a function of that and of a
moment, so a test moves the clock and reads the outcome at once. Two consequences: a hold in the middle keeps the work
before it done, so the time on hold is added to the duration when it ends (`paused`); and of a natural end and a
cancellation the earlier one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

Clock = Callable[[], float]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Phase(StrEnum):
    """The state of a run, independent of the vendor."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    HELD = "HELD"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


SUCCESS, FAILURE = "success", "failure"


@dataclass(slots=True)
class Run:
    """One run; times are epoch seconds of the world's clock, durations are in seconds."""

    id: str
    system: str
    target: str
    names: tuple[str, ...]
    started_at: float
    seconds: float
    ending: str = SUCCESS
    """"success", "failure", or a vendor's own status word such as "EXPIRED"."""
    reason: str = ""
    hold: str | None = None
    """The vendor's own status in which the run stays until it is released."""
    hold_at: float | None = None
    """When the hold begins; None: at the start."""
    queue_seconds: float = 0.0
    cancelled_at: float | None = None
    paused: float = 0.0
    """Seconds already spent on hold, added to its duration."""
    outputs: dict[str, object] | None = None

    @property
    def vendor_status(self) -> str | None:
        """The vendor's own final status, if the script named one."""
        return None if self.ending in {SUCCESS, FAILURE} else self.ending

    @property
    def _hold_from(self) -> float:
        return self.started_at if self.hold_at is None else self.hold_at

    @property
    def _natural_end(self) -> float:
        return self.started_at + self.queue_seconds + self.seconds + self.paused

    def _is_held(self, now: float) -> bool:
        return self.hold is not None and self._hold_from <= now and self._hold_from <= self._natural_end

    def ended_at(self, now: float) -> float | None:
        """When it ended; None if it has not ended by then."""
        cancelled = self.cancelled_at if self.cancelled_at is not None and self.cancelled_at <= now else None
        natural = self._natural_end if not self._is_held(now) and self._natural_end <= now else None
        ends = [moment for moment in (cancelled, natural) if moment is not None]
        return min(ends) if ends else None

    def phase(self, now: float) -> Phase:
        """Its state at that moment."""
        ended = self.ended_at(now)
        if ended is None:
            if self._is_held(now):
                return Phase.HELD
            return Phase.QUEUED if now < self.started_at + self.queue_seconds else Phase.RUNNING
        if ended == self.cancelled_at:
            return Phase.CANCELLED
        return Phase.SUCCEEDED if self.ending == SUCCESS else Phase.FAILED

    def active_seconds(self, now: float) -> float:
        """Seconds it has worked: neither queued nor on hold, and not after its end."""
        ended = self.ended_at(now)
        until = now if ended is None else ended
        if self._is_held(now):
            until = min(until, self._hold_from)
        return max(0.0, until - self.started_at - self.queue_seconds - self.paused)

    def release(self, now: float) -> None:
        """End the hold; the run continues with what was left to do."""
        if self._is_held(now):
            self.paused += now - self._hold_from
        self.hold = self.hold_at = None

    def finish(self, now: float) -> None:
        """End it now, with the ending it has."""
        self.release(now)
        if self.ended_at(now) is None:
            self.queue_seconds = 0.0
            self.seconds = max(0.0, now - self.started_at - self.paused)


@dataclass(slots=True)
class Script:
    """How coming runs of a system proceed, also the body of POST /scripts; None keeps a run's default."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    system: str
    target: str | None = None
    """Name or id of the workflow or pipeline; None matches any."""
    seconds: Seconds | None = None
    ending: str | None = None
    reason: str | None = None
    hold: str | None = None
    outputs: dict[str, object] | None = None
    queue_seconds: Seconds | None = None
    times: Annotated[int, Field(ge=1)] | None = 1
    """How many runs it applies to; None applies to all."""

    def fits(self, run: Run) -> bool:
        """Whether it applies to this run."""
        return self.system == run.system and (self.target is None or self.target in {run.target, *run.names})

    def apply(self, run: Run) -> None:
        """Set on the run what the script prescribes."""
        for name in ("seconds", "ending", "reason", "hold", "outputs", "queue_seconds"):
            value = getattr(self, name)
            if value is not None:
                setattr(run, name, value)


@dataclass(frozen=True, slots=True)
class RunsOfOthers:
    """Runs that others have started, also the body of POST /runs."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    system: str
    target: str
    """Name or id of the workflow or pipeline."""
    count: Annotated[int, Field(ge=1)] = 1
    age: Seconds = 0.0
    """Seconds since the newest was started."""
    apart: Seconds = 1.0
    """Seconds between two of them."""
    notes: str | None = None

    def moments(self, now: float) -> list[float]:
        """When each was started, oldest first."""
        return [now - self.age - number * self.apart for number in reversed(range(self.count))]


@dataclass(slots=True)
class RunBook:
    """Every run of every system, in the order they started."""

    clock: Clock
    seconds: float
    """Duration of a run without a script."""
    scripts: list[Script] = field(default_factory=list)
    _runs: dict[str, Run] = field(default_factory=dict)

    def start(self, system: str, target: str, names: tuple[str, ...], run_id: str) -> Run:
        """Start a run now; the first script that applies decides its course."""
        run = self.add(system, target, names, run_id, self.clock())
        script = next((script for script in self.scripts if script.fits(run)), None)
        if script is not None:
            script.apply(run)
            self._use(script)
        return run

    def add(self, system: str, target: str, names: tuple[str, ...], run_id: str, started_at: float) -> Run:
        """Add a run that was started at that moment, whatever the scripts say."""
        run = self._runs[run_id] = Run(run_id, system, target, names, started_at, self.seconds)
        return run

    def _use(self, script: Script) -> None:
        if script.times is not None:
            script.times -= 1
            if script.times <= 0:
                self.scripts.remove(script)

    def get(self, run_id: str) -> Run | None:
        """The run with that id; None if there never was one or its record has been purged."""
        return self._runs.get(run_id)

    def of(self, system: str | None = None) -> list[Run]:
        """The runs of a system, or of all, oldest first."""
        return [run for run in self._runs.values() if system in {None, run.system}]

    def cancel(self, run_id: str, at: float) -> None:
        """Cancel a run at that moment unless it has ended by then."""
        run = self._runs[run_id]
        if run.cancelled_at is None and run.ended_at(at) is None:
            run.cancelled_at = at

    def forget(self, run_id: str) -> bool:
        """Purge the record of a run, as vendors do with old ones; False if there was none."""
        return self._runs.pop(run_id, None) is not None

    def clear(self) -> None:
        """Remove every run and script."""
        self._runs.clear()
        self.scripts.clear()
