"""What Nexthink reports of executions, and how requests stand by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from provider_py.execution.run import Phase, Run
from provider_py.plugin import computed, model

PHASES: Final = {
    "success": Phase.SUCCEEDED,
    "failure": Phase.FAILED,
    "cancelled": Phase.FAILED,
    "expired": Phase.FAILED,
}
QUERY: Final = """workflow.executions during past 30d
| where request_id == $request_id
| list execution_id, request_id, status, status_details, outcome, outcome_details"""
"""The query to save in Nexthink; the call that executes it takes no query text."""
SAVE_QUERY: Final = (
    "Save this query (Administration, NQL API queries), for example with the id #workflow_request_status:"
    f"\n\n{QUERY}\n\nThen set `status_query` here or in the provider's `nexthink` block (NEXTHINK_STATUS_QUERY), "
    "or set wait = false."
)
_WORST_FIRST: Final = ("failure", "expired", "cancelled", "success")
_MESSAGE: Final = 1000


@model
class NexthinkTargetExecution:
    """The execution on one target."""

    execution_id: Annotated[str | None, computed("Id of the execution.")] = None
    status: Annotated[str | None, computed("`success`, `failure`, `in_progress`, `cancelled` or `expired`.")] = None
    status_details: Annotated[str | None, computed("What Nexthink says about the status.")] = None
    outcome: Annotated[str | None, computed("`action_taken`, `no_action_taken`, `failed` or `other`.")] = None
    outcome_details: Annotated[str | None, computed("Text of the workflow's last step.")] = None


@model
class NexthinkRequest:
    """One request and the executions it started."""

    id: Annotated[str | None, computed("Id of the request.")] = None
    execution_ids: Annotated[list[str] | None, computed("Ids of its executions.")] = None


@model
class NexthinkSummary:
    """How many executions stand how."""

    total: Annotated[int | None, computed("All executions.")] = None
    succeeded: Annotated[int | None, computed("Those with the status `success`.")] = None
    failed: Annotated[int | None, computed("Those with the status `failure`.")] = None
    cancelled: Annotated[int | None, computed("Those with the status `cancelled`.")] = None
    expired: Annotated[int | None, computed("Those with the status `expired`.")] = None
    in_progress: Annotated[int | None, computed("Those that have not ended, or are not reported yet.")] = None


@dataclass(frozen=True, slots=True)
class Detail:
    """The executions of one request: the ids it was answered with, and what the status query reports of them."""

    execution_ids: Sequence[str]
    reported: Sequence[NexthinkTargetExecution] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a request besides its id.

    `execution_ids` are empty where the answer to the request was lost; `targets` then says how many there may be at
    most, 0 if that is not known either. `query` is None where no status query is set, `waited` says whether that is a
    reason to give up; `seen` says whether the query
    ever reported the request, `since` when it was started (seconds since the epoch).
    """

    execution_ids: Sequence[str] = ()
    targets: int = 0
    query: str | None = None
    waited: bool = False
    seen: bool = False
    since: float = 0.0


def phase(status: str | None) -> Phase:
    """Return what a status means."""
    return PHASES.get((status or "").lower(), Phase.ACTIVE)


def ended(reported: Sequence[NexthinkTargetExecution]) -> bool:
    """Tell whether all that is reported has ended."""
    return all(phase(each.status).ended for each in reported)


def standing(key: str, reported: Sequence[NexthinkTargetExecution], expected: Sequence[str]) -> Run[Detail]:
    """Validate a request by its executions; as long as rows of expected ones are missing, it is going on."""
    detail = Detail(expected, reported)
    if not reported or not ended(reported) or not {each.execution_id for each in reported}.issuperset(expected):
        going_on = next((each.status for each in reported if not phase(each.status).ended), None)
        return Run(key, going_on or "in_progress", Phase.ACTIVE, detail)
    status = worst(reported)
    return Run(key, status, phase(status), detail, message=complaint(reported))


def worst(executions: Sequence[NexthinkTargetExecution]) -> str:
    """Return the status of ended executions that counts for all of them."""
    return min(((each.status or "").lower() for each in executions), key=_WORST_FIRST.index)


def complaint(executions: Sequence[NexthinkTargetExecution]) -> str | None:
    """Say how many ended badly, and each reason once; None if none did."""
    bad = [each for each in executions if phase(each.status) is Phase.FAILED]
    if not bad:
        return None
    reasons = dict.fromkeys(each.status_details or each.outcome_details for each in bad)
    told = "; ".join(reason for reason in reasons if reason)
    message = f"{len(bad)} of {len(executions)} executions ended badly"
    return f"{message}: {told}"[:_MESSAGE] if told else message


def summary(executions: Sequence[NexthinkTargetExecution]) -> NexthinkSummary:
    """Count executions by how they stand."""
    counts = Counter((each.status or "").lower() for each in executions)
    return NexthinkSummary(
        total=len(executions),
        succeeded=counts["success"],
        failed=counts["failure"],
        cancelled=counts["cancelled"],
        expired=counts["expired"],
        in_progress=len(executions) - sum(counts[status] for status in PHASES),
    )
