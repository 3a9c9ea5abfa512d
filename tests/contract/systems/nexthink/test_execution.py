"""Executions against the simulated tenant: requests, the status of their executions, and resuming."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import io

import pytest

from provider_py.execution.poller import Poller
from provider_py.plugin import DiagnosticError
from provider_py.sandbox import Fault, FaultKind, Match, Script
from provider_py.sandbox.nexthink import directory
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.exports import read_rows
from provider_py.systems.nexthink.polling import target_execution
from provider_py.systems.nexthink.targets import Device
from tests.support.nexthink import fleet, laptops, run
from tests.support.site import Process, only

EXECUTE = "/workflows/execute"
REBOOT = "#reboot_device"


def collector_uid() -> str:
    """Return the UUID of a laptop's Collector."""
    device = directory().device("LAPTOP-01", None, None)
    assert device is not None
    return device.collector_uid


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_both_api_versions(process: Process, version: str) -> None:
    devices = [Device(collector_uid=collector_uid().upper())]
    state = await run(process, workflow=REBOOT, devices=devices, api_version=version)
    assert state.status == "success"
    (request,) = process.site.received(EXECUTE)
    assert request.path == f"/api/{version}/workflows/execute"
    assert request.headers["source"] == "terraform-provider-workflow"


async def test_fleet_beyond_the_limit_becomes_consecutive_requests(process: Process) -> None:
    state = await run(process, workflow=REBOOT, devices=fleet(20_001), wait=False)
    names = [[device["name"] for device in request.body["devices"]] for request in process.site.received(EXECUTE)]  # type: ignore[index]
    assert [len(batch) for batch in names] == [10_000, 10_000, 1]
    assert [name for batch in names for name in batch] == [device.name for device in fleet(20_001)]
    assert [len(request.execution_ids or []) for request in state.requests or []] == [10_000, 10_000, 1]
    assert [request.id for request in state.requests or []] == state.request_ids
    assert state.request_ids == [run.id for run in process.site.runs()]
    assert len(set(state.execution_ids or [])) == 20_001


async def test_duplicate_target_is_sent_once(process: Process) -> None:
    state = await run(process, workflow=REBOOT, devices=[*laptops(2), *laptops(3)])
    (request,) = process.site.received(EXECUTE)
    assert [device["name"] for device in request.body["devices"]] == [device.name for device in laptops(3)]  # type: ignore[index]
    assert len(state.execution_ids or []) == 3


async def test_v1_compares_devices_by_collector_uid_only(process: Process) -> None:
    devices = [Device(collector_uid=collector_uid(), name=name) for name in ("one", "other")]
    state = await run(process, workflow=REBOOT, devices=devices, api_version="v1")
    (request,) = process.site.received(EXECUTE)
    assert request.body["devices"] == [collector_uid()]  # type: ignore[index]
    assert len(state.execution_ids or []) == 1


async def test_no_request_follows_one_that_failed(process: Process) -> None:
    unknown = [Device(name=f"UNKNOWN-{number:05}") for number in range(10_000)]
    devices = [*fleet(10_000), *unknown, *laptops()]
    result = await process.create(NexthinkExecution(workflow=REBOOT, devices=devices, wait=False))
    text = only(result.diagnostics)
    assert text.startswith("Nexthink execution was not started (request 2 of 3)\n")
    assert "NO_TARGET" in text
    assert result.state is not None
    assert result.state.request_ids == [run.id for run in process.site.runs()]
    assert len(process.site.received(EXECUTE)) == 2


class TestWorstStatus:
    async def test_within_a_request_is_reported(self, process: Process) -> None:
        process.site.world.runs.scripts.append(Script("nexthink", outputs={"failed_executions": 1}, reason="disk full"))
        config = NexthinkExecution(workflow=REBOOT, devices=laptops(3))
        result = await process.create(config)
        assert result.state is not None
        assert (result.state.status, result.state.status_message) == (
            "failure",
            "1 of 3 executions failed: disk full",
        )
        assert result.state.summary is not None
        assert (result.state.summary.succeeded, result.state.summary.failed) == (2, 1)
        (diagnostic,) = result.diagnostics
        assert "disk full" in diagnostic.detail

    async def test_among_requests_is_reported(self, process: Process) -> None:
        process.site.world.runs.scripts.append(Script("nexthink", ending="cancelled"))
        process.site.world.runs.scripts.append(Script("nexthink", ending="failure", reason="disk full"))
        config = NexthinkExecution(workflow=REBOOT, devices=fleet(10_001), on_failure="keep")
        result = await process.create(config)
        assert result.state is not None
        assert result.state.status == "failure"
        assert "10001 of 10001 executions failed" in str(result.state.status_message)
        assert result.state.summary is not None
        assert (result.state.summary.cancelled, result.state.summary.failed) == (10_000, 1)


