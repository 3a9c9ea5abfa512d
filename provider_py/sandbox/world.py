"""The state all simulated systems share: clock, runs, faults, recorded requests, behaviors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from provider_py.sandbox.behaviors import Behaviors
from provider_py.sandbox.faults import FaultBook
from provider_py.sandbox.runs import Phase, Run, RunBook, RunsOfOthers, Script

__all__ = ["Phase", "RecordedRequest", "Run", "RunBook", "RunsOfOthers", "Script", "World"]


@dataclass(slots=True)
class RecordedRequest:
    """A request one of the systems received; `status` is None until it is answered, and for good if it never is."""

    system: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: object
    status: int | None
    at: float


class World:
    """The state of one sandbox; `clock` returns epoch seconds, `speed` is how many of them pass per real second."""

    def __init__(self, run_seconds: float = 2.0, speed: float = 1.0, timer: Callable[[], float] = time.monotonic):
        """Start at the real time of day; `timer` returns real seconds that never go back."""
        self._timer = timer
        self._first_speed = speed
        self._set_time(time.time(), speed)
        self.runs = RunBook(self.clock, run_seconds)
        self.faults = FaultBook()
        self.requests: list[RecordedRequest] = []
        self.behaviors = Behaviors()
        self.add_others: dict[str, Callable[[RunsOfOthers], None]] = {}
        """By system, what adds runs that others have started; raises LookupError for an unknown target."""
        self._on_reset: list[Callable[[], None]] = []

    def _set_time(self, base: float, speed: float) -> None:
        self._base, self._since, self._speed = base, self._timer(), speed

    def clock(self) -> float:
        """Now, in epoch seconds."""
        return self._base + (self._timer() - self._since) * self._speed

    @property
    def speed(self) -> float:
        """Seconds of the clock per real second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._set_time(self.clock(), speed)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._base += seconds

    def on_reset(self, restore: Callable[[], None]) -> None:
        """Register what restores a system's own state at every reset."""
        self._on_reset.append(restore)

    def reset(self) -> None:
        """Return to the initial state."""
        self._set_time(time.time(), self._first_speed)
        self.runs.clear()
        self.faults.clear()
        self.requests.clear()
        self.behaviors.restore()
        for restore in self._on_reset:
            restore()
