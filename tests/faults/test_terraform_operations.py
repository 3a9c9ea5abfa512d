"""Operations besides plan and apply: none starts a run unexpectedly, and none omits one."""

from __future__ import annotations

import json

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import address, finish, ids, never_ending, phases, run_of, runs_of, sent
from tests.support.stack import Stack
from tests.support.systems import POLLS, SUCCESS, SYSTEMS
from tests.support.waiting import wait_until

pytestmark = pytest.mark.terraform

CREATE_FIRST = "lifecycle { create_before_destroy = true }"


def release(number: int) -> str:
    """Return triggers that start a run for every number."""
    return f'triggers = {{ release = "{number}" }}'


def test_create_before_destroy_starts_one_run(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS, CREATE_FIRST, release(1)))
    stack.applied()
    stack.write(runs_of(SYSTEMS, CREATE_FIRST, release(2)))
    stack.applied()
    for system in SYSTEMS:
        _, second = ids(sandbox, system)
        assert stack.values(address(system))["id"] == second
    assert stack.plan().status == 0


@pytest.mark.prove
def test_replace_and_target_start_runs_of_their_own(stack: Stack, sandbox: SandboxProcess) -> None:
    body = run_of("vcd", name="one") + run_of("vcd", name="two")
    stack.write(body)
    stack.applied(f"-target={address('vcd', 'one')}")
    assert len(ids(sandbox)) == 1
    stack.applied()
    assert len(ids(sandbox)) == 2
    stack.applied(f"-replace={address('vcd', 'one')}")
    assert len(ids(sandbox)) == 3
    assert {stack.values(address("vcd", name))["id"] for name in ("one", "two")} == set(ids(sandbox)[1:])
    assert stack.plan().status == 0


@pytest.mark.prove
def test_a_failed_run_is_replaced_without_a_refresh_too(stack: Stack, sandbox: SandboxProcess) -> None:
    for system in SYSTEMS:
        sandbox.ask("POST", "/scripts", {"system": system, "ending": "failure"})
    stack.write(runs_of(SYSTEMS))
    assert stack.apply().status == 1
    stack.applied("-refresh=false")
    for system in SYSTEMS:
        _, second = ids(sandbox, system)
        assert stack.values(address(system))["id"] == second


def test_a_saved_plan_starts_its_runs_once(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS))
    assert stack.plan("-out=saved").status == 2
    assert ids(sandbox) == []
    assert stack.run("apply", "-no-color", "saved").status == 0
    again = stack.run("apply", "-no-color", "saved")
    assert again.status == 1
    assert "Saved plan is stale" in again.stderr
    assert len(ids(sandbox)) == 3
    assert stack.plan().status == 0


def test_a_moved_run_is_not_started_again(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(run_of("vcd", name="old"))
    stack.applied()
    moved = f"moved {{\n  from = {address('vcd', 'old')}\n  to   = {address('vcd', 'new')}\n}}\n"
    stack.write(run_of("vcd", name="new") + moved)
    stack.applied()
    assert [stack.values(address("vcd", "new"))["id"]] == ids(sandbox)


@pytest.mark.prove
def test_imported_runs_are_replaced_only_when_an_input_changes(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS, release(1)))
    stack.applied()
    state = stack.state()
    imports = {
        "harness": ids(sandbox, "harness")[0],
        "nexthink": f"#reboot_device/{ids(sandbox, 'nexthink')[0]}",
        "vcd": state[address("vcd")]["values"]["import_id"],
    }
    for file in stack.directory.glob("terraform.tfstate*"):
        file.unlink()
    for system, identifier in imports.items():
        imported = stack.run("import", "-no-color", address(system), identifier)
        assert imported.status == 0, imported.stderr
    stack.applied()
    assert len(ids(sandbox)) == 3
    assert stack.plan().status == 0
    for system in SYSTEMS:
        values = stack.values(address(system))
        assert (values["id"], values["status"]) == (ids(sandbox, system)[0], SUCCESS[system])

    stack.write(runs_of(SYSTEMS, release(2)))
    stack.applied()
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [2, 2, 2]


def test_runs_that_are_not_waited_for_end_at_a_refresh(stack: Stack, sandbox: SandboxProcess) -> None:
    never_ending(sandbox, *SYSTEMS)
    stack.write(runs_of(SYSTEMS, "wait = false"))
    stack.applied()
    assert all(stack.values(address(system))["ended_at"] is None for system in SYSTEMS)
    assert stack.plan().status == 0
    finish(sandbox)
    stack.applied("-refresh-only")
    for system in SYSTEMS:
        values = stack.values(address(system))
        assert ([values["id"]], values["status"]) == (ids(sandbox, system), SUCCESS[system])
    sandbox.forget_requests()
    stack.applied()
    assert sandbox.requests() == [], "runs that have ended are not polled"
    assert len(ids(sandbox)) == 3


@pytest.mark.prove
def test_turning_wait_on_resumes_waiting(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS, "wait = false"))
    stack.applied()
    stack.write(runs_of(SYSTEMS, "wait = true"))
    stack.applied()
    for system in SYSTEMS:
        values = stack.values(address(system))
        assert ([values["id"]], values["status"]) == (ids(sandbox, system), SUCCESS[system])


@pytest.mark.parametrize("end", ["still running", pytest.param("ended meanwhile", marks=pytest.mark.prove)])
def test_destroy_cancels_unfinished_runs_when_configured(stack: Stack, sandbox: SandboxProcess, end: str) -> None:
    systems = ("harness", "vcd")
    never_ending(sandbox, *systems)
    stack.write(runs_of(systems, "wait = false", 'on_destroy = "cancel"'))
    stack.applied()
    assert stack.plan("-destroy", "-out=saved").status == 2
    if end == "ended meanwhile":
        finish(sandbox)
    destroyed = stack.run("apply", "-no-color", "saved")
    assert destroyed.status == 0, destroyed.stderr
    ended = "SUCCEEDED" if end == "ended meanwhile" else "CANCELLED"
    for system in systems:
        wait_until(lambda system=system: phases(sandbox, system) == [ended], f"end of the run in {system}")  # type: ignore[misc]


@pytest.mark.prove
def test_a_run_whose_record_expired_is_kept(stack: Stack, sandbox: SandboxProcess) -> None:
    systems = ("harness", "vcd")
    never_ending(sandbox, *systems)
    stack.write(runs_of(systems, "wait = false"))
    stack.applied()
    runs = {system: ids(sandbox, system)[0] for system in systems}
    for run in runs.values():
        sandbox.ask("DELETE", f"/runs/{run}")
    stack.applied()
    for system, run in runs.items():
        values = stack.values(address(system))
        assert (values["id"], values["record_expired"]) == (run, True)
    stack.write(runs_of(systems))
    stack.applied()
    assert ids(sandbox) == [], "an expired run is not replaced"


@pytest.mark.prove
def test_a_finished_run_is_never_polled_again(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS))
    stack.applied()
    for run in ids(sandbox):
        sandbox.ask("DELETE", f"/runs/{run}")
    sandbox.forget_requests()
    assert stack.plan().status == 0
    assert [sent(sandbox, system, POLLS[system]) for system in SYSTEMS] == [[], [], []]
    stack.write(runs_of(SYSTEMS, 'on_failure = "keep"', 'timeouts = { create = "1h" }'))
    changes = [json.loads(line) for line in stack.applied().stdout.splitlines()]
    summary = next(line["changes"] for line in changes if line.get("type") == "change_summary")
    assert (summary["add"], summary["change"], summary["remove"]) == (0, 3, 0)
    assert sandbox.requests() == []
    assert ids(sandbox) == []
