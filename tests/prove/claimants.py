"""Processes that all ask for the run of one key, and write down every call with its answer.

    python -m tests.prove.claimants ADDRESS DIRECTORY PROCESSES SEED

The system that runs are started in is a directory: a run is a file whose name is the attempt's token, so that it can be
searched for by its mark, and that is appended to by each start, so that a second one shows. How it ends is decided when
that is first asked: as failed, so that the key needs the next attempt; once the file `finish` is there, as succeeded,
and whoever joins that one is done. Now and then a process is killed: after its request has arrived, or after its key
was recorded.

Histories are in `DIRECTORY/<pid>.jsonl`: an object for each call, with the times of call and answer on the clock that
all processes share, and the process's number.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from provider_py.execution.journal import Journal, Kind, TakenOver
from provider_py.execution.life import Attempt, End, Event, Join, Start, Take, Wish
from provider_py.execution.postgres import Limits, PostgresStore
from provider_py.execution.scope import Scope
from provider_py.execution.store import JournalError

KIND: Final = Kind("vcd_execution", "account")
LIMITS: Final = Limits(lease=4.0, renew=1.0)
_KILLED: Final = 0.05
"""How probable it is that a process is killed at either place."""
_POLLED: Final = 0.1
"""How probable it is that a process that has joined a run is the first to ask for its end."""
_PAUSE: Final = 0.1


@dataclass(slots=True)
class Call:
    """One call and its answer: a decision, or what was recorded."""

    call: str
    called_at: float
    answer: str = ""
    number: int = 0
    token: str = ""
    runs: tuple[str, ...] = ()
    answered_at: float = 0.0


class Claimant:
    """One process."""

    def __init__(self, address: str, directory: Path, number: int, seed: int, history: TextIO) -> None:
        self._directory = directory
        self._random = random.Random(f"{seed}/{number}")
        self._history = history
        locks = directory / f"machine-{number}"  # of its own, so that only leases tell who lives
        locks.mkdir()
        self._journal = Journal(PostgresStore(address, locks, limits=LIMITS), time.time, Scope(f"state-{number}"))
        self._wish = Wish(KIND.type, KIND.account, f"state-{number}", "same", key="key")

    async def run(self) -> None:
        """Claim until the last run is there."""
        while True:
            if await self._round():
                break
            await asyncio.sleep(self._random.uniform(0, _PAUSE))
        await self._journal.close(orderly=True)

    async def _round(self) -> bool:
        with self._called("claim") as call:
            try:
                claim = await self._journal.claim(self._wish, 1)
            except JournalError as fault:
                call.answer = f"error: {fault}"
                return False
            call.answer = type(claim.decision).__name__
            call.number, call.token, call.runs = claim.attempt.number, claim.attempt.token, claim.attempt.known_runs
        match claim.decision:
            case Start():
                await self._start(claim.attempt)
            case Take():
                await self._end(claim.attempt)
            case Join(attempt):
                if attempt.end is End.OPEN and self._random.random() < _POLLED:
                    await self._record_end(attempt)
                return attempt.end is End.SUCCEEDED
        return False

    async def _start(self, attempt: Attempt) -> None:
        await asyncio.sleep(self._random.uniform(0, _PAUSE))
        with (self._directory / "runs" / attempt.token).open("a") as runs:
            runs.write("started\n")
        self._perhaps_die()
        await asyncio.sleep(self._random.uniform(0, _PAUSE))
        await self._end(attempt)

    async def _end(self, attempt: Attempt) -> None:
        """Record the run that a search by its mark finds, and its end."""
        if not (self._directory / "runs" / attempt.token).exists():
            return  # its process lives, and is about to send
        with self._called("named", attempt) as call:
            try:
                await self._journal.named(attempt, 0, f"run-{attempt.token}")
            except TakenOver:
                call.answer = "taken over"
                return
            call.answer = "recorded"
        self._perhaps_die()
        await self._record_end(attempt)

    async def _record_end(self, attempt: Attempt) -> None:
        ended = self._directory / "ends" / attempt.token
        proposed = End.SUCCEEDED if (self._directory / "finish").exists() else End.FAILED
        with contextlib.suppress(FileExistsError):
            ended.symlink_to(proposed)  # at once there with its content, unlike a file
        ending = End(ended.readlink().name)
        with self._called(f"ended {ending}", attempt) as call:
            await self._journal.move(KIND, [f"run-{attempt.token}"], Event.SEEN, ending)
            call.answer = "recorded"

    def _perhaps_die(self) -> None:
        if self._random.random() < _KILLED and not (self._directory / "finish").exists():
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def _called(self, name: str, attempt: Attempt | None = None) -> Iterator[Call]:
        call = Call(name, time.monotonic())
        if attempt is not None:
            call.number, call.token = attempt.number, attempt.token
        yield call
        call.answered_at = time.monotonic()
        record = {field: getattr(call, field) for field in Call.__slots__}
        self._history.write(f"{json.dumps(record)}\n")
        self._history.flush()


def main(address: str, directory: Path, processes: int, seed: int) -> int:
    """Run the processes, and return how many ended by themselves and not in order."""
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with (directory / f"{number}.jsonl").open("w") as history:
                    asyncio.run(Claimant(address, directory, number, seed, history).run())
                status = 0
            except Exception:  # noqa: BLE001 - whatever it is, the parent counts it
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        children.append(child)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return sum(status not in {0, -signal.SIGKILL} for status in statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
