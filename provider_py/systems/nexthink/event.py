"""`workflow_nexthink_event`: resumes an execution that waits for an event, with `POST …/trigger`.

The event is sent once, when the resource is created. Nexthink has no call that reads an event or takes it back, so
refreshing changes nothing and destroying the resource forgets it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final

from nexthink_client import api, models

from provider_py.execution import Connector, ResourceType, SystemFault, Unanswered, from_fault, readable, run_preflight
from provider_py.plugin import (
    ApplyResult,
    Change,
    Decoded,
    Diagnostic,
    DiagnosticError,
    Plan,
    ReadResult,
    computed,
    error,
    exactly_one,
    model,
    not_empty,
    optional,
    required,
)
from provider_py.systems.nexthink.config import A_UUID, SYSTEM, published
from provider_py.systems.nexthink.connection import SOURCE, Nexthink
from provider_py.systems.nexthink.lookup import get_workflow


def not_zero_length(value: str) -> str | None:
    """Check that a string has a character; unlike other systems, Nexthink accepts a blank."""
    return None if value else "Must have at least one character; omit the parameter if it has no value"


@model
class NexthinkEvent:
    """An event that an execution waits for."""

    workflow: Annotated[
        str | None,
        optional(
            "NQL ID of the workflow, such as `#approval_gate`. Exactly one of `workflow` and `workflow_uuid` must be "
            "set.",
            replace=True,
            checks=(not_empty,),
        ),
    ] = None
    workflow_uuid: Annotated[
        str | None,
        optional(
            "UUID of the workflow, which saves looking it up by its NQL ID.",
            replace=True,
            checks=(published("triggerThinklet.workflowUuid", A_UUID),),
        ),
    ] = None
    execution_id: Annotated[
        str,
        required(
            "ID of the waiting execution: one of the `execution_ids` of a `workflow_nexthink_execution`.",
            replace=True,
            checks=(published("triggerThinklet.executionUuid", A_UUID),),
        ),
    ]
    parameters: Annotated[
        dict[str, str] | None,
        optional("Parameters passed to the waiting step.", replace=True, element_checks=(not_zero_length,)),
    ] = None
    triggers: Annotated[
        dict[str, str] | None,
        optional("Arbitrary map of values that, when changed, sends the event again.", replace=True),
    ] = None
    id: Annotated[str | None, computed("ID of the request that the event resumed.")] = None


class EventResource:
    """Sends events, each once, even if the answer is lost."""

    name = "nexthink_event"
    model = NexthinkEvent
    description = "Sends the event that an execution of a Nexthink workflow waits for, once."
    version = 0

    def __init__(self, connector: Connector[Nexthink]) -> None:
        self._connector = connector

    def validate(self, config: Decoded[NexthinkEvent]) -> Iterable[Diagnostic]:
        """Require exactly one name of the workflow."""
        yield from exactly_one(config, ("workflow", "workflow_uuid"), meaning="workflow")

    async def plan(self, change: Change[NexthinkEvent]) -> Plan:
        """Look up the workflow before anything is sent."""
        planned, nexthink = change.planned.model, self._connector.open()
        if change.prior is not None or planned is None or nexthink is None or not nexthink.runtime.preflight:
            return Plan()
        if planned.workflow is None:
            return Plan()
        return Plan(
            diagnostics=await run_preflight(get_workflow(nexthink, planned.workflow), "The event", nexthink.runtime)
        )

    async def create(self, planned: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Send the event. A lost answer taints the resource, so that the next plan shows what would be sent again."""
        nexthink = self._connector.connect("Nexthink event")
        try:
            uuid = planned.workflow_uuid or (await get_workflow(nexthink, str(planned.workflow))).uuid
        except SystemFault as fault:
            raise _not_sent(fault) from fault
        try:
            return ApplyResult(await _send(nexthink, planned, uuid))
        except Unanswered as fault:
            return ApplyResult(planned, [_unanswered(planned, fault)])
        except SystemFault as fault:
            raise _not_sent(fault) from fault

    async def read(self, state: NexthinkEvent, private: bytes) -> ReadResult[NexthinkEvent]:
        """Return the state: Nexthink does not report events."""
        return ReadResult(state)

    async def update(self, prior: NexthinkEvent, planned: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Return the plan: every change of an argument replaces the resource."""
        return ApplyResult(planned)

    async def delete(self, state: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Forget the event."""
        return ApplyResult(None)

    async def import_state(self, identifier: str) -> ReadResult[NexthinkEvent]:
        """Raise DiagnosticError: there is nothing to import from."""
        raise DiagnosticError(
            error(
                "Nexthink events cannot be imported",
                "Nexthink does not report events that were sent. If the event must not be sent, remove the resource "
                "from the configuration.",
            )
        )


async def _send(nexthink: Nexthink, event: NexthinkEvent, workflow_uuid: str) -> NexthinkEvent:
    """Send the event; return it with the ID of the request it resumed. Nexthink answers one object or a list."""
    parameters = models.ThinkletTriggerRequestParameters.from_dict(event.parameters or {})
    with readable(SYSTEM, "the event"):
        answer = await api.workflows.trigger_thinklet.asyncio(
            workflow_uuid,
            event.execution_id,
            client=nexthink.client,
            body=models.ThinkletTriggerRequest(parameters=parameters),
            source=SOURCE,
        )
        triggered = answer[0] if isinstance(answer, list) and answer else answer
        if not isinstance(triggered, models.ThinkletTriggerResponse):
            raise Unanswered(SYSTEM, "the event was answered without a request ID")
        return dataclasses.replace(event, id=str(triggered.request_uuid))


def _not_sent(fault: SystemFault) -> DiagnosticError:
    return DiagnosticError(from_fault(fault, "Nexthink event was not sent"))


def _unanswered(event: NexthinkEvent, fault: Unanswered) -> Diagnostic:
    return error(
        "Unknown whether the event arrived",
        f"{fault}. The event was sent once, and is not sent again automatically because that could resume a later step "
        f"of the workflow. Check execution {event.execution_id} in {SYSTEM}. If it was resumed, keep the event with "
        "`terraform untaint`. If it still waits, apply again, which sends the event again.",
        ("execution_id",),
    )


TYPE: Final = ResourceType(
    name=EventResource.name,
    system="nexthink",
    model=NexthinkEvent,
    description=EventResource.description,
    make=EventResource,
)
