"""How a request stands, judged by what the status query reports of its executions."""

from __future__ import annotations

import pytest

from provider_py.execution.run import Phase, Run
from provider_py.systems.nexthink import reports
from provider_py.systems.nexthink.reports import Detail, NexthinkTargetExecution


def row(identifier: str, status: str, **more: str) -> NexthinkTargetExecution:
    return NexthinkTargetExecution(execution_id=identifier, status=status, **more)


def standing(expected: str, *rows: NexthinkTargetExecution) -> Run[Detail]:
    return reports.standing("request-1", rows, expected.split())


@pytest.mark.parametrize(
    ("statuses", "status", "phase"),
    [
        ("success", "success", Phase.SUCCEEDED),
        ("success success", "success", Phase.SUCCEEDED),
        ("SUCCESS", "success", Phase.SUCCEEDED),
        ("success failure", "failure", Phase.FAILED),
        ("success cancelled", "cancelled", Phase.FAILED),
        ("success expired cancelled", "expired", Phase.FAILED),
        ("cancelled failure expired", "failure", Phase.FAILED),
        ("failure in_progress", "in_progress", Phase.ACTIVE),
        ("success waiting_on_moon", "waiting_on_moon", Phase.ACTIVE),
    ],
)
def test_one_word_for_many_executions(statuses: str, status: str, phase: Phase) -> None:
    words = statuses.split()
    names = [f"e{number}" for number in range(len(words))]
    run = standing(" ".join(names), *(row(*pair) for pair in zip(names, words, strict=True)))
    assert (run.id, run.status, run.phase) == ("request-1", status, phase)
    assert run.detail.execution_ids == names
    assert [each.status for each in run.detail.reported] == words


def test_no_row_yet() -> None:
    run = standing("e0 e1")
    assert (run.status, run.phase) == ("in_progress", Phase.ACTIVE)


def test_rows_that_lag_behind_keep_the_request_going() -> None:
    run = standing("e0 e1", row("e0", "success"))
    assert (run.status, run.phase) == ("in_progress", Phase.ACTIVE)


def test_a_row_without_a_status_keeps_the_request_going() -> None:
    run = standing("e0", NexthinkTargetExecution(execution_id="e0"))
    assert (run.status, run.phase) == ("in_progress", Phase.ACTIVE)


def test_what_is_reported_is_believed_where_nothing_is_expected() -> None:
    assert standing("", row("e0", "success")).phase is Phase.SUCCEEDED


def test_executions_are_counted_by_how_they_stand() -> None:
    words = ["success", "success", "failure", "expired", "cancelled", "in_progress", "waiting_on_moon"]
    found = reports.summary([*(row(f"e{n}", word) for n, word in enumerate(words)), NexthinkTargetExecution()])
    assert (found.total, found.succeeded, found.failed, found.expired, found.cancelled) == (8, 2, 1, 1, 1)
    assert found.in_progress == 3


def test_the_message_counts_and_gives_each_reason_once() -> None:
    run = standing(
        "e0 e1 e2 e3",
        row("e0", "failure", status_details="disk full"),
        row("e1", "expired", outcome_details="device is away"),
        row("e2", "failure", status_details="disk full"),
        row("e3", "success", outcome_details="Done"),
    )
    assert run.message == "3 of 4 executions ended badly: disk full; device is away"


def test_a_bad_end_without_a_reason() -> None:
    assert standing("e0", row("e0", "failure")).message == "1 of 1 executions ended badly"


def test_a_good_end_needs_no_message() -> None:
    assert standing("e0", row("e0", "success", status_details="fine")).message is None


def test_a_message_of_many_reasons_is_cut() -> None:
    rows = [row(f"e{n}", "failure", status_details=f"reason {n} {'x' * 100}") for n in range(50)]
    assert len(str(standing(" ".join(f"e{n}" for n in range(50)), *rows).message)) == 1000
