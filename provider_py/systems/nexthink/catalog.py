"""Workflows as Nexthink lists and describes them, out of the generated client's types. Imported on first use."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import TypeVar

from nexthink_client.api.workflows import get_all_workflows
from nexthink_client.models import (
    Workflow,
    WorkflowFilterTriggerMethod,
    WorkflowFilterWorkflowDependency,
    WorkflowParameter,
    WorkflowTriggerMethods,
    WorkflowVersion,
)
from nexthink_client.types import UNSET, Unset

from provider_py.execution.connection import readable
from provider_py.execution.errors import Refused, Unanswered, Unauthorized
from provider_py.plugin import attributes
from provider_py.systems.nexthink.calls import SOURCE, workflow
from provider_py.systems.nexthink.settings import SYSTEM
from provider_py.systems.nexthink.system import Nexthink
from provider_py.systems.nexthink.workflow import (
    NexthinkTriggerMethods,
    NexthinkWorkflow,
    NexthinkWorkflowDetails,
    NexthinkWorkflowParameter,
    NexthinkWorkflowVersion,
)
from provider_py.systems.nexthink.workflows import NexthinkWorkflows

T = TypeVar("T")


async def one(nexthink: Nexthink, config: NexthinkWorkflow) -> NexthinkWorkflow:
    """Return the description of a workflow; raises DiagnosticError if there is none of that id."""
    found = _details(await workflow(nexthink, config.workflow))
    return dataclasses.replace(config, **{name: getattr(found, name) for name in attributes(type(found))})


async def listed(nexthink: Nexthink, config: NexthinkWorkflows) -> NexthinkWorkflows:
    """Return the workflows that the filters leave, each once, in the order of Nexthink's answers."""
    if config.dependency is None and config.trigger_method is None:
        try:
            found = await _list(nexthink, config)
        except Unauthorized:
            raise
        except Refused:  # by the letter of the document both filters are required
            found = await _lists(nexthink, config)
    else:
        found = await _lists(nexthink, config)
    each_once = {each.uuid: _details(each) for each in found}
    return dataclasses.replace(config, workflows=list(each_once.values()))


async def _lists(nexthink: Nexthink, config: NexthinkWorkflows) -> Sequence[Workflow]:
    """Ask once for each value of the filters that are not given."""
    pairs = itertools.product(
        [WorkflowFilterWorkflowDependency(config.dependency)]
        if config.dependency
        else WorkflowFilterWorkflowDependency,
        [WorkflowFilterTriggerMethod(config.trigger_method)] if config.trigger_method else WorkflowFilterTriggerMethod,
    )
    found = await asyncio.gather(*(_list(nexthink, config, *pair) for pair in pairs))
    return list(itertools.chain.from_iterable(found))


async def _list(
    nexthink: Nexthink,
    config: NexthinkWorkflows,
    dependency: WorkflowFilterWorkflowDependency | Unset = UNSET,
    trigger_method: WorkflowFilterTriggerMethod | Unset = UNSET,
) -> Sequence[Workflow]:
    with readable(SYSTEM, "the list of workflows"):
        answer = await get_all_workflows.asyncio(
            client=nexthink.client,
            dependency=dependency,
            trigger_method=trigger_method,
            fetch_only_active_workflows=True if config.active_only else UNSET,
            source=SOURCE,
        )
        if not isinstance(answer, list):
            raise Unanswered(SYSTEM, "the list of workflows was answered in an unknown form")
        return answer


def _details(found: Workflow) -> NexthinkWorkflowDetails:
    return NexthinkWorkflowDetails(
        id=found.id,
        uuid=found.uuid,
        name=found.name,
        description=_known(found.description),
        status=found.status,
        updated_at=None if isinstance(found.last_update_time, Unset) else found.last_update_time.isoformat(),
        trigger_methods=_methods(found.trigger_methods),
        versions=[_version(each) for each in found.versions],
    )


def _methods(methods: WorkflowTriggerMethods) -> NexthinkTriggerMethods:
    return NexthinkTriggerMethods(
        api=_known(methods.api_enabled),
        manual=_known(methods.manual_enabled),
        manual_multiple=_known(methods.manual_allow_multiple_instances),
        scheduler=_known(methods.scheduling_enabled),
        event=_known(methods.event_enabled),
    )


def _version(version: WorkflowVersion) -> NexthinkWorkflowVersion:
    return NexthinkWorkflowVersion(
        version=version.version,
        status=version.status,
        uuid=_known(version.uuid),
        description=_known(version.description),
        valid=_known(version.valid),
        has_device=_known(version.has_device),
        has_user=_known(version.has_user),
        parameters=None if isinstance(version.parameters, Unset) else list(_parameters(version.parameters)),
    )


def _parameters(declared: Iterable[WorkflowParameter]) -> Iterable[NexthinkWorkflowParameter]:
    for each in declared:
        yield NexthinkWorkflowParameter(
            id=each.id,
            description=_known(each.description),
            allow_custom_value=_known(each.allow_custom_value),
            options=_known(each.options),
        )


def _known(value: T | Unset) -> T | None:
    return None if isinstance(value, Unset) else value
