"""The life of a run in each of the three systems."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
from typing import Any

import pytest

from provider_py.execution import Timeouts
from provider_py.execution.private_state import PrivateState
from provider_py.plugin import ApplyResult, Change, Decoded, DiagnosticError, ReadResult, Severity
from provider_py.sandbox.faults import Fault, FaultKind
from provider_py.sandbox.world import Script
from provider_py.systems.harness.execution import HarnessExecution
from provider_py.systems.nexthink.targets import Device, User
from tests.contract.systems.driving import SYSTEMS, Driver, eventually, only, published_example, simple

SUCCESS = {"harness": "SUCCESS", "nexthink": "success", "vcd": "completed"}
FAILURE = {"harness": "FAILED", "nexthink": "failure", "vcd": "failed"}
HOLD = {"harness": "PAUSED", "nexthink": "waiting_on_device", "vcd": "suspended"}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

every_system = pytest.mark.parametrize("system", SYSTEMS)


def unchanged(state: Any) -> Change[Any]:
    """The change that Terraform asks a plan for when the configuration is still the same."""
    return Change(state, Decoded(state), frozenset())


@every_system
async def test_a_run_ends_well(driver: Driver, system: str) -> None:
    config = simple(system)
    assert await driver.plan(config) == ()
    assert driver.runs() == []
    answer = await driver.create(config)
    assert list(answer.diagnostics) == []
    (run,) = driver.runs()
    state = answer.state
    assert (state.id, state.status, state.record_expired) == (run.id, SUCCESS[system], False)
    assert len(driver.starts(system)) == 1
    assert RFC_3339.fullmatch(state.ended_at)
    if system != "nexthink":
        assert RFC_3339.fullmatch(state.started_at)
        assert state.url.startswith("http")


async def test_the_results_of_the_published_example(driver: Driver) -> None:
    config = published_example(notes="from terraform")
    assert await driver.plan(config) == ()
    answer = await driver.create(config)
    assert list(answer.diagnostics) == []
    assert set(answer.state.outputs) == {"Environment", "InfraDefinition_Kubernetes", "InfraDefinition_Kubernetes2"}
    assert f"/executions/{answer.state.id}/details" in answer.state.url


async def test_the_results_of_a_nexthink_execution(driver: Driver) -> None:
    config = simple(
        "nexthink",
        workflow="#service_restart_and_repair",
        devices=[Device(name="LAPTOP-01"), Device(name="LAPTOP-02")],
        users=[User(upn="ann@example.com")],
        params={"service": "spooler"},
    )
    assert await driver.plan(config) == ()
    state = (await driver.create(config)).state
    assert state.request_ids == [state.id]
    assert len(set(state.execution_ids)) == 3
    assert [each.execution_id for each in state.executions] == state.execution_ids
    assert {each.outcome for each in state.executions} == {"action_taken"}
    assert state.outputs == dict.fromkeys(state.execution_ids, "Service restarted")


async def test_the_results_of_a_cloud_director_execution(driver: Driver) -> None:
    parameters = {"vmName": "web-1", "size": 2, "notify": True, "tags": ["a", "b"]}
    config = simple("vcd", workflow="Onboard tenant", parameters=parameters)
    assert await driver.plan(config) == ()
    state = (await driver.create(config)).state
    assert state.outputs == {"vmId": "vm-42", "ready": True, "addresses": ["192.0.2.10", "192.0.2.11"]}
    assert state.current_item == "End"
    assert state.import_id.endswith(f"/{state.id}")


@every_system
async def test_a_run_that_is_not_waited_for(driver: Driver, system: str) -> None:
    driver.sandbox.world.behaviors.change({"nexthink": {"row_lag_seconds": 0}})
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=1e6))
    state = await driver.started(simple(system))
    (run,) = driver.runs()
    assert state.id == run.id
    assert state.ended_at is None
    resource = driver.of(system)
    going_on = (await resource.read(state, b"")).state
    assert going_on.ended_at is None
    run.finish(driver.sandbox.world.clock())
    ended = await resource.read(going_on, b"")
    assert (ended.state.status, list(ended.diagnostics)) == (SUCCESS[system], [])
    assert RFC_3339.fullmatch(ended.state.ended_at)


@every_system
async def test_nobody_asks_for_a_run_that_has_ended(driver: Driver, system: str) -> None:
    config = simple(system)
    state = (await driver.create(config)).state
    driver.requests.clear()
    resource = driver.of(system)
    assert (await resource.read(state, b"")).state == state
    assert (await resource.plan(unchanged(state))).unknown == frozenset()
    changed = dataclasses.replace(state, poll_interval="9s", on_failure="keep")
    assert (await resource.update(state, changed, b"")).state == changed
    assert (await resource.delete(changed, b"")).state is None
    assert driver.requests == []
    assert len(driver.runs()) == 1


@every_system
@pytest.mark.parametrize(("on_failure", "severity"), [("error", Severity.ERROR), ("keep", Severity.WARNING)])
async def test_a_run_ends_badly(driver: Driver, system: str, on_failure: str, severity: Severity) -> None:
    driver.sandbox.world.runs.scripts.append(Script(system, ending="failure", reason="disk full on node 7"))
    answer = await driver.create(simple(system, on_failure=on_failure))
    text = only(answer.diagnostics, severity)
    state = answer.state
    assert (state.id, state.status) == (driver.runs()[0].id, FAILURE[system])
    for fact in (state.id, FAILURE[system], "disk full on node 7", state.url or "", "on_failure"):
        assert fact in text


@every_system
async def test_a_run_that_is_held_is_waited_for(driver: Driver, system: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="provider_py.execution")
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=12))
    creating = asyncio.create_task(driver.create(simple(system)))
    await driver.until(system)
    (run,) = driver.runs()
    run.hold, run.hold_at = HOLD[system], driver.sandbox.world.clock()
    await eventually(lambda: f"is {HOLD[system]}" in caplog.text)
    if system != "nexthink":
        assert {"harness": "act in Harness", "vcd": "resume it in Orchestrator"}[system] in caplog.text
    run.release(driver.sandbox.world.clock())
    answer = await creating
    assert (answer.state.status, list(answer.diagnostics)) == (SUCCESS[system], [])


@every_system
async def test_a_stop_while_waiting_keeps_the_run_for_the_next_apply(driver: Driver, system: str) -> None:
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=1e6))
    config = simple(system)
    creating = asyncio.create_task(driver.create(config))
    await driver.until(system)
    driver.stop.set()
    answer = await creating
    assert "is still running" in only(answer.diagnostics, Severity.WARNING)
    assert answer.state.id == driver.runs()[0].id
    assert answer.state.ended_at is None

    driver.stop.clear()
    resource = driver.of(system)
    plan = await resource.plan(unchanged(answer.state))
    assert {"status", "ended_at"} <= plan.unknown
    assert "id" not in plan.unknown
    driver.runs()[0].finish(driver.sandbox.world.clock())
    resumed = await resource.update(answer.state, answer.state, b"")
    assert (resumed.state.status, list(resumed.diagnostics)) == (SUCCESS[system], [])
    assert resumed.state.id == answer.state.id
    assert len(driver.starts(system)) == 1


@every_system
async def test_a_stop_before_the_start_starts_nothing(driver: Driver, system: str) -> None:
    driver.stop.set()
    answer = await driver.create(simple(system))
    text = only(answer.diagnostics, Severity.ERROR)
    assert "Nothing was started" in text
    assert "interrupted" in text
    assert answer.state is None
    assert driver.runs() == []


@every_system
async def test_checks_that_outlast_the_time_limit_start_nothing(driver: Driver, system: str) -> None:
    driver.sandbox.world.faults.add(Fault(system, FaultKind.SILENCE, times=None))
    answer = await driver.create(simple(system, timeouts=Timeouts(create="5s")))
    assert "timeouts.create" in only(answer.diagnostics, Severity.ERROR)
    assert answer.state is None
    assert driver.runs() == []


@every_system
async def test_a_run_that_outlasts_its_time_limit(driver: Driver, system: str) -> None:
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=1e6))
    answer = await driver.create(simple(system, timeouts=Timeouts(create="15s")))
    text = only(answer.diagnostics, Severity.ERROR)
    assert "timed out" in text
    assert "timeouts.create" in text
    assert answer.diagnostics[0].path == ("timeouts",)
    assert answer.state.id == driver.runs()[0].id


@every_system
async def test_a_record_that_vanishes_while_the_run_is_waited_for(driver: Driver, system: str) -> None:
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=1e6))
    creating = asyncio.create_task(driver.create(simple(system)))
    await driver.until(system)
    await asyncio.sleep(0.1)
    driver.sandbox.world.runs.forget(driver.runs()[0].id)
    answer = await creating
    assert "no longer exists in" in only(answer.diagnostics, Severity.WARNING)
    assert answer.state.record_expired is True
    assert answer.state.id


@every_system
async def test_a_record_that_is_gone_keeps_the_resource(driver: Driver, system: str) -> None:
    driver.sandbox.world.behaviors.change({"nexthink": {"row_lag_seconds": 0}})
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=1e6))
    state = await driver.started(simple(system))
    resource = driver.of(system)
    state = (await resource.read(state, b"")).state
    driver.sandbox.world.runs.forget(state.id)
    answer = await resource.read(state, b"")
    assert "no longer exists in" in only(answer.diagnostics, Severity.WARNING)
    assert answer.state == dataclasses.replace(state, record_expired=True)
    driver.requests.clear()
    assert await resource.read(answer.state, b"") == ReadResult(answer.state)
    assert driver.requests == []


@pytest.mark.parametrize("system", ["harness", "vcd"])
@pytest.mark.parametrize(("on_destroy", "cancelled"), [("cancel", True), ("forget", False)])
async def test_destroying_an_unfinished_run(driver: Driver, system: str, on_destroy: str, cancelled: bool) -> None:
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=1e6))
    state = await driver.started(simple(system, on_destroy=on_destroy))
    assert await driver.of(system).delete(state, b"") == ApplyResult(None)
    assert (driver.runs()[0].cancelled_at is not None) is cancelled


@pytest.mark.parametrize("system", ["harness", "vcd"])
@pytest.mark.parametrize("meanwhile", ["ended", "cancelled", "purged"])
async def test_a_run_that_cannot_be_cancelled_any_more_does_not_hold_up_the_destruction(
    driver: Driver, system: str, meanwhile: str
) -> None:
    driver.sandbox.world.runs.scripts.append(Script(system, seconds=1e6))
    state = await driver.started(simple(system, on_destroy="cancel"))
    (run,) = driver.runs()
    now = driver.sandbox.world.clock()
    match meanwhile:
        case "ended":
            run.finish(now)
        case "cancelled":
            driver.sandbox.world.runs.cancel(run.id, now)
        case _:
            driver.sandbox.world.runs.forget(run.id)
    assert await driver.of(system).delete(state, b"") == ApplyResult(None)


async def test_nexthink_executions_cannot_be_cancelled(driver: Driver) -> None:
    said = await driver.plan(simple("nexthink", on_destroy="cancel"))
    assert "cannot be cancelled" in only(said, Severity.ERROR)


@every_system
async def test_import(driver: Driver, system: str) -> None:
    state = (await driver.create(simple(system))).state
    identifier = {"harness": state.id, "nexthink": f"#reboot_device/{state.id}"}.get(system) or state.import_id
    answer = await driver.of(system).import_state(identifier)
    assert list(answer.diagnostics) == []
    for name in ("id", "status", "url", "outputs", "record_expired"):
        assert getattr(answer.state, name) == getattr(state, name)
    match system:
        case "harness":
            assert answer.state.application_id == "naNJDKrUTZKKdKycL5Tx4g"
            assert answer.state.workflow_id
        case "nexthink":
            assert answer.state.workflow == "#reboot_device"
        case _:
            assert answer.state.workflow_id == state.import_id.partition("/")[0]
    told = {"nexthink": "devices"}.get(system, "workflow")
    change = Change(answer.state, Decoded(simple(system)), frozenset({told}), answer.private)
    assert (await driver.of(system).plan(change)).in_place


@every_system
async def test_import_of_what_is_not_there(driver: Driver, system: str) -> None:
    known = (await driver.create(simple("vcd"))).state
    nothing = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    workflow = known.import_id.partition("/")[0]
    identifier = {"harness": nothing, "nexthink": f"#reboot_device/{nothing}", "vcd": f"{workflow}/{nothing}"}[system]
    with pytest.raises(DiagnosticError) as caught:
        await driver.of(system).import_state(identifier)
    assert "does not exist" in only(caught.value.diagnostics, Severity.ERROR)
    assert nothing in caught.value.diagnostics[0].summary


@pytest.mark.parametrize(("system", "identifier"), [("nexthink", "b5972cf3"), ("vcd", "b5972cf3"), ("harness", "")])
async def test_import_ids_have_a_form(driver: Driver, system: str, identifier: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        await driver.of(system).import_state(identifier)
    assert "Invalid import ID" in only(caught.value.diagnostics, Severity.ERROR)
    assert driver.requests == []


@pytest.mark.parametrize(
    ("prior", "planned", "in_place"),
    [
        ({"workflow_id": "w"}, {"workflow": "deploy"}, True),
        ({"workflow_id": "w"}, {"workflow_id": "w", "notes": "by hand"}, True),
        ({"workflow_id": "w"}, {"workflow_id": "other"}, False),
        ({"workflow_id": "w", "notes": "a"}, {"workflow_id": "w", "notes": "b"}, False),
    ],
)
async def test_an_import_leaves_only_open_what_it_could_not_know(
    driver: Driver, prior: dict[str, Any], planned: dict[str, Any], in_place: bool
) -> None:
    before = HarnessExecution(application_id="a", id="run", status="SUCCESS", **prior)
    after = HarnessExecution(application_id="a", id="run", status="SUCCESS", **planned)
    changed = frozenset(name for name in {*prior, *planned} if prior.get(name) != planned.get(name))
    plan = await driver.of("harness").plan(Change(before, Decoded(after), changed, PrivateState.IMPORTED.encode()))
    assert plan.in_place is in_place
