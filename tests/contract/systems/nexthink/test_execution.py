"""Executions against the simulated tenant: requests, the status of their executions, and resuming."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from provider_py.execution.poller import Poller
from provider_py.plugin import DiagnosticError
from provider_py.sandbox import Fault, FaultKind, Match, Script
from provider_py.sandbox.nexthink import directory
from provider_py.systems.nexthink.execution import NexthinkExecution, NexthinkLauncher
from provider_py.systems.nexthink.exports import read_rows
from provider_py.systems.nexthink.polling import target_execution
from provider_py.systems.nexthink.targets import Device, User
from tests.support.nexthink import QUERY, Bench, changed, fleet, laptops, planned

EXECUTE = "/workflows/execute"
REBOOT = "#reboot_device"


def collector_uid() -> str:
    """Return the UUID of a laptop's Collector."""
    device = directory().device("LAPTOP-01", None, None)
    assert device is not None
    return device.collector_uid


async def test_run_on_devices_and_users(tenant: Bench) -> None:
    state = await tenant.run(
        workflow="#service_restart_and_repair",
        devices=laptops(2),
        users=[User(upn="ann@example.com")],
        params={"service": "spooler"},
    )
    assert (state.status, state.status_message, [state.id]) == ("success", None, state.request_ids)
    assert state.execution_ids == [execution.execution_id for execution in state.executions or []]
    assert [request.execution_ids for request in state.requests or []] == [state.execution_ids]
    assert state.outputs == dict.fromkeys(state.execution_ids or [], "Service restarted")
    assert state.summary is not None
    assert (state.summary.total, state.summary.succeeded, state.summary.in_progress) == (3, 3, 0)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_both_api_versions(tenant: Bench, version: str) -> None:
    devices = [Device(collector_uid=collector_uid().upper())]
    state = await tenant.run(workflow=REBOOT, devices=devices, api_version=version)
    assert state.status == "success"
    (request,) = tenant.requests(EXECUTE)
    assert request.path == f"/api/{version}/workflows/execute"
    assert request.headers["source"] == "terraform-provider-workflow"


async def test_fleet_beyond_the_limit_becomes_consecutive_requests(tenant: Bench) -> None:
    state = await tenant.run(workflow=REBOOT, devices=fleet(20_001), wait=False)
    names = [[device["name"] for device in request.body["devices"]] for request in tenant.requests(EXECUTE)]  # type: ignore[index]
    assert [len(batch) for batch in names] == [10_000, 10_000, 1]
    assert [name for batch in names for name in batch] == [device.name for device in fleet(20_001)]
    assert [len(request.execution_ids or []) for request in state.requests or []] == [10_000, 10_000, 1]
    assert [request.id for request in state.requests or []] == state.request_ids
    assert len(set(state.execution_ids or [])) == 20_001


async def test_duplicate_target_is_sent_once(tenant: Bench) -> None:
    state = await tenant.run(workflow=REBOOT, devices=[*laptops(2), *laptops(3)])
    (request,) = tenant.requests(EXECUTE)
    assert [device["name"] for device in request.body["devices"]] == [device.name for device in laptops(3)]  # type: ignore[index]
    assert len(state.execution_ids or []) == 3


async def test_v1_compares_devices_by_collector_uid_only(tenant: Bench) -> None:
    devices = [Device(collector_uid=collector_uid(), name=name) for name in ("one", "other")]
    state = await tenant.run(workflow=REBOOT, devices=devices, api_version="v1")
    (request,) = tenant.requests(EXECUTE)
    assert request.body["devices"] == [collector_uid()]  # type: ignore[index]
    assert len(state.execution_ids or []) == 1


async def test_no_request_follows_one_that_failed(tenant: Bench) -> None:
    resource = tenant.executions()
    config = NexthinkExecution(workflow=REBOOT, devices=fleet(20_001), wait=False)
    tenant.world.faults.add(rejection(body="DESK-10001"))
    result = await resource.create(config, b"")
    assert [diagnostic.summary for diagnostic in result.diagnostics] == [
        "Nexthink execution was not started (request 2 of 3)"
    ]
    assert result.state is not None
    assert len(result.state.request_ids or []) == 1
    assert len(tenant.requests(EXECUTE)) == 2


def rejection(body: str) -> Fault:
    return Fault("nexthink", FaultKind.STATUS, Match(path=EXECUTE, body=body), status=400, body={"code": "X"})


