"""The journal on both databases, and once more where no answer of a transaction arrives, so that all work is repeated.

A journal that is closed without an orderly end leaves what a killed process leaves. Processes that are killed, and what
happens to files and servers, are in `test_stores.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from provider_py.execution.journal import ERRORED_STATE, FINISHED_DAYS, TakenOver
from provider_py.execution.life import Attempt, End, Event, Join, Place, Refuse, Start, Take, Wait
from provider_py.execution.store import JournalError
from tests.support.clock import EPOCH
from tests.support.journals import KIND, Database, decided, started, wish


@pytest.fixture(params=["sqlite", "postgresql", "postgresql, repeated"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    server = None if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = Database(tmp_path, server, repeating="repeated" in request.param)
    yield opened
    await opened.close()


async def place_of(database: Database, run: str) -> Place | None:
    attempt = await database.open().find(KIND, [run])
    return None if attempt is None else attempt.place


class TestClaims:
    """What a create is given."""

    async def test_the_first_is_to_start(self, database: Database) -> None:
        journal = database.open()
        assert await journal.consult(wish()) == Start()
        claim = await journal.claim(wish(arguments={"a": "1"}), 2)
        assert claim.decision == Start(1)
        assert claim.attempt == Attempt(
            claim.attempt.token,
            *(KIND.type, KIND.account, "here", "same", journal.store.process),
            runs=(None,),
            parts=2,
            sent_at=EPOCH,
            arguments={"a": "1"},
            workflow="patch",
        )

    async def test_equal_wishes_of_living_processes_start_runs_of_their_own(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        assert decided(await first.claim(wish(), 1)) == "Start ?"
        assert decided(await database.claim(second, wish())) == "Start ?"

    @pytest.mark.parametrize("runs", [(), ("run-1",)], ids=["intended", "started"])
    async def test_what_a_killed_process_left_is_taken_once(self, database: Database, runs: tuple[str, ...]) -> None:
        first, others = database.open(), [database.open() for _ in range(4)]
        if runs:
            await started(first, wish(), *runs)
        else:
            await first.claim(wish(), 1)
        await first.close()
        claims = await asyncio.gather(*(database.claim(journal, wish()) for journal in others))
        assert sorted(decided(claim) for claim in claims) == ["Start ?"] * 3 + [f"Take {runs[0] if runs else '?'}"]

    async def test_started_runs_are_taken_before_intended_ones_and_the_oldest_first(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await first.claim(wish(), 1)
        for run in ("run-1", "run-2"):
            await database.clock.advance(1)
            await started(first, wish(), run)
        await first.close()
        claims = [decided(await second.claim(wish(), 1)) for _ in range(4)]
        assert claims == ["Take run-1", "Take run-2", "Take ?", "Start ?"]

    async def test_only_equal_wishes_of_the_scope_take(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        await first.close()
        for asked in (wish("other"), wish(scope="there"), wish(scope=None)):
            assert isinstance((await second.claim(asked, 1)).decision, Start)
        assert decided(await second.claim(wish(), 1)) == "Take run-1"

    async def test_a_process_that_adopts_nothing_takes_nothing(self, database: Database) -> None:
        first = database.open()
        await started(first, wish(), "run-1")
        await first.close()
        assert decided(await database.open(adopts=False).claim(wish(), 1)) == "Start ?"

    async def test_consulting_claims_nothing(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        await first.close()
        for _ in range(2):
            decision = await second.consult(wish())
            assert isinstance(decision, Take)
            assert decision.attempt.runs == ("run-1",)

    async def test_claims_that_wait_together_get_attempts_of_their_own(self, database: Database) -> None:
        journal = database.open()
        claims = await asyncio.gather(*(journal.claim(wish(), 1) for _ in range(20)))
        assert len({claim.attempt.token for claim in claims}) == 20


class TestSending:
    """What is recorded around each request."""

    async def test_parts_are_intended_and_named_one_by_one(self, database: Database) -> None:
        journal = database.open()
        attempt = (await journal.claim(wish(), 2)).attempt
        await journal.named(attempt, 0, "run-1")
        assert await place_of(database, "run-1") is Place.STARTED
        await database.clock.advance(5)
        await journal.sending(attempt, 1)
        found = await journal.find(KIND, ["run-1"])
        assert found is not None
        assert (found.place, found.runs, found.complete, found.sent_at) == (
            Place.INTENDED,
            ("run-1", None),
            False,
            EPOCH + 5,
        )
        await journal.named(attempt, 1, "run-2")
        found = await journal.find(KIND, ["run-2"])
        assert found is not None
        assert (found.place, found.runs, found.complete) == (Place.STARTED, ("run-1", "run-2"), True)
        assert await journal.known_runs(KIND) == {"run-1", "run-2"}

    async def test_an_attempt_of_which_nothing_was_sent_is_none(self, database: Database) -> None:
        first = database.open()
        attempt = (await first.claim(wish(), 1)).attempt
        await first.not_sent(attempt, 0)
        await first.close()
        assert decided(await database.open().claim(wish(), 1)) == "Start ?"

    async def test_a_part_that_was_not_sent_leaves_the_others(self, database: Database) -> None:
        first = database.open()
        attempt = await started(first, wish(), "run-1")
        await first.sending(attempt, 1)
        await first.not_sent(attempt, 1)
        assert await place_of(database, "run-1") is Place.STARTED
        await first.close()
        assert decided(await database.open().claim(wish(), 2)) == "Take run-1"

    async def test_an_unanswered_part_keeps_an_attempt_intended_though_another_was_not_sent(
        self, database: Database
    ) -> None:
        journal = database.open()
        attempt = (await journal.claim(wish(), 2)).attempt
        await journal.sending(attempt, 1)
        await journal.not_sent(attempt, 1)
        assert database.rows("place") == [("intended",)]

    async def test_an_import_discards_one_unanswered_attempt_of_a_killed_process(self, database: Database) -> None:
        first, second, living = database.open(), database.open(), database.open()
        await living.claim(wish(), 1)
        for _ in range(2):
            await database.claim(first, wish())
        await first.close()
        await second.discard_unanswered(wish("other"))
        await second.discard_unanswered(wish())
        assert [decided(await database.claim(second, wish())) for _ in range(2)] == ["Take ?", "Start ?"]


class TestTakenOver:
    """A process that seemed dead does not act on what another one has taken."""

    @pytest.fixture
    async def taken(self, database: Database) -> Attempt:
        """Let another process take the attempt of one that goes on."""
        first, second = database.open(), database.open()
        attempt = (await first.claim(wish(), 2)).attempt
        await first.close()
        assert decided(await second.claim(wish(), 2)) == "Take ?"
        return attempt

    async def test_it_sends_nothing(self, database: Database, taken: Attempt) -> None:
        with pytest.raises(TakenOver, match="another process"):
            await database.journals[0].sending(taken, 1)
        assert database.rows("parts, place") == [(2, "intended")]
        assert [attempt.runs for attempt in await database.open().attempts()] == [(None,)]

    async def test_it_takes_nothing_back(self, database: Database, taken: Attempt) -> None:
        await database.journals[0].not_sent(taken, 0)
        assert [attempt.runs for attempt in await database.open().attempts()] == [(None,)]

    async def test_the_key_that_it_learned_is_kept(self, database: Database, taken: Attempt) -> None:
        with pytest.raises(TakenOver):
            await database.journals[0].named(taken, 0, "run-1")
        assert await place_of(database, "run-1") is Place.STARTED

    async def test_what_the_other_process_has_found_stays(self, database: Database, taken: Attempt) -> None:
        await database.journals[1].named(taken, 0, "run-found")
        with pytest.raises(TakenOver):
            await database.journals[0].named(taken, 0, "run-1")
        assert await database.open().known_runs(KIND) == {"run-found"}

    async def test_an_attempt_that_is_gone_is_not_acted_upon(self, database: Database, taken: Attempt) -> None:
        await database.journals[1].not_sent(taken, 0)
        with pytest.raises(TakenOver):
            await database.journals[0].sending(taken, 0)
        assert await database.open().attempts() == []


class TestOrderlyEnd:
    """A process that ended in order has answered its runs: they are nobody's but their state's."""

    async def test_answered_runs_are_not_taken(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        await first.claim(wish(), 1)
        await first.close(orderly=True)
        assert await place_of(database, "run-1") is Place.ANSWERED
        assert [decided(await second.claim(wish(), 1)) for _ in range(2)] == ["Take ?", "Start ?"]

    async def test_they_are_taken_where_the_state_could_not_be_written(
        self, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        await first.close(orderly=True)
        ERRORED_STATE.write_text("{}")
        assert decided(await second.claim(wish(), 1)) == "Take run-1"

    async def test_runs_in_a_state_that_can_be_read_are_not_taken(self, database: Database, tmp_path: Path) -> None:
        first = database.open()
        await started(first, wish(), "run-1", "run-2")
        await first.close()
        file = tmp_path / "terraform.tfstate"
        for runs, decision in ((["run-1", "run-2"], "Start ?"), (["run-1"], "Take run-1,run-2")):
            attributes = {"id": "x", "executions": [{"id": run} for run in runs]}
            file.write_text(json.dumps({"resources": [{"instances": [{"attributes": attributes}]}]}))
            assert decided(await database.open(state=file).claim(wish(), 1)) == decision

    async def test_rows_are_removed_after_some_days_but_for_the_newest_of_a_key(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        for run in ("run-2", "run-3"):
            await started(first, wish(key="k"), run)
            await first.move(KIND, [run], Event.SEEN, End.FAILED)
        await first.close(orderly=True)
        await database.clock.advance(FINISHED_DAYS * 86400)
        await second.known_runs(KIND)
        await second.close(orderly=True)
        assert await database.open().known_runs(KIND) == {"run-1", "run-2", "run-3"}
        await database.clock.advance(1)
        third = database.open()
        await third.known_runs(KIND)
        await third.close(orderly=True)
        assert await database.open().known_runs(KIND) == {"run-3"}


class TestOwed:
    """Runs that a state holds beside an error."""

    async def test_an_offered_run_is_taken_by_one_equal_create(self, database: Database) -> None:
        first, second = database.open(), database.open()
        attempt = await started(first, wish(), "run-1")
        assert await first.offer(wish("replaced"), ["run-1"], attempt.tenure)
        await first.close(orderly=True)
        assert await place_of(database, "run-1") is Place.OWED
        assert decided(await second.claim(wish(), 1)) == "Start ?"
        assert decided(await second.claim(wish("replaced", waits=False), 1)) == "Start ?"
        claim = await second.claim(wish("replaced"), 1)
        assert (decided(claim), claim.attempt.tenure, claim.attempt.place) == ("Take run-1", 1, Place.STARTED)
        assert decided(await second.claim(wish("replaced"), 1)) == "Start ?"
        assert not await second.offer(wish("replaced"), ["run-1"], attempt.tenure), "another entry holds it"

    async def test_a_run_that_the_journal_lost_is_offered_all_the_same(self, database: Database) -> None:
        assert await database.open().offer(wish(), ["run-1", "run-2"], 0, End.OPEN)
        assert decided(await database.open().claim(wish(), 2)) == "Take run-1,run-2"

    async def test_an_offer_that_the_next_plan_does_not_renew_lapses(self, database: Database) -> None:
        first, plan = database.open(), database.open()
        for run in ("run-1", "run-2"):
            attempt = await started(first, wish(run), run)
            await first.offer(wish(run), [run], attempt.tenure)
        await first.close(orderly=True)
        plan.planning()
        await plan.offer(wish("run-1"), ["run-1"], 0)
        await plan.close(orderly=True)
        assert await place_of(database, "run-1") is Place.OWED
        assert await place_of(database, "run-2") is Place.LAPSED
        assert decided(await database.open().claim(wish("run-2"), 1)) == "Start ?"

    @pytest.mark.parametrize("applies", [False, True])
    async def test_offers_lapse_only_at_the_end_of_a_plan_of_their_scope(
        self, database: Database, applies: bool
    ) -> None:
        plan = database.open("here" if applies else "there")
        await database.open().offer(wish(), ["run-1"], 0)
        plan.planning()
        if applies:
            plan.applying()
        await plan.close(orderly=True)
        assert await place_of(database, "run-1") is Place.OWED

    async def test_a_parked_run_is_taken_by_an_equal_create(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        await first.move(KIND, ["run-1"], Event.PARKED)
        assert decided(await second.claim(wish(), 1)) == "Take run-1"

    async def test_what_a_process_has_parked_is_closed_when_it_ends(self, database: Database) -> None:
        journal = database.open()
        await started(journal, wish(), "run-1")
        await journal.move(KIND, ["run-1"], Event.PARKED)
        await journal.close(orderly=True)
        assert await place_of(database, "run-1") is Place.CLOSED
        assert decided(await database.open().claim(wish(), 1)) == "Start ?"

    async def test_a_run_that_terraform_shows_is_seen(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        await first.close()
        await second.show_settled(KIND, ["run-1", "run-unknown"])
        assert await place_of(database, "run-1") is Place.SEEN
        assert decided(await second.claim(wish(), 1)) == "Start ?"

    async def test_open_runs_of_equal_inputs_in_another_scope_are_found(self, database: Database) -> None:
        journal = database.open()
        await started(journal, wish(), "run-1")
        await started(journal, wish(scope="there"), "run-2")
        await started(journal, wish(scope="there"), "run-3")
        await journal.move(KIND, ["run-3"], Event.SEEN, End.SUCCEEDED)
        assert [attempt.runs for attempt in await journal.elsewhere(wish())] == [("run-2",)]

    async def test_what_is_learned_of_a_run_is_noted(self, database: Database) -> None:
        journal = database.open()
        await started(journal, wish(), "run-1")
        journal.note(KIND, ["run-1"], status="RUNNING", url="https://example.com/1", ended_at="later")
        found = await journal.find(KIND, ["run-1"])
        assert found is not None
        assert (found.status, found.url, found.ended_at) == ("RUNNING", "https://example.com/1", "later")


class TestKeys:
    """A key names one wish of all states."""

    async def test_an_open_run_is_joined_and_a_successful_one_returned(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await started(first, wish(key="k"), "run-1")
        for ending in (End.OPEN, End.SUCCEEDED):
            await first.move(KIND, ["run-1"], Event.SEEN, ending)
            claim = await second.claim(wish(key="k", scope="there"), 1)
            assert isinstance(claim.decision, Join)
            assert (claim.attempt.runs, claim.attempt.end) == (("run-1",), ending)

    async def test_others_wait_for_a_process_that_is_sending_and_take_what_it_left(self, database: Database) -> None:
        first, second = database.open(), database.open()
        await first.claim(wish(key="k"), 1)
        assert isinstance((await second.claim(wish(key="k", scope="there"), 1)).decision, Wait)
        await first.close()
        assert decided(await second.claim(wish(key="k", scope="there"), 1)) == "Take ?"

    async def test_after_a_failure_the_next_attempt_is_started(self, database: Database) -> None:
        journal = database.open()
        await started(journal, wish(key="k"), "run-1")
        await journal.move(KIND, ["run-1"], Event.SEEN, End.FAILED)
        assert isinstance((await journal.claim(wish(key="k", judges=False), 1)).decision, Join)
        assert (await journal.claim(wish(key="k"), 1)).decision == Start(2)

    async def test_after_a_close_the_next_attempt_is_started(self, database: Database) -> None:
        journal = database.open()
        await started(journal, wish(key="k"), "run-1")
        await journal.move(KIND, ["run-1"], Event.CLOSED)
        assert (await journal.claim(wish("other", "k"), 1)).decision == Start(2)

    async def test_other_inputs_are_refused_unless_the_run_yields_to_them(self, database: Database) -> None:
        journal = database.open()
        await started(journal, wish(key="k", arguments={"a": "1", "b": "1"}), "run-1")
        asked = wish("other", "k", arguments={"b": "2", "a": "1"})
        claim = await journal.claim(asked, 1)
        assert isinstance(claim.decision, Refuse)
        assert claim.decision.differing == ["b"]
        journal.yield_to(wish("same", key="release-7"), ["run-1"], "other")
        assert (await journal.claim(asked, 1)).decision == Start(2)

    async def test_one_of_many_claims_starts_and_the_others_wait(self, database: Database) -> None:
        journals = [database.open(f"state-{number}") for number in range(8)]
        claims = await asyncio.gather(
            *(journal.claim(wish(key="k", scope=journal.scope.name), 1) for journal in journals)
        )
        assert sorted(type(claim.decision).__name__ for claim in claims) == ["Start"] + ["Wait"] * 7
        assert len({claim.attempt.token for claim in claims}) == 1

    async def test_a_run_in_a_state_is_given_a_key_and_loses_it(self, database: Database) -> None:
        journal = database.open()
        await journal.rename(wish(), ["run-1"], End.SUCCEEDED)
        assert await place_of(database, "run-1") is None
        await journal.rename(wish(key="k"), ["run-1"], End.SUCCEEDED)
        assert isinstance((await journal.claim(wish(key="k", scope="there"), 1)).decision, Join)
        await journal.rename(wish(), ["run-1"], End.SUCCEEDED)
        assert (await journal.claim(wish(key="k"), 1)).decision == Start(1)

    async def test_attempts_that_the_system_shows_are_learned_once(self, database: Database) -> None:
        journal = database.open()
        shown = Attempt(
            *("shown", KIND.type, KIND.account, None, "same", ""), end=End.OPEN, runs=("run-1",), parts=1, number=3
        )
        for ending in (End.OPEN, End.SUCCEEDED):
            await journal.learn(wish(key="k"), [dataclasses.replace(shown, end=ending, status=ending)])
            claim = await journal.claim(wish(key="k"), 1)
            assert isinstance(claim.decision, Join)
            assert (claim.attempt.number, claim.attempt.end, claim.attempt.status) == (3, ending, ending)


class TestSettling:
    """A user says what became of a request without an answer."""

    async def test_it_started(self, database: Database) -> None:
        first, command = database.open(), database.open()
        attempt = (await first.claim(wish(), 1)).attempt
        with pytest.raises(JournalError, match="still runs"):
            await command.settle(attempt.token, 0, "run-1")
        await first.close()
        settled = await command.settle(attempt.token, 0, "run-1")
        assert settled is not None
        assert (settled.place, settled.runs) == (Place.STARTED, ("run-1",))
        with pytest.raises(JournalError, match="waiting for an answer"):
            await command.settle(attempt.token, 0, None)
        assert decided(await database.open().claim(wish(), 1)) == "Take run-1"

    async def test_it_did_not_start(self, database: Database) -> None:
        first, command = database.open(), database.open()
        attempt = await started(first, wish(), "run-1")
        await first.sending(attempt, 1)
        await first.sending(attempt, 2)
        await first.close()
        assert await command.parts(attempt) == {0: "run-1", 1: None, 2: None}
        settled = await command.settle(attempt.token, 1, None)
        assert settled is not None
        assert settled.runs == ("run-1", None)
        with pytest.raises(JournalError, match="another request"):
            await command.settle(attempt.token, 2, "run-1")

    async def test_nothing_is_left_of_an_attempt_without_parts(self, database: Database) -> None:
        first, command = database.open(), database.open()
        attempt = (await first.claim(wish(), 1)).attempt
        await first.close()
        assert await command.settle(attempt.token, 0, None) is None
        assert await command.attempts() == []


async def test_attempts_are_listed_in_the_order_of_their_requests(database: Database) -> None:
    journal = database.open()
    for run in ("run-2", "run-1"):
        await started(journal, wish(), run)
        await database.clock.advance(1)
    assert [attempt.runs for attempt in await journal.attempts()] == [("run-2",), ("run-1",)]
