"""The order of journal and request, over a launcher that fails as prepared."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest

from provider_py.execution import (
    Execution,
    Interrupted,
    Phase,
    PollSource,
    Refused,
    Run,
    Runtime,
    Started,
    SystemFault,
    Timeouts,
    Unanswered,
    Unsettled,
)
from provider_py.execution.journal import Journal
from provider_py.execution.life import Attempt, End, Start, Take, attempt_mark
from provider_py.execution.messages import not_started
from provider_py.execution.poller import Poller
from provider_py.execution.scope import Scope
from provider_py.execution.starting import CERTAIN_SECONDS, OTHERS_SECONDS, SEARCH_PAUSES, Begun, Starter
from provider_py.execution.store import JournalError, SqliteStore
from provider_py.plugin import DiagnosticError, model, optional
from tests.support.clock import Clock
from tests.support.waiting import eventually

LOST = Unanswered("Acme", "no answer")
PACE = 100.0


@model
class Job(Execution):
    """A run of the system Acme."""

    target: Annotated[str | None, optional("What to run.", replace=True)] = None


def starter_of(journal: Callable[[], Journal], runtime: Runtime, name: str = "job", account: str = "") -> Starter[Job]:
    return Starter(name, "Acme job", lambda planned: planned.target, journal, runtime, lambda: account)


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
    parts: Sequence[str] = ("part",)
    takes: float = 0.0
    tokens: list[str] = field(default_factory=list)
    crowded: asyncio.Event = field(default_factory=asyncio.Event)
    entered: int = 0
    most_at_once: int = 0

    system = "Acme"

    def __post_init__(self) -> None:
        self.poller: Poller[str, Run[None]] = Poller(PollSource(self._poll, 10), self.runtime)

    async def prepare(self, config: Job, unknown: frozenset[str]) -> Sequence[str]:
        self.asked.append("prepare")
        return self.parts

    async def start(self, part: str, token: str) -> Started[None]:
        self.asked.append("start")
        self.tokens.append(token)
        self.entered += 1
        self.most_at_once = max(self.most_at_once, self.entered)
        if self.entered == 3:
            self.crowded.set()
        if self.takes:  # until all three are here, or nobody else can come
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.crowded.wait(), self.takes)
        self.entered -= 1
        outcome = self.starts.pop(0)
        if isinstance(outcome, SystemFault):
            raise outcome
        return Started(outcome)

    def key(self, part: str, run: Run[None]) -> str:
        return run.id

    def unread(self, key: str) -> Run[None]:
        return Run(key, None, Phase.ACTIVE, None)

    async def _poll(self, keys: Sequence[str]) -> Mapping[str, Run[None] | SystemFault]:
        self.asked.extend(f"read {key}" for key in keys)
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


class MarkingAcme(ListedAcme):
    """A system whose runs show their marks: `marks` by run."""

    marks: dict[str, tuple[str, Run[None]]]

    async def marked(self, part: str, beginning: str) -> Sequence[tuple[str, Run[None]]]:
        self.asked.append("marked")
        return [(mark, run) for mark, run in self.marks.values() if mark.startswith(beginning)]


@dataclass
class Process:
    """A provider process: a journal, a starter, and the system that it talks to."""

    clock: Clock
    runtime: Runtime
    journal: Journal
    starter: Starter[Any]
    acme: Any

    async def begin(self, planned: Job | None = None) -> Begun:
        return await self.starter.begin(self.acme, self.acme.poller, planned or job())

    async def start(self, planned: Job | None = None) -> str:
        (key,) = (await self.begin(planned)).runs
        return key


Opener = Callable[..., Process]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opener]:
    """Run processes on one journal; time is the same for all of them."""
    clock, processes = Clock(PACE), list[Process]()

    def open_one(file: str = "journal", scope: str = "state") -> Process:
        runtime = Runtime(asyncio.Event(), clock)
        journal = Journal(SqliteStore(tmp_path / file), clock.time, Scope(scope))
        starter = starter_of(lambda: journal, runtime)
        processes.append(Process(clock, runtime, journal, starter, ListedAcme(runtime)))
        return processes[-1]

    yield open_one
    for process in processes:
        await process.journal.close()


async def known(process: Process) -> frozenset[str]:
    return await process.journal.known_runs(process.starter.kind)


async def ended_after(process: Process, *starts: Run[None] | SystemFault) -> None:
    """Have a process start a run, or fail to, and end as a crash does."""
    process.acme.starts = list(starts)
    with contextlib.suppress(Unanswered):
        await process.start()
    await process.journal.close()


async def test_an_answered_start_is_sent_once_and_recorded(opened: Opener) -> None:
    process = opened()
    process.acme.starts = [reading("run-1")]
    assert await process.start() == "run-1"
    assert process.acme.asked == ["prepare", "start"]
    assert await known(process) == {"run-1"}


async def test_the_intent_is_recorded_before_the_request(opened: Opener) -> None:
    process, heir = opened(), opened()
    found: list[Any] = []

    async def watched(part: str, token: str) -> Started[None]:
        await process.journal.close()  # as if the process ended here
        found.append(await heir.journal.consult(heir.starter.wish(job())))
        raise asyncio.CancelledError

    process.acme.start = watched
    with pytest.raises(asyncio.CancelledError):
        await process.start()
    (decision,) = found
    assert decision.attempt.runs == (None,)


@pytest.mark.parametrize("fault", [Refused("Acme", "no"), Interrupted("Acme", "stopped")])
async def test_a_start_without_effect_leaves_no_row(opened: Opener, fault: SystemFault) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [fault]
    with pytest.raises(type(fault)):
        await process.start()
    await process.journal.close()
    heir.acme.starts = [reading("run-1")]
    assert await heir.start() == "run-1"
    assert heir.acme.asked == ["prepare", "start"]


@pytest.mark.parametrize("misses", [0, 1, 2])
async def test_a_lost_answer_is_searched_for(opened: Opener, misses: int) -> None:
    process = opened()
    process.acme.starts = [LOST]
    process.acme.searches = [*[None, LOST][:misses], reading("run-1")]
    assert await process.start() == "run-1"
    assert process.acme.asked == ["prepare", "start", *["search"] * (misses + 1)]
    assert [pause for pause in process.clock.slept if pause in SEARCH_PAUSES] == list(SEARCH_PAUSES[: misses + 1])
    assert await known(process) == {"run-1"}


async def test_a_lost_run_that_is_not_found_stays_unanswered(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [LOST]
    with pytest.raises(Unanswered, match="no answer"):
        await process.start()
    assert process.acme.asked == ["prepare", "start", "search", "search", "search"]
    await process.journal.close()
    with pytest.raises(Unanswered, match="an earlier apply sent the start"):
        await heir.start(job(timeouts=Timeouts(create=f"{CERTAIN_SECONDS / 2:g}s")))
    assert heir.acme.asked == ["prepare", "search", "search", "search", "search"], "half the time proves nothing"


async def test_an_unanswered_start_is_found_by_the_next_process(opened: Opener) -> None:
    await ended_after(opened(), LOST)
    heir = opened()
    heir.acme.searches = [reading("run-1")]
    begun = await heir.begin()
    assert list(begun.runs) == ["run-1"]
    assert heir.acme.asked == ["prepare", "search"]
    (warning,) = begun.diagnostics
    assert warning.summary == "Resumed run run-1 of an earlier apply"


@pytest.mark.parametrize(
    ("system", "said"), [(Acme, "The request was sent once"), (ListedAcme, "The next apply searches for it again")]
)
async def test_an_unanswered_start_names_the_command_that_settles_it(
    opened: Opener, system: type[Acme], said: str
) -> None:
    for _ in range(2):
        process = opened()
        process.acme = system(process.runtime, starts=[LOST])
        with pytest.raises(Unsettled) as unsettled:
            await process.start()
        journal = process.journal
        (attempt,) = await journal._do(functools.partial(journal._select, condition="type = 'job'"))
        told = not_started("Acme job", unsettled.value, 1, 1)
        assert told.summary == "Unknown whether the Acme job started"
        assert said in told.detail
        assert f"`workflow-provider journal settle {attempt.token} --started <ID>`" in told.detail
        assert f"`workflow-provider journal settle {attempt.token} --not-started`" in told.detail
        await process.journal.close()


async def test_a_search_for_a_key_that_fails_is_no_start_of_unknown_outcome(opened: Opener) -> None:
    process = opened()
    process.acme = MarkingAcme(process.runtime)

    async def marked(part: str, beginning: str) -> Sequence[tuple[str, Run[None]]]:
        raise LOST

    process.acme.marked = marked
    with pytest.raises(Unanswered) as fault:
        await process.start(KEYED)
    assert not_started("Acme job", fault.value, 1, 1).summary == "Acme job was not started"


@pytest.mark.parametrize("searchable", [True, False])
async def test_an_unanswered_start_is_sent_again_only_where_a_search_is_proof(opened: Opener, searchable: bool) -> None:
    process, heir = opened(), opened()
    if not searchable:
        process.acme, heir.acme = Acme(process.runtime), Acme(heir.runtime)
    await ended_after(process, LOST)
    heir.acme.starts = [reading("run-1")]
    await process.clock.advance(CERTAIN_SECONDS)  # which proves nothing: clocks are set
    if searchable:
        began = heir.clock.monotonic()
        assert await heir.start() == "run-1"
        assert heir.clock.monotonic() - began >= CERTAIN_SECONDS
        assert heir.acme.asked == ["prepare", *["search"] * 5, "start"]
    else:
        with pytest.raises(Unanswered, match="earlier apply"):
            await heir.start()
        assert heir.acme.asked == ["prepare"]


async def test_a_stop_during_the_search_leaves_the_start_unanswered(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    process, heir = opened(), opened()
    process.acme.starts = [LOST]
    process.runtime.clock = Clock()  # on which the pause before a search does not end
    starting = asyncio.create_task(process.start())
    await eventually(lambda: "start" in process.acme.asked, "start")
    process.runtime.stop.set()
    with pytest.raises(Unanswered, match="no answer"):
        await starting
    assert process.acme.asked == ["prepare", "start"]
    assert "failed" not in caplog.text
    await process.journal.close()
    heir.acme.searches = [reading("run-1")]
    assert await heir.start() == "run-1"


async def test_nothing_is_sent_after_a_stop(opened: Opener) -> None:
    process, heir = opened(), opened()
    process.runtime.stop.set()
    with pytest.raises(DiagnosticError, match="Nothing was started"):
        await process.start()
    assert process.acme.asked == []
    await process.journal.close()
    heir.acme.starts = [reading("run-1")]
    assert await heir.start() == "run-1"


async def test_a_run_of_an_ended_process_is_taken_without_a_preflight_and_told(opened: Opener) -> None:
    await ended_after(opened(), reading("run-1"))
    heir, third = opened(), opened()
    heir.acme.records = {"run-1": reading("run-1")}
    begun = await heir.begin()
    assert list(begun.runs) == ["run-1"]
    assert heir.acme.asked == ["read run-1"]
    (warning,) = begun.diagnostics
    assert "run-1" in warning.summary
    assert begun.tenure == 1
    await heir.journal.close(orderly=True)
    assert await third.journal.consult(third.starter.wish(job())) == Start()


@pytest.mark.parametrize("first", [reading("run-1"), LOST], ids=["answered", "unanswered"])
async def test_a_failed_run_of_an_ended_process_is_not_taken(opened: Opener, first: Any) -> None:
    await ended_after(opened(), first)
    heir, third = opened(), opened()
    failed = Run("run-1", "broken", Phase.FAILED, None, message="out of coffee")
    heir.acme.records, heir.acme.searches, heir.acme.starts = {"run-1": failed}, [failed], [reading("run-2")]
    begun = await heir.begin()
    assert list(begun.runs) == ["run-2"]
    (warning,) = begun.diagnostics
    assert "run-1" in warning.summary
    assert "out of coffee" in warning.detail
    await heir.journal.close()
    third.acme.records = {"run-2": reading("run-2")}
    assert await third.start() == "run-2"


@pytest.mark.parametrize("accepting", [{"wait": False}, {"on_failure": "keep"}])
async def test_a_failed_run_of_an_ended_process_is_taken_where_failures_are_accepted(
    opened: Opener, accepting: dict[str, Any]
) -> None:
    await ended_after(opened(), reading("run-1"))
    heir = opened()
    heir.acme.records = {"run-1": Run("run-1", "broken", Phase.FAILED, None)}
    assert await heir.start(job(**accepting)) == "run-1"


@pytest.mark.parametrize("fault", [None, LOST, Refused("Acme", "not for you")])
async def test_a_run_that_cannot_be_read_answers_all_the_same(opened: Opener, fault: SystemFault | None) -> None:
    await ended_after(opened(), reading("run-1"))
    heir = opened()
    heir.acme.records = {} if fault is None else {"run-1": fault}
    assert await heir.start() == "run-1"
    assert heir.acme.asked == ["read run-1"]


async def test_an_owed_run_is_taken_once(opened: Opener) -> None:
    process = opened()
    process.acme.records = {"run-1": reading("run-1")}
    assert await process.journal.offer(process.starter.wish(job(id="run-1")), ["run-1"], 0)
    assert await process.start() == "run-1"
    process.acme.starts = [reading("run-2")]
    assert await process.start() == "run-2"


async def test_an_owed_run_that_nobody_took_is_left_to_the_next_process(opened: Opener) -> None:
    process, heir = opened(), opened()
    await process.journal.offer(process.starter.wish(job()), ["run-1"], 0)
    await process.journal.close()
    heir.acme.records = {"run-1": reading("run-1")}
    assert await heir.start() == "run-1"


@pytest.mark.parametrize("other", [{"triggers": {"release": "2"}}, {"wait": False}])
async def test_an_owed_run_is_not_for_other_wishes(opened: Opener, other: dict[str, Any]) -> None:
    process = opened()
    await process.journal.offer(process.starter.wish(job()), ["run-1"], 0)
    process.acme.starts = [reading("run-2")]
    assert await process.start(job(**other)) == "run-2"


@pytest.mark.parametrize("outcome", [Refused("Acme", "no more"), LOST])
async def test_parts_that_were_not_started_are_sent_by_the_create_that_takes_the_run(
    opened: Opener, outcome: SystemFault
) -> None:
    process, heir = opened(), opened()
    process.acme = Acme(process.runtime, parts=("a", "b", "c"), starts=[reading("run-a"), outcome])
    begun = await process.begin()
    assert (list(begun.runs), begun.failed) == (["run-a"], True)
    assert "request 2 of 3" in begun.diagnostics[-1].summary
    await process.journal.close()
    heir.acme = ListedAcme(heir.runtime, parts=("a", "b", "c"), starts=[reading("run-b"), reading("run-c")])
    heir.acme.searches = [reading("run-b")] if outcome is LOST else []
    heir.acme.starts = heir.acme.starts[1:] if outcome is LOST else heir.acme.starts
    heir.acme.records = {"run-a": reading("run-a")}
    begun = await heir.begin()
    assert (list(begun.runs), begun.failed) == (["run-a", "run-b", "run-c"], False)


def test_a_fingerprint_depends_on_what_is_started_only(opened: Opener) -> None:
    process = opened()

    def fingerprint(**values: Any) -> str:
        return process.starter.wish(job(**values)).fingerprint

    same: list[dict[str, Any]] = [
        {},
        {"id": "run-1", "status": "done"},
        {"poll_interval": "9s", "wait": False},
        {"triggers": None},
    ]
    assert len({fingerprint(**values) for values in (*same, {"idempotency_key": "k"}, {"on_held": "fail"})}) == 1
    others: list[dict[str, Any]] = [{}, {"target": "one"}, {"triggers": {}}]
    assert len({fingerprint(**values) for values in others}) == 3
    elsewhere = [
        starter_of(lambda: process.journal, process.runtime, name, account).wish(job()).fingerprint
        for name, account in (("job", "us"), ("job", "eu"), ("errand", ""))
    ]
    assert len({*elsewhere, fingerprint()}) == 4


async def test_a_journal_that_fails_after_the_start_does_not_lose_the_run(opened: Opener) -> None:
    process = opened()
    process.acme.starts = [reading("run-1")]

    async def full(attempt: object, part: int, run: str) -> None:
        raise JournalError("the disk is full")

    process.journal.named = full  # type: ignore[method-assign]
    assert await process.start() == "run-1"


async def test_a_journal_that_fails_before_the_start_prevents_it(opened: Opener, tmp_path: Path) -> None:
    process = opened()
    (tmp_path / "journal").mkdir()
    with pytest.raises(JournalError):
        await process.start()
    assert "start" not in process.acme.asked


@pytest.mark.parametrize(("system", "at_once"), [(ListedAcme, 3), (UnmarkedAcme, 1)])
async def test_starts_that_a_search_cannot_tell_apart_are_sent_one_at_a_time(
    opened: Opener, system: type[Acme], at_once: int
) -> None:
    process = opened()
    process.acme = system(process.runtime, takes=0.5)
    process.acme.starts = [reading(f"run-{number}") for number in range(3)]
    jobs = [job(triggers={"number": str(number)}) for number in range(3)]
    assert sorted(await asyncio.gather(*map(process.start, jobs))) == ["run-0", "run-1", "run-2"]
    assert process.acme.most_at_once == at_once


KEYED = job(idempotency_key="release-7")


async def test_an_open_run_of_the_key_is_joined_whoever_applies(opened: Opener) -> None:
    process, other = opened(), opened(scope="another state")
    process.acme.starts = [reading("run-1")]
    assert await process.start(KEYED) == "run-1"
    other.acme.records = {"run-1": reading("run-1")}
    for first in (True, False):
        begun = await other.begin(KEYED)
        assert (list(begun.runs), begun.joined) == (["run-1"], True)
        (told,) = begun.diagnostics
        assert ("Another resource of this apply" in told.detail) is not first
    assert other.acme.asked == ["read run-1"] * 2


async def test_a_successful_run_of_the_key_is_returned(opened: Opener) -> None:
    process, other = opened(), opened(scope="another state")
    process.acme.starts = [reading("run-1")]
    await process.start(KEYED)
    done = Run("run-1", "done", Phase.SUCCEEDED, None, ended_at="2026-01-02T03:04:05Z")
    other.acme.records = {"run-1": done}
    begun = await other.begin(KEYED)
    assert begun.runs == {"run-1": done}
    assert "2026-01-02T03:04:05Z" in begun.diagnostics[0].detail


async def test_after_a_failure_the_next_attempt_at_the_key_is_started(opened: Opener) -> None:
    process, other = opened(), opened(scope="another state")
    process.acme.starts = [reading("run-1")]
    await process.start(KEYED)
    other.acme.records = {"run-1": Run("run-1", "broken", Phase.FAILED, None)}
    other.acme.starts = [reading("run-2")]
    begun = await other.begin(KEYED)
    assert (list(begun.runs), begun.joined) == (["run-2"], False)
    assert begun.attempt is not None
    assert begun.attempt.number == 2
    keep = job(idempotency_key="release-7", on_failure="keep")
    process.acme.records = {"run-2": Run("run-2", "broken", Phase.FAILED, None)}
    assert list((await process.begin(keep)).runs) == ["run-2"]


async def test_a_key_with_other_arguments_is_refused_and_the_arguments_are_named(opened: Opener) -> None:
    process, other = opened(), opened(scope="another state")
    process.acme.starts = [reading("run-1")]
    await process.start(KEYED)
    with pytest.raises(DiagnosticError) as refusal:
        await other.start(job(idempotency_key="release-7", triggers={"v": "2"}))
    (told,) = refusal.value.diagnostics
    assert told.path == ("idempotency_key",)
    assert "`triggers`" in told.detail
    assert "`target`" not in told.detail
    assert other.acme.asked == []


async def test_whoever_comes_while_the_start_is_sent_waits_for_it(opened: Opener) -> None:
    process, other = opened(), opened(scope="another state")
    sending, sent = asyncio.Event(), asyncio.Event()

    async def slow(part: str, token: str) -> Started[None]:
        sending.set()
        await sent.wait()
        return Started(reading("run-1"))

    process.acme.start = slow
    first = asyncio.create_task(process.start(KEYED))
    await sending.wait()
    other.acme.records = {"run-1": reading("run-1")}
    second = asyncio.create_task(other.start(KEYED))
    await eventually(lambda: OTHERS_SECONDS in other.clock.slept, "wait for the other process")
    sent.set()
    assert [await first, await second] == ["run-1", "run-1"]


def marked(process: Process, marks: dict[str, tuple[str, Run[None]]]) -> None:
    process.acme = MarkingAcme(process.runtime)
    process.acme.marks = marks


@pytest.mark.parametrize(
    ("found", "answer", "asked"),
    [
        (reading("run-1"), "run-1", ["prepare", "marked", "read run-1"]),
        (Run("run-1", "broken", Phase.FAILED, None), "run-2", ["prepare", "marked", "start", "marked"]),
        (None, "run-2", ["prepare", "marked", "start", "marked"]),
    ],
    ids=["open", "failed", "none"],
)
async def test_the_mark_of_a_key_is_found_where_the_journal_knows_nothing(
    opened: Opener, found: Run[None] | None, answer: str, asked: list[str]
) -> None:
    process = opened()
    mark = attempt_mark(process.starter.wish(KEYED), 1)
    marked(process, {"run-1": (mark, found)} if found else {})
    process.acme.starts, process.acme.records = [reading("run-2")], {"run-1": found} if found else {}
    assert await process.start(KEYED) == answer
    assert process.acme.asked == asked
    attempt = 2 if found else 1
    assert process.acme.tokens == ([] if answer == "run-1" else [attempt_mark(process.starter.wish(KEYED), attempt)])


async def test_a_mark_of_other_inputs_is_refused(opened: Opener) -> None:
    process = opened()
    other = process.starter.wish(job(idempotency_key="release-7", target="one"))
    marked(process, {"run-1": (attempt_mark(other, 1), reading("run-1"))})
    with pytest.raises(DiagnosticError) as refusal:
        await process.start(KEYED)
    assert "other arguments" in refusal.value.diagnostics[0].detail
    assert "start" not in process.acme.asked


async def test_two_that_start_a_key_at_the_same_moment_are_reported(opened: Opener) -> None:
    process = opened()
    mark = attempt_mark(process.starter.wish(KEYED), 1)
    marked(process, {})

    async def start(part: str, token: str) -> Started[None]:
        process.acme.marks = {"run-1": (token, reading("run-1")), "run-2": (mark, reading("run-2"))}
        return Started(reading("run-1"))

    process.acme.start = start
    begun = await process.begin(KEYED)
    (told,) = begun.diagnostics
    assert "started twice" in told.summary
    assert "run-2" in told.detail


async def test_a_failed_attempt_of_another_machine_is_remembered(opened: Opener) -> None:
    process = opened()
    wish = process.starter.wish(KEYED)
    marked(process, {"run-9": (attempt_mark(wish, 4), Run("run-9", "broken", Phase.FAILED, None))})
    process.acme.starts = [reading("run-10")]
    begun = await process.begin(KEYED)
    assert begun.attempt is not None
    assert begun.attempt.number == 5
    learned = await process.journal.find(process.starter.kind, ["run-9"])
    assert isinstance(learned, Attempt)
    assert learned.end is End.FAILED
    assert not isinstance(await process.journal.consult(wish), Take)
