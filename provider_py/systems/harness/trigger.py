"""`workflow_harness_trigger`: has Harness start a workflow or pipeline by itself, with the mutations for triggers.

Destroying it deletes the trigger; executions that it started continue. An update sends the whole trigger, as Harness
requires. What Harness answers to a write is the base by which `merge` recognizes later changes from outside.

A trigger that was created twice starts everything twice, so it is created as a run is started: the journal knows of it
before the request is sent. What an earlier apply has created and not stored is recognized by application, name and kind
of action, since it may be applied with other arguments now; these are then sent as an update.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from provider_py.execution import (
    Connector,
    Journal,
    Missing,
    Once,
    Phase,
    PollSource,
    ResourceType,
    Run,
    Runtime,
    Started,
    SystemFault,
    Unsettled,
    Wording,
    from_fault,
    run_preflight,
)
from provider_py.plugin import ApplyResult, Change, Decoded, Diagnostic, DiagnosticError, Plan, ReadResult, error
from provider_py.systems.harness import lookup, merge, trigger_graphql
from provider_py.systems.harness.config import SYSTEM
from provider_py.systems.harness.connection import Harness
from provider_py.systems.harness.trigger_graphql import NameTaken
from provider_py.systems.harness.trigger_model import HarnessTrigger, HarnessTriggerAction, validate

TITLE: Final = "Harness trigger"
WORDS: Final = Wording("trigger", "create", "created", "request")


class HarnessTriggerResource:
    """A trigger."""

    name = "harness_trigger"
    model = HarnessTrigger
    description = (
        "Has Harness FirstGen start a workflow or pipeline on a schedule, on a new artifact, on completion of a "
        "pipeline or through a webhook."
    )
    version = 0

    def __init__(self, connector: Connector[Harness], journal: Callable[[], Journal], runtime: Runtime) -> None:
        self._connector = connector
        self._once = Once(
            self.name,
            TITLE,
            WORDS,
            lambda trigger: trigger.action.workflow_id or trigger.action.pipeline_id,
            journal,
            runtime,
            connector.account,
            inputs=_identity,
        )

    def validate(self, config: Decoded[HarnessTrigger]) -> Iterable[Diagnostic]:
        """Validate arguments against each other."""
        return validate(config)

    async def plan(self, change: Change[HarnessTrigger]) -> Plan:
        """Replace where a workflow becomes a pipeline or back, which Harness refuses; check that it exists."""
        planned, prior = change.planned.model, change.prior
        if planned is None or not change.changed:
            return Plan()
        refs = (_ref(trigger.action) for trigger in (prior, planned) if trigger is not None)
        kinds = {ref.kind for ref in refs if ref is not None}
        return Plan(
            unknown=frozenset({"webhook_details"} if prior is not None and "condition" in change.changed else ()),
            replace=[("action",)] if len(kinds) > 1 else (),
            diagnostics=await self._preflight(planned, change.planned.unknown),
        )

    async def create(self, planned: HarnessTrigger, private: bytes) -> ApplyResult[HarnessTrigger]:
        """Create the trigger, once; one that an earlier apply has created gets the arguments of this one."""
        harness, summary = self._connect(), f"Failed to create {TITLE} {planned.name!r}"
        launcher = TriggerLauncher(harness)
        with _diagnosed(summary):
            try:
                begun = await self._once.begin(launcher, planned)
            except Unsettled as fault:
                if launcher.name_taken is None:
                    raise
                raise launcher.name_taken from fault
        ((identifier, created),) = begun.runs.items()
        if begun.tenure == 0 and isinstance(created.detail, HarnessTrigger):
            remote = created.detail
        else:
            try:
                remote = await trigger_graphql.update(harness, identifier, planned)
            except SystemFault as fault:  # the error taints the entry, so that the next apply replaces the trigger
                state = dataclasses.replace(planned, id=identifier)
                return ApplyResult(state, [*begun.diagnostics, from_fault(fault, summary)])
        return _written(planned, remote)._replace(diagnostics=begun.diagnostics)

    async def read(self, state: HarnessTrigger, private: bytes) -> ReadResult[HarnessTrigger]:
        """Show what was changed outside of Terraform; a trigger that no longer exists leaves the state."""
        await self._once.observe([state.id or ""])
        with _diagnosed(f"Failed to read {TITLE} {state.name!r}"):
            try:
                harness = self._connect()
                found = trigger_graphql.read(harness, state.application_id, state.id or "")
                remote = await harness.runtime.look(found)
            except Missing:
                return ReadResult(None)
        current = merge.merged(state, private, remote)
        return ReadResult(dataclasses.replace(current, webhook_details=remote.webhook_details), private=_base(remote))

    async def update(
        self, prior: HarnessTrigger, planned: HarnessTrigger, private: bytes
    ) -> ApplyResult[HarnessTrigger]:
        """Send the whole trigger."""
        with _diagnosed(f"Failed to update {TITLE} {planned.name!r}"):
            harness = self._connect()
            update = trigger_graphql.update(harness, prior.id or "", planned)
            return _written(planned, await harness.runtime.look(update))

    async def delete(self, state: HarnessTrigger, private: bytes) -> ApplyResult[HarnessTrigger]:
        """Delete the trigger; one that no longer exists is fine."""
        with _diagnosed(f"Failed to delete {TITLE} {state.name!r}"):
            harness = self._connect()
            await harness.runtime.look(trigger_graphql.delete(harness, state.application_id, state.id or ""))
        await self._once.destroyed(state, [state.id or ""])
        return ApplyResult(None)

    async def import_state(self, identifier: str) -> ReadResult[HarnessTrigger]:
        """Adopt a trigger by the ID of its application and its own."""
        application, slash, trigger = identifier.partition("/")
        if not (application and slash and trigger):
            detail = "Specify the IDs of the application and the trigger: `<application ID>/<trigger ID>`."
            raise DiagnosticError(error(f"Invalid import ID {identifier!r} for a {TITLE}", detail))
        with _diagnosed(f"Failed to import {TITLE} {identifier!r}"):
            harness = self._connect()
            remote = await harness.runtime.look(trigger_graphql.read_in_application(harness, application, trigger))
        await self._once.imported(remote)
        return ReadResult(remote, private=_base(remote))

    async def _preflight(self, planned: HarnessTrigger, unknown: frozenset[str]) -> Sequence[Diagnostic]:
        harness, ref = self._connector.open(), _ref(planned.action)
        if harness is None or ref is None or not harness.runtime.preflight or "application_id" in unknown:
            return ()
        check = _check_entity(harness, planned.application_id, ref)
        return await run_preflight(check, f"The {TITLE}", harness.runtime)

    def _connect(self) -> Harness:
        return self._connector.connect(TITLE)


class TriggerLauncher:
    """Creates triggers, and finds those whose creation was not answered by their names."""

    system = SYSTEM

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self.name_taken: NameTaken | None = None
        self.source: PollSource[str, Run[HarnessTrigger | None]] = PollSource(self._look, 1, harness.poll_spacing)

    async def prepare(self, config: HarnessTrigger, unknown: frozenset[str]) -> Sequence[HarnessTrigger]:
        """Look nothing up: the plan has done that."""
        return [config]

    async def start(self, part: HarnessTrigger, token: str) -> Started[HarnessTrigger | None]:
        """Create the trigger, once; it has no room for the token."""
        return Started(_reading(await trigger_graphql.create(self._harness, part)))

    async def search(
        self, part: HarnessTrigger, token: str, since: float, taken: frozenset[str]
    ) -> Run[HarnessTrigger | None] | None:
        """Find a trigger of this name that is not older than the request; remember if another one has the name."""
        try:
            found = await trigger_graphql.find_created(self._harness, part, since, taken)
        except NameTaken as fault:
            self.name_taken = fault
            return None
        return None if found is None else _reading(found)

    def key(self, part: HarnessTrigger, run: Run[HarnessTrigger | None]) -> str:
        """Return the ID of the trigger."""
        return run.id

    def unread(self, key: str) -> Run[HarnessTrigger | None]:
        """Return a trigger of which no more is known than that it was created."""
        return Run(key, "created", Phase.SUCCEEDED, None)

    async def _look(self, keys: Sequence[str]) -> Mapping[str, Run[HarnessTrigger | None] | SystemFault]:
        gone = [key for key in keys if not await trigger_graphql.exists(self._harness, key)]
        return {key: Run(key, None, Phase.FAILED, None) if key in gone else self.unread(key) for key in keys}


def _reading(trigger: HarnessTrigger) -> Run[HarnessTrigger | None]:
    return Run(str(trigger.id), "created", Phase.SUCCEEDED, trigger)


def _identity(trigger: HarnessTrigger) -> Mapping[str, object]:
    """Return what tells a trigger from others, and cannot be changed by an update without another trigger."""
    ref = _ref(trigger.action)
    return {"application_id": trigger.application_id, "name": trigger.name, "kind": None if ref is None else ref.kind}


async def _check_entity(harness: Harness, application: str, ref: lookup.EntityRef) -> None:
    if not await lookup.belongs(harness, application, ref.kind, ref.value):
        raise DiagnosticError(lookup.foreign_id(ref.kind, ref.value, ("action", ref.attribute)))


def _ref(action: HarnessTriggerAction) -> lookup.EntityRef | None:
    return lookup.entity_ref(workflow_id=action.workflow_id, pipeline_id=action.pipeline_id)


@contextmanager
def _diagnosed(summary: str) -> Iterator[None]:
    try:
        yield
    except SystemFault as fault:
        raise DiagnosticError(from_fault(fault, summary)) from fault


def _written(planned: HarnessTrigger, remote: HarnessTrigger) -> ApplyResult[HarnessTrigger]:
    state = dataclasses.replace(planned, id=remote.id, webhook_details=remote.webhook_details)
    return ApplyResult(state, private=_base(remote))


def _base(remote: HarnessTrigger) -> bytes:
    """Return the base of later merges; `webhook_details` is a result, so it is always taken over."""
    return merge.snapshot(dataclasses.replace(remote, webhook_details=None))


TYPE: Final = ResourceType(
    name=HarnessTriggerResource.name,
    system="harness",
    model=HarnessTrigger,
    description=HarnessTriggerResource.description,
    make=HarnessTriggerResource,
)
