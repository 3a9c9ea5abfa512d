"""Starts whose answer never came: the run is found, or the user is told how to settle it; there is no second one."""

from __future__ import annotations

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import address, ids, inject_fault, run_of, runs_of
from tests.support.stack import Stack
from tests.support.systems import STARTS, SUCCESS, SYSTEMS

pytestmark = pytest.mark.terraform


def test_the_run_of_an_unanswered_start_is_found_or_reported(stack: Stack, sandbox: SandboxProcess) -> None:
    for system in SYSTEMS:
        inject_fault(sandbox, system, STARTS[system], "cut", after=True)
    stack.write(runs_of(SYSTEMS))
    result = stack.apply()
    (error,) = result.errors
    assert error.summary == "Unknown whether the Nexthink execution started"
    assert "terraform import" in error.detail
    assert "workflow-provider journal settle" in error.detail
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 1, 1]
    state = stack.state()
    for system in ("harness", "vcd"):
        values = state[address(system)]["values"]
        assert (values["id"], values["status"]) == (ids(sandbox, system)[0], SUCCESS[system])
    assert address("nexthink") not in state

    again = stack.apply()
    (error,) = again.errors
    assert error.summary == "Unknown whether the Nexthink execution started"
    assert "an earlier apply sent the start and received no answer" in error.detail
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 1, 1]

    stack.write(runs_of(("harness", "vcd")) + run_of("nexthink", 'triggers = { attempt = "2" }'))
    stack.applied()
    assert [len(ids(sandbox, system)) for system in SYSTEMS] == [1, 2, 1]
    assert stack.values(address("nexthink"))["id"] == ids(sandbox, "nexthink")[1]


@pytest.mark.prove
def test_the_run_of_an_unanswered_start_can_be_imported(stack: Stack, sandbox: SandboxProcess) -> None:
    inject_fault(sandbox, "nexthink", STARTS["nexthink"], "cut", after=True)
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
    assert len(ids(sandbox)) == 2, "the import has settled the unanswered start"
