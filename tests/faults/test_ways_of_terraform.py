"""What Terraform offers beside plan and apply: no run is started by surprise, and none that is wanted is missed."""

from __future__ import annotations

import json

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.stack import Stack
from tests.faults.scenes import (
    LOOKS,
    SUCCESS,
    SYSTEMS,
    address,
    finish,
    ids,
    never_ending,
    phases,
    run_of,
    runs_of,
    sent,
    wait_until,
)

pytestmark = pytest.mark.terraform

BORN_FIRST = "lifecycle { create_before_destroy = true }"


def release(number: int) -> str:
    """Return triggers of which each number starts a run."""
    return f'triggers = {{ release = "{number}" }}'


def test_created_before_destroyed(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS, BORN_FIRST, release(1)))
    stack.applied()
    stack.write(runs_of(SYSTEMS, BORN_FIRST, release(2)))
    stack.applied()
    for system in SYSTEMS:
        _, second = ids(sandbox, system)
        assert stack.values(address(system))["id"] == second
    assert stack.plan().status == 0


def test_replacement_and_target(stack: Stack, sandbox: SandboxProcess) -> None:
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


def test_a_failed_run_is_started_anew_without_a_refresh_too(stack: Stack, sandbox: SandboxProcess) -> None:
    for system in SYSTEMS:
        sandbox.ask("POST", "/scripts", {"system": system, "ending": "failure"})
    stack.write(runs_of(SYSTEMS))
    assert stack.apply().status == 1
    stack.applied("-refresh=false")
    for system in SYSTEMS:
        _, second = ids(sandbox, system)
        assert stack.values(address(system))["id"] == second


def test_a_saved_plan_starts_its_run_once(stack: Stack, sandbox: SandboxProcess) -> None:
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


def test_imported_runs_are_not_started_again_until_something_changes(stack: Stack, sandbox: SandboxProcess) -> None:
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


def test_runs_that_are_not_waited_for(stack: Stack, sandbox: SandboxProcess) -> None:
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
    assert sandbox.requests() == [], "nothing is asked about runs that have ended"
    assert len(ids(sandbox)) == 3


def test_runs_that_are_waited_for_after_all(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS, "wait = false"))
    stack.applied()
    stack.write(runs_of(SYSTEMS, "wait = true"))
    stack.applied()
    for system in SYSTEMS:
        values = stack.values(address(system))
        assert ([values["id"]], values["status"]) == (ids(sandbox, system), SUCCESS[system])


@pytest.mark.parametrize("end", ["still going on", "ended meanwhile"])
def test_unfinished_runs_are_cancelled_where_that_is_wanted(stack: Stack, sandbox: SandboxProcess, end: str) -> None:
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
        wait_until(lambda system=system: phases(sandbox, system) == [ended], f"the end in {system}")  # type: ignore[misc]


def test_a_run_whose_record_is_gone_is_kept(stack: Stack, sandbox: SandboxProcess) -> None:
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
    assert ids(sandbox) == [], "nothing was started in place of what is gone"


def test_a_finished_run_is_never_looked_at_again(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS))
    stack.applied()
    for run in ids(sandbox):
        sandbox.ask("DELETE", f"/runs/{run}")
    sandbox.forget_requests()
    assert stack.plan().status == 0
    assert [sent(sandbox, system, LOOKS[system]) for system in SYSTEMS] == [[], [], []]
    stack.write(runs_of(SYSTEMS, 'on_failure = "keep"', 'timeouts = { create = "1h" }'))
    changes = [json.loads(line) for line in stack.applied().stdout.splitlines()]
    summary = next(line["changes"] for line in changes if line.get("type") == "change_summary")
    assert (summary["add"], summary["change"], summary["remove"]) == (0, 3, 0)
    assert sandbox.requests() == []
    assert ids(sandbox) == []
