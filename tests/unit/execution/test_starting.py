"""The order of journal and request, over a launcher that fails as prepared."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest

from provider_py.execution import (
    Execution,
    Interrupted,
    NotResumed,
    Phase,
    PollSource,
    Refused,
    Run,
    Runtime,
    Started,
    SystemFault,
    Unanswered,
)
from provider_py.execution.journal import Journal, JournalError
from provider_py.execution.poller import Poller
from provider_py.execution.starting import CERTAIN_SECONDS, SEARCH_PAUSES, Starter
from provider_py.plugin import model, optional
from tests.support.clock import INSTANT, Clock

LOST = Unanswered("Acme", "no answer")


@model
class Job(Execution):
    """A run of the system Acme."""

    target: Annotated[str | None, optional("What to run.", replace=True)] = None


def job(**values: Any) -> Job:
    return Job(**({"target": "all"} | values))


def reading(identifier: str) -> Run[None]:
    return Run(identifier, "running", Phase.ACTIVE, None)


@dataclass
class Acme:
    """A system whose starts and searches have prepared outcomes; `asked` keeps what it was asked, in order."""

    runtime: Runtime
    starts: list[Run[None] | SystemFault] = field(default_factory=list)
    searches: list[Run[None] | SystemFault | None] = field(default_factory=list)
    records: dict[str, Run[None] | SystemFault] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    takes: float = 0.0
    entered: int = 0
    most_at_once: int = 0

    system = "Acme"

    def __post_init__(self) -> None:
        self.poller: Poller[str, Run[None]] = Poller(PollSource(self._poll, 10), self.runtime)

    async def start(self, part: str, token: str) -> Started[None]:
        self.asked.append("start")
        self.entered += 1
        self.most_at_once = max(self.most_at_once, self.entered)
        await asyncio.sleep(self.takes)
        self.entered -= 1
        outcome = self.starts.pop(0)
        if isinstance(outcome, SystemFault):
            raise outcome
        return Started(outcome)

    def key(self, part: str, run: Run[None]) -> str:
        return run.id

    def remember(self, state: Job, keys: Sequence[str]) -> None:
        self.asked.append(f"remember {' '.join(keys)}")

    async def _poll(self, keys: Sequence[str]) -> Mapping[str, Run[None] | SystemFault]:
        return {key: self.records[key] for key in keys if key in self.records}


class ListedAcme(Acme):
    """A system that lists its runs."""

    async def search(self, part: str, token: str, since: float, taken: frozenset[str]) -> Run[None] | None:
        self.asked.append("search")
        outcome = self.searches.pop(0) if self.searches else None
        if isinstance(outcome, SystemFault):
            raise outcome
        return None if outcome is None or outcome.id in taken else outcome


class UnmarkedAcme(ListedAcme):
    """A system that lists its runs without a mark to tell equal ones apart."""

    def dedup_key(self, part: str) -> str:
        return "same inputs"


@dataclass
class Process:
    """A provider process: a journal, a starter, and the system that it talks to."""

    clock: Clock
    runtime: Runtime
    journal: Journal
    starter: Starter[Any]
    acme: Any

    async def start(self, planned: Job | None = None) -> str:
        key, started = await self.starter.start(self.acme, self.acme.poller, planned or job(), 0, "part")
        assert started.run.id == key
        return key


Opener = Callable[[], Process]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opener]:
    """Run processes on one journal; time is the same for all of them."""
    clock, processes = Clock(INSTANT), list[Process]()

    def open_one() -> Process:
        runtime = Runtime(asyncio.Event(), clock)
        journal = Journal(tmp_path / "journal", clock.time)
        processes.append(Process(clock, runtime, journal, Starter("job", journal, runtime), ListedAcme(runtime)))
        return processes[-1]

    yield open_one
    for process in processes:
        await process.journal.close()


async def known(process: Process) -> frozenset[str]:
    return await process.journal.known_runs()


async def test_an_answered_start_is_sent_once_and_recorded(opened: Opener) -> None:
    process = opened()
    process.acme.starts = [reading("run-1")]
    assert await process.start() == "run-1"
    assert process.acme.asked == ["start"]
    assert await known(process) == {"run-1"}


async def test_the_intent_is_recorded_before_the_request(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [reading("run-1")]
    intents: list[Any] = []

    async def watched(part: str, token: str) -> Started[None]:
        await process.journal.close()  # as if the process ended here
        intents.append(await heir.journal.take_over(process.starter.fingerprint(job(), 0)))
        raise asyncio.CancelledError

    process.acme.start = watched
    with pytest.raises(asyncio.CancelledError):
        await process.start()
    (intent,) = intents
    assert intent.run is None


async def test_a_refused_start_leaves_no_row(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [Refused("Acme", "no")]
    with pytest.raises(Refused):
        await process.start()
    await process.journal.close()
    heir.acme.starts = [reading("run-1")]
    assert await heir.start() == "run-1"
    assert heir.acme.asked == ["start"]


@pytest.mark.parametrize("misses", [0, 1, 2])
async def test_a_lost_answer_is_searched_for(opened: Opener, misses: int) -> None:
    process = opened()
    process.acme.starts = [LOST]
    process.acme.searches = [*[None, LOST][:misses], reading("run-1")]
    assert await process.start() == "run-1"
    assert process.acme.asked == ["start", *["search"] * (misses + 1)]
    assert process.clock.slept == list(SEARCH_PAUSES[: misses + 1])
    assert await known(process) == {"run-1"}


async def test_a_lost_run_that_is_not_found_stays_unanswered(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [LOST]
    with pytest.raises(Unanswered, match="no answer"):
        await process.start()
    assert process.acme.asked == ["start", "search", "search", "search"]
    await process.journal.close()
    with pytest.raises(Unanswered, match="an earlier apply sent the start"):
        await heir.start()
    assert heir.acme.asked == ["search"]


async def test_an_unanswered_start_is_found_by_the_next_process(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [LOST]
    with pytest.raises(Unanswered):
        await process.start()
    await process.journal.close()
    heir.acme.searches = [reading("run-1")]
    assert await heir.start() == "run-1"
    assert heir.acme.asked == ["search"]


@pytest.mark.parametrize("searchable", [True, False])
async def test_an_unanswered_start_is_sent_again_only_where_a_search_is_proof(opened: Opener, searchable: bool) -> None:
    process, heir = opened(), opened()
    if not searchable:
        process.acme, heir.acme = Acme(process.runtime), Acme(heir.runtime)
    process.acme.starts, heir.acme.starts = [LOST], [reading("run-1")]
    with pytest.raises(Unanswered):
        await process.start()
    await process.journal.close()
    await process.clock.sleep(CERTAIN_SECONDS)
    if searchable:
        assert await heir.start() == "run-1"
        assert heir.acme.asked == ["search", "start"]
    else:
        with pytest.raises(Unanswered, match="earlier apply"):
            await heir.start()
        assert heir.acme.asked == []


async def test_a_stop_during_the_search_leaves_the_start_unanswered(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [LOST]
    process.runtime.clock = Clock()  # on which the pause before a search does not end
    process.acme.takes = 0.05
    starting = asyncio.create_task(process.start())
    await asyncio.wait({starting}, timeout=0.02)
    process.runtime.stop.set()
    with pytest.raises(Unanswered, match="no answer"):
        await starting
    assert process.acme.asked == ["start"]
    assert "failed" not in caplog.text
    await process.journal.close()
    heir.acme.searches = [reading("run-1")]
    assert await heir.start() == "run-1"


async def test_nothing_is_sent_after_a_stop(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.runtime.stop.set()
    with pytest.raises(Interrupted):
        await process.start()
    assert process.acme.asked == []
    await process.journal.close()
    heir.acme.starts = [reading("run-1")]
    assert await heir.start() == "run-1"


async def test_a_stop_before_the_request_leaves_no_row(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [Interrupted("Acme", "stopped")]
    with pytest.raises(Interrupted):
        await process.start()
    await process.journal.close()
    heir.acme.starts = [reading("run-1")]
    assert await heir.start() == "run-1"


async def test_a_run_of_an_ended_process_is_taken_over(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [reading("run-1")]
    await process.start()
    await process.journal.close()
    heir.acme.records = {"run-1": reading("run-1")}
    assert await heir.start() == "run-1"
    assert heir.acme.asked == ["remember run-1"]
    assert heir.starter.resumed("run-1")


@pytest.mark.parametrize("answered", [True, False])
async def test_a_failed_run_of_an_ended_process_is_not_taken_over(opened: Opener, answered: bool) -> None:
    process, heir, third = opened(), opened(), opened()
    failed = Run("run-1", "broken", Phase.FAILED, None, message="out of coffee")
    process.acme.starts = [reading("run-1") if answered else LOST]
    with contextlib.nullcontext() if answered else pytest.raises(Unanswered):
        await process.start()
    await process.journal.close()
    heir.acme.records, heir.acme.searches, heir.acme.starts = {"run-1": failed}, [failed], [reading("run-2")]
    _, started = await heir.starter.start(heir.acme, heir.acme.poller, job(), 0, "part")
    assert started.run.id == "run-2"
    (warning,) = started.warnings
    assert "run-1" in warning.summary
    assert "out of coffee" in warning.detail
    assert not heir.starter.resumed("run-1")
    await heir.journal.close()
    third.acme.records = {"run-2": reading("run-2")}
    assert await third.start() == "run-2"


@pytest.mark.parametrize("accepting", [{"wait": False}, {"on_failure": "keep"}])
async def test_a_failed_run_of_an_ended_process_is_taken_over_where_failures_are_accepted(
    opened: Opener, accepting: dict[str, Any]
) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [reading("run-1")]
    await process.start()
    await process.journal.close()
    heir.acme.records = {"run-1": Run("run-1", "broken", Phase.FAILED, None)}
    assert await heir.start(job(**accepting)) == "run-1"


@pytest.mark.parametrize("fault", [None, LOST, Refused("Acme", "not for you")])
async def test_a_run_that_cannot_be_taken_over_is_not_started_again(opened: Opener, fault: SystemFault | None) -> None:
    process, heir, third = opened(), opened(), opened()
    process.acme.starts = [reading("run-1")]
    await process.start()
    await process.journal.close()
    heir.acme.records = {} if fault is None else {"run-1": fault}
    with pytest.raises(NotResumed, match="run-1"):
        await heir.start()
    assert heir.acme.asked == ["remember run-1"]
    await heir.journal.close()
    third.acme.records = {"run-1": reading("run-1")}
    assert await third.start() == "run-1"


async def test_a_run_is_handed_from_destroy_to_create(opened: Opener) -> None:
    process = opened()
    process.acme.records = {"run-1": reading("run-1")}
    await process.starter.hand_over(job(id="run-1"), ["run-1"])
    assert await process.start() == "run-1"
    process.acme.starts = [reading("run-2")]
    assert await process.start() == "run-2", "it is handed over once"


async def test_a_run_that_was_handed_over_but_not_taken_is_left_to_the_next_process(opened: Opener) -> None:
    process, heir = opened(), opened()
    await process.starter.hand_over(job(id="run-1"), ["run-1"])
    await process.journal.close()
    heir.acme.records = {"run-1": reading("run-1")}
    assert await heir.start() == "run-1"


async def test_other_inputs_start_another_run(opened: Opener) -> None:
    process = opened()
    await process.starter.hand_over(job(id="run-1"), ["run-1"])
    process.acme.starts = [reading("run-2")]
    assert await process.start(job(triggers={"release": "2"})) == "run-2"


def test_a_fingerprint_depends_on_what_is_started_only(opened: Opener) -> None:
    process = opened()
    fingerprint = process.starter.fingerprint
    assert fingerprint(job(), 0) == fingerprint(job(id="run-1", status="done", poll_interval="9s", wait=False), 0)
    process_two = dataclasses.replace(process, starter=Starter("errand", process.journal, process.runtime))
    others = [fingerprint(job(), 1), fingerprint(job(target="one"), 0), process_two.starter.fingerprint(job(), 0)]
    process.runtime.scope = "blue"
    assert len({fingerprint(job(), 0), *others}) == 4


def test_each_unfinished_run_is_taken_once(opened: Opener) -> None:
    starter = opened().starter
    assert not starter.take_unfinished(job())
    starter.note_unfinished(job(id="run-1"))
    starter.note_unfinished(job(id="run-2"))
    assert not starter.take_unfinished(job(target="other"))
    assert [starter.take_unfinished(job()) for _ in range(3)] == [True, True, False]


async def test_a_journal_that_fails_after_the_start_does_not_lose_the_run(opened: Opener) -> None:
    process = opened()
    process.acme.starts = [reading("run-1")]

    async def full(entry: object, run: str) -> None:
        raise JournalError("the disk is full")

    process.journal.record_run = full  # type: ignore[method-assign]
    assert await process.start() == "run-1"


async def test_a_journal_that_fails_before_the_start_prevents_it(opened: Opener) -> None:
    process = opened()
    process.journal.path.mkdir()
    with pytest.raises(JournalError):
        await process.start()
    assert process.acme.asked == []


@pytest.mark.parametrize(("system", "at_once"), [(ListedAcme, 3), (UnmarkedAcme, 1)])
async def test_starts_that_a_search_cannot_tell_apart_are_sent_one_at_a_time(
    opened: Opener, system: type[Acme], at_once: int
) -> None:
    process = opened()
    process.acme = system(process.runtime, takes=0.1)
    process.acme.starts = [reading(f"run-{number}") for number in range(3)]
    jobs = [job(triggers={"number": str(number)}) for number in range(3)]
    assert sorted(await asyncio.gather(*map(process.start, jobs))) == ["run-0", "run-1", "run-2"]
    assert process.acme.most_at_once == at_once


async def test_a_taken_over_run_is_reported(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [reading("run-1")]
    await process.start()
    await process.journal.close()
    heir.acme.records = {"run-1": reading("run-1")}
    _, started = await heir.starter.start(heir.acme, heir.acme.poller, job(), 0, "part")
    (warning,) = started.warnings
    assert "run-1" in warning.summary
    await heir.journal.close(orderly=True)
    assert await opened().journal.take_over(heir.starter.fingerprint(job(), 0)) is None


async def test_a_run_that_could_not_be_resumed_is_kept_although_the_process_ended_in_order(opened: Opener) -> None:
    process, heir, third = opened(), opened(), opened()
    process.acme.starts = [reading("run-1")]
    await process.start()
    await process.journal.close()
    with pytest.raises(NotResumed):
        await heir.start()
    await heir.journal.close(orderly=True)
    third.acme.records = {"run-1": reading("run-1")}
    assert await third.start() == "run-1"


def test_a_fingerprint_tells_accounts_apart_and_ignores_what_is_not_set(opened: Opener) -> None:
    process = opened()
    us: Starter[Any] = Starter("job", process.journal, process.runtime, lambda: "us")
    eu: Starter[Any] = Starter("job", process.journal, process.runtime, lambda: "eu")
    assert us.fingerprint(job(), 0) == us.fingerprint(job(triggers=None), 0)
    assert us.fingerprint(job(), 0) != eu.fingerprint(job(), 0)
    assert us.fingerprint(job(), 0) != us.fingerprint(job(triggers={}), 0)
