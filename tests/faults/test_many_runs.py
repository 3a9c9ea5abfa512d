"""A hundred runs at once: they share their polls, all end, and one Ctrl-C loses none of them."""

from __future__ import annotations

import math

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.support.scenarios import address, ids, never_ending, run_of, sent
from tests.support.stack import Stack
from tests.support.systems import POLLS, STARTS
from tests.support.waiting import wait_until

pytestmark = pytest.mark.terraform

MANY = 100
BATCH = 25
RUN_SECONDS = 4.0
BODY = run_of("harness", f"count = {MANY}", "triggers = { number = count.index }")


def stored_ids(stack: Stack) -> set[str]:
    """Return the ids that the state holds."""
    state = stack.state()
    return {str(state[f"{address('harness')}[{number}]"]["values"]["id"]) for number in range(MANY)}


@pytest.mark.prove
def test_a_hundred_runs_share_their_polls(stack: Stack, sandbox: SandboxProcess) -> None:
    sandbox.ask("POST", "/scripts", {"system": "harness", "seconds": RUN_SECONDS, "times": MANY})
    stack.write(BODY)
    result = stack.applied(f"-parallelism={MANY}")
    assert result.problems == []
    runs = ids(sandbox)
    assert len(runs) == len(sent(sandbox, "harness", STARTS["harness"])) == MANY
    assert stored_ids(stack) == set(runs)
    polls = sent(sandbox, "harness", POLLS["harness"])
    batches = [sum(bool(request["body"]["variables"][f"has{slot}"]) for slot in range(BATCH)) for request in polls]
    duration = polls[-1]["at"] - polls[0]["at"]
    assert sum(batches) / len(batches) > BATCH / 2, "a poll is for many runs"
    assert len(polls) <= math.ceil(MANY / BATCH) * (duration + 3), "a run is polled once a second at most"


@pytest.mark.prove
def test_one_ctrl_c_keeps_a_hundred_runs(stack: Stack, sandbox: SandboxProcess) -> None:
    never_ending(sandbox, "harness", times=MANY)
    stack.write(BODY)
    assert stack.plan("-out=saved").status == 2  # separately: the plan of so many fills a pipe that nobody reads
    process = stack.start("apply", "-input=false", "-no-color", f"-parallelism={MANY}", "saved")
    wait_until(lambda: len(ids(sandbox)) == MANY, f"start of {MANY} runs")
    result = stack.interrupt(process, seconds=15)
    assert result.stdout.count("is still running") == MANY
    assert stored_ids(stack) == set(ids(sandbox))
    assert not any(resource.get("tainted") for resource in stack.state().values())
