"""What the fault tests have in common: the smallest run of each system, its requests, and the sandbox's runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import pytest

from provider_py.cli.sandbox import SandboxProcess

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
STARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "harness": {"method": "POST", "body": "startExecution("},
    "nexthink": {"method": "POST", "path": "/workflows/execute"},
    "vcd": {"method": "POST", "path": "/executions"},
}
LOOKS: Final[Mapping[str, Mapping[str, str]]] = {
    "harness": {"method": "POST", "body": "executionStateBatch"},
    "nexthink": {"method": "POST", "path": "/nql/execute"},
    "vcd": {"method": "GET", "path": "/executions/"},
}
LOOKUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "harness": {"method": "POST", "body": "workflowByName"},
    "nexthink": {"method": "GET", "path": "/workflows/details"},
    "vcd": {"method": "GET", "path": "/presentation"},
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
    found = sandbox.ask("GET", "/runs" + (f"?system={system}" if system else ""))
    return [str(run["id"]) for run in found]


def phases(sandbox: SandboxProcess, system: str) -> Sequence[str]:
    """Return how a system's runs stand, oldest first."""
    return [str(run["phase"]) for run in sandbox.ask("GET", f"/runs?system={system}")]


def never_ending(sandbox: SandboxProcess, *systems: str, times: int = 1) -> None:
    """Have the next run of each system, or so many, go on until it is finished by hand."""
    for system in systems:
        sandbox.ask("POST", "/scripts", {"system": system, "seconds": HOUR, "times": times})


def finish(sandbox: SandboxProcess) -> None:
    """Let every run end well."""
    for run in ids(sandbox):
        sandbox.ask("PATCH", f"/runs/{run}", {"finish": True})


def spoil(sandbox: SandboxProcess, system: str, match: Mapping[str, str], kind: str, **fault: Any) -> None:
    """Prepare a fault."""
    sandbox.ask("POST", "/faults", {"system": system, "match": dict(match), "kind": kind, **fault})


def sent(sandbox: SandboxProcess, system: str, match: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """Return the requests of a kind that a system got."""
    return [
        request
        for request in sandbox.requests(system)
        if match.get("method") == request["method"]
        and match.get("path", "") in request["path"]
        and match.get("body", "") in str(request["body"])
    ]


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come about in {PATIENCE} s")
        time.sleep(0.05)


def wait_for_looks(sandbox: SandboxProcess, *systems: str) -> None:
    """Wait until Terraform waits for a run in each system, which has been looked at at least once."""
    for system in systems:
        wait_until(lambda system=system: bool(sent(sandbox, system, LOOKS[system])), f"a look at a {system} run")  # type: ignore[misc]
