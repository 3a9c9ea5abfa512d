"""Looking at many executions with few requests. Imported on first use."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from vcd_client.api.workflows import (
    get_all_workflow_executions,
    get_workflow_execution,
    get_workflow_execution_state,
)
from vcd_client.models import PresentationExecutionsList, WsWorkflowExecution

from provider_py.execution.connection import readable
from provider_py.execution.errors import Missing, Refused, SystemFault, Unanswered, Unauthorized
from provider_py.execution.run import Run
from provider_py.systems.vcd import library
from provider_py.systems.vcd.execution import Detail, phase
from provider_py.systems.vcd.presentation import each_of
from provider_py.systems.vcd.records import run_in_list, run_of, word
from provider_py.systems.vcd.settings import SYSTEM
from provider_py.systems.vcd.system import CloudDirector

log = logging.getLogger(__name__)

AT_ONCE: Final = 10
"""How many requests may be on their way at one moment."""

Look = Run[Detail] | SystemFault | None
"""What came of looking at one execution; None: there is no record of it."""


class Watch:
    """Looks at executions: several of one workflow by its list, and singly only those that ended or are not listed.

    A list may lag behind. Each time one execution that it shows as going on is looked at singly too; a list that goes
    on showing as unfinished what was seen to have ended is not asked for again.
    """

    def __init__(self, director: CloudDirector) -> None:
        """Know nothing yet."""
        self._director = director
        self._semaphore = asyncio.Semaphore(AT_ONCE)
        self._ended: defaultdict[str, set[str]] = defaultdict(set)
        self._belated: set[str] = set()
        self._turn = 0

    async def look(self, keys: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
        """Look at executions; those there is no record of are left out."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for key in keys:
            workflow, _, identifier = key.rpartition("/")
            groups[workflow].append(identifier)
        looks = await asyncio.gather(*(self._group(workflow, each) for workflow, each in groups.items()))
        return {key: seen for group in looks for key, seen in group.items() if seen is not None}

    async def _group(self, workflow: str, identifiers: Sequence[str]) -> Mapping[str, Look]:
        listed = await self._going_on(workflow) if len(identifiers) > 1 else {}
        if isinstance(listed, SystemFault):
            return {f"{workflow}/{each}": listed for each in identifiers}
        seen: dict[str, Look] = {each: listed[each] for each in identifiers if each in listed}
        singly = [each for each in identifiers if each not in seen]
        if seen:
            self._turn += 1
            singly.append(list(seen)[self._turn % len(seen)])
        looks = await asyncio.gather(*(self._single(workflow, each) for each in singly))
        for identifier, look in zip(singly, looks, strict=True):
            if isinstance(look, Run) and look.phase.ended:
                self._ended[workflow].add(identifier)
        seen.update(zip(singly, looks, strict=True))
        return {f"{workflow}/{each}": seen[each] for each in identifiers}

    async def _going_on(self, workflow: str) -> Mapping[str, Run[Detail]] | SystemFault:
        """Return the executions that the list shows as going on; none where the list is of no use."""
        if workflow in self._belated:
            return {}
        try:
            listed = await self._listed(workflow)
        except Refused:
            return {}
        except SystemFault as fault:
            return fault
        going = {each: run for each, run in listed.items() if run.status is not None and not run.phase.ended}
        if self._ended[workflow] & going.keys():
            log.warning("the list of executions of %s lags behind: looking at each of them", workflow)
            self._belated.add(workflow)
            return {}
        return going

    async def _listed(self, workflow: str) -> Mapping[str, Run[Detail]]:
        with readable(SYSTEM, "the list of executions"):
            answer = await get_all_workflow_executions.asyncio(workflow, client=self._director.client)
            if not isinstance(answer, PresentationExecutionsList):
                raise Unanswered(SYSTEM, "the list of executions was answered without content")
            return {str(each.id): run_in_list(self._director, workflow, each) for each in each_of(answer.executions)}

    async def _single(self, workflow: str, identifier: str) -> Look:
        async with self._semaphore:
            try:
                return await self._execution(workflow, identifier)
            except Missing:
                return await self._by_another_id(workflow, identifier)
            except Unauthorized as fault:
                return await self._hidden(workflow, identifier, fault)
            except SystemFault as fault:
                return fault

    async def _execution(self, workflow: str, identifier: str) -> Run[Detail]:
        with readable(SYSTEM, "the execution"):
            answer = await self._record(workflow, identifier)
            if word(answer.state) is not None:
                return run_of(self._director, workflow, answer)
            client = self._director.client
            status = word(await get_workflow_execution_state.asyncio(workflow, identifier, client=client))
            if phase(status).ended:  # perhaps only since the record was read, which then lacks its outputs
                answer = await self._record(workflow, identifier)
            return run_of(self._director, workflow, answer, status=status)

    async def _record(self, workflow: str, identifier: str) -> WsWorkflowExecution:
        answer = await get_workflow_execution.asyncio(workflow, identifier, client=self._director.client)
        if not isinstance(answer, WsWorkflowExecution):
            raise Unanswered(SYSTEM, "the execution was answered without content")
        return answer

    async def _by_another_id(self, workflow: str, identifier: str) -> Look:
        """Look again by the id of the service item, where an import named the workflow by another."""
        try:
            item = None if workflow.startswith(library.URN) else await library.identified(self._director, workflow)
            if item is None or item.id == workflow:
                return None
            return await self._execution(item.id, identifier)
        except Missing:
            return None
        except SystemFault as fault:
            return fault

    async def _hidden(self, workflow: str, identifier: str, fault: Unauthorized) -> Look:
        """Tell what is gone from what is forbidden, which are answered alike: by the list, if that may be read."""
        try:
            listed = await self._listed(workflow)
        except Unauthorized:
            return await self._by_another_id(workflow, identifier) or fault
        except SystemFault:
            return fault
        return fault if identifier in listed else None
