"""Workflows by ID, and lists of them.

The published list call requires both filters and has no value for "any". Most tenants answer it without filters all
the same, which is the one way to find workflows without a trigger method; so that is tried first, and each pair of
values is asked for where it is refused.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Sequence

import nexthink_client
from nexthink_client import api, models

from provider_py.execution import Missing, Refused, SystemFault, Unanswered, Unauthorized, readable, unknown_name
from provider_py.plugin import DiagnosticError
from provider_py.systems.nexthink.config import SYSTEM
from provider_py.systems.nexthink.connection import SOURCE, Nexthink


async def get_workflow(nexthink: Nexthink, nql_id: str) -> models.Workflow:
    """Return a workflow, asking once per process; raises DiagnosticError if none has this NQL ID."""
    try:
        return await nexthink.lookups.get(("workflow", nql_id), lambda: _request_workflow(nexthink, nql_id))
    except Unauthorized:
        raise
    except Refused as fault:  # no 404 is documented here, so an unknown ID may be refused in any way
        known = await _known_ids(nexthink)
        if f"#{nql_id.removeprefix('#')}" in known:
            raise
        raise DiagnosticError(unknown_name("Nexthink workflow", nql_id, known, "workflow")) from fault


async def list_workflows(
    nexthink: Nexthink, dependency: str | None, trigger_method: str | None, *, active_only: bool
) -> Sequence[models.Workflow]:
    """Return the workflows that match the filters, each once, in the order of Nexthink's answers."""
    if dependency is None and trigger_method is None:
        try:
            return _unique(await _request_list(nexthink, active_only=active_only))
        except Unauthorized:
            raise
        except Refused:  # this tenant keeps to the published document, which requires both filters
            pass
    dependencies, methods = models.WorkflowFilterWorkflowDependency, models.WorkflowFilterTriggerMethod
    pairs = itertools.product(
        [dependencies(dependency)] if dependency else dependencies,
        [methods(trigger_method)] if trigger_method else methods,
    )
    lists = await asyncio.gather(*(_request_list(nexthink, *pair, active_only=active_only) for pair in pairs))
    return _unique(itertools.chain.from_iterable(lists))


async def _request_workflow(nexthink: Nexthink, nql_id: str) -> models.Workflow:
    with readable(SYSTEM, "the workflow's details"):
        answer = await api.workflows.get_workflow.asyncio(client=nexthink.client, nql_id=nql_id, source=SOURCE)
    workflow = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(workflow, models.Workflow):
        raise Missing(SYSTEM, "no workflow with this ID is listed")
    return workflow


async def _request_list(
    nexthink: Nexthink,
    dependency: models.WorkflowFilterWorkflowDependency | None = None,
    trigger_method: models.WorkflowFilterTriggerMethod | None = None,
    *,
    active_only: bool = False,
) -> Sequence[models.Workflow]:
    with readable(SYSTEM, "the list of workflows"):
        answer = await api.workflows.get_all_workflows.asyncio(
            client=nexthink.client,
            dependency=dependency or nexthink_client.types.UNSET,
            trigger_method=trigger_method or nexthink_client.types.UNSET,
            fetch_only_active_workflows=active_only or nexthink_client.types.UNSET,
            source=SOURCE,
        )
        if not isinstance(answer, list):
            raise Unanswered(SYSTEM, "the list of workflows was answered in an unknown form")
        return answer


async def _known_ids(nexthink: Nexthink) -> Sequence[str]:
    """Return the IDs of all workflows, for suggestions; none where a tenant lists them with filters only."""
    try:
        workflows = await nexthink.lookups.get(("workflows",), lambda: _request_list(nexthink))
    except SystemFault:
        return ()
    return [f"#{workflow.id.removeprefix('#')}" for workflow in workflows]  # answered with or without the sign


def _unique(workflows: Iterable[models.Workflow]) -> Sequence[models.Workflow]:
    return list({workflow.uuid: workflow for workflow in workflows}.values())
