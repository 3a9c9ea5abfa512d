"""The state of a request, condensed from the rows of the status query."""

from __future__ import annotations

import pytest

from provider_py.execution import Phase, Run
from provider_py.systems.nexthink.execution import summarize
from provider_py.systems.nexthink.polling import Detail, NexthinkTargetExecution, request_state


def row(execution_id: str, status: str, **fields: str) -> NexthinkTargetExecution:
    return NexthinkTargetExecution(execution_id=execution_id, status=status, **fields)


def state(execution_ids: str, *rows: NexthinkTargetExecution) -> Run[Detail]:
    return request_state("request-1", rows, execution_ids.split())


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
def test_worst_status_stands_for_all_executions(statuses: str, status: str, phase: Phase) -> None:
    words = statuses.split()
    names = [f"e{number}" for number in range(len(words))]
    run = state(" ".join(names), *(row(*pair) for pair in zip(names, words, strict=True)))
    assert (run.id, run.status, run.phase) == ("request-1", status, phase)
    assert run.detail.execution_ids == names
    assert [execution.status for execution in run.detail.reported] == words


def test_request_without_rows_is_active() -> None:
    run = state("e0 e1")
    assert (run.status, run.phase) == ("in_progress", Phase.ACTIVE)


def test_request_with_missing_rows_is_active() -> None:
    run = state("e0 e1", row("e0", "success"))
    assert (run.status, run.phase) == ("in_progress", Phase.ACTIVE)


def test_row_without_status_keeps_the_request_active() -> None:
    run = state("e0", NexthinkTargetExecution(execution_id="e0"))
    assert (run.status, run.phase) == ("in_progress", Phase.ACTIVE)


def test_rows_alone_decide_if_no_execution_is_expected() -> None:
    assert state("", row("e0", "success")).phase is Phase.SUCCEEDED


def test_summary_counts_executions_by_status() -> None:
    words = ["success", "success", "failure", "expired", "cancelled", "in_progress", "waiting_on_moon"]
    summary = summarize([*(row(f"e{n}", word) for n, word in enumerate(words)), NexthinkTargetExecution()])
    assert (summary.total, summary.succeeded, summary.failed, summary.expired, summary.cancelled) == (8, 2, 1, 1, 1)
    assert summary.in_progress == 3


def test_failure_message_counts_failures_and_lists_each_reason_once() -> None:
    run = state(
        "e0 e1 e2 e3",
        row("e0", "failure", status_details="disk full"),
        row("e1", "expired", outcome_details="device is away"),
        row("e2", "failure", status_details="disk full"),
        row("e3", "success", outcome_details="Done"),
    )
    assert run.message == "3 of 4 executions failed: disk full; device is away"


def test_failure_message_without_a_reason() -> None:
    assert state("e0", row("e0", "failure")).message == "1 of 1 executions failed"


def test_success_has_no_message() -> None:
    assert state("e0", row("e0", "success", status_details="fine")).message is None


def test_long_failure_message_is_truncated() -> None:
    rows = [row(f"e{n}", "failure", status_details=f"reason {n} {'x' * 100}") for n in range(50)]
    assert len(str(state(" ".join(f"e{n}" for n in range(50)), *rows).message)) == 1000
