"""States of many executions with few requests, and executions read as runs.

Asking for each waiting execution is one request per run and interval, and a hundred runs would be a hundred requests.
The list of a workflow's executions has them all, but neither outputs nor reasons of failures, and nothing says that it
is up to date: a server may go on listing as running what has long ended. Trusting it alone could wait forever.

So where several executions of one workflow are polled, the list is read once, and an execution is read singly only
 - if the list shows that it has ended, for its outputs,
 - if the list does not have it, or
 - in turn: one that the list shows as running is read with each poll, as a sample.
A list that shows as running what was read as ended lags behind; it is not asked for again. A list that may not be read
is done without.

Not guaranteed: the sample finds a list that lags after as many polls as it has running executions, not at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeAlias

from vcd_client import api, models

from provider_py.execution import Missing, Phase, Refused, Run, SystemFault, Unauthorized, readable, rfc3339
from provider_py.systems.vcd import lookup, values
from provider_py.systems.vcd.answers import elements, expect
from provider_py.systems.vcd.config import SYSTEM
from provider_py.systems.vcd.connection import CloudDirector

log = logging.getLogger(__name__)

BATCH: Final = 500
"""How many executions are polled together: those of one workflow need one request."""
MAX_CONCURRENT_READS: Final = 10
"""How many single executions are read at once."""
LIST_REQUEST: Final = "the list of executions"
PHASES: Final = {
    "completed": Phase.SUCCEEDED,
    "failed": Phase.FAILED,
    "canceled": Phase.FAILED,
    "cancelled": Phase.FAILED,
    "waiting": Phase.HELD,
    "suspended": Phase.HELD,
}
"""By the letters of the state alone: versions spell it with different case, hyphens and underscores."""
_HELD_MESSAGES: Final = {
    "waiting": "It waits for a user interaction, which Cloud Director's API cannot answer: answer in Orchestrator.",
    "suspended": "It is suspended: resume it in Orchestrator.",
}


class Detail(NamedTuple):
    """What only a Cloud Director execution has."""

    workflow_id: str
    outputs: Mapping[str, object] | None = None
    current_item: str | None = None


Answer: TypeAlias = Run[Detail] | SystemFault | None
"""What polling one execution resulted in; None: it does not exist."""


class ExecutionReader:
    """Polls executions; remembers which were read as ended, and which workflows' lists lag behind."""

    def __init__(self, director: CloudDirector) -> None:
        self._director = director
        self._semaphore = asyncio.Semaphore(MAX_CONCURRENT_READS)
        self._ended: defaultdict[str, set[str]] = defaultdict(set)
        self._lagging: set[str] = set()
        self._sample = 0

    async def poll(self, keys: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
        """Return runs or faults by key, `<workflow id>/<execution id>`; executions that do not exist are left out."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for key in keys:
            workflow, _, identifier = key.rpartition("/")
            groups[workflow].append(identifier)
        answers = await asyncio.gather(*(self._poll_workflow(*group) for group in groups.items()))
        return {key: answer for group in answers for key, answer in group.items() if answer is not None}

    async def read_all(self, workflow: str, identifiers: Sequence[str]) -> Sequence[models.WsWorkflowExecution]:
        """Read executions of one workflow as they are answered; raises SystemFault if one cannot be read."""

        async def read(identifier: str) -> models.WsWorkflowExecution:
            async with self._semaphore:
                return await read_execution(self._director, workflow, identifier)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(read(identifier)) for identifier in identifiers]
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _poll_workflow(self, workflow: str, identifiers: Sequence[str]) -> Mapping[str, Answer]:
        running = await self._list_running(workflow) if len(identifiers) > 1 else {}
        if isinstance(running, SystemFault):
            return {f"{workflow}/{identifier}": running for identifier in identifiers}
        answers: dict[str, Answer] = {
            identifier: running[identifier] for identifier in identifiers if identifier in running
        }
        singly = [identifier for identifier in identifiers if identifier not in answers]
        if answers:
            self._sample += 1
            singly.append(list(answers)[self._sample % len(answers)])
        reads = await asyncio.gather(*(self._read(workflow, identifier) for identifier in singly))
        answers.update(zip(singly, reads, strict=True))
        self._ended[workflow].update(
            identifier
            for identifier, read in zip(singly, reads, strict=True)
            if isinstance(read, Run) and read.phase.ended
        )
        return {f"{workflow}/{identifier}": answer for identifier, answer in answers.items()}

    async def _list_running(self, workflow: str) -> Mapping[str, Run[Detail]] | SystemFault:
        """Return the executions that the list shows as running; none where the list is of no use."""
        if workflow in self._lagging:
            return {}
        try:
            listed = await self._list(workflow)
        except Refused:
            return {}
        except SystemFault as fault:
            return fault
        running = {key: run for key, run in listed.items() if run.status is not None and not run.phase.ended}
        if self._ended[workflow] & running.keys():
            log.warning("the list of executions of %s lags behind: reading each execution instead", workflow)
            self._lagging.add(workflow)
            return {}
        return running

    async def _list(self, workflow: str) -> Mapping[str, Run[Detail]]:
        with readable(SYSTEM, LIST_REQUEST):
            answer = await api.workflows.get_all_workflow_executions.asyncio(workflow, client=self._director.client)
            listed = elements(expect(answer, models.PresentationExecutionsList, LIST_REQUEST).executions)
            return {
                str(execution.id): _run(self._director, execution, _status(execution.state), Detail(workflow), None)
                for execution in listed
            }

    async def _read(self, workflow: str, identifier: str) -> Answer:
        async with self._semaphore:
            try:
                return await self._read_execution(workflow, identifier)
            except Missing:
                return await self._read_by_urn(workflow, identifier)
            except Unauthorized as fault:
                return await self._hidden_or_missing(workflow, identifier, fault)
            except SystemFault as fault:
                return fault

    async def _read_execution(self, workflow: str, identifier: str) -> Run[Detail]:
        client = self._director.client
        with readable(SYSTEM, "the execution"):
            execution = await read_execution(self._director, workflow, identifier)
            status = _status(execution.state)
            if status is None:
                answer = await api.workflows.get_workflow_execution_state.asyncio(workflow, identifier, client=client)
                status = _status(answer)
                if phase(status).ended:  # perhaps only since the execution was read, which then lacks its outputs
                    execution = await read_execution(self._director, workflow, identifier)
            return run_of(self._director, workflow, execution, status)

    async def _read_by_urn(self, workflow: str, identifier: str) -> Answer:
        """Read an execution by the URN of its workflow, where an import named the workflow by another ID."""
        try:
            item = None if workflow.startswith(lookup.URN) else await lookup.item_with_id(self._director, workflow)
            if item is None or item.id == workflow:
                return None
            return await self._read_execution(item.id, identifier)
        except Missing:
            return None
        except SystemFault as fault:
            return fault

    async def _hidden_or_missing(self, workflow: str, identifier: str, fault: Unauthorized) -> Answer:
        """Tell apart what does not exist and what is forbidden: 403 may mean either, but the list has what exists."""
        try:
            listed = await self._list(workflow)
        except Unauthorized:
            return await self._read_by_urn(workflow, identifier) or fault
        except SystemFault:
            return fault
        return fault if identifier in listed else None


def phase(status: str | None) -> Phase:
    """Return the meaning of a state; one that is unknown means that the run is still active."""
    return PHASES.get("".join(filter(str.isalpha, (status or "").lower())), Phase.ACTIVE)


async def read_execution(director: CloudDirector, workflow: str, identifier: str) -> models.WsWorkflowExecution:
    """Read one execution as it is answered."""
    answer = await api.workflows.get_workflow_execution.asyncio(workflow, identifier, client=director.client)
    return expect(answer, models.WsWorkflowExecution, "the execution")


def run_of(
    director: CloudDirector,
    workflow: str,
    execution: models.WsWorkflowExecution,
    status: str | None = None,
) -> Run[Detail]:
    """Convert an execution; `status` is its state if the execution has none."""
    outputs = {
        str(parameter.name): values.decode(parameter.to_dict().get("value"))
        for parameter in elements(execution.output_parameters)
        if not lookup.is_internal(parameter)
    }
    detail = Detail(workflow, outputs, execution.current_item_display_name or None)
    return _run(director, execution, _status(execution.state) or status, detail, execution.content_exception or None)


def _run(
    director: CloudDirector,
    execution: models.WsWorkflowExecution | models.ExecutionSummary,
    status: str | None,
    detail: Detail,
    failure: str | None,
) -> Run[Detail]:
    return Run(
        id=str(execution.id),
        status=status,
        phase=phase(status),
        detail=detail,
        message=failure or _HELD_MESSAGES.get((status or "").lower()),
        url=f"{director.config.address}/cloudapi/workflows/{detail.workflow_id}/executions/{execution.id}",
        started_at=_date(execution.start_date),
        ended_at=_date(execution.end_date),
    )


def _status(state: object) -> str | None:
    """Return the word of a state: bare, or in the `state` or `value` of an object."""
    if isinstance(state, models.ExecutionStateObject):
        state = state.to_dict()
    if isinstance(state, Mapping):
        state = state.get("state") or state.get("value")
    return state if isinstance(state, str) and state else None


def _date(date: object) -> str | None:
    """Convert a date, whose offset may have a colon, lack one or be missing; without one it is UTC."""
    try:
        moment = datetime.fromisoformat(str(date))
    except ValueError:
        return None
    return rfc3339(moment if moment.tzinfo else moment.replace(tzinfo=UTC), "milliseconds")
