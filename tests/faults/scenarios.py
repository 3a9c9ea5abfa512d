"""What the fault tests share: the smallest run of each system, the sandbox's runs, and faults."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import pytest

from provider_py.cli.sandbox import SandboxProcess
from provider_py.sandbox import faults
from provider_py.sandbox.server import Sandbox
from tests.support.requests import POLLS, matches

SYSTEMS: Final = ("harness", "nexthink", "vcd")
SUCCESS: Final = {"harness": "SUCCESS", "nexthink": "success", "vcd": "completed"}
TITLES: Final = {
    "harness": "Harness execution",
    "nexthink": "Nexthink execution",
    "vcd": "Cloud Director execution",
}
_BODIES: Final = {
    "harness": '  application = "Test App"\n  workflow = "restart"',
    "nexthink": '  workflow = "#reboot_device"\n  devices = [{ name = "LAPTOP-01" }]',
    "vcd": '  workflow = "Refresh inventory"',
}
PATIENCE: Final = 60
HOUR: Final = 3600


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


def inject_fault(
    sandbox: SandboxProcess | Sandbox, system: str, match: Mapping[str, str], kind: str, **options: Any
) -> None:
    """Have the next matching request fail, or so many; the sandbox may be a process or in this one."""
    if isinstance(sandbox, Sandbox):
        fault = faults.Fault(system, faults.FaultKind(kind), faults.Match(**match), **options)
        sandbox.world.faults.add(fault)
    else:
        sandbox.ask("POST", "/faults", {"system": system, "match": dict(match), "kind": kind, **options})


def sent(sandbox: SandboxProcess, system: str, match: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """Return the matching requests that a system received."""
    return [
        request
        for request in sandbox.requests(system)
        if matches(match, request["method"], request["path"], request["body"])
    ]


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; `what` names it."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"no {what} within {PATIENCE} s")
        time.sleep(0.05)


def wait_for_polls(sandbox: SandboxProcess, *systems: str) -> None:
    """Wait until a run of each system has been polled."""
    for system in systems:
        wait_until(lambda system=system: bool(sent(sandbox, system, POLLS[system])), f"poll of a {system} run")  # type: ignore[misc]
