"""Starting an execution, finding one whose start was not answered, cancelling one. Imported on first use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from vcd_client.api.workflows import (
    cancel_workflow_execution,
    get_all_workflow_executions,
    get_workflow_execution,
    start_workflow_execution,
)
from vcd_client.models import ExecutionContext, PresentationExecutionsList, WsParameter, WsWorkflowExecution
from vcd_client.types import Response

from provider_py.execution.connection import readable
from provider_py.execution.errors import Refused, Unanswered
from provider_py.execution.run import Phase, Run
from provider_py.systems.vcd import values
from provider_py.systems.vcd.execution import Detail
from provider_py.systems.vcd.preparing import Request
from provider_py.systems.vcd.presentation import each_of
from provider_py.systems.vcd.records import run_of
from provider_py.systems.vcd.settings import SYSTEM
from provider_py.systems.vcd.spelling import is_about_kinds, shortened
from provider_py.systems.vcd.system import CloudDirector

CLOCK_SKEW_SECONDS: Final = 300
"""How far the clocks of this machine and of Cloud Director may be apart, where an answer does not tell its time."""
AGE_SECONDS: Final = 5
"""How much older an execution may be than the intent to start it: answers tell their time in whole seconds."""


class Unnamed(Unanswered):
    """The start was accepted and the execution not named: it has to be searched for. `task` is a task's address."""

    def __init__(self, task: str | None) -> None:
        """Keep the task beside the reason."""
        tracked = f" (its task is {task})" if task else ""
        super().__init__(SYSTEM, f"the start was accepted without naming the execution{tracked}")
        self.task = task


async def start(director: CloudDirector, request: Request) -> Run[Detail]:
    """Send the start, once; raises Unnamed where the answer does not tell which execution it began.

    The answer is an execution (201) or nothing (202), and one of two headers may name a task or the execution.
    """
    with readable(SYSTEM, "the start"):
        answer = await _accepted(director, request)
        location = str(answer.headers.get("location", ""))
        task = _task(str(answer.headers.get("x-vmware-vcloud-task-location", ""))) or _task(location)
        execution = answer.parsed
        if isinstance(execution, WsWorkflowExecution) and execution.id:
            return run_of(director, request.workflow_id, execution, task=task)
    named = re.search(r"/executions/([^/?#]+)", location)
    if named:
        return Run(named[1], "initializing", Phase.ACTIVE, Detail(request.workflow_id, task_url=task))
    raise Unnamed(task)


def _task(address: str) -> str | None:
    return address if "/api/task/" in address else None


async def _accepted(director: CloudDirector, request: Request) -> Response[object]:
    """Send the start; a server that refuses how the kinds of values are spelled has started nothing."""
    try:
        return await _send(director, request, short=director.short_kinds)
    except Refused as fault:
        if director.short_kinds or not is_about_kinds(fault):
            raise
        refused = fault
    try:
        answer = await _send(director, request, short=True)
    except Refused as fault:
        raise refused if is_about_kinds(fault) else fault from None
    director.short_kinds = True
    return answer


async def _send(director: CloudDirector, request: Request, *, short: bool) -> Response[object]:
    parameters = list(request.parameters)
    if short:
        parameters = [WsParameter.from_dict(shortened(each.to_dict())) for each in parameters]
    body = ExecutionContext(parameters=parameters)
    answer: Response[object] = await start_workflow_execution.asyncio_detailed(
        request.workflow_id, client=director.client, body=body
    )
    return answer


async def search(director: CloudDirector, request: Request, since: float, taken: frozenset[str]) -> Run[Detail] | None:
    """Find the execution of an unanswered start: begun since then, with the same inputs, and not known otherwise."""
    with readable(SYSTEM, "the list of executions"):
        answer = await get_all_workflow_executions.asyncio_detailed(request.workflow_id, client=director.client)
        listed = answer.parsed
        if not isinstance(listed, PresentationExecutionsList):
            raise Unanswered(SYSTEM, "the list of executions was answered without content")
        earliest = _earliest(answer.headers, since, director.runtime.clock.time())
        recent = [
            f"{request.workflow_id}/{each.id}"
            for each in each_of(listed.executions)
            if not isinstance(each.start_date, str) or datetime.fromisoformat(each.start_date).timestamp() >= earliest
        ]
        candidates = [key for key in recent if key not in taken]
        found = [run for key in candidates if (run := await _same(director, key, request)) is not None]
    if len(found) > 1:
        named = ", ".join(run.id for run in found)
        raise Unanswered(SYSTEM, f"several executions could be the one that was started: {named}")
    return found[0] if found else None


async def _same(director: CloudDirector, key: str, request: Request) -> Run[Detail] | None:
    workflow, _, identifier = key.rpartition("/")
    execution = await get_workflow_execution.asyncio(workflow, identifier, client=director.client)
    if not isinstance(execution, WsWorkflowExecution):
        return None
    had = {str(each.name): values.decode(each.to_dict().get("value")) for each in each_of(execution.input_parameters)}
    for parameter in request.parameters:
        wanted = values.decode(parameter.to_dict().get("value"))
        if wanted is not None and not values.alike(had.get(str(parameter.name)), wanted):
            return None
    return run_of(director, workflow, execution)


def _earliest(answered: Mapping[str, str], since: float, now: float) -> float:
    """Return when a start that was intended at `since` can have begun, by Cloud Director's clock."""
    try:
        theirs = parsedate_to_datetime(answered.get("date") or "").timestamp()
    except ValueError:
        return since - CLOCK_SKEW_SECONDS
    return theirs - (now - since) - AGE_SECONDS


async def cancel(director: CloudDirector, key: str) -> None:
    """Cancel an execution."""
    workflow, _, identifier = key.rpartition("/")
    await cancel_workflow_execution.asyncio_detailed(workflow, identifier, client=director.client)