class TestWorstStatus:
    async def test_within_a_request_is_reported(self, tenant: Bench) -> None:
        tenant.world.runs.scripts.append(Script("nexthink", outputs={"failed_executions": 1}, reason="disk full"))
        config = NexthinkExecution(workflow=REBOOT, devices=laptops(3))
        result = await tenant.executions().create(config, b"")
        assert result.state is not None
        assert (result.state.status, result.state.status_message) == (
            "failure",
            "1 of 3 executions failed: disk full",
        )
        assert result.state.summary is not None
        assert (result.state.summary.succeeded, result.state.summary.failed) == (2, 1)
        (diagnostic,) = result.diagnostics
        assert "disk full" in diagnostic.detail

    async def test_among_requests_is_reported(self, tenant: Bench) -> None:
        tenant.world.runs.scripts.append(Script("nexthink", ending="cancelled"))
        tenant.world.runs.scripts.append(Script("nexthink", ending="failure", reason="disk full"))
        config = NexthinkExecution(workflow=REBOOT, devices=fleet(10_001), on_failure="keep")
        result = await tenant.executions().create(config, b"")
        assert result.state is not None
        assert result.state.status == "failure"
        assert "10001 of 10001 executions failed" in str(result.state.status_message)
        assert result.state.summary is not None
        assert (result.state.summary.cancelled, result.state.summary.failed) == (10_000, 1)


class TestExports:
    async def test_thousand_executions_need_no_export(self, tenant: Bench) -> None:
        state = await tenant.run(workflow=REBOOT, devices=fleet(1000))
        assert len(state.outputs or {}) == 1000
        assert tenant.requests("/nql/export") == []

    async def test_more_executions_are_exported_once_the_returned_rows_have_ended(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"export_seconds": 5}})
        state = await tenant.run(workflow=REBOOT, devices=fleet(2500))
        assert state.summary is not None
        assert (state.summary.total, state.summary.succeeded) == (2500, 2500)
        assert len(tenant.requests("/nql/export")) == 1
        assert len(tenant.requests("/nql/execute")) > 1
        (file,) = tenant.requests(".csv")
        assert "authorization" not in file.headers

    async def test_slow_export_is_resumed_by_the_next_poll(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"export_seconds": 50}})
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(tenant.requests("/nql/export")) == 1

    async def test_failed_export_is_requested_again(self, tenant: Bench) -> None:
        tenant.world.faults.add(Fault("nexthink", FaultKind.JSON, Match(path="/nql/status/"), body={"status": "ERROR"}))
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(tenant.requests("/nql/export")) == 2

    async def test_export_is_requested_again_if_its_url_expired(self, tenant: Bench) -> None:
        tenant.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path=".csv"), status=403, body="<Error/>"))
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(tenant.requests("/nql/export")) == 2

    async def test_export_cut_short_by_the_licence_is_reported(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"export_limit": 1100}})
        config = NexthinkExecution(workflow=REBOOT, devices=fleet(1200))
        result = await tenant.executions().create(config, b"")
        (diagnostic,) = result.diagnostics
        assert "holds 1100 rows only, because of the licence" in diagnostic.detail
        assert "wait = false" in diagnostic.detail
        assert result.state is not None
        assert result.state.status == "in_progress"

    async def test_daily_limit_is_waited_out(self, tenant: Bench) -> None:
        tenant.world.faults.add(
            Fault("nexthink", FaultKind.STATUS, Match(path="/nql/status/"), status=429, headers={"Retry-After": "30"})
        )
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert 30.0 in tenant.clock.slept

    async def test_file_is_read_as_csv(self, tenant: Bench) -> None:
        text = io.StringIO(newline="")
        rows = [["status", "execution_id", "odd", "outcome_details"], ["failure", "e1", "?", 'said "no",\nthen left']]
        csv.writer(text).writerows(rows)
        (row,) = read_rows(text.getvalue())
        execution = target_execution(row)
        assert (execution.execution_id, execution.status, execution.outcome_details) == (
            "e1",
            "failure",
            'said "no",\nthen left',
        )
        assert execution.status_details is None


