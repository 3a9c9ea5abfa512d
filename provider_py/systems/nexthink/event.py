"""`workflow_nexthink_event`: lets an execution that waits for an event go on, with `POST …/trigger`.

The event is sent once, when the resource is created. Nexthink offers no way to look at it again or to take it back, so
refreshing changes nothing and destroying the resource forgets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from provider_py.execution import messages
from provider_py.execution.connection import Connector
from provider_py.execution.errors import SystemFault, Unanswered
from provider_py.execution.preflight import preflight
from provider_py.execution.registry_types import ResourceType
from provider_py.plugin import (
    ApplyResult,
    Change,
    Decoded,
    Diagnostic,
    DiagnosticError,
    Plan,
    ReadResult,
    Resource,
    computed,
    error,
    exactly_one,
    model,
    not_empty,
    optional,
    required,
)
from provider_py.systems.nexthink.settings import SYSTEM
from provider_py.systems.nexthink.system import Nexthink
from provider_py.systems.nexthink.targets import A_UUID, published

TITLE: Final = "Nexthink event"


def a_character(value: str) -> str | None:
    """Check that a text has a character; unlike elsewhere, Nexthink takes a blank."""
    return None if value else "An empty text is not allowed; write at least one character, or leave the parameter out"


@model
class NexthinkEvent:
    """An event that an execution waits for."""

    workflow: Annotated[
        str | None,
        optional(
            "NQL id of the workflow, such as `#approval_gate`; exactly one of `workflow` and `workflow_uuid`.",
            replace=True,
            checks=(not_empty,),
        ),
    ] = None
    workflow_uuid: Annotated[
        str | None,
        optional(
            "UUID of the workflow, in place of its NQL id; saves looking it up.",
            replace=True,
            checks=(published("triggerThinklet.workflowUuid", A_UUID),),
        ),
    ] = None
    execution_id: Annotated[
        str,
        required(
            "Id of the execution that waits, one of an execution's `execution_ids`.",
            replace=True,
            checks=(published("triggerThinklet.executionUuid", A_UUID),),
        ),
    ]
    parameters: Annotated[
        dict[str, str] | None,
        optional("What the event brings, for the step that waits.", replace=True, element_checks=(a_character,)),
    ] = None
    triggers: Annotated[
        dict[str, str] | None,
        optional("Values of your choice; the event is sent anew when one of them changes.", replace=True),
    ] = None
    id: Annotated[str | None, computed("Id of the request that went on.")] = None


class EventResource:
    """Sends events; each once, whatever becomes of the answer."""

    name = "nexthink_event"
    model = NexthinkEvent
    description = "Sends an execution of a Nexthink workflow the event it waits for, once."
    version = 0

    def __init__(self, connector: Connector[Nexthink]) -> None:
        self._connector = connector

    def validate(self, config: Decoded[NexthinkEvent]) -> Iterable[Diagnostic]:
        """Demand one name of the workflow."""
        yield from exactly_one(config, ("workflow", "workflow_uuid"), meaning="workflow")

    async def plan(self, change: Change[NexthinkEvent]) -> Plan:
        """Look the workflow up before anything is sent."""
        planned, nexthink = change.planned.model, self._connector.open()
        if change.prior is not None or planned is None or nexthink is None or not nexthink.runtime.preflight:
            return Plan()
        if planned.workflow is None:
            return Plan()
        from provider_py.systems.nexthink import events  # on first use

        lookup = events.workflow_uuid(nexthink, planned.workflow)
        return Plan(diagnostics=await preflight(lookup, "The event", nexthink.runtime))

    async def create(self, planned: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Send the event."""
        from provider_py.systems.nexthink import events  # on first use

        nexthink = self._connector.connect(TITLE)
        try:
            uuid = planned.workflow_uuid or await events.workflow_uuid(nexthink, planned.workflow or "")
        except SystemFault as fault:
            raise DiagnosticError(messages.from_fault(fault, "The event was not sent")) from fault
        try:
            return ApplyResult(await events.send(nexthink, planned, uuid))
        except Unanswered as fault:
            return ApplyResult(planned, [_unanswered(planned, fault)])
        except SystemFault as fault:
            raise DiagnosticError(messages.from_fault(fault, "The event was not sent")) from fault

    async def read(self, state: NexthinkEvent, private: bytes) -> ReadResult[NexthinkEvent]:
        """Nexthink does not report events."""
        return ReadResult(state)

    async def update(self, prior: NexthinkEvent, planned: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Every change of an argument replaces the resource."""
        return ApplyResult(planned)

    async def delete(self, state: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Forget the event."""
        return ApplyResult(None)

    async def import_state(self, identifier: str) -> ReadResult[NexthinkEvent]:
        """Refuse: there is nothing to read it from."""
        raise DiagnosticError(
            error(
                "A Nexthink event cannot be imported",
                "Nexthink does not report events that were sent. Where the event is not to be sent, leave the resource "
                "out of the configuration.",
            )
        )


def _unanswered(planned: NexthinkEvent, fault: Unanswered) -> Diagnostic:
    return error(
        "It is not known whether the event arrived",
        f"{fault}. The event was sent once, and is not repeated by itself because it could let a later step of the "
        f"workflow go on. Look at execution {planned.execution_id} in {SYSTEM}. If it went on, keep the event with "
        "`terraform untaint`. If it still waits, apply again, which sends the event again.",
        ("execution_id",),
    )


def _make(connector: Connector[Nexthink]) -> Resource[NexthinkEvent]:
    return EventResource(connector)


KIND: Final = ResourceType(
    name=EventResource.name,
    system="nexthink",
    model=NexthinkEvent,
    description=EventResource.description,
    make=_make,
)
