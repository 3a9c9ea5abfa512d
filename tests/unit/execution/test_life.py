"""The rules of a run's life, row by row: no clock, no disk, no system."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider_py.execution.life import (
    ANY_WISH,
    TRANSITIONS,
    VERDICTS,
    Attempt,
    Cut,
    Decision,
    End,
    Event,
    Held,
    Join,
    Place,
    Planned,
    Refuse,
    Standing,
    Start,
    Take,
    Verdict,
    Wait,
    Wish,
    attempt_mark,
    decide,
    key_mark,
    marked_attempt,
    moved,
    private_of,
    verdict,
)

ARCHITECTURE = Path(__file__).parents[3] / "docs" / "architecture.md"
DEAD, ALIVE = "dead", "alive"


@dataclass
class World:
    """What the rules may ask."""

    living: Sequence[str] = (ALIVE,)
    lost: bool = False
    stored: Sequence[str] = ()
    adopting: bool = True
    asked: list[str] = field(default_factory=list)

    def alive(self, process: str) -> bool:
        return process in self.living

    def state_lost(self) -> bool:
        return self.lost

    def in_state(self, runs: Sequence[str]) -> bool:
        return set(runs) <= set(self.stored)

    def adopts(self) -> bool:
        return self.adopting


WISH = Wish("job", "acme", "state", "same", {"target": "1", "size": "2"})
ATTEMPT = Attempt("token", "job", "acme", "state", "same", DEAD, Place.STARTED, runs=("run-1",), parts=1)
INTENDED = {"place": Place.INTENDED, "runs": (None,)}


def answer(attempt: dict[str, Any], wish: dict[str, Any] | None = None, **world: Any) -> Decision:
    return decide(dataclasses.replace(WISH, **(wish or {})), [dataclasses.replace(ATTEMPT, **attempt)], World(**world))


def is_taken(attempt: dict[str, Any], wish: dict[str, Any] | None = None, **world: Any) -> bool:
    decision = answer(attempt, wish, **world)
    assert isinstance(decision, Take | Start)
    return isinstance(decision, Take)


def test_the_architecture_shows_the_transitions() -> None:
    rows = re.findall(r"^\| (\w+) \| ([^|]+?) \| (\w+) \|$", ARCHITECTURE.read_text("utf-8"), re.MULTILINE)
    shown = {(Place(place), Event(event)): Place(to) for place, event, to in rows}
    assert shown == TRANSITIONS


def test_the_architecture_shows_the_verdicts() -> None:
    text = ARCHITECTURE.read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", text, re.MULTILINE)
    shown = {ending: judged for ending, judged in rows if judged in set(Verdict)}
    assert shown == {str(ending): str(judged) for ending, judged in VERDICTS.items()}


@pytest.mark.parametrize("place", Place)
def test_no_place_is_without_a_way_in(place: Place) -> None:
    ways_in = {to for (start, _), to in TRANSITIONS.items() if start is not to}
    assert place in ways_in | {Place.INTENDED}


def test_what_is_closed_stays_closed() -> None:
    assert {moved(Place.CLOSED, event) for event in Event} == {Place.CLOSED}


@given(st.lists(st.sampled_from(Event), max_size=12))
def test_whatever_happens_after_it_was_seen_a_run_is_an_orphan_only_by_being_taken(events: list[Event]) -> None:
    place, taken = Place.SEEN, False
    for event in events:
        place = moved(place, event)
        taken = taken or event is Event.TAKEN
        assert taken or place not in {Place.INTENDED, Place.STARTED, Place.ANSWERED}


def test_without_any_run_one_is_started() -> None:
    assert decide(WISH, [], World()) == Start()


@pytest.mark.parametrize(
    ("attempt", "world", "taken"),
    [
        ({"place": Place.OWED}, {}, True),
        ({"place": Place.OWED, "process": ALIVE}, {}, False),
        (INTENDED, {}, True),
        (INTENDED | {"process": ALIVE}, {}, False),
        ({"place": Place.STARTED}, {}, True),
        ({"place": Place.STARTED, "process": ALIVE}, {}, False),
        ({"place": Place.STARTED}, {"stored": ["run-1"]}, False),
        ({"place": Place.STARTED}, {"stored": ["run-2"]}, True),
        ({"place": Place.STARTED, "runs": ("run-1", "run-2")}, {"stored": ["run-1"]}, True),
        ({"place": Place.ANSWERED}, {}, False),
        ({"place": Place.ANSWERED}, {"lost": True}, True),
        ({"place": Place.ANSWERED}, {"lost": True, "adopting": False}, False),
        ({"place": Place.ANSWERED}, {"lost": True, "stored": ["run-1"]}, False),
        ({"place": Place.SEEN}, {"lost": True}, False),
        ({"place": Place.LAPSED}, {"lost": True}, False),
        ({"place": Place.CLOSED}, {"lost": True}, False),
        ({"place": Place.PARKED}, {}, True),
    ],
)
def test_which_run_a_create_may_take(attempt: dict[str, Any], world: dict[str, Any], taken: bool) -> None:
    assert is_taken(attempt, **world) is taken


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "other"},
        {"scope": "another state"},
        {"scope": None},
        {"type": "errand"},
        {"account": "other"},
        {"key": "release-7"},
        {"end": End.FAILED},
        {"end": End.CANCELLED},
    ],
)
@pytest.mark.parametrize("place", [Place.OWED, Place.STARTED, Place.PARKED])
def test_only_a_run_of_the_same_wish_and_scope_is_taken(other: dict[str, Any], place: Place) -> None:
    assert is_taken({"place": place})
    assert not is_taken({"place": place} | other, {"key": "release-8"})


def test_where_the_state_cannot_be_told_nothing_is_taken() -> None:
    assert not is_taken({"scope": None, "place": Place.OWED}, {"scope": None})


def test_a_failed_run_is_taken_where_failures_are_accepted() -> None:
    assert is_taken({"end": End.FAILED}, {"judges": False})
    assert not is_taken({"end": End.CANCELLED}, {"judges": False})


def test_who_does_not_wait_takes_no_owed_run() -> None:
    assert not is_taken({"place": Place.OWED}, {"waits": False})
    assert is_taken({"place": Place.STARTED}, {"waits": False})


@pytest.mark.parametrize("place", [Place.STARTED, Place.INTENDED, Place.PARKED])
def test_terraform_test_takes_nothing_but_what_it_is_owed(place: Place) -> None:
    assert not is_taken({"place": place}, adopting=False)
    assert is_taken({"place": Place.OWED}, adopting=False)


def test_an_orphan_of_the_same_inputs_may_get_or_lose_a_key() -> None:
    assert is_taken({"key": "release-7"}, {"key": None})
    assert is_taken({"key": None}, {"key": "release-7"})


def test_an_owed_run_goes_before_orphans_and_older_ones_first() -> None:
    attempts = [
        dataclasses.replace(ATTEMPT, token=f"{place} {sent_at}", place=place, sent_at=sent_at, runs=(run,))
        for place, run in ((Place.STARTED, "run-1"), (Place.INTENDED, None), (Place.OWED, "run-1"))
        for sent_at in (2.0, 1.0)
    ]
    order = []
    while attempts:
        decision = decide(WISH, attempts, World())
        assert isinstance(decision, Take)
        order.append(decision.attempt.token)
        attempts.remove(decision.attempt)
    assert order == ["owed 1.0", "owed 2.0", "started 1.0", "started 2.0", "intended 1.0", "intended 2.0"]


@pytest.mark.parametrize(
    ("runs", "parts", "complete"),
    [
        (("run-1",), 1, True),
        (("run-1", "run-2"), 2, True),
        (("run-1",), 2, False),
        (("run-1", None), 2, False),
        (("run-1",), 0, False),
        ((), 0, False),
    ],
)
def test_a_run_is_complete_when_all_its_parts_are_known(
    runs: tuple[str | None, ...], parts: int, complete: bool
) -> None:
    assert dataclasses.replace(ATTEMPT, runs=runs, parts=parts).complete is complete


KEY: dict[str, Any] = {"key": "release-7"}


@pytest.mark.parametrize(
    ("newest", "wish", "decision"),
    [
        ({"place": Place.SEEN}, {}, Join),
        ({"place": Place.SEEN, "end": End.SUCCEEDED}, {}, Join),
        ({"place": Place.ANSWERED}, {}, Join),
        ({"place": Place.STARTED, "process": ALIVE}, {}, Join),
        ({"place": Place.STARTED}, {}, Take),
        ({"place": Place.STARTED, "scope": "another state"}, {}, Join),
        ({"place": Place.OWED}, {}, Take),
        ({"place": Place.OWED, "scope": "another state"}, {}, Join),
        (INTENDED | {"process": ALIVE}, {}, Wait),
        (INTENDED, {}, Take),
        (INTENDED | {"scope": "another state"}, {}, Take),
        ({"place": Place.SEEN, "end": End.VANISHED}, {}, Join),
        ({"place": Place.SEEN, "end": End.FAILED}, {"judges": False}, Join),
    ],
)
def test_what_answers_a_key(newest: dict[str, Any], wish: dict[str, Any], decision: type) -> None:
    assert isinstance(answer(KEY | newest, KEY | wish), decision)


@pytest.mark.parametrize(
    "newest",
    [
        {"place": Place.SEEN, "end": End.FAILED},
        {"place": Place.SEEN, "end": End.CANCELLED},
        {"place": Place.CLOSED},
        {"place": Place.CLOSED, "fingerprint": "other"},
        {"place": Place.SEEN, "end": End.FAILED, "fingerprint": "other"},
        {"place": Place.SEEN, "fingerprint": "other", "yields_to": "same"},
        {"place": Place.SEEN, "fingerprint": "other", "yields_to": ANY_WISH},
    ],
)
def test_after_what_the_next_attempt_at_a_key_starts(newest: dict[str, Any]) -> None:
    assert answer(KEY | newest | {"number": 4}, KEY) == Start(5)


@pytest.mark.parametrize("yields_to", [ANY_WISH, "same"])
def test_a_run_yields_its_key_to_no_wish_with_its_own_inputs(yields_to: str) -> None:
    assert isinstance(answer(KEY | {"place": Place.SEEN, "yields_to": yields_to}, KEY), Join)


@pytest.mark.parametrize(
    ("runs", "parts", "unanswered", "complete"),
    [
        (("run-1",), 1, False, True),
        (("run-1", "run-2"), 2, False, True),
        (("run-1",), 2, False, False),
        (("run-1", None), 2, True, False),
        ((None,), 1, True, False),
        ((), 1, False, False),
        ((), 0, False, False),
        (("run-1",), 0, False, False),
    ],
)
def test_what_is_known_of_parts(runs: Sequence[str | None], parts: int, unanswered: bool, complete: bool) -> None:
    attempt = dataclasses.replace(ATTEMPT, runs=tuple(runs), parts=parts)
    assert (attempt.unanswered, attempt.complete) == (unanswered, complete)
    assert None not in attempt.known_runs


def test_without_a_state_that_can_be_told_a_keyed_run_is_joined_not_taken() -> None:
    assert isinstance(answer(KEY | {"place": Place.STARTED, "scope": None}, KEY | {"scope": None}), Join)


def test_only_the_newest_attempt_counts() -> None:
    attempts = [
        dataclasses.replace(ATTEMPT, key="release-7", number=1, end=End.SUCCEEDED, place=Place.SEEN),
        dataclasses.replace(ATTEMPT, key="release-7", number=2, end=End.FAILED, place=Place.SEEN),
    ]
    wish = dataclasses.replace(WISH, key="release-7")
    for order in itertools.permutations(attempts):
        assert decide(wish, order, World()) == Start(3)


@pytest.mark.parametrize("yields_to", [None, "third"])
def test_a_key_with_other_inputs_is_refused(yields_to: str | None) -> None:
    newest = KEY | {"place": Place.SEEN, "fingerprint": "other", "yields_to": yields_to}
    refused = answer(newest | {"arguments": {"target": "1", "size": "3", "notes": "4"}}, KEY)
    assert isinstance(refused, Refuse)
    assert refused.differing == ["notes", "size"]
    unnamed = answer(newest, KEY)
    assert isinstance(unnamed, Refuse)
    assert list(unnamed.differing) == []


def test_a_run_yields_its_key_to_a_wish_of_its_own_state_only() -> None:
    newest = KEY | {"place": Place.SEEN, "fingerprint": "other", "yields_to": "same", "scope": "another state"}
    assert isinstance(answer(newest, KEY), Refuse)


def test_a_mark_tells_key_attempt_and_whether_inputs_differ() -> None:
    wish = dataclasses.replace(WISH, key="release-7", fingerprint="f" * 64)
    mark = attempt_mark(wish, 3)
    read = marked_attempt(wish, mark, "run-1", End.OPEN, "running")
    assert read is not None
    assert (read.number, read.fingerprint, read.runs) == (3, wish.fingerprint, ("run-1",))
    other = marked_attempt(dataclasses.replace(wish, fingerprint="e" * 64), mark, "run-1", End.OPEN, None)
    assert other is not None
    assert other.fingerprint != "e" * 64
    assert "release-7" not in mark
    assert marked_attempt(dataclasses.replace(wish, key="release-8"), mark, "run-1", End.OPEN, None) is None
    assert marked_attempt(wish, f"{key_mark(wish)}x.y", "run-1", End.OPEN, None) is None
    assert marked_attempt(wish, "1.of another kind", "run-1", End.OPEN, None) is None


@pytest.mark.parametrize(
    ("ending", "settings", "judged"),
    [
        (End.SUCCEEDED, {}, Verdict.DONE),
        (End.FAILED, {}, Verdict.FAILED),
        (End.CANCELLED, {}, Verdict.FAILED),
        (End.VANISHED, {}, Verdict.OWED),
        (Cut.INTERRUPTED, {}, Verdict.PAUSED),
        (Cut.TIMED_OUT, {}, Verdict.OWED),
        (Cut.LOST, {}, Verdict.OWED),
        (Cut.HELD, {}, Verdict.OWED),
        (End.FAILED, {"accepts_failure": True}, Verdict.KEPT),
        (End.CANCELLED, {"accepts_failure": True}, Verdict.FAILED),
        (End.VANISHED, {"vanished_before": True}, Verdict.EXPIRED),
        (End.VANISHED, {"accepts_failure": True}, Verdict.OWED),
        (Cut.TIMED_OUT, {"vanished_before": True, "accepts_failure": True}, Verdict.OWED),
    ],
)
def test_what_an_end_is_to_terraform(ending: End | Cut, settings: dict[str, bool], judged: Verdict) -> None:
    assert verdict(ending, **settings) is judged


@given(
    st.one_of(
        st.builds(Held, st.sampled_from(Standing), st.integers(0, 99), st.booleans()),
        st.builds(Planned, st.none() | st.text(), st.booleans(), st.none() | st.booleans()),
    )
)
def test_private_values_survive_terraform(private: Held | Planned) -> None:
    assert private_of(private.encode()) == private


@pytest.mark.parametrize(
    ("stored", "standing"),
    [
        (b"imported", Standing.IMPORTED),
        (b"unfinished", Standing.OWED),
        (b"failed", Standing.FAILED),
        (b"settled", Standing.SETTLED),
        (b"", Standing.SETTLED),
        (b"{}", Standing.SETTLED),
        (b'{"held": {"standing": "of a later version"}}', Standing.SETTLED),
        (b"\xff", Standing.SETTLED),
        (b"[]", Standing.SETTLED),
    ],
)
def test_private_values_of_other_versions_are_read(stored: bytes, standing: Standing) -> None:
    assert private_of(stored) == Held(standing)
