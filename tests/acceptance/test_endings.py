"""Failed runs and interrupted applies: what Terraform reports and what the state keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.configurations import ADDRESSES, SYSTEMS
from tests.acceptance.stack import Stack

pytestmark = pytest.mark.terraform

STATUS_OF_FAILURE = {"harness": "FAILED", "nexthink": "failure", "vcd": "failed"}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_failed_run_fails_the_apply_and_is_tainted(stack: Stack, sandbox: SandboxProcess, system: str) -> None:
    sandbox.ask(
        "POST", "/scripts", {"system": system, "ending": "failure", "reason": "disk full on node 7", "times": 9}
    )
    stack.write(SYSTEMS[system])
    stack.init()
    result = stack.apply()
    assert result.status == 1
    resource = stack.state()[ADDRESSES[system]]
    assert resource["values"]["status"] == STATUS_OF_FAILURE[system]
    assert resource["tainted"] is True
    (error,) = result.errors
    assert STATUS_OF_FAILURE[system] in error.text
    assert "disk full on node 7" in error.text
    assert (resource["values"]["url"] or "") in error.text


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_failed_run_is_kept_untainted_with_on_failure_keep(
    stack: Stack, sandbox: SandboxProcess, system: str
) -> None:
    sandbox.ask("POST", "/scripts", {"system": system, "ending": "failure", "reason": "disk full", "times": 9})
    stack.write(SYSTEMS[system].rstrip().removesuffix("}") + '  on_failure = "keep"\n}\n')
    stack.init()
    result = stack.applied()
    assert any("disk full" in warning.text for warning in result.warnings)
    assert not stack.state()[ADDRESSES[system]].get("tainted")
    assert stack.plan().status == 0


@pytest.mark.hosts
@pytest.mark.parametrize("system", SYSTEMS)
def test_ctrl_c_keeps_the_run_and_the_next_apply_resumes_it(stack: Stack, sandbox: SandboxProcess, system: str) -> None:
    sandbox.ask("POST", "/scripts", {"system": system, "seconds": 3600, "times": 9})
    stack.write(SYSTEMS[system])
    stack.init()
    process = stack.start("apply", "-input=false", "-no-color", "-auto-approve")
    runs = wait_for_runs(sandbox, system)
    stack.interrupt(process, seconds=20)
    resource = stack.state()[ADDRESSES[system]]
    assert resource["values"]["id"]
    assert not resource.get("tainted")

    for run in runs:
        sandbox.ask("PATCH", f"/runs/{run['id']}", {"finish": True})
    stack.applied()
    assert stack.values(ADDRESSES[system])["id"] == resource["values"]["id"]
    assert stack.values(ADDRESSES[system])["ended_at"]
    assert len(sandbox.ask("GET", f"/runs?system={system}")) == len(runs)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_killed_apply_is_resumed_without_a_second_start(stack: Stack, sandbox: SandboxProcess, system: str) -> None:
    sandbox.ask("POST", "/scripts", {"system": system, "seconds": 3600, "times": 9})
    stack.write(SYSTEMS[system])
    stack.init()
    process = stack.start("apply", "-input=false", "-no-color", "-auto-approve")
    runs = wait_for_runs(sandbox, system)
    wait_for_polls(sandbox, system)
    stack.kill(process)
    assert ADDRESSES[system] not in stack.state()

    for run in runs:
        sandbox.ask("PATCH", f"/runs/{run['id']}", {"finish": True})
    stack.applied()
    assert {run["id"] for run in sandbox.ask("GET", f"/runs?system={system}")} == {run["id"] for run in runs}
    assert stack.values(ADDRESSES[system])["ended_at"]


def wait_for_runs(sandbox: SandboxProcess, system: str) -> Sequence[dict[str, Any]]:
    """Wait until the system has started the run (Nexthink: one for each target)."""
    return until(lambda: sandbox.ask("GET", f"/runs?system={system}"), f"{system} starts a run")


def wait_for_polls(sandbox: SandboxProcess, system: str) -> None:
    """Wait until the provider polls the run, which proves that it received the run's id."""
    sandbox.forget_requests()
    until(lambda: sandbox.requests(system)[1:], f"{system} is polled")


def until(poll: Callable[[], Sequence[dict[str, Any]]], what: str) -> Sequence[dict[str, Any]]:
    """Poll until the result is not empty."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if result := poll():
            return result
        time.sleep(0.05)
    pytest.fail(f"Timed out after 30 s: {what}")
