"""Applies that end before their runs do: the next apply resumes the same runs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import (
    APPLY,
    actions,
    address,
    assert_same_runs,
    begin_to_apply,
    finish,
    ids,
    inject_fault,
    never_ending,
    phases,
    run_of,
    runs_of,
    sent,
    single_runs,
    wait_for_polls,
)
from tests.support.stack import Stack
from tests.support.systems import CANCELLABLE, POLLS, STARTS, SYSTEMS, TITLES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.terraform

CREATE_FIRST = "lifecycle { create_before_destroy = true }"


def providers(process: subprocess.Popen[str]) -> Sequence[int]:
    """Return the ids of the processes that Terraform has started."""
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in children.stdout.split()]


@pytest.mark.parametrize("victim", [pytest.param("provider", marks=pytest.mark.prove), "everything"])
def test_runs_of_a_killed_apply_are_resumed(stack: Stack, sandbox: SandboxProcess, victim: str) -> None:
    process = begin_to_apply(stack, sandbox, runs_of(SYSTEMS))
    runs = single_runs(sandbox)
    if victim == "provider":
        (provider,) = providers(process)
        os.kill(provider, signal.SIGKILL)
        assert process.communicate(timeout=30) is not None
        assert process.returncode == 1
    else:
        stack.kill(process)
    assert stack.state() == {}
    (stack.directory / ".terraform.tfstate.lock.info").unlink(missing_ok=True)
    finish(sandbox)
    stack.applied()
    assert_same_runs(stack, sandbox, runs)


def test_a_start_that_is_being_answered_when_terraform_dies_is_not_sent_again(
    stack: Stack, sandbox: SandboxProcess
) -> None:
    inject_fault(sandbox, "harness", STARTS["harness"], "delay", seconds=20.0, after=True)
    stack.write(run_of("harness"))
    process = stack.start(*APPLY)
    wait_until(lambda: ids(sandbox), "start")
    os.kill(process.pid, signal.SIGKILL)
    (stack.directory / ".terraform.tfstate.lock.info").unlink(missing_ok=True)
    stack.applied()
    assert stack.values(address("harness"))["id"] == single_runs(sandbox, ["harness"])["harness"][0]


@pytest.mark.prove
def test_runs_of_an_apply_that_is_interrupted_twice_are_resumed(stack: Stack, sandbox: SandboxProcess) -> None:
    process = begin_to_apply(stack, sandbox, runs_of(SYSTEMS))
    runs = single_runs(sandbox)
    (provider,) = providers(process)
    os.kill(provider, signal.SIGSTOP)  # or it answers before the second Ctrl-C
    assert process.stdout is not None
    assert process.stderr is not None
    os.kill(process.pid, signal.SIGINT)
    assert any("Interrupt received" in line for line in process.stdout)
    os.kill(process.pid, signal.SIGINT)
    assert any("Two interrupts received" in line for line in process.stderr)
    os.kill(provider, signal.SIGCONT)
    process.communicate(timeout=15)
    assert process.returncode == 1
    (stack.directory / ".terraform.tfstate.lock.info").unlink(missing_ok=True)
    finish(sandbox)
    stack.applied()
    assert_same_runs(stack, sandbox, runs)


DEPENDANT = """
resource "terraform_data" "after" {
  input = [%s]
}
"""


@pytest.mark.parametrize(
    ("journal", "lines"),
    [
        pytest.param("kept", (), id="plain"),
        pytest.param("kept", (CREATE_FIRST,), id="created before destroyed", marks=pytest.mark.prove),
        pytest.param("lost", (), id="without a journal", marks=pytest.mark.prove),
    ],
)
def test_a_timed_out_run_is_resumed(stack: Stack, sandbox: SandboxProcess, journal: str, lines: Sequence[str]) -> None:
    never_ending(sandbox, *SYSTEMS)
    outputs = ", ".join(f"{address(system)}.id" for system in SYSTEMS)
    stack.write(runs_of(SYSTEMS, 'timeouts = { create = "3s" }', *lines) + DEPENDANT % outputs)
    result = stack.apply()
    runs = single_runs(sandbox)
    for system in SYSTEMS:
        (error,) = (problem for problem in result.errors if problem.address == address(system))
        assert error.summary == f"{TITLES[system]} {runs[system][0]} timed out"
        assert "the next apply resumes waiting for it" in error.detail
    assert stack.state().keys() == {address(system) for system in SYSTEMS}, "dependants must not be created"
    if journal == "lost":
        for file in (stack.directory / ".terraform").glob("workflow-journal*"):
            file.unlink()
    finish(sandbox)
    stack.applied()
    assert "terraform_data.after" in stack.state()
    assert_same_runs(stack, sandbox, runs)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((), id="plain"),
        pytest.param((CREATE_FIRST,), id="created before destroyed", marks=pytest.mark.prove),
    ],
)
def test_a_timed_out_run_is_not_cancelled_by_its_replacement(
    stack: Stack, sandbox: SandboxProcess, lines: Sequence[str]
) -> None:
    never_ending(sandbox, *CANCELLABLE)
    stack.write(cancellable_runs(*lines, limit="3s"))
    assert stack.apply().status == 1
    runs = single_runs(sandbox, CANCELLABLE)
    stack.write(cancellable_runs(*lines, limit="1m"))
    process = stack.start(*APPLY)
    sandbox.forget_requests()
    wait_for_polls(sandbox, *CANCELLABLE)
    finish(sandbox)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert_same_runs(stack, sandbox, runs)
    assert not [request for request in sandbox.requests() if request["method"] in {"PUT", "DELETE"}]


@pytest.mark.prove
@pytest.mark.parametrize("lines", [(), (CREATE_FIRST,)], ids=["plain", "created before destroyed"])
def test_a_timed_out_run_is_cancelled_by_destroy(stack: Stack, sandbox: SandboxProcess, lines: Sequence[str]) -> None:
    stack.write(cancellable_runs(*lines, limit="1m"))
    stack.applied()
    stack.write("")
    stack.applied()
    never_ending(sandbox, *CANCELLABLE)
    stack.write(cancellable_runs(*lines, limit="3s"))
    assert stack.apply().status == 1
    stack.destroy()
    wait_until(lambda: phases(sandbox, "harness") == phases(sandbox, "vcd") == ["SUCCEEDED", "CANCELLED"], "the end")
    stack.write(cancellable_runs(*lines, limit="1m"))
    stack.applied()
    assert [len(ids(sandbox, system)) for system in CANCELLABLE] == [3, 3], "a destroyed run is not resumed"


def cancellable_runs(*lines: str, limit: str) -> str:
    """Return the configuration of runs that destroy cancels, and that are waited for up to the limit."""
    return runs_of(CANCELLABLE, *lines, 'on_destroy = "cancel"', f'timeouts = {{ create = "{limit}" }}')


@pytest.mark.prove
def test_a_resumed_run_that_times_out_is_resumed_again(stack: Stack, sandbox: SandboxProcess) -> None:
    process = begin_to_apply(stack, sandbox, run_of("vcd", 'timeouts = { update = "2s" }'))
    stack.interrupt(process, seconds=15)
    (error,) = stack.apply().errors
    assert "timed out" in error.summary
    assert "timeouts.update" in error.detail
    assert actions(stack) == {address("vcd"): ["update"]}
    finish(sandbox)
    stack.applied()
    assert len(ids(sandbox)) == 1
    assert stack.values(address("vcd"))["ended_at"]

    stack.applied(f"-replace={address('vcd')}")
    assert len(ids(sandbox)) == 2, "-replace starts a run"


@pytest.mark.prove
def test_a_run_is_resumed_after_its_credentials_were_rejected(stack: Stack, sandbox: SandboxProcess) -> None:
    process = begin_to_apply(stack, sandbox, run_of("harness"))
    (run,) = ids(sandbox)
    inject_fault(sandbox, "harness", POLLS["harness"], "status", status=401, times=None)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Lost track of Harness execution {run}" in stdout + stderr
    assert stack.state()[address("harness")]["tainted"] is True
    sandbox.ask("DELETE", "/faults")
    finish(sandbox)
    stack.applied()
    assert ids(sandbox) == [run]
    assert stack.values(address("harness"))["id"] == run
    assert stack.plan().status == 0


@pytest.mark.prove
def test_equal_resources_keep_their_own_runs(stack: Stack, sandbox: SandboxProcess) -> None:
    systems = ("harness", "vcd")
    process = begin_to_apply(stack, sandbox, runs_of(systems, "count = 2"), times=2)
    wait_until(lambda: all(_all_polled(sandbox, system) for system in systems), "poll of every run")
    stack.kill(process)
    (stack.directory / ".terraform.tfstate.lock.info").unlink(missing_ok=True)
    runs = {system: set(ids(sandbox, system)) for system in systems}
    finish(sandbox)
    stack.applied()
    for system in systems:
        assert set(ids(sandbox, system)) == runs[system]
        kept = {stack.values(f"{address(system)}[{index}]")["id"] for index in (0, 1)}
        assert kept == runs[system]


def _all_polled(sandbox: SandboxProcess, system: str) -> bool:
    polled = "".join(str(request) for request in sent(sandbox, system, POLLS[system]))
    runs: Sequence[Any] = ids(sandbox, system)
    return len(runs) == 2 and all(run in polled for run in runs)
