"""Signals to Terraform and its provider while a start is being sent: the run is neither lost nor repeated."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import address, ids, inject_fault, run_of, sent
from tests.support.stack import Stack
from tests.support.systems import STARTS, SUCCESS
from tests.support.waiting import wait_until

pytestmark = pytest.mark.terraform

APPLY = ("apply", "-input=false", "-no-color", "-auto-approve")
DELAY = 4.0
"""Seconds until a start is answered; the request has had its effect by then."""


@pytest.fixture
def temporary(stack: Stack) -> Iterator[Path]:
    """Return a directory for the sockets of providers; its name is short, as socket names must be."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as directory:
        stack.environment["TMPDIR"] = directory
        yield Path(directory)


def socket_directories(temporary: Path) -> list[Path]:
    """Return the sockets' directories of the providers that run."""
    return list(temporary.glob("terraform-provider-*"))


@pytest.mark.parametrize(
    "system", ["harness", *(pytest.param(system, marks=pytest.mark.prove) for system in ("nexthink", "vcd"))]
)
def test_terminating_the_process_group_keeps_the_run_that_is_being_started(
    stack: Stack, sandbox: SandboxProcess, system: str
) -> None:
    inject_fault(sandbox, system, STARTS[system], "delay", seconds=DELAY, after=True)
    stack.write(run_of(system))
    process = stack.start(*APPLY)
    wait_until(lambda: bool(ids(sandbox, system)), "start")
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert "did not respond" not in stdout + stderr
    (run,) = ids(sandbox, system)
    assert stack.values(address(system))["id"] == run
    assert not stack.state()[address(system)].get("tainted")
    stack.applied()
    assert ids(sandbox, system) == [run]
    assert stack.values(address(system))["status"] == SUCCESS[system]


@pytest.mark.parametrize(
    "number",
    [signal.SIGKILL, *(pytest.param(number, marks=pytest.mark.prove) for number in (signal.SIGHUP, signal.SIGQUIT))],
)
def test_a_start_that_is_being_sent_when_terraform_is_killed_reaches_the_journal(
    stack: Stack, sandbox: SandboxProcess, temporary: Path, number: signal.Signals
) -> None:
    """Nexthink cannot be searched: that the next apply takes the run over shows that the journal has it."""
    inject_fault(sandbox, "nexthink", STARTS["nexthink"], "delay", seconds=DELAY, after=True)
    stack.write(run_of("nexthink"))
    process = stack.start(*APPLY)
    wait_until(lambda: bool(ids(sandbox, "nexthink")), "start")
    if number is signal.SIGKILL:
        os.kill(process.pid, number)
    else:
        os.killpg(process.pid, number)
    process.wait(timeout=30)
    assert socket_directories(temporary), "the provider outlives Terraform until the start is answered"
    wait_until(lambda: not socket_directories(temporary), "end of the provider")
    (stack.directory / ".terraform.tfstate.lock.info").unlink(missing_ok=True)
    assert stack.state() == {}
    stack.applied()
    (run,) = ids(sandbox, "nexthink")
    assert stack.values(address("nexthink"))["id"] == run


def test_what_waits_for_its_turn_when_terraform_is_killed_is_not_sent(
    stack: Stack, sandbox: SandboxProcess, temporary: Path
) -> None:
    """Equal starts of Cloud Director are sent one at a time."""
    inject_fault(sandbox, "vcd", STARTS["vcd"], "delay", seconds=DELAY, after=True, times=None)
    stack.write(run_of("vcd", "count = 3"))
    process = stack.start(*APPLY)
    wait_until(lambda: bool(ids(sandbox, "vcd")), "start")
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not socket_directories(temporary), "end of the provider")
    assert len(sent(sandbox, "vcd", STARTS["vcd"])) == 1
