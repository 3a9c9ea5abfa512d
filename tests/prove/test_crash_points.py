"""A provider that dies at any moment: how many runs does a wish get, however the next apply comes about?

Each flow is played once to find the points at which a process can die (see `tests.prove.crashing`), then once more for
each of them. What is left after a death, in the journal, in the state and in the system, decides what comes: of all
points that leave the same, one goes on, in every way that `tests.prove.stage.Way` lists. What then happened is compared
with the table of guarantees.
"""

from __future__ import annotations

import inspect
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from provider_py.systems.nexthink.event import EventResource
from tests.prove.cases import Case, Rig, points, ways
from tests.prove.conftest import COUNTS
from tests.prove.flows import FLOWS, Flow
from tests.prove.guarantees import Row
from tests.prove.stage import Way

SEED: Final = 10
_SAMPLE: Final = 9
"""How many points are visited by the test that is not left out."""
_SHARED_BUDGET: Final = " commit requests "
"""The file of the request budget, in which nothing is known of runs; it is visited in the first flow only."""


def plays() -> Iterator[object]:
    for flow in FLOWS:
        for system in flow.systems:
            yield pytest.param(flow, system, id=f"{flow.name}-{system}", marks=_pending(flow))


def _pending(flow: Flow) -> tuple[pytest.MarkDecorator, ...]:
    if flow.name == "event" and "journal" not in inspect.signature(EventResource).parameters:
        return (pytest.mark.xfail(reason="events are not in the journal yet"),)
    return ()


@pytest.mark.prove
@pytest.mark.parametrize(("flow", "system"), list(plays()))
def test_a_wish_gets_the_promised_runs_wherever_its_provider_dies(
    rig: Rig, flow: Flow, system: str, record_property: Callable[[str, object], None]
) -> None:
    found = points(rig, flow, system)
    visited = [point for point in found if flow is FLOWS[0] or _SHARED_BUDGET not in point]
    worlds: dict[str, str] = {}
    problems: list[str] = []
    rows: Counter[Row] = Counter()
    cases = 0
    for way in ways(flow):
        for point in visited if way is Way.KEPT else worlds.values():
            case = Case.play(rig, flow, system, way, point)
            if not case.reached:
                problems.append(f"{way}, {point}: not reached")
            if way is Way.KEPT and worlds.setdefault(case.world, point) is not point:
                continue
            cases += 1
            rows[case.row] += 1
            problems.extend(f"{way}, {point}: {problem}; promised: {case.promise}" for problem in case.recover())
    counts = f"{len(found):4} points, {len(visited):4} visited, {len(worlds):3} worlds, {cases:4} recoveries"
    record_property(COUNTS, f"{flow.name + ', ' + system:42} {counts}, {len(problems)} violations")
    assert problems == []


def test_a_sample_of_the_crash_points(rig: Rig) -> None:
    chance = random.Random(SEED)
    for _ in range(_SAMPLE // 3):
        flow = chance.choice([flow for flow in FLOWS if not _pending(flow) and "devices" not in flow.arguments])
        system = chance.choice(flow.systems)
        for point in chance.sample(points(rig, flow, system), 3):
            way = chance.choice(ways(flow))
            case = Case.play(rig, flow, system, way, point)
            assert case.reached
            assert case.recover() == [], f"{flow.name}, {system}, {way}, {point}"