class TestExports:
    async def test_thousand_executions_need_no_export(self, process: Process) -> None:
        state = await run(process, workflow=REBOOT, devices=fleet(1000))
        assert len(state.outputs or {}) == 1000
        assert process.site.received("/nql/export") == []

    async def test_more_executions_are_exported_once_the_returned_rows_have_ended(self, process: Process) -> None:
        process.site.set_behaviors("nexthink", export_seconds=5)
        state = await run(process, workflow=REBOOT, devices=fleet(2500))
        assert state.summary is not None
        assert (state.summary.total, state.summary.succeeded) == (2500, 2500)
        assert len(process.site.received("/nql/export")) == 1
        assert len(process.site.received("/nql/execute")) > 1
        (file,) = process.site.received(".csv")
        assert "authorization" not in file.headers

    async def test_slow_export_is_resumed_by_the_next_poll(self, process: Process) -> None:
        process.site.set_behaviors("nexthink", export_seconds=50)
        state = await run(process, workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(process.site.received("/nql/export")) == 1

    async def test_failed_export_is_requested_again(self, process: Process) -> None:
        process.site.world.faults.add(
            Fault("nexthink", FaultKind.JSON, Match(path="/nql/status/"), body={"status": "ERROR"})
        )
        state = await run(process, workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(process.site.received("/nql/export")) == 2

    async def test_export_is_requested_again_if_its_url_expired(self, process: Process) -> None:
        process.site.world.faults.add(
            Fault("nexthink", FaultKind.STATUS, Match(path=".csv"), status=403, body="<Error/>")
        )
        state = await run(process, workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(process.site.received("/nql/export")) == 2

    async def test_export_cut_short_by_the_licence_is_reported(self, process: Process) -> None:
        process.site.set_behaviors("nexthink", export_limit=1100)
        config = NexthinkExecution(workflow=REBOOT, devices=fleet(1200))
        result = await process.create(config)
        (diagnostic,) = result.diagnostics
        assert "holds 1100 rows only, because of the licence" in diagnostic.detail
        assert "wait = false" in diagnostic.detail
        assert result.state is not None
        assert result.state.status == "in_progress"

    async def test_daily_limit_is_waited_out(self, process: Process) -> None:
        process.site.world.faults.add(
            Fault("nexthink", FaultKind.STATUS, Match(path="/nql/status/"), status=429, headers={"Retry-After": "30"})
        )
        state = await run(process, workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert 30.0 in process.site.clock.slept

    async def test_file_is_read_as_csv(self, process: Process) -> None:
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
    async def test_every_request_needs_its_own_rows(self, process: Process) -> None:
        """A row missing from one request keeps the run active, even if another request has rows enough for both."""
        started = await run(process, workflow=REBOOT, devices=fleet(10_001), wait=False)
        first, second = started.requests or []
        process = await process.site.process()
        resource = process.execution("nexthink")
        await process.site.clock.advance(60)
        lagging = dataclasses.replace(
            started, requests=[first, dataclasses.replace(second, execution_ids=["without-a-row"])]
        )
        result = await resource.read(lagging, b"")
        assert result.state is not None
        assert (result.state.status, result.state.ended_at) == ("in_progress", None)

        process = await process.site.process()
        updated = await process.execution("nexthink").update(started, dataclasses.replace(started, wait=True), b"")
        assert updated.diagnostics == []
        assert updated.state is not None
        assert updated.state.status == "success"
        assert updated.state.requests == started.requests
        assert updated.state.execution_ids == started.execution_ids
        assert len(process.site.received(EXECUTE)) == 2

    async def test_number_of_rows_must_settle_if_execution_ids_are_unknown(self, process: Process) -> None:
        """A start taken over from the journal has no execution IDs: two polls must find the same number of rows."""
        started = await run(process, workflow=REBOOT, devices=laptops(3), wait=False)
        await process.site.clock.advance(60)
        for targets, certain in ((3, True), (5, False)):
            process = await process.site.process()
            launcher = process.launcher("nexthink")
            launcher.remember(NexthinkExecution(workflow=REBOOT, devices=laptops(targets)), [str(started.id)])
            poller = Poller(launcher.source, process.connection("nexthink").runtime)
            polls = [await poller.next(str(started.id), 0) for _ in range(2)]
            assert [run.phase.ended for run in polls if run] == [certain, True]

    async def test_request_without_rows_yet_is_active(self, process: Process) -> None:
        process.site.set_behaviors("nexthink", row_lag_seconds=120)
        started = await run(process, workflow=REBOOT, devices=laptops(), wait=False)
        result = await process.execution("nexthink").read(started, b"")
        assert (result.state.status, result.state.record_expired) == ("in_progress", False)
        assert not result.diagnostics

    async def test_request_without_rows_for_hours_is_reported_as_expired(self, process: Process) -> None:
        started = await run(process, workflow=REBOOT, devices=laptops(), wait=False)
        process.site.world.runs.forget(str(started.id))
        await process.site.clock.advance(2 * 3600)
        result = await process.execution("nexthink").read(started, b"")
        assert result.state.record_expired is True

    async def test_import_without_status_query_is_rejected(self, process: Process) -> None:
        process = await process.site.process({"NEXTHINK_STATUS_QUERY": None})
        with pytest.raises(DiagnosticError, match="Failed to import Nexthink execution") as caught:
            await process.execution("nexthink").import_state(f"{REBOOT}/00000000-0000-4000-8000-000000000000")
        assert "$request_id" in caught.value.diagnostics[0].detail


class TestStatusQuery:
    async def test_missing_query_is_reported_with_the_query_to_save(self, process: Process) -> None:
        process = await process.site.process({"NEXTHINK_STATUS_QUERY": None})
        config = NexthinkExecution(workflow=REBOOT, devices=laptops())
        (diagnostic,) = await process.plan(config)
        assert diagnostic.path == ("status_query",)
        assert "NEXTHINK_STATUS_QUERY" in diagnostic.detail
        assert "| where request_id == $request_id\n| list execution_id, request_id, status" in diagnostic.detail
        process.provider._runtime.preflight = False
        assert "needs a status query" in only((await process.create(config)).diagnostics)
        assert process.site.received(EXECUTE) == []

    @pytest.mark.parametrize("unknown", ["wait", "status_query"])
    async def test_unknown_arguments_are_not_checked(self, process: Process, unknown: str) -> None:
        process = await process.site.process({"NEXTHINK_STATUS_QUERY": None})
        config = NexthinkExecution(workflow=REBOOT, devices=laptops())
        assert await process.plan(config, unknown) == ()

    async def test_query_that_is_not_saved_is_reported_before_anything_starts(self, process: Process) -> None:
        config = NexthinkExecution(workflow=REBOOT, devices=laptops(), status_query="#no_such_query")
        (diagnostic,) = await process.plan(config)
        assert diagnostic.path == ("status_query",)
        assert "#no_such_query" in diagnostic.summary
        assert "$request_id" in diagnostic.detail
        assert (await process.create(config)).state is None
        assert process.site.runs() == []

    async def test_run_that_is_not_awaited_needs_no_query(self, process: Process) -> None:
        process = await process.site.process({"NEXTHINK_STATUS_QUERY": None})
        assert await process.plan(NexthinkExecution(workflow=REBOOT, devices=laptops(), wait=False)) == ()
        started = await run(process, workflow=REBOOT, devices=laptops(), wait=False)
        await process.site.clock.advance(60)
        result = await process.execution("nexthink").read(started, b"")
        assert (result.state, result.diagnostics) == (started, ())
        assert process.site.received("/nql/execute") == []

    async def test_update_to_wait_without_a_query_is_an_error(self, process: Process) -> None:
        process = await process.site.process({"NEXTHINK_STATUS_QUERY": None})
        started = await run(process, workflow=REBOOT, devices=laptops(), wait=False)
        process = await process.site.process({"NEXTHINK_STATUS_QUERY": None})
        result = await process.execution("nexthink").update(started, dataclasses.replace(started, wait=True), b"")
        (diagnostic,) = result.diagnostics
        assert "| where request_id == $request_id" in diagnostic.detail
        assert result.state is not None
        assert result.state.requests == started.requests

    async def test_resource_overrides_the_query_of_the_provider(self, process: Process) -> None:
        override = NexthinkExecution(workflow=REBOOT, devices=laptops(), status_query="#workflow_request_status")
        process = await process.site.process({"NEXTHINK_STATUS_QUERY": None})
        assert await process.plan(override) == ()
        assert (await process.created(override)).status == "success"
        process = await process.site.process(nexthink=NexthinkSettings(status_query="#another_query"))
        state = await run(process, workflow=REBOOT, devices=laptops(), status_query="#workflow_request_status")
        assert state.status == "success"


async def test_delayed_rows_are_waited_for(process: Process) -> None:
    process.site.set_behaviors("nexthink", row_lag_seconds=60)
    state = await run(process, workflow=REBOOT, devices=laptops(2))
    assert state.summary is not None
    assert state.summary.succeeded == 2


async def test_a_clock_that_is_set_forward_does_not_make_a_request_without_rows_look_deleted(process: Process) -> None:
    process.site.set_behaviors("nexthink", row_lag_seconds=120)
    running = asyncio.create_task(process.create(NexthinkExecution(workflow=REBOOT, devices=laptops())))
    await process.site.until_polled("nexthink", 3)
    process.site.clock.step(7200)
    result = await running
    assert list(result.diagnostics) == []
    assert result.state.status == "success"