class TestResuming:
    async def test_every_request_needs_its_own_rows(self, tenant: Bench) -> None:
        """A row missing from one request keeps the run active, even if another request has rows enough for both."""
        started = await tenant.run(workflow=REBOOT, devices=fleet(10_001), wait=False)
        first, second = started.requests or []
        tenant.process()
        resource = tenant.executions()
        tenant.clock.advance(60)
        lagging = changed(started, requests=[first, dataclasses.replace(second, execution_ids=["without-a-row"])])
        result = await resource.read(lagging, b"")
        assert result.state is not None
        assert (result.state.status, result.state.ended_at) == ("in_progress", None)

        tenant.process()
        updated = await tenant.executions().update(started, changed(started, wait=True), b"")
        assert updated.diagnostics == []
        assert updated.state is not None
        assert updated.state.status == "success"
        assert updated.state.requests == started.requests
        assert updated.state.execution_ids == started.execution_ids
        assert len(tenant.requests(EXECUTE)) == 2

    async def test_number_of_rows_must_settle_if_execution_ids_are_unknown(self, tenant: Bench) -> None:
        """A start taken over from the journal has no execution IDs: two polls must find the same number of rows."""
        started = await tenant.run(workflow=REBOOT, devices=laptops(3), wait=False)
        tenant.clock.advance(60)
        for targets, certain in ((3, True), (5, False)):
            tenant.process()
            launcher = NexthinkLauncher(tenant.nexthink)
            launcher.remember(NexthinkExecution(workflow=REBOOT, devices=laptops(targets)), [str(started.id)])
            poller = Poller(launcher.source, tenant.nexthink.runtime)
            polls = [await poller.next(str(started.id), 0) for _ in range(2)]
            assert [run.phase.ended for run in polls if run] == [certain, True]

    async def test_deleted_request_is_reported_as_expired(self, tenant: Bench) -> None:
        started = await tenant.run(workflow="#approval_gate", devices=laptops(), wait=False)
        tenant.clock.advance(5)
        seen = await tenant.executions().read(started, b"")
        assert seen.state is not None
        tenant.world.runs.forget(str(started.id))
        result = await tenant.executions().read(seen.state, b"")
        assert result.state is not None
        assert result.state.record_expired is True
        assert "no longer exists in Nexthink" in result.diagnostics[0].summary

    async def test_request_without_rows_yet_is_active(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"row_lag_seconds": 600}})
        started = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        result = await tenant.executions().read(started, b"")
        assert result.state is not None
        assert (result.state.status, result.state.record_expired) == ("in_progress", False)
        assert not result.diagnostics

    async def test_request_without_rows_for_hours_is_reported_as_expired(self, tenant: Bench) -> None:
        started = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        tenant.world.runs.forget(str(started.id))
        tenant.clock.advance(2 * 3600)
        result = await tenant.executions().read(started, b"")
        assert result.state is not None
        assert result.state.record_expired is True

    async def test_import_reads_the_request(self, tenant: Bench) -> None:
        started = await tenant.run(workflow=REBOOT, devices=laptops(2))
        tenant.process()
        result = await tenant.executions().import_state(f"{REBOOT}/{started.id}")
        assert result.state is not None
        assert (result.state.workflow, result.state.status) == (REBOOT, "success")
        assert result.state.requests == started.requests

    async def test_import_of_an_unknown_request_is_rejected(self, tenant: Bench) -> None:
        with pytest.raises(DiagnosticError, match=r"Nexthink execution .* does not exist"):
            await tenant.executions().import_state(f"{REBOOT}/00000000-0000-4000-8000-000000000000")

    async def test_import_without_status_query_is_rejected(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        with pytest.raises(DiagnosticError, match="Failed to import Nexthink execution") as caught:
            await tenant.executions().import_state(f"{REBOOT}/00000000-0000-4000-8000-000000000000")
        assert "$request_id" in caught.value.diagnostics[0].detail


class TestStatusQuery:
    async def test_missing_query_is_reported_with_the_query_to_save(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        config = NexthinkExecution(workflow=REBOOT, devices=laptops())
        plan = await planned(tenant.executions(), config)
        (diagnostic,) = plan.diagnostics
        assert diagnostic.path == ("status_query",)
        assert "| where request_id == $request_id\n| list execution_id, request_id, status" in diagnostic.detail
        tenant.runtime.preflight = False
        with pytest.raises(DiagnosticError, match="needs a status query"):
            await tenant.executions().create(config, b"")
        assert tenant.requests(EXECUTE) == []

    @pytest.mark.parametrize("unknown", ["wait", "status_query"])
    async def test_unknown_arguments_are_not_checked(self, tenant: Bench, unknown: str) -> None:
        tenant.process(status_query=None)
        config = NexthinkExecution(workflow=REBOOT, devices=laptops())
        assert (await planned(tenant.executions(), config, frozenset({unknown}))).diagnostics == ()

    async def test_query_that_is_not_saved_is_reported_before_anything_starts(self, tenant: Bench) -> None:
        config = NexthinkExecution(workflow=REBOOT, devices=laptops(), status_query="#no_such_query")
        (diagnostic,) = (await planned(tenant.executions(), config)).diagnostics
        assert diagnostic.path == ("status_query",)
        assert "#no_such_query" in diagnostic.summary
        assert "$request_id" in diagnostic.detail

    async def test_run_that_is_not_awaited_needs_no_query(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        started = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        tenant.clock.advance(60)
        result = await tenant.executions().read(started, b"")
        assert (result.state, result.diagnostics) == (started, ())
        assert tenant.requests("/nql/execute") == []

    async def test_update_to_wait_without_a_query_is_an_error(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        started = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        tenant.process(status_query=None)
        result = await tenant.executions().update(started, changed(started, wait=True), b"")
        (diagnostic,) = result.diagnostics
        assert "| where request_id == $request_id" in diagnostic.detail
        assert result.state is not None
        assert result.state.requests == started.requests

    async def test_resource_overrides_the_query_of_the_provider(self, tenant: Bench) -> None:
        tenant.process(status_query="#another_query")
        state = await tenant.run(workflow=REBOOT, devices=laptops(), status_query=QUERY)
        assert state.status == "success"


async def test_delayed_rows_are_waited_for(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"row_lag_seconds": 60}})
    state = await tenant.run(workflow=REBOOT, devices=laptops(2))
    assert state.summary is not None
    assert state.summary.succeeded == 2
