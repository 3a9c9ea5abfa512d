"""The GraphQL calls behind a trigger, in and out of the generated client's types. Imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness_client import (
    CreateTriggerInput,
    DeleteTriggerInput,
    TriggerDetails,
    TriggerFilter,
    UpdateTriggerInput,
)

from provider_py.execution.errors import Missing, Refused, Unanswered
from provider_py.systems.harness import trigger_forms
from provider_py.systems.harness.entities import equals
from provider_py.systems.harness.settings import SYSTEM
from provider_py.systems.harness.trigger import HarnessTrigger, HarnessTriggerCondition

if TYPE_CHECKING:
    from provider_py.systems.harness.system import Harness

CLOCK_SKEW_SECONDS: Final = 600
"""How far the clocks of this machine and of Harness may be apart."""


async def create(harness: Harness, planned: HarnessTrigger) -> HarnessTrigger:
    """Send `createTrigger` once; if no answer comes, find out by the name whether it was carried out."""
    began = harness.runtime.clock.time()
    wanted = CreateTriggerInput.model_validate(trigger_forms.write(planned))
    try:
        async with harness.asking("createTrigger"):
            answer = (await harness.client.create_trigger(input=wanted)).create_trigger
    except Unanswered as fault:
        return await _created(harness, planned, began, fault)
    except Refused as fault:
        if "duplicate" in fault.reason.lower():
            advice = "Choose another `name`, or adopt that trigger with `terraform import`."
            raise Refused(SYSTEM, fault.reason, advice=advice) from fault
        raise
    if answer is None or answer.trigger is None:
        unclear = Unanswered(SYSTEM, "createTrigger was answered without a trigger")
        return await _created(harness, planned, began, unclear)
    return trigger_forms.trigger(answer.trigger, planned.application_id)


async def _created(harness: Harness, planned: HarnessTrigger, began: float, fault: Unanswered) -> HarnessTrigger:
    try:
        async with harness.asking("triggerByName"):
            answer = await harness.client.trigger_by_name(
                trigger_name=planned.name, application_id=planned.application_id
            )
    except Missing:
        answer = None
    found = answer.trigger_by_name if answer else None
    if found is None:
        advice = "There is no trigger of this name. Apply again: names are unique, so there cannot come to be two."
        raise Unanswered(SYSTEM, fault.reason, advice=advice) from fault
    if (found.created_at or 0) / 1000 < began - CLOCK_SKEW_SECONDS:
        reason = f"there is a trigger of this name already, with the id {found.id}"
        advice = "Choose another `name`, or adopt it with `terraform import`."
        raise Refused(SYSTEM, reason, advice=advice) from fault
    return trigger_forms.trigger(found, planned.application_id)


async def read(harness: Harness, application: str, identifier: str) -> HarnessTrigger:
    """Return a trigger as Harness shows it; raises Missing if there is none."""
    async with harness.asking("trigger"):
        found = (await harness.client.trigger(trigger_id=identifier)).trigger
    return trigger_forms.trigger(_there(found, identifier), application)


async def listed(harness: Harness, application: str, identifier: str) -> HarnessTrigger:
    """Return a trigger of an application; raises Missing if it is of another."""
    wanted = TriggerFilter(application=equals(application), trigger=equals(identifier))
    async with harness.asking("triggers"):
        page = (await harness.client.triggers(limit=1, filters=[wanted])).triggers
    nodes = [node for node in (page.nodes if page else None) or () if node is not None]
    found = _there(nodes[0] if nodes else None, identifier)
    trigger = trigger_forms.trigger(found, application)
    if trigger.condition == HarnessTriggerCondition():
        reason = f"trigger {identifier!r} is set off by what this provider does not know, such as a new manifest"
        raise Refused(SYSTEM, reason)
    return trigger


async def update(harness: Harness, planned: HarnessTrigger) -> HarnessTrigger:
    """Send `updateTrigger` with the trigger as it shall be."""
    wanted = UpdateTriggerInput.model_validate({**trigger_forms.write(planned), "triggerId": planned.id})
    advice = "Whether it was changed is not known; the next plan shows it."
    try:
        async with harness.asking("updateTrigger"):
            answer = (await harness.client.update_trigger(input=wanted)).update_trigger
    except Unanswered as fault:
        raise Unanswered(SYSTEM, fault.reason, advice=advice) from fault
    if answer is None or answer.trigger is None:
        raise Unanswered(SYSTEM, "updateTrigger was answered without a trigger", advice=advice)
    return trigger_forms.trigger(answer.trigger, planned.application_id)


async def delete(harness: Harness, application: str, identifier: str) -> None:
    """Delete a trigger; if no answer comes, look whether it is gone."""
    wanted = DeleteTriggerInput(applicationId=application, triggerId=identifier)
    try:
        try:
            async with harness.asking("deleteTrigger"):
                await harness.client.delete_trigger(input=wanted)
        except Unanswered:
            await read(harness, application, identifier)
            raise
    except Missing:
        return


def _there(found: TriggerDetails | None, identifier: str) -> TriggerDetails:
    if found is None or not found.id:
        raise Missing(SYSTEM, f"there is no trigger {identifier!r} in the application")
    return found
