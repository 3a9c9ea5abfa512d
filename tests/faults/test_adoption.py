"""Which run answers a create: never one that an earlier apply returned in order."""

from __future__ import annotations

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import address, ids, never_ending, run_of, runs_of
from tests.support.stack import Stack
from tests.support.systems import SYSTEMS

pytestmark = pytest.mark.terraform


def counts(sandbox: SandboxProcess) -> list[int]:
    return [len(ids(sandbox, system)) for system in SYSTEMS]


@pytest.mark.prove
def test_equal_runs_that_are_applied_one_after_another_are_runs_of_their_own(
    stack: Stack, sandbox: SandboxProcess
) -> None:
    stack.write("".join(run_of(system, name=name) for system in SYSTEMS for name in ("one", "two")))
    for name in ("one", "two"):
        stack.applied(*(f"-target={address(system, name)}" for system in SYSTEMS))
    assert counts(sandbox) == [2, 2, 2]
    for system in SYSTEMS:
        assert {stack.values(address(system, name))["id"] for name in ("one", "two")} == set(ids(sandbox, system))
    assert stack.plan().status == 0


def test_a_run_that_was_removed_from_the_state_does_not_answer_the_next_create(
    stack: Stack, sandbox: SandboxProcess
) -> None:
    stack.write(runs_of(SYSTEMS))
    stack.applied()
    assert stack.run("state", "rm", *map(address, SYSTEMS)).status == 0
    stack.applied()
    assert counts(sandbox) == [2, 2, 2]


@pytest.mark.prove
def test_a_rollback_after_a_timeout_is_run(stack: Stack, sandbox: SandboxProcess) -> None:
    never_ending(sandbox, *SYSTEMS)
    stack.write(runs_of(SYSTEMS, 'triggers = { v = "1" }', 'timeouts = { create = "3s" }'))
    assert stack.apply().status == 1
    for version in ("2", "1"):
        stack.write(runs_of(SYSTEMS, f'triggers = {{ v = "{version}" }}'))
        stack.applied()
    assert counts(sandbox) == [3, 3, 3]
    for system in SYSTEMS:
        assert stack.values(address(system))["id"] == ids(sandbox, system)[-1]


def test_terraform_test_runs_its_own(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(["harness", "vcd"], "wait = false", 'on_destroy = "cancel"'))
    never_ending(sandbox, "harness", "vcd")
    stack.applied()
    (stack.directory / "runs.tftest.hcl").write_text('run "apply" {\n  command = apply\n}\n')
    assert stack.run("test", "-no-color").status == 0
    for system in ("harness", "vcd"):
        kept, tested = sandbox.ask("GET", f"/runs?system={system}")
        assert stack.values(address(system))["id"] == kept["id"]
        assert kept["id"] != tested["id"]
        assert kept["phase"] != tested["phase"], "the test cancels its own run only"
