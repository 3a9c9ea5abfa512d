"""Runs that fail while nobody waits for them: a failed run does not count as done, however its failure became known."""

from __future__ import annotations

import subprocess
from typing import Final

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import APPLY, HOUR, address, finish, ids, runs_of, wait_for_polls
from tests.support.stack import Result, Stack
from tests.support.systems import FAILURE, SUCCESS, SYSTEMS, TITLES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.terraform

NEXT: Final = "".join(
    f'resource "terraform_data" "after_{system}" {{ depends_on = [{address(system)}] }}\n' for system in SYSTEMS
)


def failing(sandbox: SandboxProcess) -> None:
    """Have the next run of each system last until the test finishes it, and then fail."""
    for system in SYSTEMS:
        script = {"system": system, "seconds": HOUR, "ending": FAILURE[system], "reason": "out of coffee", "times": 1}
        sandbox.ask("POST", "/scripts", script)


def interrupted(stack: Stack, sandbox: SandboxProcess) -> None:
    """Apply runs that will fail, and interrupt the apply while it waits for them."""
    failing(sandbox)
    process: subprocess.Popen[str] = stack.start(*APPLY)
    wait_for_polls(sandbox, *SYSTEMS)
    stack.interrupt(process, seconds=15)


def replaced_by_new_runs(stack: Stack, sandbox: SandboxProcess) -> None:
    """Check that the plan replaces the failed runs and says why, and that the apply does."""
    plan = stack.plan()
    assert plan.status == 2
    for system in SYSTEMS:
        (warning,) = [problem for problem in plan.warnings if TITLES[system] in problem.summary]
        assert f"{ids(sandbox, system)[0]} failed with status {FAILURE[system]}" in warning.summary
        assert "replaced by a new run" in warning.detail
        assert 'on_failure = "keep"' in warning.detail
    stack.applied()
    for system in SYSTEMS:
        failed, new = ids(sandbox, system)
        values = stack.values(address(system))
        assert (values["id"], values["status"]) == (new, SUCCESS[system])
        assert failed != new
    assert dependants(stack) == {f"terraform_data.after_{system}" for system in SYSTEMS}
    assert stack.plan().status == 0


def dependants(stack: Stack) -> set[str]:
    return {name for name in stack.state() if name.startswith("terraform_data.")}


def statuses(stack: Stack) -> dict[str, str]:
    return {system: stack.values(address(system))["status"] for system in SYSTEMS}


def assert_failed(result: Result) -> None:
    assert result.status == 1
    for system in SYSTEMS:
        assert any(f"failed with status {FAILURE[system]}" in problem.summary for problem in result.errors)


def test_a_run_that_fails_after_an_interrupt_is_replaced(stack: Stack, sandbox: SandboxProcess) -> None:
    stack.write(runs_of(SYSTEMS) + NEXT)
    interrupted(stack, sandbox)
    assert dependants(stack) == set()
    finish(sandbox)
    replaced_by_new_runs(stack, sandbox)


@pytest.mark.prove
def test_a_failure_that_the_next_apply_sees_fails_it_and_the_one_after_starts_a_new_run(
    stack: Stack, sandbox: SandboxProcess
) -> None:
    stack.write(runs_of(SYSTEMS) + NEXT)
    interrupted(stack, sandbox)
    polled = len(sandbox.requests("vcd"))
    process = stack.start("apply", "-input=false", "-json", "-auto-approve")
    wait_until(lambda: len(sandbox.requests("vcd")) > polled + 3, "the next apply waits")
    finish(sandbox)
    stdout, stderr = process.communicate(timeout=stack.patience)
    assert_failed(Result(process.returncode, stdout, stderr))
    assert dependants(stack) == set()
    assert statuses(stack) == FAILURE
    replaced_by_new_runs(stack, sandbox)
