"""Executions as Cloud Director answers them, read as looks at runs. Imported on first use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from vcd_client.models import ExecutionStateObject, ExecutionSummary, WsWorkflowExecution

from provider_py.execution.run import Run
from provider_py.systems.vcd import values
from provider_py.systems.vcd.execution import Detail, phase
from provider_py.systems.vcd.presentation import each_of, is_own
from provider_py.systems.vcd.system import CloudDirector

_HELD: Final = {
    "waiting": "It waits for a person's answer, which Cloud Director's API cannot give: answer in Orchestrator.",
    "suspended": "It is suspended: resume it in Orchestrator.",
}


def word(state: Any) -> str | None:
    """Return a state's word, bare or in an object's `state` or `value`; None if there is none."""
    if isinstance(state, ExecutionStateObject):
        state = state.to_dict()
    if isinstance(state, Mapping):
        state = state.get("state") or state.get("value")
    return state if isinstance(state, str) and state else None


def run_of(
    director: CloudDirector,
    workflow: str,
    execution: WsWorkflowExecution,
    *,
    status: str | None = None,
    task: str | None = None,
) -> Run[Detail]:
    """Read an execution; `status` is its state where the execution is silent about it."""
    outputs = {
        str(each.name): values.decode(each.to_dict().get("value"))
        for each in each_of(execution.output_parameters)
        if not is_own(each)
    }
    detail = Detail(workflow, outputs, execution.current_item_display_name or None, task)
    return _run(director, execution, word(execution.state) or status, detail, execution.content_exception or None)


def run_in_list(director: CloudDirector, workflow: str, summary: ExecutionSummary) -> Run[Detail]:
    """Read an execution in the list, which tells neither outputs nor reason."""
    return _run(director, summary, word(summary.state), Detail(workflow), None)


def _run(
    director: CloudDirector,
    record: WsWorkflowExecution | ExecutionSummary,
    status: str | None,
    detail: Detail,
    reason: str | None,
) -> Run[Detail]:
    address = f"{director.settings.address}/cloudapi/workflows/{detail.workflow_id}/executions/{record.id}"
    return Run(
        id=str(record.id),
        status=status,
        phase=phase(status),
        detail=detail,
        message=reason or _HELD.get((status or "").lower()),
        url=address,
        started_at=_rfc3339(record.start_date),
        ended_at=_rfc3339(record.end_date),
    )


def _rfc3339(date: object) -> str | None:
    """Rewrite a date of Cloud Director, whose offset comes with or without a colon."""
    try:
        moment = datetime.fromisoformat(str(date))
    except ValueError:
        return None
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return known.isoformat(timespec="milliseconds").replace("+00:00", "Z")
