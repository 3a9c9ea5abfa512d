"""The state all simulated systems share: clock, runs, faults, recorded requests, switches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from provider_py.sandbox.behaviours import Behaviours
from provider_py.sandbox.faults import FaultBook
from provider_py.sandbox.runs import Phase, Run, RunBook, Script

__all__ = ["Phase", "RecordedRequest", "Run", "RunBook", "Script", "World"]


@dataclass(slots=True)
class RecordedRequest:
    """A request one of the systems got; `status` is None while, or for ever if, it is not answered."""

    system: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: object
    status: int | None
    at: float


class World:
    """One sandbox's state; `clock` gives epoch seconds, `speed` how many of them pass in a real one."""

    def __init__(self, run_seconds: float = 2.0, speed: float = 1.0, timer: Callable[[], float] = time.monotonic):
        """Begin at the real time of day; `timer` gives real seconds that never go back."""
        self._timer = timer
        self._first_speed = speed
        self._set_time(time.time(), speed)
        self.runs = RunBook(self.clock, run_seconds)
        self.faults = FaultBook()
        self.requests: list[RecordedRequest] = []
        self.behaviours = Behaviours()
        self._on_reset: list[Callable[[], None]] = []

    def _set_time(self, base: float, speed: float) -> None:
        self._base, self._since, self._speed = base, self._timer(), speed

    def clock(self) -> float:
        """Now, in epoch seconds."""
        return self._base + (self._timer() - self._since) * self._speed

    @property
    def speed(self) -> float:
        """How many seconds of the clock pass in a real one."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._set_time(self.clock(), speed)

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._base += seconds

    def on_reset(self, restore: Callable[[], None]) -> None:
        """Have a system's own state restored by every reset."""
        self._on_reset.append(restore)

    def reset(self) -> None:
        """Go back to the first state."""
        self._set_time(time.time(), self._first_speed)
        self.runs.clear()
        self.faults.clear()
        self.requests.clear()
        self.behaviours.restore()
        for restore in self._on_reset:
            restore()
