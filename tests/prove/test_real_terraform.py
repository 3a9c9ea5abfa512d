"""The same deaths through the real Terraform, for each kind of effect; deaths of Terraform itself; two interrupts."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from provider_py.cli import terraform
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from provider_py.execution.starting import CERTAIN_SECONDS
from tests.prove.cases import UNKNOWN, Rig, command
from tests.prove.flows import FLOWS
from tests.prove.guarantees import TABLE, Column, Promise, Row
from tests.prove.stage import PACE, Way
from tests.support.host import ROOT
from tests.support.scenarios import APPLY, address, finish, ids, never_ending, run_of, wait_for_polls
from tests.support.stack import Result, Stack
from tests.support.states import StateServer

pytestmark = [pytest.mark.prove, pytest.mark.terraform]

_LOCK: Final = ".terraform.tfstate.lock.info"


@pytest.fixture(scope="session")
def crashing_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a HOME in which `terraform init` finds the provider that kills itself."""
    home = tmp_path_factory.mktemp("crashing")
    for launcher in install(home / MIRROR):
        python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
        launcher.path.write_text(f"#!/bin/sh\nexec env PYTHONPATH={root} {python} -m tests.prove.crashing\n")
    return home


@pytest.fixture(scope="session")
def states() -> Iterator[StateServer]:
    """Serve a remote state."""
    with StateServer() as server:
        yield server


@dataclass
class Directory:
    """A working directory whose providers may be told to kill somebody."""

    stack: Stack
    sandbox: SandboxProcess
    states: StateServer
    remote: bool

    def tell(self, kill: str = "", victim: str = "", times: int = 1) -> None:
        """Have the provider that comes to a point as the first, or so, kill itself or its "host"; or none."""
        clock = self.sandbox.ask("POST", "/clock", {"speed": PACE})
        self.log.unlink(missing_ok=True)
        self.stack.environment |= {
            "PROVE_CLOCK": f"{clock['now']} {time.monotonic()} {PACE}",
            "PROVE_KILL": kill,
            "PROVE_VICTIM": victim,
            "PROVE_TIMES": str(times),
            "PROVE_LOG": str(self.log),
        }

    @property
    def log(self) -> Path:
        """Where effects are written."""
        return self.stack.directory / "effects"

    def write(self, body: str) -> None:
        """Write the configuration."""
        backend = 'terraform {\n  backend "http" {}\n}\n' if self.remote else ""
        self.stack.write(body + backend)

    def until_quiet(self) -> Sequence[Result]:
        """Apply until there is nothing to do, and return the results."""
        (self.stack.directory / _LOCK).unlink(missing_ok=True)
        self.tell()
        results = []
        for _ in range(5):
            results.append(self.stack.apply())
            if any(error.summary.startswith(UNKNOWN) for error in results[-1].errors):
                self.sandbox.ask("POST", "/clock", {"advance": CERTAIN_SECONDS + 30})
                self.tell()
            elif results[-1].status == 0 and self.stack.plan().status == 0:
                break
        return results


both_states = pytest.mark.parametrize("directory", ["local", "http"], indirect=True)
local_state = pytest.mark.parametrize("directory", ["local"], indirect=True)
remote_state = pytest.mark.parametrize("directory", ["http"], indirect=True)


@pytest.fixture
def directory(
    request: pytest.FixtureRequest,
    quick_sandbox: SandboxProcess,
    states: StateServer,
    terraform_binary: Path,
    crashing_home: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Directory]:
    """Give an initialised directory with a local or a remote state."""
    quick_sandbox.ask("POST", "/reset")
    quick_sandbox.ask("POST", "/behaviours", {"harness": {"requests_per_minute": 0, "deployments_per_day": 0}})
    states.content, states.on_write = b"", lambda: True
    variables = {
        **quick_sandbox.environment,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HARNESS_REQUESTS_PER_MINUTE": "6000",
        "TF_HTTP_ADDRESS": states.address,
    }
    (tmp_path / "stack").mkdir()
    stack = Stack(terraform_binary, tmp_path / "stack", terraform.environment(crashing_home, **variables))
    made = Directory(stack, quick_sandbox, states, request.param == "http")
    made.write("")
    stack.init()
    made.tell()
    yield made
    stack.close()


KINDS: Final = (
    "commit workflow (INSERT workflow_attempt) #1 before",
    "commit workflow (INSERT workflow_attempt) #1 after",
    "request POST startExecution #1 before",
    "request POST startExecution #1 sent",
    "request POST startExecution #1 after",
    "commit workflow (UPDATE workflow_part) #1 before",
    "commit workflow (UPDATE workflow_part) #1 after",
    "answer ApplyResourceChange #1 before",
    "answer ApplyResourceChange #1 after",
)
"""Every stage of every kind of effect."""


