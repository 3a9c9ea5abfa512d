"""Events against the simulated tenant: sent once, with both shapes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import DiagnosticError, Severity
from provider_py.sandbox import Fault, FaultKind, Match
from provider_py.sandbox.nexthink import workflow
from provider_py.systems.nexthink.event import NexthinkEvent
from tests.support.nexthink import Bench, laptops, planned

GATE = "#approval_gate"
UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


async def start_waiting(tenant: Bench) -> str:
    """Start an execution that waits for an event; return its ID."""
    started = await tenant.run(workflow=GATE, devices=laptops(), wait=False)
    (execution,) = started.execution_ids or []
    return execution


def event(execution: str, **arguments: Any) -> NexthinkEvent:
    workflow = {} if "workflow_uuid" in arguments else {"workflow": GATE}
    return NexthinkEvent(execution_id=execution, **(workflow | arguments))


@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize("details", ["array", "object"])
async def test_event_resumes_the_execution(tenant: Bench, shape: str, details: str) -> None:
    tenant.world.behaviors.change({"nexthink": {"trigger_shape": shape, "details_shape": details}})
    execution = await start_waiting(tenant)
    result = await tenant.events().create(event(execution, parameters={"approved": "yes"}), b"")
    assert not result.diagnostics
    assert result.state is not None
    (run,) = tenant.world.runs.of("nexthink")
    assert result.state.id == run.id
    tenant.clock.advance(60)
    assert run.phase(tenant.world.clock()).value == "SUCCEEDED"
    (request,) = tenant.requests("/trigger")
    assert request.path.endswith(f"/execution/{execution}/trigger")
    assert request.body == {"parameters": {"approved": "yes"}}
    assert request.headers["source"] == "terraform-provider-workflow"


async def test_workflow_uuid_saves_the_lookup(tenant: Bench) -> None:
    gate = workflow(GATE)
    assert gate is not None
    execution = await start_waiting(tenant)
    tenant.world.requests.clear()
    plan = await planned(tenant.events(), event(execution, workflow_uuid=gate.uuid))
    assert plan.diagnostics == ()
    await tenant.events().create(event(execution, workflow_uuid=gate.uuid), b"")
    assert [request.path.rpartition("/")[2] for request in tenant.world.requests] == ["trigger"]
    assert tenant.world.requests[0].body == {"parameters": {}}


async def test_unknown_workflow_is_reported_at_plan(tenant: Bench) -> None:
    plan = await planned(tenant.events(), event(UUID, workflow="#aproval_gate"))
    (diagnostic,) = plan.diagnostics
    assert (diagnostic.severity, diagnostic.path) == (Severity.ERROR, ("workflow",))
    assert "#aproval_gate" in diagnostic.summary


async def test_similar_names_are_suggested_if_workflows_are_listed(tenant: Bench) -> None:
    misspelled = event(UUID, workflow="aproval_gate")
    (diagnostic,) = (await planned(tenant.events(), misspelled)).diagnostics
    assert "'#approval_gate'" in diagnostic.detail
    tenant.process()
    tenant.world.behaviors.change({"nexthink": {"strict_published": True}})
    (diagnostic,) = (await planned(tenant.events(), misspelled)).diagnostics
    assert "Unknown Nexthink workflow 'aproval_gate'" in diagnostic.summary


async def test_unavailable_tenant_is_a_warning_at_plan(tenant: Bench) -> None:
    tenant.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=503, times=None))
    (diagnostic,) = (await planned(tenant.events(), event(UUID))).diagnostics
    assert diagnostic.severity is Severity.WARNING


async def test_disabled_preflight_sends_nothing(tenant: Bench) -> None:
    tenant.runtime.preflight = False
    assert (await planned(tenant.events(), event(UUID))).diagnostics == ()
    assert tenant.world.requests == []


async def test_event_for_an_execution_that_does_not_wait_is_rejected(tenant: Bench) -> None:
    execution = await start_waiting(tenant)
    await tenant.events().create(event(execution), b"")
    with pytest.raises(DiagnosticError) as caught:
        await tenant.events().create(event(execution), b"")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.summary == "Nexthink event was not sent"
    assert "EXECUTION_NOT_WAITING" in diagnostic.detail


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.CUT, None), (FaultKind.HTML, 502), (FaultKind.STATUS, 500), (FaultKind.JSON, 200)],
)
async def test_lost_answer_is_reported_and_nothing_is_sent_again(
    tenant: Bench, kind: FaultKind, status: int | None
) -> None:
    execution = await start_waiting(tenant)
    tenant.world.faults.add(
        Fault("nexthink", kind, Match(path="/trigger"), status=status, body=[], after=True, times=None)
    )
    result = await tenant.events().create(event(execution), b"")
    (diagnostic,) = result.diagnostics
    assert diagnostic.severity is Severity.ERROR
    assert execution in diagnostic.detail
    assert "terraform untaint" in diagnostic.detail
    assert result.state is not None  # with an error it taints the resource, so the next plan shows the event
    assert result.state.id is None
    assert len(tenant.requests("/trigger")) == 1


async def test_event_is_sent_again_if_it_certainly_had_no_effect(tenant: Bench) -> None:
    execution = await start_waiting(tenant)
    tenant.world.faults.add(
        Fault("nexthink", FaultKind.STATUS, Match(path="/trigger"), status=429, headers={"Retry-After": "3"})
    )
    result = await tenant.events().create(event(execution), b"")
    assert not result.diagnostics
    assert len(tenant.requests("/trigger")) == 2


async def test_other_operations_send_nothing(tenant: Bench) -> None:
    state = event(UUID)
    assert (await tenant.events().read(state, b"")).state == state
    assert (await tenant.events().update(state, state, b"")).state == state
    assert (await tenant.events().delete(state, b"")).state is None
    with pytest.raises(DiagnosticError, match="cannot be imported"):
        await tenant.events().import_state("anything")
    assert tenant.world.requests == []
