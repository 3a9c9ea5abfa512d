"""Events against the simulated tenant: sent once, in both shapes of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import DiagnosticError, Severity
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.systems.nexthink.event import NexthinkEvent
from tests.support.nexthink import Bench, laptops, planned

GATE = "#approval_gate"


async def waiting(tenant: Bench) -> str:
    """Start an execution that waits for an event; return its id."""
    begun = await tenant.run(workflow=GATE, devices=laptops(), wait=False)
    (execution,) = begun.execution_ids or []
    return execution


def event(execution: str, **arguments: Any) -> NexthinkEvent:
    given = {} if "workflow_uuid" in arguments else {"workflow": GATE}
    return NexthinkEvent(execution_id=execution, **(given | arguments))


@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize("details", ["array", "object"])
async def test_the_execution_goes_on(tenant: Bench, shape: str, details: str) -> None:
    tenant.world.behaviors.change({"nexthink": {"trigger_shape": shape, "details_shape": details}})
    execution = await waiting(tenant)
    answer = await tenant.events().create(event(execution, parameters={"approved": "yes"}), b"")
    assert not answer.diagnostics
    assert answer.state is not None
    (run,) = tenant.world.runs.of("nexthink")
    assert answer.state.id == run.id
    tenant.clock.advance(60)
    assert run.phase(tenant.world.clock()).value == "SUCCEEDED"
    (sent,) = tenant.asked("/trigger")
    assert sent.path.endswith(f"/execution/{execution}/trigger")
    assert sent.body == {"parameters": {"approved": "yes"}}
    assert sent.headers["source"] == "terraform-provider-workflow"


async def test_a_uuid_saves_the_look_up(tenant: Bench) -> None:
    from provider_py.sandbox.nexthink.tenant import workflow

    gate = workflow(GATE)
    assert gate is not None
    execution = await waiting(tenant)
    tenant.world.requests.clear()
    plan = await planned(tenant.events(), event(execution, workflow_uuid=gate.uuid))
    assert plan.diagnostics == ()
    await tenant.events().create(event(execution, workflow_uuid=gate.uuid), b"")
    assert [each.path.rpartition("/")[2] for each in tenant.world.requests] == ["trigger"]
    assert tenant.world.requests[0].body == {"parameters": {}}


async def test_a_workflow_that_is_not_there_is_told_at_plan(tenant: Bench) -> None:
    plan = await planned(tenant.events(), event("3fa85f64-5717-4562-b3fc-2c963f66afa6", workflow="#aproval_gate"))
    (said,) = plan.diagnostics
    assert (said.severity, said.path) == (Severity.ERROR, ("workflow",))
    assert "#aproval_gate" in said.summary


async def test_names_like_it_are_told_where_workflows_are_listed(tenant: Bench) -> None:
    wrong = event("3fa85f64-5717-4562-b3fc-2c963f66afa6", workflow="aproval_gate")
    (said,) = (await planned(tenant.events(), wrong)).diagnostics
    assert "'#approval_gate'" in said.detail
    tenant.process()
    tenant.world.behaviors.change({"nexthink": {"strict_published": True}})
    (said,) = (await planned(tenant.events(), wrong)).diagnostics
    assert "Unknown Nexthink workflow 'aproval_gate'" in said.summary


async def test_a_tenant_that_does_not_answer_at_plan_is_a_warning(tenant: Bench) -> None:
    tenant.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=503, times=None))
    (said,) = (await planned(tenant.events(), event("3fa85f64-5717-4562-b3fc-2c963f66afa6"))).diagnostics
    assert said.severity is Severity.WARNING


async def test_no_preflight_asks_nothing(tenant: Bench) -> None:
    tenant.runtime.preflight = False
    assert (await planned(tenant.events(), event("3fa85f64-5717-4562-b3fc-2c963f66afa6"))).diagnostics == ()
    assert tenant.world.requests == []


async def test_an_execution_that_does_not_wait_is_refused(tenant: Bench) -> None:
    execution = await waiting(tenant)
    await tenant.events().create(event(execution), b"")
    with pytest.raises(DiagnosticError) as caught:
        await tenant.events().create(event(execution), b"")
    (said,) = caught.value.diagnostics
    assert said.summary == "The event was not sent"
    assert "EXECUTION_NOT_WAITING" in said.detail


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.CUT, None), (FaultKind.HTML, 502), (FaultKind.STATUS, 500), (FaultKind.JSON, 200)],
)
async def test_an_answer_that_is_lost_is_told_and_nothing_is_sent_again(
    tenant: Bench, kind: FaultKind, status: int | None
) -> None:
    execution = await waiting(tenant)
    tenant.world.faults.add(
        Fault("nexthink", kind, Match(path="/trigger"), status=status, body=[], after=True, times=None)
    )
    answer = await tenant.events().create(event(execution), b"")
    (said,) = answer.diagnostics
    assert said.severity is Severity.ERROR
    assert execution in said.detail
    assert "terraform untaint" in said.detail
    assert answer.state is not None  # an error beside a state taints it, so the next plan shows what it would send
    assert answer.state.id is None
    assert len(tenant.asked("/trigger")) == 1


async def test_what_surely_had_no_effect_is_sent_again(tenant: Bench) -> None:
    execution = await waiting(tenant)
    tenant.world.faults.add(
        Fault("nexthink", FaultKind.STATUS, Match(path="/trigger"), status=429, headers={"Retry-After": "3"})
    )
    answer = await tenant.events().create(event(execution), b"")
    assert not answer.diagnostics
    assert len(tenant.asked("/trigger")) == 2


async def test_nothing_else_is_ever_asked(tenant: Bench) -> None:
    state = event("3fa85f64-5717-4562-b3fc-2c963f66afa6")
    assert (await tenant.events().read(state, b"")).state == state
    assert (await tenant.events().update(state, state, b"")).state == state
    assert (await tenant.events().delete(state, b"")).state is None
    with pytest.raises(DiagnosticError, match="cannot be imported"):
        await tenant.events().import_state("anything")
    assert tenant.world.requests == []
