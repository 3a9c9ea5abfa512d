"""`workflow_nexthink_event`: resumes an execution that waits for an event, with `POST …/trigger`.

The event is sent once, when the resource is created. Nexthink has no call that reads an event or takes it back, so
refreshing changes nothing and destroying the resource forgets it.

What does not work is to find out from Nexthink whether an event arrived: it lists none. So an event that was sent and
not answered is neither sent again nor taken for sent, however often it is applied, until its user has settled it.

Nexthink names an event by the request of the execution that it resumed. All executions of that request have this ID in
common, so in the journal the event's ID is that of the request and the token of the attempt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Final

from nexthink_client import api, models

from provider_py.execution import (
    LONGEST_KEY,
    LOOKING_SECONDS,
    Connector,
    Journal,
    Once,
    Phase,
    PollSource,
    ResourceType,
    Run,
    Runtime,
    Started,
    SystemFault,
    Unanswered,
    Unsettled,
    Wording,
    from_fault,
    readable,
    run_preflight,
    settling,
)
from provider_py.plugin import (
    ApplyResult,
    Change,
    Decoded,
    Diagnostic,
    DiagnosticError,
    Plan,
    ReadResult,
    attributes,
    computed,
    error,
    exactly_one,
    max_length,
    model,
    not_empty,
    optional,
    required,
)
from provider_py.systems.nexthink.config import A_UUID, SYSTEM, published
from provider_py.systems.nexthink.connection import SOURCE, Nexthink
from provider_py.systems.nexthink.lookup import get_workflow

TITLE: Final = "Nexthink event"
WORDS: Final = Wording("event", "send", "sent", "event", can_be_imported=False)


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
    idempotency_key: Annotated[
        str | None,
        optional(
            "Name of the event in its system, which whoever applies it has in common: an event with this key that was "
            "sent is returned; only if it was destroyed or replaced is another sent. Changing the key sends a new "
            "event; adding or removing it does not.",
            checks=(not_empty, max_length(LONGEST_KEY)),
        ),
    ] = None
    id: Annotated[str | None, computed("ID of the request that the event resumed.")] = None
    event_id: Annotated[
        str | None, computed("ID of the event in the journal, which tells it from other events of the request.")
    ] = None

    @property
    def wait(self) -> bool:
        """An event has no end but that it was sent."""
        return True

    @property
    def judges_failure(self) -> bool:
        """An event that was sent has not failed, whatever became of the execution."""
        return False

    def seconds(self, operation: str) -> float:
        """Return the time limit of sending the event."""
        return LOOKING_SECONDS


_INPUTS: Final = frozenset(name for name, attribute in attributes(NexthinkEvent).items() if attribute.replace)


class EventResource:
    """Sends events, each once, even if the answer is lost."""

    name = "nexthink_event"
    model = NexthinkEvent
    description = "Sends the event that an execution of a Nexthink workflow waits for, once."
    version = 0

    def __init__(self, connector: Connector[Nexthink], journal: Callable[[], Journal], runtime: Runtime) -> None:
        self._connector = connector
        self._once = Once(self.name, TITLE, WORDS, _workflow, journal, runtime, connector.account)

    def validate(self, config: Decoded[NexthinkEvent]) -> Iterable[Diagnostic]:
        """Require exactly one name of the workflow."""
        yield from exactly_one(config, ("workflow", "workflow_uuid"), meaning="workflow")

    async def plan(self, change: Change[NexthinkEvent]) -> Plan:
        """Look up the workflow before anything is sent, and what the journal knows of the key."""
        prior, planned = change.prior, change.planned.model
        if planned is None:
            return Plan()
        unknown = bool(change.planned.unknown & _INPUTS)
        if prior is not None:
            await self._once.observe(_keys(prior))
            self._once.yield_to(prior, planned, _keys(prior), unknown=unknown)
            rekeyed = None not in (prior.idempotency_key, planned.idempotency_key) and (
                prior.idempotency_key != planned.idempotency_key
            )
            return Plan(replace=[("idempotency_key",)] if rekeyed else ())
        if unknown:
            return Plan(diagnostics=await self._preflight(change.planned))
        to_be_sent, diagnostics = await self._once.consult(planned)
        checked = await self._preflight(change.planned) if to_be_sent else ()
        return Plan(private=self._once.planned(planned), diagnostics=(*diagnostics, *checked))

    async def _preflight(self, planned: Decoded[NexthinkEvent]) -> Sequence[Diagnostic]:
        nexthink, event = self._connector.open(), planned.model
        if nexthink is None or event is None or event.workflow is None or not nexthink.runtime.preflight:
            return ()
        return await run_preflight(get_workflow(nexthink, event.workflow), "The event", nexthink.runtime)

    async def create(self, planned: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Send the event, or return the one that an earlier apply has sent for the same inputs or with the same key."""
        launcher = EventLauncher(self._connector.connect(TITLE))
        try:
            begun = await self._once.begin(launcher, planned)
        except Unsettled as fault:
            raise DiagnosticError(_unsettled(planned, fault)) from fault
        except SystemFault as fault:
            raise DiagnosticError(from_fault(fault, f"{TITLE} was not sent")) from fault
        (event_id,) = begun.runs
        state = dataclasses.replace(planned, id=event_id.partition("/")[0], event_id=event_id)
        return ApplyResult(state, begun.diagnostics, begun.held.encode())

    async def read(self, state: NexthinkEvent, private: bytes) -> ReadResult[NexthinkEvent]:
        """Return the state: Nexthink does not report events."""
        await self._once.observe(_keys(state))
        return ReadResult(state)

    async def update(self, prior: NexthinkEvent, planned: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Return the plan: every change of an argument but the key replaces the resource."""
        await self._once.rename(planned, _keys(prior))
        return ApplyResult(planned)

    async def delete(self, state: NexthinkEvent, private: bytes) -> ApplyResult[NexthinkEvent]:
        """Forget the event."""
        await self._once.destroyed(state, _keys(state), private)
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


class EventLauncher:
    """Sends events. Nothing is asked for their state: one that was sent has done what it can."""

    system = SYSTEM

    def __init__(self, nexthink: Nexthink) -> None:
        self._nexthink = nexthink
        self.source: PollSource[str, Run[None]] = PollSource(self._read, batch=1)

    async def prepare(self, config: NexthinkEvent, unknown: frozenset[str]) -> Sequence[NexthinkEvent]:
        """Look up the workflow, unless its UUID is known."""
        if config.workflow is None:
            return [config]
        return [dataclasses.replace(config, workflow_uuid=(await get_workflow(self._nexthink, config.workflow)).uuid)]

    async def start(self, part: NexthinkEvent, token: str) -> Started[None]:
        """Send the event, once. Nexthink answers one object or a list, and has no room for the token."""
        parameters = models.ThinkletTriggerRequestParameters.from_dict(part.parameters or {})
        with readable(SYSTEM, "the event"):
            answer = await api.workflows.trigger_thinklet.asyncio(
                str(part.workflow_uuid),
                part.execution_id,
                client=self._nexthink.client,
                body=models.ThinkletTriggerRequest(parameters=parameters),
                source=SOURCE,
            )
            triggered = answer[0] if isinstance(answer, list) and answer else answer
            if not isinstance(triggered, models.ThinkletTriggerResponse):
                raise Unanswered(SYSTEM, "the event was answered without a request ID")
            return Started(self.unread(f"{triggered.request_uuid}/{token}"))

    def key(self, part: NexthinkEvent, run: Run[None]) -> str:
        """Return the event's ID."""
        return run.id

    def unread(self, key: str) -> Run[None]:
        """Return an event that was sent."""
        return Run(key, "sent", Phase.SUCCEEDED, None)

    async def _read(self, keys: Sequence[str]) -> Mapping[str, Run[None] | SystemFault]:
        return {key: self.unread(key) for key in keys}


def _workflow(event: NexthinkEvent) -> str | None:
    return event.workflow or event.workflow_uuid


def _keys(event: NexthinkEvent) -> Sequence[str]:
    """Return the ID of the event; events that earlier versions of the provider sent have none."""
    return () if event.event_id is None else (event.event_id,)


def _unsettled(event: NexthinkEvent, fault: Unsettled) -> Diagnostic:
    started, not_started = settling(fault.token, f"{event.execution_id}/{fault.token}")
    return error(
        "Unknown whether the event arrived",
        f"{fault}. The event was sent once, and is not sent again because that could resume a later step of the "
        f"workflow. Check execution {event.execution_id} in {SYSTEM}. If it was resumed, run {started} and apply again "
        f"to keep the event. If it still waits, run {not_started} and apply again to send it again.",
        ("execution_id",),
    )


TYPE: Final = ResourceType(
    name=EventResource.name,
    system="nexthink",
    model=NexthinkEvent,
    description=EventResource.description,
    make=EventResource,
)
