"""Measuring two ways of doing the same thing against each other, in turns, on the same machine and minute."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """Seconds each side took, round by round."""

    name: str
    ours: list[float]
    reference: list[float]

    @property
    def line(self) -> str:
        """Both medians and their ratio; below 1 is quicker than the reference."""
        ours, reference = statistics.median(self.ours), statistics.median(self.reference)
        return f"{self.name:<24} {ours * 1000:>9.0f} ms {reference * 1000:>9.0f} ms {ours / reference:>8.2f}"


HEADING = f"{'':<24} {'workflow':>12} {'tf 1.2.0':>12} {'ratio':>8}"


def compare(name: str, rounds: int, ours: Callable[[], float], reference: Callable[[], float]) -> Comparison:
    """Measure both, one after the other, `rounds` times; the first round warms caches and is dropped."""
    measured = [(ours(), reference()) for _ in range(rounds + 1)][1:]
    return Comparison(name, [one for one, _ in measured], [other for _, other in measured])


def seconds(work: Callable[[], object]) -> float:
    """Return how long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
