"""Failed and interrupted runs: what Terraform reports, what the state keeps, and that an apply resumes them."""

from __future__ import annotations

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import (
    actions,
    address,
    assert_same_runs,
    begin_to_apply,
    finish,
    runs_of,
    single_runs,
)
from tests.support.stack import Stack
from tests.support.systems import FAILURE, SYSTEMS, TITLES

pytestmark = pytest.mark.terraform


def fail_next_runs(sandbox: SandboxProcess) -> None:
    for system in SYSTEMS:
        sandbox.ask("POST", "/scripts", {"system": system, "ending": "failure", "reason": "disk full on node 7"})


def test_a_failed_run_fails_the_apply_and_is_tainted(stack: Stack, sandbox: SandboxProcess) -> None:
    fail_next_runs(sandbox)
    stack.write(runs_of(SYSTEMS))
    result = stack.apply()
    assert result.status == 1
    state = stack.state()
    for system in SYSTEMS:
        resource = state[address(system)]
        assert resource["values"]["status"] == FAILURE[system]
        assert resource["tainted"] is True
        (error,) = (error for error in result.errors if error.address == address(system))
        assert FAILURE[system] in error.text
        assert "disk full on node 7" in error.text
        assert (resource["values"]["url"] or "") in error.text


def test_a_failed_run_is_kept_untainted_with_on_failure_keep(stack: Stack, sandbox: SandboxProcess) -> None:
    fail_next_runs(sandbox)
    stack.write(runs_of(SYSTEMS, 'on_failure = "keep"'))
    result = stack.applied()
    assert sum("disk full" in warning.text for warning in result.warnings) == len(SYSTEMS)
    assert not any(resource.get("tainted") for resource in stack.state().values())
    assert stack.plan().status == 0


@pytest.mark.hosts
def test_runs_of_an_interrupted_apply_are_resumed(stack: Stack, sandbox: SandboxProcess) -> None:
    process = begin_to_apply(stack, sandbox, runs_of(SYSTEMS))
    runs = single_runs(sandbox)
    result = stack.interrupt(process, seconds=15)
    for system in SYSTEMS:
        assert f"Warning: {TITLES[system]} {runs[system][0]} is still running" in result.stdout
    assert not any(resource.get("tainted") for resource in stack.state().values())
    assert actions(stack) == {address(system): ["update"] for system in SYSTEMS}
    finish(sandbox)
    stack.applied()
    assert_same_runs(stack, sandbox, runs)
