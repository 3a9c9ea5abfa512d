"""Executions against the simulated tenant: requests, what is reported of them, and how they are taken up again."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from provider_py.execution.poller import Poller
from provider_py.plugin import DiagnosticError
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.world import Script
from provider_py.systems.nexthink.execution import NexthinkExecution, NexthinkLauncher
from provider_py.systems.nexthink.targets import Device, User
from tests.support.nexthink import QUERY, Bench, changed, fleet, laptops, planned

EXECUTE = "/workflows/execute"
REBOOT = "#reboot_device"


async def test_a_run_on_devices_and_users(tenant: Bench) -> None:
    state = await tenant.run(
        workflow="#service_restart_and_repair",
        devices=laptops(2),
        users=[User(upn="ann@example.com")],
        params={"service": "spooler"},
    )
    assert (state.status, state.status_message, [state.id]) == ("success", None, state.request_ids)
    assert state.execution_ids == [each.execution_id for each in state.executions or []]
    assert [each.execution_ids for each in state.requests or []] == [state.execution_ids]
    assert state.outputs == dict.fromkeys(state.execution_ids or [], "Service restarted")
    assert state.summary is not None
    assert (state.summary.total, state.summary.succeeded, state.summary.in_progress) == (3, 3, 0)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_both_versions_of_the_call(tenant: Bench, version: str) -> None:
    from provider_py.sandbox.nexthink.tenant import directory

    device = directory().device("LAPTOP-01", None, None)
    assert device is not None
    given = [Device(collector_uid=device.collector_uid.upper())]
    state = await tenant.run(workflow=REBOOT, devices=given, api_version=version)
    assert state.status == "success"
    (sent,) = tenant.asked(EXECUTE)
    assert sent.path == f"/api/{version}/workflows/execute"
    assert sent.headers["source"] == "terraform-provider-workflow"


async def test_a_fleet_beyond_the_limit_is_several_requests_one_after_the_other(tenant: Bench) -> None:
    state = await tenant.run(workflow=REBOOT, devices=fleet(20_001), wait=False)
    sent = [[device["name"] for device in each.body["devices"]] for each in tenant.asked(EXECUTE)]  # type: ignore[index]
    assert [len(each) for each in sent] == [10_000, 10_000, 1]
    assert [name for each in sent for name in each] == [device.name for device in fleet(20_001)]
    assert [len(each.execution_ids or []) for each in state.requests or []] == [10_000, 10_000, 1]
    assert [each.id for each in state.requests or []] == state.request_ids
    assert len(set(state.execution_ids or [])) == 20_001


async def test_a_target_named_twice_is_sent_once(tenant: Bench) -> None:
    state = await tenant.run(workflow=REBOOT, devices=[*laptops(2), *laptops(3)])
    (sent,) = tenant.asked(EXECUTE)
    assert [device["name"] for device in sent.body["devices"]] == [each.name for each in laptops(3)]  # type: ignore[index]
    assert len(state.execution_ids or []) == 3


async def test_the_first_version_knows_a_target_by_one_name_only(tenant: Bench) -> None:
    from provider_py.sandbox.nexthink.tenant import directory

    device = directory().device("LAPTOP-01", None, None)
    assert device is not None
    given = [Device(collector_uid=device.collector_uid, name=name) for name in ("one", "other")]
    state = await tenant.run(workflow=REBOOT, devices=given, api_version="v1")
    (sent,) = tenant.asked(EXECUTE)
    assert sent.body["devices"] == [device.collector_uid]  # type: ignore[index]
    assert len(state.execution_ids or []) == 1


async def test_a_request_that_fails_among_several_is_not_followed_by_others(tenant: Bench) -> None:
    resource = tenant.executions()
    given = NexthinkExecution(workflow=REBOOT, devices=fleet(20_001), wait=False)
    tenant.world.faults.add(refusal(body="DESK-10001"))
    answer = await resource.create(given, b"")
    assert [said.summary for said in answer.diagnostics] == ["The Nexthink execution was not started (request 2 of 3)"]
    assert answer.state is not None
    assert len(answer.state.request_ids or []) == 1
    assert len(tenant.asked(EXECUTE)) == 2


def refusal(body: str) -> Fault:
    return Fault("nexthink", FaultKind.STATUS, Match(path=EXECUTE, body=body), status=400, body={"code": "X"})


class TestTheWorstCounts:
    async def test_within_a_request(self, tenant: Bench) -> None:
        tenant.world.runs.scripts.append(Script("nexthink", outputs={"failed_executions": 1}, reason="disk full"))
        given = NexthinkExecution(workflow=REBOOT, devices=laptops(3))
        answer = await tenant.executions().create(given, b"")
        assert answer.state is not None
        assert (answer.state.status, answer.state.status_message) == (
            "failure",
            "1 of 3 executions ended badly: disk full",
        )
        assert answer.state.summary is not None
        assert (answer.state.summary.succeeded, answer.state.summary.failed) == (2, 1)
        (said,) = answer.diagnostics
        assert "disk full" in said.detail

    async def test_among_requests(self, tenant: Bench) -> None:
        tenant.world.runs.scripts.append(Script("nexthink", ending="cancelled"))
        tenant.world.runs.scripts.append(Script("nexthink", ending="failure", reason="disk full"))
        given = NexthinkExecution(workflow=REBOOT, devices=fleet(10_001), on_failure="keep")
        answer = await tenant.executions().create(given, b"")
        assert answer.state is not None
        assert answer.state.status == "failure"
        assert "10001 of 10001 executions ended badly" in str(answer.state.status_message)
        assert answer.state.summary is not None
        assert (answer.state.summary.cancelled, answer.state.summary.failed) == (10_000, 1)


class TestExports:
    async def test_a_thousand_executions_need_none(self, tenant: Bench) -> None:
        state = await tenant.run(workflow=REBOOT, devices=fleet(1000))
        assert len(state.outputs or {}) == 1000
        assert tenant.asked("/nql/export") == []

    async def test_more_are_exported_once_what_the_query_answers_has_ended(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"export_seconds": 5}})
        state = await tenant.run(workflow=REBOOT, devices=fleet(2500))
        assert state.summary is not None
        assert (state.summary.total, state.summary.succeeded) == (2500, 2500)
        assert len(tenant.asked("/nql/export")) == 1
        assert len(tenant.asked("/nql/execute")) > 1
        (file,) = tenant.asked(".csv")
        assert "authorization" not in file.headers

    async def test_one_that_takes_long_is_taken_up_by_the_next_look(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"export_seconds": 50}})
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(tenant.asked("/nql/export")) == 1

    async def test_one_that_fails_is_asked_for_again(self, tenant: Bench) -> None:
        tenant.world.faults.add(Fault("nexthink", FaultKind.JSON, Match(path="/nql/status/"), body={"status": "ERROR"}))
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(tenant.asked("/nql/export")) == 2

    async def test_an_address_that_expired_is_no_end(self, tenant: Bench) -> None:
        tenant.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path=".csv"), status=403, body="<Error/>"))
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert len(tenant.asked("/nql/export")) == 2

    async def test_one_that_the_licence_cuts_short_is_told(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"export_limit": 1100}})
        given = NexthinkExecution(workflow=REBOOT, devices=fleet(1200))
        answer = await tenant.executions().create(given, b"")
        (said,) = answer.diagnostics
        assert "holds 1100 rows only, because of the licence" in said.detail
        assert "wait = false" in said.detail
        assert answer.state is not None
        assert answer.state.status == "in_progress"

    async def test_a_daily_limit_is_borne(self, tenant: Bench) -> None:
        tenant.world.faults.add(
            Fault("nexthink", FaultKind.STATUS, Match(path="/nql/status/"), status=429, headers={"Retry-After": "30"})
        )
        state = await tenant.run(workflow=REBOOT, devices=fleet(1200))
        assert state.status == "success"
        assert 30.0 in tenant.clock.slept

    async def test_the_file_is_read_as_a_table(self, tenant: Bench) -> None:
        from provider_py.systems.nexthink.exports import _executions

        text = io.StringIO(newline="")
        rows = [["status", "execution_id", "odd", "outcome_details"], ["failure", "e1", "?", 'said "no",\nthen left']]
        csv.writer(text).writerows(rows)
        (read,) = _executions(text.getvalue())
        assert (read.execution_id, read.status, read.outcome_details) == ("e1", "failure", 'said "no",\nthen left')
        assert read.status_details is None


class TestTakenUpAgain:
    async def test_each_request_needs_its_own_rows(self, tenant: Bench) -> None:
        """Rows of one request that lag behind keep the whole going, though another has enough rows for both."""
        begun = await tenant.run(workflow=REBOOT, devices=fleet(10_001), wait=False)
        first, second = begun.requests or []
        tenant.process()
        resource = tenant.executions()
        tenant.clock.advance(60)
        hidden = changed(begun, requests=[first, dataclasses.replace(second, execution_ids=["of-a-row-that-lags"])])
        answer = await resource.read(hidden, b"")
        assert answer.state is not None
        assert (answer.state.status, answer.state.ended_at) == ("in_progress", None)

        tenant.process()
        updated = await tenant.executions().update(begun, changed(begun, wait=True), b"")
        assert updated.diagnostics == []
        assert updated.state is not None
        assert updated.state.status == "success"
        assert updated.state.requests == begun.requests
        assert updated.state.execution_ids == begun.execution_ids
        assert len(tenant.asked(EXECUTE)) == 2

    async def test_without_an_answer_the_rows_have_to_settle(self, tenant: Bench) -> None:
        """A start that the journal knows has no ids of executions: two looks have to find as many rows."""
        begun = await tenant.run(workflow=REBOOT, devices=laptops(3), wait=False)
        tenant.clock.advance(60)
        for targets, certain in ((3, True), (5, False)):
            tenant.process()
            launcher = NexthinkLauncher(tenant.nexthink)
            launcher.remember(NexthinkExecution(workflow=REBOOT, devices=laptops(targets)), [str(begun.id)])
            poller = Poller(launcher.source, tenant.nexthink.runtime)
            looks = [await poller.next(str(begun.id), 0) for _ in range(2)]
            assert [look.phase.ended for look in looks if look] == [certain, True]

    async def test_a_record_that_is_gone(self, tenant: Bench) -> None:
        begun = await tenant.run(workflow="#approval_gate", devices=laptops(), wait=False)
        tenant.clock.advance(5)
        seen = await tenant.executions().read(begun, b"")
        assert seen.state is not None
        tenant.world.runs.forget(str(begun.id))
        answer = await tenant.executions().read(seen.state, b"")
        assert answer.state is not None
        assert answer.state.record_expired is True
        assert "no record" in answer.diagnostics[0].summary

    async def test_no_row_yet_is_no_record_that_is_gone(self, tenant: Bench) -> None:
        tenant.world.behaviors.change({"nexthink": {"row_lag_seconds": 600}})
        begun = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        answer = await tenant.executions().read(begun, b"")
        assert answer.state is not None
        assert (answer.state.status, answer.state.record_expired) == ("in_progress", False)
        assert not answer.diagnostics

    async def test_rows_that_never_came(self, tenant: Bench) -> None:
        begun = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        tenant.world.runs.forget(str(begun.id))
        tenant.clock.advance(2 * 3600)
        answer = await tenant.executions().read(begun, b"")
        assert answer.state is not None
        assert answer.state.record_expired is True

    async def test_import(self, tenant: Bench) -> None:
        begun = await tenant.run(workflow=REBOOT, devices=laptops(2))
        tenant.process()
        answer = await tenant.executions().import_state(f"{REBOOT}/{begun.id}")
        assert answer.state is not None
        assert (answer.state.workflow, answer.state.status) == (REBOOT, "success")
        assert answer.state.requests == begun.requests

    async def test_import_of_a_request_nobody_knows(self, tenant: Bench) -> None:
        with pytest.raises(DiagnosticError, match="There is no Nexthink execution"):
            await tenant.executions().import_state(f"{REBOOT}/00000000-0000-4000-8000-000000000000")

    async def test_import_without_a_status_query(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        with pytest.raises(DiagnosticError, match="was not imported") as caught:
            await tenant.executions().import_state(f"{REBOOT}/00000000-0000-4000-8000-000000000000")
        assert "$request_id" in caught.value.diagnostics[0].detail


class TestStatusQuery:
    async def test_waiting_without_one_shows_the_query_to_save(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        given = NexthinkExecution(workflow=REBOOT, devices=laptops())
        plan = await planned(tenant.executions(), given)
        (said,) = plan.diagnostics
        assert said.path == ("status_query",)
        assert "| where request_id == $request_id\n| list execution_id, request_id, status" in said.detail
        tenant.runtime.preflight = False
        with pytest.raises(DiagnosticError, match="needs a status query"):
            await tenant.executions().create(given, b"")
        assert tenant.asked(EXECUTE) == []

    @pytest.mark.parametrize("unknown", ["wait", "status_query"])
    async def test_nothing_is_concluded_from_what_is_not_known(self, tenant: Bench, unknown: str) -> None:
        tenant.process(status_query=None)
        given = NexthinkExecution(workflow=REBOOT, devices=laptops())
        assert (await planned(tenant.executions(), given, frozenset({unknown}))).diagnostics == ()

    async def test_one_that_is_not_saved_is_told_before_anything_starts(self, tenant: Bench) -> None:
        given = NexthinkExecution(workflow=REBOOT, devices=laptops(), status_query="#no_such_query")
        (said,) = (await planned(tenant.executions(), given)).diagnostics
        assert said.path == ("status_query",)
        assert "#no_such_query" in said.summary
        assert "$request_id" in said.detail

    async def test_without_one_a_run_that_is_not_waited_for_keeps_its_state(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        begun = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        tenant.clock.advance(60)
        answer = await tenant.executions().read(begun, b"")
        assert (answer.state, answer.diagnostics) == (begun, ())
        assert tenant.asked("/nql/execute") == []

    async def test_beginning_to_wait_without_one_is_an_error_at_once(self, tenant: Bench) -> None:
        tenant.process(status_query=None)
        begun = await tenant.run(workflow=REBOOT, devices=laptops(), wait=False)
        tenant.process(status_query=None)
        answer = await tenant.executions().update(begun, changed(begun, wait=True), b"")
        (said,) = answer.diagnostics
        assert "| where request_id == $request_id" in said.detail
        assert answer.state is not None
        assert answer.state.requests == begun.requests

    async def test_a_resource_may_have_its_own(self, tenant: Bench) -> None:
        tenant.process(status_query="#another_query")
        state = await tenant.run(workflow=REBOOT, devices=laptops(), status_query=QUERY)
        assert state.status == "success"


async def test_rows_that_lag_are_waited_for(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"row_lag_seconds": 60}})
    state = await tenant.run(workflow=REBOOT, devices=laptops(2))
    assert state.summary is not None
    assert state.summary.succeeded == 2
