"""The runs of all systems: how long each takes and how it ends, as prepared by scripts or changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

Clock = Callable[[], float]


class Phase(StrEnum):
    """Where a run stands, in no vendor's words."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    HELD = "HELD"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


SUCCESS, FAILURE = "success", "failure"


@dataclass(slots=True)
class Run:
    """One run; times are epoch seconds of the world's clock, durations are seconds."""

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
    """The vendor's own status word the run stays in until it is released."""
    hold_at: float | None = None
    """When the hold begins; None holds from the start."""
    queue_seconds: float = 0.0
    cancelled_at: float | None = None
    paused: float = 0.0
    """Time already spent on hold, which the run takes longer for it."""
    outputs: dict[str, object] | None = None

    @property
    def own_word(self) -> str | None:
        """The vendor's own status word of the ending, if the script named one."""
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
        """When it ended, None while it has not."""
        cancelled = self.cancelled_at if self.cancelled_at is not None and self.cancelled_at <= now else None
        natural = self._natural_end if not self._is_held(now) and self._natural_end <= now else None
        ends = [moment for moment in (cancelled, natural) if moment is not None]
        return min(ends) if ends else None

    def phase(self, now: float) -> Phase:
        """Where it stands at that moment."""
        ended = self.ended_at(now)
        if ended is None:
            if self._is_held(now):
                return Phase.HELD
            return Phase.QUEUED if now < self.started_at + self.queue_seconds else Phase.RUNNING
        if ended == self.cancelled_at:
            return Phase.CANCELLED
        return Phase.SUCCEEDED if self.ending == SUCCESS else Phase.FAILED

    def active_seconds(self, now: float) -> float:
        """How long it has worked: neither queued nor on hold, and at most until it ended."""
        ended = self.ended_at(now)
        until = now if ended is None else ended
        if self._is_held(now):
            until = min(until, self._hold_from)
        return max(0.0, until - self.started_at - self.queue_seconds - self.paused)

    def release(self, now: float) -> None:
        """End the hold; what was left to do then goes on."""
        if self._is_held(now):
            self.paused += now - self._hold_from
        self.hold = self.hold_at = None

    def finish(self, now: float) -> None:
        """Let it end now, with the ending it has."""
        self.release(now)
        if self.ended_at(now) is None:
            self.queue_seconds = 0.0
            self.seconds = max(0.0, now - self.started_at - self.paused)


@dataclass(slots=True)
class Script:
    """What shall become of coming runs of a system; None leaves a run's default."""

    system: str
    target: str | None = None
    """The name or id of what is run; None is whatever is run next."""
    seconds: float | None = None
    ending: str | None = None
    reason: str | None = None
    hold: str | None = None
    outputs: dict[str, object] | None = None
    queue_seconds: float | None = None
    times: int | None = 1
    """How many runs it is for; None is every run."""

    def fits(self, run: Run) -> bool:
        """Whether it is meant for this run."""
        return self.system == run.system and (self.target is None or self.target in {run.target, *run.names})

    def apply(self, run: Run) -> None:
        """Give the run what the script says."""
        for name in ("seconds", "ending", "reason", "hold", "outputs", "queue_seconds"):
            value = getattr(self, name)
            if value is not None:
                setattr(run, name, value)


@dataclass(slots=True)
class RunBook:
    """Every run of every system, in the order they started."""

    clock: Clock
    seconds: float
    """How long a run takes that no script speaks of."""
    scripts: list[Script] = field(default_factory=list)
    _runs: dict[str, Run] = field(default_factory=dict)

    def start(self, system: str, target: str, names: tuple[str, ...], run_id: str) -> Run:
        """Start a run now; the first prepared script that fits decides its course."""
        run = Run(run_id, system, target, names, self.clock(), self.seconds)
        script = next((script for script in self.scripts if script.fits(run)), None)
        if script is not None:
            script.apply(run)
            self._use(script)
        self._runs[run_id] = run
        return run

    def _use(self, script: Script) -> None:
        if script.times is not None:
            script.times -= 1
            if script.times <= 0:
                self.scripts.remove(script)

    def get(self, run_id: str) -> Run | None:
        """The run of that id, None if there never was one or its record is purged."""
        return self._runs.get(run_id)

    def of(self, system: str | None = None) -> list[Run]:
        """The runs of a system, or of all, oldest first."""
        return [run for run in self._runs.values() if system in {None, run.system}]

    def cancel(self, run_id: str, at: float) -> None:
        """Let a run that has not ended be cancelled at that moment."""
        run = self._runs[run_id]
        if run.cancelled_at is None and run.ended_at(at) is None:
            run.cancelled_at = at

    def forget(self, run_id: str) -> bool:
        """Purge the record of a run, as a vendor does with old ones; False if there was none."""
        return self._runs.pop(run_id, None) is not None

    def clear(self) -> None:
        """Forget every run and script."""
        self._runs.clear()
        self.scripts.clear()
