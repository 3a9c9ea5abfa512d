"""What the tests of Terraform share: the smallest run of each system as HCL, and the runs and faults of the sandbox."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from provider_py.cli.sandbox import SandboxProcess
from tests.support.stack import Stack
from tests.support.systems import POLLS, SUCCESS, SYSTEMS, Match, matches
from tests.support.waiting import wait_until

_BODIES: Final = {
    "harness": '  application = "Test App"\n  workflow = "restart"',
    "nexthink": '  workflow = "#reboot_device"\n  devices = [{ name = "LAPTOP-01" }]',
    "vcd": '  workflow = "Refresh inventory"',
}
HOUR: Final = 3600
APPLY: Final = ("apply", "-input=false", "-no-color", "-auto-approve")


def run_of(system: str, *lines: str, name: str = "run") -> str:
    """Return the configuration of a run that needs nothing but its name, with further lines."""
    body = "\n".join((_BODIES[system], '  poll_interval = "1s"', *(f"  {line}" for line in lines)))
    return f'resource "workflow_{system}_execution" "{name}" {{\n{body}\n}}\n'


def runs_of(systems: Iterable[str], *lines: str) -> str:
    """Return the configuration of one run in each of the systems."""
    return "".join(run_of(system, *lines) for system in systems)


def address(system: str, name: str = "run") -> str:
    """Return a run's address."""
    return f"workflow_{system}_execution.{name}"


def ids(sandbox: SandboxProcess, system: str | None = None) -> Sequence[str]:
    """Return the ids of all runs that were ever started, oldest first."""
    runs = sandbox.ask("GET", "/runs" + (f"?system={system}" if system else ""))
    return [str(run["id"]) for run in runs]


def phases(sandbox: SandboxProcess, system: str) -> Sequence[str]:
    """Return the phases of a system's runs, oldest first."""
    return [str(run["phase"]) for run in sandbox.ask("GET", f"/runs?system={system}")]


def never_ending(sandbox: SandboxProcess, *systems: str, times: int = 1) -> None:
    """Have the next run of each system, or so many, last until the test finishes it."""
    for system in systems:
        sandbox.ask("POST", "/scripts", {"system": system, "seconds": HOUR, "times": times})


def finish(sandbox: SandboxProcess) -> None:
    """Let every run end successfully."""
    for run in ids(sandbox):
        sandbox.ask("PATCH", f"/runs/{run}", {"finish": True})


def inject_fault(sandbox: SandboxProcess, system: str, match: Match, kind: str, **options: Any) -> None:
    """Have the next matching request fail, or so many."""
    sandbox.ask("POST", "/faults", {"system": system, "match": dict(match), "kind": kind, **options})


def sent(sandbox: SandboxProcess, system: str, match: Match) -> Sequence[Mapping[str, Any]]:
    """Return the matching requests that a system received."""
    return [
        request
        for request in sandbox.requests(system)
        if matches(match, request["method"], request["path"], request["body"])
    ]


def wait_for_polls(sandbox: SandboxProcess, *systems: str) -> None:
    """Wait until a run of each system has been polled."""
    for system in systems:
        wait_until(lambda system=system: bool(sent(sandbox, system, POLLS[system])), f"poll of a {system} run")  # type: ignore[misc]


def begin_to_apply(stack: Stack, sandbox: SandboxProcess, body: str, *, times: int = 1) -> subprocess.Popen[str]:
    """Begin to apply runs that do not end, so many of each system, and return when they have been polled."""
    never_ending(sandbox, *SYSTEMS, times=times)
    stack.write(body)
    process = stack.start(*APPLY)
    wait_for_polls(sandbox, *(system for system in SYSTEMS if f"workflow_{system}_execution" in body))
    return process


def actions(stack: Stack, *options: str) -> Mapping[str, Sequence[str]]:
    """Return the planned actions by address."""
    assert stack.plan("-out=planned", *options).status in {0, 2}
    shown = json.loads(stack.run("show", "-json", "planned").stdout)
    return {change["address"]: change["change"]["actions"] for change in shown["resource_changes"]}


def assert_same_runs(stack: Stack, sandbox: SandboxProcess, expected: Mapping[str, Sequence[str]]) -> None:
    """Check that no run was added, and that the state holds them with their successful end."""
    for system, runs in expected.items():
        assert ids(sandbox, system) == runs
        values = stack.values(address(system))
        assert (values["id"], values["status"]) == (runs[0], SUCCESS[system])
        assert values["ended_at"]
    assert stack.plan().status == 0


def single_runs(sandbox: SandboxProcess, systems: Sequence[str] = SYSTEMS) -> Mapping[str, Sequence[str]]:
    """Return the one run that each system has started."""
    runs = {system: ids(sandbox, system) for system in systems}
    assert {system: len(ids) for system, ids in runs.items()} == dict.fromkeys(systems, 1)
    return runs
