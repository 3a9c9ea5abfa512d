"""When a request has ended: polling by the rows of a saved NQL query.

Nexthink has no call that reports a request or an execution. What there is is NQL: a query that the user saves, run with
the ID of a request, returns a row for each execution. That falls short in four ways, and each decides something here:

1. Rows come with a delay of seconds to minutes. "All rows have ended" therefore says nothing as long as rows may be
   missing. The answer to an execute call lists the IDs of its executions, and a request stays active until each of
   them has a row that has ended.
2. Where that answer is not at hand (a run taken over from the journal, or imported), the IDs are not known. If as many
   rows have ended as the request can have at most, it has ended too; otherwise two polls in a row must find the same
   number. That is the best there is, and no guarantee: rows delayed for longer than a poll interval are missed.
3. No rows at all may mean too early or deleted. It counts as deleted only if rows were seen before, by this process or
   by an earlier one (they are in the state), or if the request is older than any delay (`GONE_SECONDS`). How old one of
   an earlier process is, the time of day says; a clock that was set forward since makes it seem older.
4. A query returns about a thousand rows. As long as one of those is active, the request is, so no more need be known.
   Only when all of them have ended and others may exist is an export made (`exports`), which returns all rows. If the
   licence cuts the export short as well, the end cannot be seen, and polling gives up rather than guess.

One request stands for many executions, so their statuses are condensed to one: the worst.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from nexthink_client import api, models

from provider_py.execution import Missing, Phase, Refused, Run, SystemFault, Unanswered, readable
from provider_py.plugin import attributes, computed, model, shorten
from provider_py.systems.nexthink.config import SYSTEM
from provider_py.systems.nexthink.connection import Nexthink
from provider_py.systems.nexthink.exports import Exports

PHASES: Final = {
    "success": Phase.SUCCEEDED,
    "failure": Phase.FAILED,
    "cancelled": Phase.FAILED,
    "expired": Phase.FAILED,
}
QUERY: Final = """workflow.executions during past 30d
| where request_id == $request_id
| list execution_id, request_id, status, status_details, outcome, outcome_details"""
"""The query to save in Nexthink: the API runs saved queries only."""
HOW_TO_SAVE: Final = (
    "Save this query (Administration, NQL API queries), for example with the ID #workflow_request_status:"
    f"\n\n{QUERY}\n\nThen set `status_query` here or in the provider's `nexthink` block (NEXTHINK_STATUS_QUERY), "
    "or set wait = false."
)
ROWS: Final = 1000
"""About how many rows a query returns at most. The vendor gives no number, so half as many may be all it returns."""
GONE_SECONDS: Final = 3600.0
"""How long after its start a request may have no rows; later it counts as deleted."""
_WORST_FIRST: Final = ("failure", "expired", "cancelled", "success")
_MESSAGE_LENGTH: Final = 1000


@model
class NexthinkTargetExecution:
    """The execution on one target."""

    execution_id: Annotated[str | None, computed("ID of the execution.")] = None
    status: Annotated[
        str | None,
        computed("Status of the execution: `success`, `failure`, `in_progress`, `cancelled` or `expired`."),
    ] = None
    status_details: Annotated[str | None, computed("Explanation of the status.")] = None
    outcome: Annotated[
        str | None, computed("Outcome of the execution: `action_taken`, `no_action_taken`, `failed` or `other`.")
    ] = None
    outcome_details: Annotated[str | None, computed("Text returned by the last step of the workflow.")] = None


class Detail(NamedTuple):
    """The executions of a request: the IDs in the answer to its start, and the rows that are known."""

    execution_ids: Sequence[str]
    reported: Sequence[NexthinkTargetExecution] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a request besides its ID, to conclude from rows.

    `execution_ids` are empty where the answer to the start was lost; then `max_executions` is how many executions
    there are at most, 0 if that is not known either. Without a `query`, polling fails if the run is `awaited`. `seen`:
    there were rows before; `sent_at`: when it was sent, in seconds of the monotonic clock, by default long ago.
    """

    execution_ids: Sequence[str] = ()
    max_executions: int = 0
    query: str | None = None
    awaited: bool = False
    seen: bool = False
    sent_at: float = -math.inf