@local_state
@pytest.mark.parametrize("kill", KINDS)
def test_a_provider_that_dies_leaves_one_run(directory: Directory, kill: str) -> None:
    directory.write(run_of("harness"))
    directory.tell(kill)
    directory.stack.apply()
    assert directory.log.read_text().splitlines().count(kill) == 1
    results = directory.until_quiet()
    assert results[-1].status == 0, results
    (run,) = ids(directory.sandbox)
    assert directory.stack.values(address("harness"))["id"] == run


@both_states
def test_terraform_that_dies_after_any_answer_leaves_one_run(directory: Directory) -> None:
    directory.write(run_of("harness"))
    directory.stack.applied()
    answers = [line for line in directory.log.read_text().splitlines() if "answer " in line and line.endswith(" after")]
    applying = answers[max(i for i, line in enumerate(answers) if "ConfigureProvider" in line) :]
    assert "answer ApplyResourceChange #1 after" in applying
    if directory.remote:
        applying = [line for line in applying if "Shutdown" not in line]  # see the next test
    body = ""
    for number, kill in enumerate(applying, 1):
        body += run_of("harness", f'triggers = {{ number = "{number}" }}', name=f"run_{number}")
        directory.write(body)
        directory.tell(kill, victim="host", times=answers.count(kill))
        before = len(ids(directory.sandbox))
        directory.stack.start(*APPLY).communicate(timeout=60)
        assert directory.log.read_text().splitlines().count(kill) >= answers.count(kill)
        results = directory.until_quiet()
        assert results[-1].status == 0, results
        assert len(ids(directory.sandbox)) == before + 1, kill
        assert directory.stack.values(address("harness", f"run_{number}"))["id"] == ids(directory.sandbox)[-1]


@remote_state
def test_terraform_that_dies_between_the_end_of_its_provider_and_a_remote_state(
    directory: Directory, states: StateServer
) -> None:
    directory.write(run_of("harness"))
    process = directory.stack.start(*APPLY)

    def die() -> bool:
        directory.stack.kill(process)
        return False

    states.on_write = die
    process.wait(60)
    states.on_write = lambda: True
    assert states.writes == 0
    assert directory.until_quiet()[-1].status == 0
    expected = {Promise.NONE: 2, Promise.ONE: 1}[TABLE[Row.UNWRITTEN][Column.PLAIN]["harness"]]
    assert len(ids(directory.sandbox)) == expected


@both_states
def test_two_interrupts_leave_one_run(directory: Directory) -> None:
    never_ending(directory.sandbox, "harness")
    directory.write(run_of("harness"))
    process = directory.stack.start(*APPLY)
    wait_for_polls(directory.sandbox, "harness")
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 1
    finish(directory.sandbox)
    assert directory.until_quiet()[-1].status == 0
    (run,) = ids(directory.sandbox)
    assert directory.stack.values(address("harness"))["id"] == run


_COMPARED: Final = ("ConfigureProvider", "ReadResource", "PlanResourceChange", "ApplyResourceChange")
FOLLOWED: Final = (
    "create",
    "resume after a time-out",
    "replace",
    "create-before-destroy, resume",
    "create-before-destroy, replace",
    "cancel by destroy",
)


@local_state
@pytest.mark.parametrize("name", FOLLOWED)
def test_the_simulated_terraform_calls_like_the_real_one(directory: Directory, rig: Rig, name: str) -> None:
    (flow,) = (flow for flow in FLOWS if flow.name == name)
    stage = rig.stage(flow, "vcd", Way.KEPT)
    simulated = len(stage.terraform.calls)
    command(stage, flow)
    calls = [call for call in stage.terraform.calls[simulated:] if call in _COMPARED]

    stack, sandbox = directory.stack, directory.sandbox
    sandbox.ask("POST", "/reset")
    directory.tell()
    first = ("lifecycle { create_before_destroy = true }",) if flow.create_before_destroy else ()
    if "resume" in name:
        never_ending(sandbox, "vcd")
        directory.write(run_of("vcd", 'timeouts = { create = "30s" }', *first))
        assert stack.apply().status == 1
        finish(sandbox)
        directory.tell()
    elif name != "create":
        directory.write(run_of("vcd", 'triggers = { v = "1" }', *first))
        stack.applied()
        directory.tell()
    if flow.destroys:
        stack.destroy()
    else:
        directory.write(run_of("vcd", *(['triggers = { v = "2" }'] if "replace" in name else []), *first))
        stack.applied()
    logged = [line.split()[1] for line in directory.log.read_text().splitlines() if line.endswith(" before")]
    assert " ".join(call for call in logged if call in _COMPARED) == " ".join(calls)
