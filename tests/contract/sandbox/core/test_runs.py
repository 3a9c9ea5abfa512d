"""A run's course over the clock."""

from __future__ import annotations

import pytest

from provider_py.sandbox.runs import Phase, Run, RunBook, Script


def run(**more: object) -> Run:
    made = Run("r", "vcd", "wf", ("name",), started_at=100.0, seconds=10.0)
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("made", "now", "phase", "ended"),
    [
        (run(), 109.9, Phase.RUNNING, None),
        (run(), 110.0, Phase.SUCCEEDED, 110.0),
        (run(ending="failure"), 111.0, Phase.FAILED, 110.0),
        (run(ending="EXPIRED"), 111.0, Phase.FAILED, 110.0),
        (run(queue_seconds=5.0), 104.0, Phase.QUEUED, None),
        (run(queue_seconds=5.0), 114.0, Phase.RUNNING, None),
        (run(hold="PAUSED"), 500.0, Phase.HELD, None),
        (run(hold="PAUSED", hold_at=105.0), 104.0, Phase.RUNNING, None),
        (run(hold="PAUSED", hold_at=105.0), 111.0, Phase.HELD, None),
        (run(cancelled_at=105.0), 104.0, Phase.RUNNING, None),
        (run(cancelled_at=105.0), 111.0, Phase.CANCELLED, 105.0),
        (run(cancelled_at=105.0, hold="PAUSED"), 105.0, Phase.CANCELLED, 105.0),
        (run(cancelled_at=115.0), 120.0, Phase.SUCCEEDED, 110.0),
    ],
)
def test_phase_follows_the_clock(made: Run, now: float, phase: Phase, ended: float | None) -> None:
    assert (made.phase(now), made.ended_at(now)) == (phase, ended)


def test_released_run_continues_where_it_stopped() -> None:
    made = run(hold="PAUSED", hold_at=104.0)

    made.release(200.0)

    assert made.active_seconds(200.0) == 4.0
    assert (made.phase(205.9), made.ended_at(206.0)) == (Phase.RUNNING, 206.0)


def test_finished_run_ends_at_once() -> None:
    made = run(hold="PAUSED", ending="failure")

    made.finish(103.0)

    assert (made.phase(103.0), made.ended_at(300.0)) == (Phase.FAILED, 103.0)


def test_finishing_an_ended_run_changes_nothing() -> None:
    made = run()

    made.finish(200.0)

    assert made.ended_at(200.0) == 110.0


def test_scripts_apply_to_matching_runs_in_order() -> None:
    book = RunBook(lambda: 0.0, 2.0)
    book.scripts += [
        Script("vcd", "other", seconds=9.0),
        Script("vcd", "name", ending="failure", times=2),
        Script("vcd", hold="waiting", times=None),
    ]

    runs = [book.start("vcd", "wf", ("name",), str(number)) for number in range(4)]
    elsewhere = book.start("harness", "wf", ("name",), "h")

    assert [(made.ending, made.hold) for made in runs] == [("failure", None)] * 2 + [("success", "waiting")] * 2
    assert (elsewhere.seconds, elsewhere.ending, elsewhere.hold) == (2.0, "success", None)


def test_ended_run_cannot_be_cancelled() -> None:
    book = RunBook(lambda: 0.0, 2.0)
    made = book.start("vcd", "wf", (), "r")

    book.cancel("r", 3.0)

    assert made.phase(3.0) is Phase.SUCCEEDED
