"""Events against the simulated tenant: sent once, with both shapes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import DiagnosticError, Severity
from provider_py.sandbox import Fault, FaultKind, Match
from provider_py.sandbox.nexthink import workflow
from provider_py.systems.nexthink.event import NexthinkEvent
from tests.support.nexthink import laptops, run
from tests.support.site import Process

GATE = "#approval_gate"
UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


async def start_waiting(process: Process) -> str:
    """Start an execution that waits for an event; return its ID."""
    started = await run(process, workflow=GATE, devices=laptops(), wait=False)
    (execution,) = started.execution_ids or []
    return execution


def event(execution: str, **arguments: Any) -> NexthinkEvent:
    workflow = {} if "workflow_uuid" in arguments else {"workflow": GATE}
    return NexthinkEvent(execution_id=execution, **(workflow | arguments))


@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize("details", ["array", "object"])
async def test_event_resumes_the_execution(process: Process, shape: str, details: str) -> None:
    process.site.set_behaviors("nexthink", trigger_shape=shape, details_shape=details)
    execution = await start_waiting(process)
    result = await process.create(event(execution, parameters={"approved": "yes"}))
    assert not result.diagnostics
    assert result.state is not None
    (run,) = process.site.runs("nexthink")
    assert result.state.id == run.id
    await process.site.clock.advance(60)
    assert run.phase(process.site.world.clock()).value == "SUCCEEDED"
    (request,) = process.site.received("/trigger")
    assert request.path.endswith(f"/execution/{execution}/trigger")
    assert request.body == {"parameters": {"approved": "yes"}}
    assert request.headers["source"] == "terraform-provider-workflow"


async def test_workflow_uuid_saves_the_lookup(process: Process) -> None:
    gate = workflow(GATE)
    assert gate is not None
    execution = await start_waiting(process)
    process.site.requests.clear()
    assert await process.plan(event(execution, workflow_uuid=gate.uuid)) == ()
    await process.create(event(execution, workflow_uuid=gate.uuid))
    assert [request.path.rpartition("/")[2] for request in process.site.requests] == ["trigger"]
    assert process.site.requests[0].body == {"parameters": {}}


async def test_unknown_workflow_is_reported_at_plan(process: Process) -> None:
    (diagnostic,) = await process.plan(event(UUID, workflow="#aproval_gate"))
    assert (diagnostic.severity, diagnostic.path) == (Severity.ERROR, ("workflow",))
    assert "#aproval_gate" in diagnostic.summary


async def test_similar_names_are_suggested_if_workflows_are_listed(process: Process) -> None:
    misspelled = event(UUID, workflow="aproval_gate")
    (diagnostic,) = await process.plan(misspelled)
    assert "'#approval_gate'" in diagnostic.detail
    process = await process.site.process()
    process.site.set_behaviors("nexthink", strict_published=True)
    (diagnostic,) = await process.plan(misspelled)
    assert "Unknown Nexthink workflow 'aproval_gate'" in diagnostic.summary


async def test_unavailable_tenant_is_a_warning_at_plan(process: Process) -> None:
    process.site.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=503, times=None))
    (diagnostic,) = await process.plan(event(UUID))
    assert diagnostic.severity is Severity.WARNING


async def test_disabled_preflight_sends_nothing(process: Process) -> None:
    process.provider._runtime.preflight = False
    assert await process.plan(event(UUID)) == ()
    assert process.site.requests == []


async def test_event_for_an_execution_that_does_not_wait_is_rejected(process: Process) -> None:
    execution = await start_waiting(process)
    await process.create(event(execution))
    (diagnostic,) = (await process.create(event(execution))).diagnostics
    assert diagnostic.summary == "Nexthink event was not sent"
    assert "EXECUTION_NOT_WAITING" in diagnostic.detail


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.CUT, None), (FaultKind.HTML, 502), (FaultKind.STATUS, 500), (FaultKind.JSON, 200)],
)
async def test_lost_answer_is_reported_and_nothing_is_sent_again(
    process: Process, kind: FaultKind, status: int | None
) -> None:
    execution = await start_waiting(process)
    process.site.world.faults.add(
        Fault("nexthink", kind, Match(path="/trigger"), status=status, body=[], after=True, times=None)
    )
    result = await process.create(event(execution))
    (diagnostic,) = result.diagnostics
    assert diagnostic.severity is Severity.ERROR
    assert diagnostic.path == ("execution_id",)
    assert execution in diagnostic.detail
    assert "workflow-provider journal settle" in diagnostic.detail
    assert result.state is None  # nothing is known that a state could hold: the journal keeps it
    assert len(process.site.received("/trigger")) == 1


async def test_event_is_sent_again_if_it_certainly_had_no_effect(process: Process) -> None:
    execution = await start_waiting(process)
    process.site.world.faults.add(
        Fault("nexthink", FaultKind.STATUS, Match(path="/trigger"), status=429, headers={"Retry-After": "3"})
    )
    result = await process.create(event(execution))
    assert not result.diagnostics
    assert len(process.site.received("/trigger")) == 2


async def test_other_operations_send_nothing(process: Process) -> None:
    state = event(UUID)
    assert (await process.resource("nexthink_event").read(state, b"")).state == state
    assert (await process.resource("nexthink_event").update(state, state, b"")).state == state
    assert (await process.resource("nexthink_event").delete(state, b"")).state is None
    with pytest.raises(DiagnosticError, match="cannot be imported"):
        await process.resource("nexthink_event").import_state("anything")
    assert process.site.requests == []
