"""The model in two sizes: samples that are the same each time, and as many histories as a proof takes."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.prove.histories import Histories

SAMPLES = 60
PARTS, HISTORIES = 20, 600


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log nothing: a history is what Hypothesis prints of it."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def run(number: int, histories: int, steps: int, *, shortest: bool = True) -> None:
    """Run histories that follow from a number; `shortest`: a failing one is made as short as it goes."""
    sizes = settings(
        max_examples=histories,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        phases=[Phase.generate, *([Phase.shrink] if shortest else [])],
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(seed(number)(Histories), settings=sizes)


def test_samples_of_the_model() -> None:
    run(1, SAMPLES, 20)


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
def test_the_model(part: int) -> None:
    run(part + 2, HISTORIES, 40)
