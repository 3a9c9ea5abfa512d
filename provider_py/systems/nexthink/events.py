"""The call behind an event, in and out of the generated client's types. Imported on first use."""

from __future__ import annotations

import dataclasses

from nexthink_client.api.workflows import trigger_thinklet
from nexthink_client.models import ThinkletTriggerRequest, ThinkletTriggerRequestParameters, ThinkletTriggerResponse

from provider_py.execution.connection import readable
from provider_py.execution.errors import Unanswered
from provider_py.systems.nexthink.calls import SOURCE, workflow
from provider_py.systems.nexthink.event import NexthinkEvent
from provider_py.systems.nexthink.settings import SYSTEM
from provider_py.systems.nexthink.system import Nexthink


async def workflow_uuid(nexthink: Nexthink, identifier: str) -> str:
    """Return the UUID of the workflow with an NQL id; raises DiagnosticError if there is none."""
    return (await workflow(nexthink, identifier)).uuid


async def send(nexthink: Nexthink, event: NexthinkEvent, uuid: str) -> NexthinkEvent:
    """Send the event, once; return it with the id of the request that went on. One object or a list may answer."""
    parameters = ThinkletTriggerRequestParameters()
    parameters.additional_properties.update(event.parameters or {})
    with readable(SYSTEM, "the event"):
        answer = await trigger_thinklet.asyncio(
            uuid,
            event.execution_id,
            client=nexthink.client,
            body=ThinkletTriggerRequest(parameters=parameters),
            source=SOURCE,
        )
        found = answer[0] if isinstance(answer, list) and answer else answer
        if not isinstance(found, ThinkletTriggerResponse):
            raise Unanswered(SYSTEM, "the event was answered without a request id")
        return dataclasses.replace(event, id=str(found.request_uuid))
