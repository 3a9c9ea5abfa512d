"""Starts that were sent and whose answer never came: the run is found again, or the user is told; no second one."""

from __future__ import annotations

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.stack import Stack
from tests.faults.scenes import STARTS, SUCCESS, SYSTEMS, address, ids, run_of, runs_of, sent, spoil

pytestmark = pytest.mark.terraform


def test_a_run_whose_start_was_not_answered_is_found_or_told_of(stack: Stack, sandbox: SandboxProcess) -> None:
    for system in SYSTEMS:
        spoil(sandbox, system, STARTS[system], "cut", after=True)
    stack.write(runs_of(SYSTEMS))
    result = stack.apply()
    (error,) = result.errors
    assert error.summary == "It is not known whether the Nexthink execution was started"
    assert "triggers" in error.detail
    assert "terraform import" in error.detail
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 1, 1]
    state = stack.state()
    for system in ("harness", "vcd"):
        values = state[address(system)]["values"]
        assert (values["id"], values["status"]) == (ids(sandbox, system)[0], SUCCESS[system])
    assert address("nexthink") not in state

    again = stack.apply()
    (error,) = again.errors
    assert error.summary == "It is not known whether the Nexthink execution was started"
    assert "an earlier apply sent the start and got no answer" in error.detail
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 1, 1]

    stack.write(runs_of(("harness", "vcd")) + run_of("nexthink", 'triggers = { attempt = "2" }'))
    stack.applied()
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 2, 1]
    assert stack.values(address("nexthink"))["id"] == ids(sandbox, "nexthink")[1]


def test_the_run_of_a_lost_start_can_be_imported(stack: Stack, sandbox: SandboxProcess) -> None:
    spoil(sandbox, "nexthink", STARTS["nexthink"], "cut", after=True)
    stack.write(run_of("nexthink"))
    assert stack.apply().status == 1
    (run,) = ids(sandbox)
    imported = stack.run("import", "-no-color", address("nexthink"), f"#reboot_device/{run}")
    assert imported.status == 0, imported.stderr
    stack.applied()
    assert ids(sandbox) == [run]

    stack.write("")
    stack.applied()
    stack.write(run_of("nexthink"))
    stack.applied()
    assert len(ids(sandbox)) == 2, "what was imported is no longer in doubt"


def test_null_for_a_started_execution_counts_as_no_answer(stack: Stack, sandbox: SandboxProcess) -> None:
    sandbox.ask("POST", "/behaviours", {"harness": {"null_payload": True}})
    stack.write(run_of("harness"))
    stack.applied()
    assert stack.values(address("harness"))["id"] == ids(sandbox)[0]
    assert len(ids(sandbox)) == len(sent(sandbox, "harness", STARTS["harness"])) == 1
