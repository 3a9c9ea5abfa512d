"""Many processes ask for the run of one key while the database is restarted: proven by the history of all calls."""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.prove.claimants import Call
from tests.support.postgres import Server

_PATIENCE: Final = 120.0
"""How long the processes may take to agree on the last run, in seconds."""


@pytest.mark.parametrize(
    ("processes", "seconds", "between"),
    [pytest.param(50, 60.0, 3.0, marks=pytest.mark.prove), (8, 3.0, 1.0)],
    ids=["proof", "sample"],
)
def test_each_attempt_is_started_by_one_process_and_joined_by_all_others(
    postgres: Server, tmp_path: Path, processes: int, seconds: float, between: float
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    for name in ("runs", "ends"):
        (tmp_path / name).mkdir()
    arguments = [postgres.address(postgres.make_database()), str(tmp_path), str(processes), str(seed)]
    claimants = subprocess.Popen([sys.executable, "-m", "tests.prove.claimants", *arguments], stderr=subprocess.PIPE)
    restarts = itertools.cycle([signal.SIGINT, signal.SIGQUIT])
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            time.sleep(between)
            postgres.restart(next(restarts))
        (tmp_path / "finish").touch()
        _, errors = claimants.communicate(timeout=_PATIENCE)
    finally:
        claimants.kill()
        claimants.wait()
    assert (claimants.returncode, errors.decode()) == (0, "")
    calls = [
        Call(**{**json.loads(line), "runs": tuple(json.loads(line)["runs"])})
        for file in tmp_path.glob("*.jsonl")
        for line in file.read_text().splitlines()
    ]
    check(calls, {file.name: len(file.read_text().splitlines()) for file in (tmp_path / "runs").iterdir()})
    print(sorted(Counter(call.answer.partition(":")[0] for call in calls).items()))


def check(calls: list[Call], runs: dict[str, int]) -> None:
    """Compare a history with what one process after another would have seen.

    `runs` has the number of starts by the token of the attempt.
    """
    failed_claims = [call for call in calls if call.call == "claim" and not call.number]
    assert all("cannot be reached" in call.answer for call in failed_claims), failed_claims
    claims = [call for call in calls if call.call == "claim" and call.number]
    tokens = {call.number: call.token for call in claims}
    starts = Counter(call.number for call in claims if call.answer == "Start")
    last = max(tokens)
    assert starts == dict.fromkeys(range(1, last + 1), 1), "each attempt is started once"
    assert runs == dict.fromkeys(tokens.values(), 1), "and so is its run"
    for call in claims:
        assert call.token == tokens[call.number], f"two attempts with one number: {call}"
        assert call.answer in {"Start", "Take", "Join", "Wait"}, call
        assert set(call.runs) <= {f"run-{call.token}"}, f"the run of another attempt: {call}"
        assert (call.answer == "Join") <= bool(call.runs), f"joined without a run: {call}"
    # Whoever asks after an answer was given sees what that answer said.
    latest, answered = 0, sorted(claims, key=lambda call: call.answered_at)
    position = 0
    for call in sorted(claims, key=lambda call: call.called_at):
        while position < len(answered) and answered[position].answered_at < call.called_at:
            latest = max(latest, answered[position].number)
            position += 1
        assert call.number >= latest, f"an attempt that was over when it was asked: {call}"
    # The next attempt is started only once somebody has recorded that this one failed.
    for call in claims:
        if call.answer == "Start" and call.number > 1:
            failed = [other for other in calls if other.call == "ended failed" and other.number == call.number - 1]
            known = min((other.called_at for other in failed), default=call.answered_at)
            assert known <= call.answered_at, f"started before the run before it had failed: {call}"
    joined = [call for call in claims if call.answer == "Join" and call.number == last]
    assert {call.runs for call in joined} == {(f"run-{tokens[last]}",)}


def test_the_check_finds_a_second_start() -> None:
    first = Call("claim", 1.0, "Start", 1, "a", (), 2.0)
    joined = Call("claim", 3.0, "Join", 1, "a", ("run-a",), 4.0)
    check([first, joined], {"a": 1})
    for calls, runs in (
        ([first, first, joined], {"a": 1}),
        ([first, joined], {"a": 2}),
        ([first, joined, Call("claim", 3.0, "Join", 1, "b", ("run-b",), 4.0)], {"a": 1}),
        ([first, joined, Call("claim", 2.5, "Start", 2, "b", (), 2.6)], {"a": 1, "b": 1}),
    ):
        with pytest.raises(AssertionError):
            check(calls, runs)
