"""The life of a run in each of the three systems: started once, waited for, resumed, expired, cancelled, imported.

Faults on the way are in tests/faults; what only one system has is in its own directory.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
from typing import Any

import pytest

from provider_py.execution import Timeouts
from provider_py.execution.life import Held, Standing, private_of
from provider_py.plugin import ApplyResult, Change, Decoded, DiagnosticError, ReadResult, Severity
from provider_py.systems.harness.execution import HarnessExecution
from provider_py.systems.nexthink.targets import Device, User
from tests.support.harness import published_example
from tests.support.site import Process, Site, only, simple
from tests.support.systems import CANCELLABLE, CANCELS, FAILURE, NAMES, SUCCESS, every_system
from tests.support.waiting import eventually

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
NOTHING = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
"""The ID of nothing."""
ONBOARD = {
    "workflow": "Onboard tenant",
    "parameters": {"vmName": "web-1", "size": 2, "notify": True, "tags": ["a", "b"]},
}
OUTPUTS = {"vmId": "vm-42", "ready": True, "addresses": ["192.0.2.10", "192.0.2.11"]}

with_every_refusal = pytest.mark.parametrize(
    ("system", "missing"), [("harness", "404"), ("nexthink", "404"), ("vcd", "404"), ("vcd", "403")]
)
"""Cloud Director may answer 403 for what it does not have."""


def unchanged(state: Any) -> Change[Any]:
    """The change that Terraform asks a plan for when the configuration is still the same."""
    return Change(state, Decoded(state), frozenset())


@every_system
async def test_a_successful_run_has_its_results(site: Site, process: Process, system: str) -> None:
    config = simple(system)
    assert await process.plan(config) == ()
    assert site.runs() == []
    state = await process.created(config)
    (run,) = site.runs()
    assert (state.id, state.status, state.record_expired) == (run.id, SUCCESS[system], False)
    assert len(site.starts(system)) == 1
    assert RFC_3339.fullmatch(state.ended_at)
    if system != "nexthink":
        assert RFC_3339.fullmatch(state.started_at)
        assert state.url.startswith("http")


async def test_the_published_example_of_harness_has_its_results(process: Process) -> None:
    config = published_example(notes="from terraform")
    assert await process.plan(config) == ()
    state = await process.created(config)
    assert set(state.outputs) == {"Environment", "InfraDefinition_Kubernetes", "InfraDefinition_Kubernetes2"}
    assert f"/executions/{state.id}/details" in state.url


async def test_a_nexthink_execution_has_its_results(process: Process) -> None:
    config = simple(
        "nexthink",
        workflow="#service_restart_and_repair",
        devices=[Device(name="LAPTOP-01"), Device(name="LAPTOP-02")],
        users=[User(upn="ann@example.com")],
        params={"service": "spooler"},
    )
    assert await process.plan(config) == ()
    state = await process.created(config)
    assert (state.status_message, state.request_ids) == (None, [state.id])
    assert len(set(state.execution_ids)) == 3
    assert [execution.execution_id for execution in state.executions] == state.execution_ids
    assert [request.execution_ids for request in state.requests] == [state.execution_ids]
    assert {execution.outcome for execution in state.executions} == {"action_taken"}
    assert state.outputs == dict.fromkeys(state.execution_ids, "Service restarted")
    assert (state.summary.total, state.summary.succeeded, state.summary.in_progress) == (3, 3, 0)


async def test_a_cloud_director_execution_has_its_results(process: Process) -> None:
    config = simple("vcd", **ONBOARD)
    assert await process.plan(config) == ()
    state = await process.created(config)
    assert state.outputs == OUTPUTS
    assert state.current_item == "End"
    assert state.import_id.endswith(f"/{state.id}")


@every_system
async def test_a_run_that_is_not_waited_for_is_read_until_it_ends(site: Site, process: Process, system: str) -> None:
    site.set_behaviors("nexthink", row_lag_seconds=0)
    site.script(system)
    state = await process.started(simple(system))
    (run,) = site.runs()
    assert state.id == run.id
    assert state.ended_at is None
    active = (await process.execution(system).read(state, b"")).state
    assert active.ended_at is None
    site.finish()
    ended = await process.execution(system).read(active, b"")
    assert (ended.state.status, list(ended.diagnostics)) == (SUCCESS[system], [])
    assert RFC_3339.fullmatch(ended.state.ended_at)


@every_system
async def test_a_run_that_has_ended_is_not_polled(site: Site, process: Process, system: str) -> None:
    state = await process.created(simple(system))
    site.requests.clear()
    resource = process.execution(system)
    assert (await resource.read(state, b"")).state == state
    assert (await resource.plan(unchanged(state))).unknown == frozenset()
    changed = dataclasses.replace(state, poll_interval="9s", on_failure="keep")
    assert (await resource.update(state, changed, b"")).state == changed
    assert (await resource.delete(changed, b"")).state is None
    assert site.requests == []
    assert len(site.runs()) == 1


@every_system
@pytest.mark.parametrize(("on_failure", "severity"), [("error", Severity.ERROR), ("keep", Severity.WARNING)])
async def test_a_failed_run_is_reported(
    site: Site, process: Process, system: str, on_failure: str, severity: Severity
) -> None:
    site.script(system, seconds=None, ending="failure", reason="disk full on node 7")
    result = await process.create(simple(system, on_failure=on_failure))
    text = only(result.diagnostics, severity)
    state = result.state
    assert (state.id, state.status) == (site.runs()[0].id, FAILURE[system])
    for fact in (state.id, FAILURE[system], "disk full on node 7", state.url or "", "on_failure"):
        assert fact in text


@pytest.mark.parametrize(
    ("system", "status", "advice"),
    [
        ("harness", "PAUSED", "act in Harness"),
        ("harness", "WAITING", "act in Harness"),
        ("nexthink", "waiting_on_device", ""),
        ("vcd", "waiting", "answer in Orchestrator"),
        ("vcd", "suspended", "resume it in Orchestrator"),
    ],
)
async def test_a_held_run_is_waited_for(
    site: Site, process: Process, system: str, status: str, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    site.script(system, hold=status)
    with caplog.at_level(logging.INFO, "provider_py"):
        creation = asyncio.create_task(process.create(simple(system)))
        await site.until_started(system)
        await eventually(lambda: f" is {status}" in caplog.text, "line in the log")
        await site.until_polled(system, times=2)
        assert not creation.done()
    (line,) = (message for message in caplog.messages if f" is {status}" in message)
    assert advice in line
    (run,) = site.runs()
    run.seconds = 1.0
    run.release(site.world.clock())
    result = await creation
    assert (result.state.status, list(result.diagnostics)) == (SUCCESS[system], [])


@every_system
async def test_an_interrupted_wait_is_resumed_by_the_next_apply(site: Site, process: Process, system: str) -> None:
    site.script(system)
    config = simple(system, **(ONBOARD if system == "vcd" else {}))
    creation = asyncio.create_task(process.create(config))
    await site.until_started(system)
    process.stop.set()
    result = await creation
    text = only(result.diagnostics, Severity.WARNING)
    assert "is still running" in text
    assert "Terraform was interrupted" in text
    (run,) = site.runs()
    assert result.state.id == run.id
    assert result.state.ended_at is None

    resource = (await site.process()).execution(system)
    plan = await resource.plan(unchanged(result.state))
    assert {"status", "ended_at"} <= plan.unknown
    assert "id" not in plan.unknown
    site.finish()
    resumed = await resource.update(result.state, result.state, result.private)
    assert (resumed.state.status, list(resumed.diagnostics)) == (SUCCESS[system], [])
    assert resumed.state.id == run.id
    assert system != "vcd" or resumed.state.outputs == OUTPUTS
    assert site.runs() == [run]
    assert len(site.starts(system)) == 1


@every_system
async def test_nothing_is_started_after_an_interruption(site: Site, process: Process, system: str) -> None:
    process.stop.set()
    result = await process.create(simple(system))
    text = only(result.diagnostics)
    assert "Nothing was started" in text
    assert "interrupted" in text
    assert result.state is None
    assert site.runs() == []


@every_system
async def test_nothing_is_started_if_the_checks_exceed_the_timeout(site: Site, process: Process, system: str) -> None:
    site.inject_fault(system, kind="silence", times=None)
    result = await process.create(simple(system, timeouts=Timeouts(create="5s")))
    assert "timeouts.create" in only(result.diagnostics)
    assert result.state is None
    assert site.runs() == []


@every_system
async def test_a_run_that_exceeds_its_timeout_is_reported(site: Site, process: Process, system: str) -> None:
    site.script(system)
    config = simple(system, timeouts=Timeouts(create="1m"))
    await process.plan(config)  # what is imported at the first request counts a hundredfold
    result = await process.create(config)
    text = only(result.diagnostics)
    assert "timed out" in text
    assert "timeouts.create" in text
    assert result.diagnostics[0].path == ("timeouts",)
    assert result.state.id == site.runs()[0].id


@with_every_refusal
async def test_a_run_that_vanishes_during_the_wait_is_looked_for_once_more_and_kept(
    site: Site, process: Process, system: str, missing: str
) -> None:
    site.set_behaviors("vcd", missing=missing)
    site.script(system)
    config = simple(system)
    creation = asyncio.create_task(process.create(config))
    await site.until_started(system)
    await site.until_polled(system)
    (run,) = site.runs()
    if system == "nexthink":  # whose rows must have been seen, or the request counts as not indexed yet
        await asyncio.sleep(0.1)
    site.world.runs.forget(run.id)
    result = await creation
    assert f"no longer exists in {NAMES[system]}" in only(result.diagnostics)
    assert (result.state.id, result.state.record_expired) == (run.id, False)
    assert private_of(result.private) == Held(Standing.VANISHED)
    await process.close(orderly=True)

    planning = await site.process()
    assert "shows no record" in only(
        (await planning.execution(system).read(result.state, result.private)).diagnostics, Severity.WARNING
    )
    assert await planning.plan(config) == ()
    await planning.close(orderly=True)

    applying = await site.process()
    kept = await applying.create(config)
    assert f"no longer exists in {NAMES[system]}" in only(kept.diagnostics, Severity.WARNING)
    assert (kept.state.id, kept.state.record_expired) == (run.id, True)
    assert len(site.starts(system)) == 1
    site.requests.clear()
    assert (await applying.execution(system).read(kept.state, b"")).state == kept.state
    assert site.requests == []


@with_every_refusal
async def test_a_record_that_expires_between_applies_keeps_the_resource(
    site: Site, process: Process, system: str, missing: str
) -> None:
    site.set_behaviors("nexthink", row_lag_seconds=0)
    site.set_behaviors("vcd", missing=missing)
    site.script(system)
    resource = process.execution(system)
    state = (await resource.read(await process.started(simple(system)), b"")).state
    site.world.runs.forget(state.id)
    result = await resource.read(state, b"")
    assert f"no longer exists in {NAMES[system]}" in only(result.diagnostics, Severity.WARNING)
    assert result.state == dataclasses.replace(state, record_expired=True)
    assert len(site.starts(system)) == 1
    site.requests.clear()
    assert await resource.read(result.state, b"") == ReadResult(result.state)
    assert site.requests == []


@pytest.mark.parametrize(("system", "missing"), [("harness", "404"), ("vcd", "404"), ("vcd", "403")])
@pytest.mark.parametrize("meanwhile", ["active", "ended", "cancelled", "purged"])
async def test_destroy_cancels_an_unfinished_run_and_ignores_that_it_has_ended(
    site: Site, process: Process, system: str, missing: str, meanwhile: str
) -> None:
    site.set_behaviors("vcd", missing=missing)
    site.script(system)
    state = await process.started(simple(system, on_destroy="cancel"))
    (run,) = site.runs()
    now = site.world.clock()
    match meanwhile:
        case "ended":
            run.finish(now)
        case "cancelled":
            site.world.runs.cancel(run.id, now)
        case "purged":
            site.world.runs.forget(run.id)
    private = Held(Standing.OWED).encode()
    assert await process.execution(system).delete(state, private) == ApplyResult(None)
    assert len(site.matching(system, CANCELS)) == 1
    assert meanwhile == "ended" or all(run.cancelled_at is not None for run in site.runs())


@pytest.mark.parametrize("system", CANCELLABLE)
async def test_destroy_leaves_an_unfinished_run_alone_by_default(site: Site, process: Process, system: str) -> None:
    site.script(system)
    state = await process.started(simple(system, on_destroy="forget"))
    assert await process.execution(system).delete(state, b"") == ApplyResult(None)
    assert site.runs()[0].cancelled_at is None


async def test_nexthink_executions_cannot_be_cancelled(process: Process) -> None:
    assert "cannot be cancelled" in only(await process.plan(simple("nexthink", on_destroy="cancel")))


@every_system
async def test_an_imported_run_has_its_results(process: Process, system: str) -> None:
    state = await process.created(simple(system))
    identifier = {"harness": state.id, "nexthink": f"#reboot_device/{state.id}"}.get(system) or state.import_id
    resource = process.execution(system)
    imported = await resource.import_state(identifier)
    assert list(imported.diagnostics) == []
    for name in ("id", "status", "url", "outputs", "record_expired"):
        assert getattr(imported.state, name) == getattr(state, name)
    match system:
        case "harness":
            assert imported.state.application_id == "naNJDKrUTZKKdKycL5Tx4g"
            assert imported.state.workflow_id
        case "nexthink":
            assert imported.state.workflow == "#reboot_device"
            assert imported.state.requests == state.requests
        case _:
            assert imported.state.workflow_id == state.import_id.partition("/")[0]
    changed = {"nexthink": "devices"}.get(system, "workflow")
    change = Change(imported.state, Decoded(simple(system)), frozenset({changed}), imported.private)
    assert (await resource.plan(change)).in_place


@every_system
async def test_a_run_that_does_not_exist_is_not_imported(process: Process, system: str) -> None:
    workflow = (await process.created(simple("vcd"))).import_id.partition("/")[0]
    identifier = {"harness": NOTHING, "nexthink": f"#reboot_device/{NOTHING}", "vcd": f"{workflow}/{NOTHING}"}[system]
    with pytest.raises(DiagnosticError) as caught:
        await process.execution(system).import_state(identifier)
    assert "does not exist" in only(caught.value.diagnostics)
    assert NOTHING in caught.value.diagnostics[0].summary


@pytest.mark.parametrize(("system", "identifier"), [("nexthink", "b5972cf3"), ("vcd", "b5972cf3"), ("harness", "")])
async def test_an_import_id_of_another_form_is_reported(
    site: Site, process: Process, system: str, identifier: str
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        await process.execution(system).import_state(identifier)
    assert "Invalid import ID" in only(caught.value.diagnostics)
    assert site.requests == []


@pytest.mark.parametrize(
    ("prior", "planned", "in_place"),
    [
        ({"workflow_id": "w"}, {"workflow": "deploy"}, True),
        ({"workflow_id": "w"}, {"workflow_id": "w", "notes": "by hand"}, True),
        ({"workflow_id": "w"}, {"workflow_id": "other"}, False),
        ({"workflow_id": "w", "notes": "a"}, {"workflow_id": "w", "notes": "b"}, False),
    ],
)
async def test_an_imported_run_is_replaced_only_if_a_known_input_changes(
    process: Process, prior: dict[str, Any], planned: dict[str, Any], in_place: bool
) -> None:
    before = HarnessExecution(application_id="a", id="run", status="SUCCESS", **prior)
    after = HarnessExecution(application_id="a", id="run", status="SUCCESS", **planned)
    changed = frozenset(name for name in {*prior, *planned} if prior.get(name) != planned.get(name))
    change = Change(before, Decoded(after), changed, Held(Standing.IMPORTED).encode())
    assert (await process.execution("harness").plan(change)).in_place is in_place