class RequestPoller:
    """Polls the requests of one process."""

    def __init__(self, nexthink: Nexthink) -> None:
        self._nexthink = nexthink
        self._exports = Exports(nexthink)
        self._expected: dict[str, Expected] = {}
        self._row_counts: dict[str, int] = {}
        self._seen: set[str] = set()

    def expect(self, request_id: str, expected: Expected) -> None:
        """Learn what polling a request needs; what was learned of its executions first stays."""
        earlier = self._expected.get(request_id, expected)
        self._expected[request_id] = dataclasses.replace(earlier, query=expected.query, awaited=expected.awaited)

    async def poll(self, request_ids: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
        """Return each request's state or fault; requests that Nexthink has no record of are left out."""
        runs = await asyncio.gather(*(self._poll(request_id) for request_id in request_ids))
        return {key: run for key, run in zip(request_ids, runs, strict=True) if run is not None}

    async def _poll(self, request_id: str) -> Run[Detail] | SystemFault | None:
        imported = Expected(query=self._nexthink.settings.status_query, awaited=True)
        expected = self._expected.get(request_id, imported)
        if expected.query is None and expected.awaited:
            return Refused(SYSTEM, "no status query is set, and nothing else reports executions", advice=HOW_TO_SAVE)
        if expected.query is None:
            return _in_progress(request_id, expected)
        try:
            return await self._poll_query(request_id, expected, expected.query)
        except Missing as fault:
            return Missing(SYSTEM, fault.reason, advice=f"Check that the saved query {expected.query!r} exists.")
        except SystemFault as fault:
            return fault

    async def _poll_query(self, request_id: str, expected: Expected, query: str) -> Run[Detail] | None:
        reported: Sequence[NexthinkTargetExecution] = ()
        pending = self._exports.is_pending(request_id)
        if not pending:
            reported = await run_status_query(self._nexthink, query, request_id)
        if pending or _may_have_more(reported, expected):
            return await self._poll_export(request_id, expected, query, reported)
        if not reported and self._is_gone(request_id, expected):
            return None
        if reported:
            self._seen.add(request_id)
        previous, self._row_counts[request_id] = self._row_counts.get(request_id), len(reported)
        run = request_state(request_id, reported, expected.execution_ids)
        settled = expected.execution_ids or len(reported) >= expected.max_executions or previous == len(reported)
        return run if settled else _in_progress(request_id, expected, reported)

    async def _poll_export(
        self, request_id: str, expected: Expected, query: str, reported: Sequence[NexthinkTargetExecution]
    ) -> Run[Detail]:
        export = await self._exports.get(request_id, query)
        if export is None:
            return _in_progress(request_id, expected, reported)
        exported = [target_execution(row) for row in export.rows]
        run = request_state(request_id, exported, expected.execution_ids)
        if export.partial and all_ended(exported) and not (run.phase.ended and expected.execution_ids):
            raise Refused(
                SYSTEM,
                f"the export of the status query holds {len(exported)} rows only, because of the licence, so the "
                "other executions of the request cannot be followed",
                advice="Run on fewer targets at a time, or set wait = false.",
            )
        return run

    def _is_gone(self, request_id: str, expected: Expected) -> bool:
        age = self._nexthink.runtime.clock.monotonic() - expected.sent_at
        return expected.seen or request_id in self._seen or age > GONE_SECONDS


async def run_status_query(nexthink: Nexthink, query: str, request_id: str) -> Sequence[NexthinkTargetExecution]:
    """Return the rows of a request, about a thousand at most. Raises SystemFault."""
    with readable(SYSTEM, "the status query"):
        parameters = models.NqlRequestParameters()
        parameters["request_id"] = request_id
        body = models.NqlRequest(query_id=query, parameters=parameters)
        answer = await api.nql.execute_nql_query.asyncio(client=nexthink.client, body=body, x_utc_times=True)
        if not isinstance(answer, models.NqlResponse):
            raise Unanswered(SYSTEM, "the status query was answered without rows")
        return [target_execution(row.additional_properties) for row in answer.data]


def target_execution(row: Mapping[str, object]) -> NexthinkTargetExecution:
    """Read a row of the status query; a field that the query does not list stays null."""
    fields = attributes(NexthinkTargetExecution)
    return NexthinkTargetExecution(**{name: None if row.get(name) is None else str(row[name]) for name in fields})


def phase(status: str | None) -> Phase:
    """Return the meaning of a status; an unknown one means active."""
    return PHASES.get((status or "").lower(), Phase.ACTIVE)


def request_state(
    request_id: str, reported: Sequence[NexthinkTargetExecution], execution_ids: Sequence[str]
) -> Run[Detail]:
    """Condense the executions of a request; it is active until all of `execution_ids` are reported and have ended."""
    detail = Detail(execution_ids, reported)
    if not reported or not all_ended(reported) or _missing(reported, execution_ids):
        active = next((row.status for row in reported if not phase(row.status).ended), None)
        return Run(request_id, active or "in_progress", Phase.ACTIVE, detail)
    status = worst_status(reported)
    return Run(request_id, status, phase(status), detail, message=failure_message(reported))


def all_ended(executions: Sequence[NexthinkTargetExecution]) -> bool:
    """Whether none of the executions is active."""
    return all(phase(execution.status).ended for execution in executions)


def worst_status(executions: Sequence[NexthinkTargetExecution]) -> str:
    """Return the status that stands for executions that have all ended."""
    return min(((execution.status or "").lower() for execution in executions), key=_WORST_FIRST.index)


def failure_message(executions: Sequence[NexthinkTargetExecution]) -> str | None:
    """Return how many executions failed, and each distinct reason; None if none failed."""
    failed = [execution for execution in executions if phase(execution.status) is Phase.FAILED]
    if not failed:
        return None
    reasons = dict.fromkeys(execution.status_details or execution.outcome_details for execution in failed)
    text = "; ".join(reason for reason in reasons if reason)
    message = f"{len(failed)} of {len(executions)} executions failed"
    return shorten(f"{message}: {text}", _MESSAGE_LENGTH) if text else message


def _in_progress(request_id: str, expected: Expected, reported: Sequence[NexthinkTargetExecution] = ()) -> Run[Detail]:
    return Run(request_id, "in_progress", Phase.ACTIVE, Detail(expected.execution_ids, reported))


def _missing(reported: Sequence[NexthinkTargetExecution], execution_ids: Sequence[str]) -> bool:
    return not {execution.execution_id for execution in reported}.issuperset(execution_ids)


def _may_have_more(reported: Sequence[NexthinkTargetExecution], expected: Expected) -> bool:
    """Whether all rows have ended and others may be beyond the limit of a query."""
    if not reported or not all_ended(reported):
        return False
    if not expected.execution_ids:
        return len(reported) >= ROWS
    large = len(expected.execution_ids) > ROWS or len(reported) >= ROWS // 2
    return large and _missing(reported, expected.execution_ids)
