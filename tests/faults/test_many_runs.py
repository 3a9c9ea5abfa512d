"""A hundred runs at once: they share their looks, all end, and one Ctrl-C loses none of them."""

from __future__ import annotations

import math

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.acceptance.stack import Stack
from tests.faults.scenes import LOOKS, STARTS, address, ids, never_ending, run_of, sent, wait_until

pytestmark = pytest.mark.terraform

MANY = 100
BATCH = 25
RUN_SECONDS = 4.0
BODY = run_of("harness", f"count = {MANY}", "triggers = { number = count.index }")


def kept(stack: Stack) -> set[str]:
    """Return the ids that the state holds."""
    state = stack.state()
    return {str(state[f"{address('harness')}[{number}]"]["values"]["id"]) for number in range(MANY)}


def test_a_hundred_runs_share_their_looks(stack: Stack, sandbox: SandboxProcess) -> None:
    sandbox.ask("POST", "/scripts", {"system": "harness", "seconds": RUN_SECONDS, "times": MANY})
    stack.write(BODY)
    result = stack.applied(f"-parallelism={MANY}")
    assert result.problems == []
    runs = ids(sandbox)
    assert len(runs) == len(sent(sandbox, "harness", STARTS["harness"])) == MANY
    assert kept(stack) == set(runs)
    looks = sent(sandbox, "harness", LOOKS["harness"])
    asked = [sum(bool(request["body"]["variables"][f"has{slot}"]) for slot in range(BATCH)) for request in looks]
    lasted = looks[-1]["at"] - looks[0]["at"]
    assert sum(asked) / len(asked) > BATCH / 2, "a look is for many runs"
    assert len(looks) <= math.ceil(MANY / BATCH) * (lasted + 3), "each run is looked at once a second at most"


def test_one_ctrl_c_keeps_a_hundred_runs(stack: Stack, sandbox: SandboxProcess) -> None:
    never_ending(sandbox, "harness", times=MANY)
    stack.write(BODY)
    assert stack.plan("-out=saved").status == 2  # apart, since a plan of so many fills the pipe that nobody empties
    process = stack.start("apply", "-input=false", "-no-color", f"-parallelism={MANY}", "saved")
    wait_until(lambda: len(ids(sandbox)) == MANY, f"the start of {MANY} runs")
    result = stack.interrupt(process, seconds=15)
    assert result.stdout.count("is still going on") == MANY
    assert kept(stack) == set(ids(sandbox))
    assert not any(resource.get("tainted") for resource in stack.state().values())
