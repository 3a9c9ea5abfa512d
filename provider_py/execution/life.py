"""Whose a run is, and what its end means: the rules alone, without a clock, a disk or a system.

What does not work is to decide this in whichever call happens to see a run. A create, a refresh and a destroy each see
a part of the story, in processes of their own, and Terraform loses what they answered when it is killed, interrupted
twice, or cannot write its state. So the story of a run is data: an `Attempt`, kept in the journal. It has a *place*,
how far Terraform knows of it, and an *end*, how far it has come. Whatever happens to a run is an `Event`, and
TRANSITIONS has the place that each event leads to; an event without a row there changes nothing. `decide` answers the
one question of a create: start a run, or take one that there is. `verdict` answers the one question of a wait: what its
end is to Terraform.

A *wish* is a resource instance with its inputs and triggers at one time. The rules keep these promises:

- Each wish is answered by one run, and a run answers one wish, unless a key says that several wishes are the same.
- No wish is silently answered by an older run, and none by a run that failed.
- What Terraform may not know of can be taken again. What it was answered in order, or has shown to hold, cannot.

The world comes in as a `View`: which processes live, whether the last state could be written, which runs a readable
state holds. The module calls nothing else, so every row of its tables can be tried.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, TypeAlias


class Place(StrEnum):
    """How far Terraform knows of a run."""

    INTENDED = "intended"
    """Written down before its request is sent; whether it started is not known."""
    STARTED = "started"
    """Its ID is known, and no answer that carries it has left the process in order."""
    ANSWERED = "answered"
    """The process that answered with it ended in order."""
    SEEN = "seen"
    """Terraform came back with its ID: the state holds it."""
    OWED = "owed"
    """The state holds it beside an error that was answered while it was open: the create that replaces it takes it."""
    LAPSED = "lapsed"
    """It was owed, and a later plan was not shown the entry that holds it."""
    PARKED = "parked"
    """Its entry is being replaced by a create whose inputs were unknown when that was planned."""
    CLOSED = "closed"
    """It answers no create: it failed, or was destroyed or replaced."""


class Event(StrEnum):
    """What happens to a run."""

    SENT = "a request is about to be sent"
    NAMED = "its ID becomes known"
    ANSWERED = "the process ends in order"
    SEEN = "Terraform shows it, settled"
    OWED = "an error is answered, or Terraform shows it unsettled"
    LAPSED = "a plan ends without having been shown it"
    TAKEN = "a create takes it"
    PARKED = "its entry is replaced, with inputs unknown at plan"
    CLOSED = "it failed, or is destroyed or replaced"


TRANSITIONS: Final[Mapping[tuple[Place, Event], Place]] = {
    (Place.INTENDED, Event.NAMED): Place.STARTED,
    (Place.INTENDED, Event.OWED): Place.OWED,
    (Place.INTENDED, Event.TAKEN): Place.INTENDED,
    (Place.INTENDED, Event.CLOSED): Place.CLOSED,
    (Place.STARTED, Event.SENT): Place.INTENDED,
    (Place.STARTED, Event.ANSWERED): Place.ANSWERED,
    (Place.STARTED, Event.SEEN): Place.SEEN,
    (Place.STARTED, Event.OWED): Place.OWED,
    (Place.STARTED, Event.TAKEN): Place.STARTED,
    (Place.STARTED, Event.PARKED): Place.PARKED,
    (Place.STARTED, Event.CLOSED): Place.CLOSED,
    (Place.ANSWERED, Event.SEEN): Place.SEEN,
    (Place.ANSWERED, Event.OWED): Place.OWED,
    (Place.ANSWERED, Event.TAKEN): Place.STARTED,
    (Place.ANSWERED, Event.PARKED): Place.PARKED,
    (Place.ANSWERED, Event.CLOSED): Place.CLOSED,
    (Place.SEEN, Event.OWED): Place.OWED,
    (Place.SEEN, Event.PARKED): Place.PARKED,
    (Place.SEEN, Event.CLOSED): Place.CLOSED,
    (Place.OWED, Event.SEEN): Place.SEEN,
    (Place.OWED, Event.LAPSED): Place.LAPSED,
    (Place.OWED, Event.TAKEN): Place.STARTED,
    (Place.OWED, Event.PARKED): Place.PARKED,
    (Place.OWED, Event.CLOSED): Place.CLOSED,
    (Place.LAPSED, Event.SEEN): Place.SEEN,
    (Place.LAPSED, Event.OWED): Place.OWED,
    (Place.LAPSED, Event.PARKED): Place.PARKED,
    (Place.LAPSED, Event.CLOSED): Place.CLOSED,
    (Place.PARKED, Event.TAKEN): Place.STARTED,
    (Place.PARKED, Event.CLOSED): Place.CLOSED,
}
"""Where an event leads from each place. An event that is not listed for a place leaves it."""


def moved(place: Place, event: Event) -> Place:
    """Return the place after an event."""
    return TRANSITIONS.get((place, event), place)


class End(StrEnum):
    """How far a run has come."""

    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Cancelled on destroy, as its user asked."""
    VANISHED = "vanished"
    """The system has no record of it any more."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a create asks for, in words that can be compared.

    `type` and `account` say what kind of run it is and whose, `scope` which state asks (None: that cannot be told).
    `fingerprint` hashes the inputs, `arguments` has one hash for each. `key` is the user's `idempotency_key`.
    """

    type: str
    account: str
    scope: str | None
    fingerprint: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    waits: bool = True
    """Whether the create is to wait for the end: an open run that is owed is of no use to one that does not."""
    judges: bool = True
    """Whether a failed run does not answer the wish."""
    workflow: str | None = None
    """Name or ID of the workflow, for whoever reads the journal."""


MARKED_DIGITS: Final = 16
"""How much of a fingerprint a mark has, in hexadecimal digits."""
ANY_WISH: Final = "*"
"""The wish that is planned to replace a run while its inputs are unknown."""


def key_mark(wish: Wish) -> str:
    """Return the beginning of the marks of all attempts at a wish's key, which does not show the key itself."""
    text = json.dumps([wish.type, wish.account, wish.key])
    return f"{hashlib.sha256(text.encode()).hexdigest()[:20]}."


def attempt_mark(wish: Wish, number: int) -> str:
    """Return the mark of an attempt at a wish's key: key, number, and a fingerprint that says whether inputs differ."""
    return f"{key_mark(wish)}{number}.{wish.fingerprint[:MARKED_DIGITS]}"


def marked_attempt(wish: Wish, mark: str, run: str, end: End, status: str | None) -> Attempt | None:
    """Read the attempt of a run from its mark; None if that is no mark of this wish's key."""
    number, _, fingerprint = mark.removeprefix(key_mark(wish)).partition(".")
    if not mark.startswith(key_mark(wish)) or not number.isdecimal():
        return None
    same = fingerprint == wish.fingerprint[:MARKED_DIGITS]
    return Attempt(
        token=mark,
        type=wish.type,
        account=wish.account,
        scope=None,
        fingerprint=wish.fingerprint if same else fingerprint,
        process="",
        place=Place.SEEN,
        end=end,
        runs=(run,),
        parts=1,
        key=wish.key,
        number=int(number),
        status=status,
    )


def one_of_each_number(attempts: Iterable[Attempt]) -> Sequence[Attempt]:
    """Return one attempt at a key for each number: of several, started at the same moment, the one that ended best."""
    best: dict[int, Attempt] = {}
    for attempt in sorted(attempts, key=lambda attempt: _BEST_FIRST.index(attempt.end)):
        best.setdefault(attempt.number, attempt)
    return list(best.values())


_BEST_FIRST: Final = (End.SUCCEEDED, End.OPEN, End.VANISHED, End.FAILED, End.CANCELLED)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run in the journal.

    `token` marks it. `runs` has the key of each part sent so far, None for one without an answer; `parts` is how many
    requests the run takes, 0 where the journal does not know any more.

    Of the attempts at a key the one with the highest `number` counts. `tenure` is how often a create has taken the run:
    an entry of an earlier tenure does not hold it any more. `joins` is how often others have joined it. `process` wrote
    it last. `sent_at` is in seconds since the epoch, by the system's clock where that is known. `yields_to` is the
    fingerprint of the wish that replaces it, where that was planned.
    """

    token: str
    type: str
    account: str
    scope: str | None
    fingerprint: str
    process: str
    place: Place = Place.INTENDED
    end: End = End.OPEN
    runs: tuple[str | None, ...] = ()
    parts: int = 0
    key: str | None = None
    number: int = 1
    tenure: int = 0
    joins: int = 0
    sent_at: float = 0.0
    arguments: Mapping[str, str] = field(default_factory=dict)
    yields_to: str | None = None
    workflow: str | None = None
    status: str | None = None
    url: str | None = None
    ended_at: str | None = None

    @property
    def unanswered(self) -> bool:
        """Whether a part was sent of which nothing is known."""
        return None in self.runs

    @property
    def complete(self) -> bool:
        """Whether all parts are known to have started."""
        return self.parts > 0 and len(self.known_runs) == self.parts

    @property
    def known_runs(self) -> tuple[str, ...]:
        """The keys of the parts that are known to have started."""
        return tuple(run for run in self.runs if run is not None)


class View(Protocol):
    """What the rules need to know of the world."""

    def alive(self, process: str) -> bool:
        """Whether a process still runs; this one does."""

    def state_lost(self) -> bool:
        """Whether Terraform could not write the last state."""

    def in_state(self, runs: Sequence[str]) -> bool:
        """Whether a state that can be read holds these runs."""

    def adopts(self) -> bool:
        """Whether runs of earlier processes may be taken at all."""


@dataclass(frozen=True, slots=True)
class Start:
    """No run answers the wish: start one. `number` counts the attempts at its key."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Take:
    """This run is the wish's own: wait for it, after searching for what was sent without an answer."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Join:
    """This run, held elsewhere, has the wish's key: wait for it or return it, and leave it alone on destroy."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Wait:
    """Another process is sending the run that has the wish's key: decide again in a moment."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Refuse:
    """The run that has the wish's key was started with other arguments; none are named where they are not known."""

    attempt: Attempt
    differing: Sequence[str]


Decision: TypeAlias = Start | Take | Join | Wait | Refuse

_TAKEN_FIRST: Final = (Place.OWED, Place.PARKED, Place.STARTED, Place.ANSWERED, Place.INTENDED)


def decide(wish: Wish, attempts: Iterable[Attempt], view: View) -> Decision:
    """Say what answers a wish, of the attempts at its key or with its fingerprint."""
    known = [attempt for attempt in attempts if (attempt.type, attempt.account) == (wish.type, wish.account)]
    keyed = [attempt for attempt in known if wish.key is not None and attempt.key == wish.key]
    if keyed:
        return _decide_by_key(wish, max(keyed, key=lambda attempt: attempt.number), view)
    takeable = [attempt for attempt in known if _may_take(wish, attempt, view)]
    if not takeable:
        return Start()
    return Take(min(takeable, key=lambda attempt: (_TAKEN_FIRST.index(attempt.place), attempt.sent_at)))


def _may_take(wish: Wish, attempt: Attempt, view: View) -> bool:
    """Whether a run is owed to the wish, or an orphan that the next equal wish of its scope is to have."""
    if attempt.fingerprint != wish.fingerprint or attempt.scope != wish.scope or wish.scope is None:
        return False
    if attempt.key is not None and wish.key is not None and attempt.key != wish.key:
        return False
    if attempt.end is End.CANCELLED or (attempt.end is End.FAILED and wish.judges):
        return False
    return _is_free(attempt, view) and (wish.waits or attempt.place is not Place.OWED)


def _is_free(attempt: Attempt, view: View) -> bool:
    """Whether nothing else holds a run that an earlier process left."""
    match attempt.place:
        case Place.OWED:
            return not view.alive(attempt.process)  # to who lives it is owed in a later apply
        case Place.PARKED:
            return view.adopts()
        case Place.STARTED | Place.INTENDED:
            abandoned = view.adopts() and not view.alive(attempt.process)
            return abandoned and (attempt.unanswered or not view.in_state(attempt.known_runs))
        case Place.ANSWERED:
            return view.adopts() and view.state_lost() and not view.in_state(attempt.known_runs)
        case Place.SEEN | Place.LAPSED | Place.CLOSED:
            return False


def _decide_by_key(wish: Wish, newest: Attempt, view: View) -> Decision:
    same = newest.fingerprint == wish.fingerprint
    yields = not same and newest.yields_to in {wish.fingerprint, ANY_WISH} and newest.scope == wish.scope
    failed = newest.end is End.CANCELLED or (newest.end is End.FAILED and wish.judges)
    if newest.place is Place.CLOSED or failed or yields:
        return Start(newest.number + 1)
    if not same:
        names = sorted(newest.arguments.keys() | wish.arguments.keys()) if newest.arguments else ()
        return Refuse(newest, [name for name in names if newest.arguments.get(name) != wish.arguments.get(name)])
    if newest.unanswered:
        return Wait(newest) if view.alive(newest.process) else Take(newest)
    if newest.scope == wish.scope and wish.scope is not None and _is_free(newest, view):
        return Take(newest)
    return Join(newest)


class Cut(StrEnum):
    """What ended a wait before the run did."""

    INTERRUPTED = "the operation is interrupted"
    TIMED_OUT = "the time limit passes"
    LOST = "the system cannot be asked any more"
    HELD = 'it is held, and `on_held = "fail"`'


class Verdict(StrEnum):
    """What the end of a wait is to Terraform."""

    DONE = "success"
    KEPT = "a warning; the run is kept"
    FAILED = "an error; the next apply starts a new run"
    OWED = "an error; the next apply takes the run up"
    PAUSED = "a warning; the next apply waits on"
    EXPIRED = "a warning; the run is kept with `record_expired = true`"


VERDICTS: Final[Mapping[End | Cut, Verdict]] = {
    End.SUCCEEDED: Verdict.DONE,
    End.FAILED: Verdict.FAILED,
    End.CANCELLED: Verdict.FAILED,
    End.VANISHED: Verdict.OWED,
    Cut.INTERRUPTED: Verdict.PAUSED,
    Cut.TIMED_OUT: Verdict.OWED,
    Cut.LOST: Verdict.OWED,
    Cut.HELD: Verdict.OWED,
}
"""The verdict on each end of a wait; `verdict` has the two exceptions that a configuration or a state can make."""


def verdict(ending: End | Cut, *, accepts_failure: bool = False, vanished_before: bool = False) -> Verdict:
    """Judge the end of a wait.

    `accepts_failure`: `on_failure = "keep"`. `vanished_before`: an earlier apply reported that the system has no record
    of the run, so the user knows; a second error would leave no way on.
    """
    if ending is End.FAILED and accepts_failure:
        return Verdict.KEPT
    if ending is End.VANISHED and vanished_before:
        return Verdict.EXPIRED
    return VERDICTS[ending]


class Standing(StrEnum):
    """How an entry of a state stands to its run."""

    SETTLED = "settled"
    """It has the run's end, or does not wait for it."""
    IMPORTED = "imported"
    """Imported and not updated since: the configuration may name the inputs in its own way without a new run."""
    OWED = "owed"
    """An error kept the end from being seen: the next apply takes the run up."""
    VANISHED = "vanished"
    """The same, because the system has no record of the run."""
    FAILED = "failed"
    """The run failed while the create waited for it: Terraform has tainted the entry, and will replace it."""

    @property
    def owed(self) -> bool:
        """Whether the create that replaces the entry is to take its run."""
        return self in {Standing.OWED, Standing.VANISHED}


@dataclass(frozen=True, slots=True)
class Held:
    """What an entry of a state keeps of its run in private, through apply, refresh and destroy.

    `tenure` is that of the attempt when the entry took it; `joined`: by its key, so destroying never cancels it.
    """

    standing: Standing = Standing.SETTLED
    tenure: int = 0
    joined: bool = False

    def encode(self) -> bytes:
        """Return what Terraform is to store with the state."""
        return json.dumps({"held": dataclasses.asdict(self)}).encode()


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned for a create; the destroy half of a delete-first replacement is shown it in place of `Held`.

    `fingerprint` is None while inputs are unknown. `joined` is that of the entry that is replaced, None where Terraform
    has not shown it, as for a tainted one.
    """

    fingerprint: str | None
    waits: bool
    joined: bool | None = None

    @property
    def tainted(self) -> bool:
        """Whether the entry that is replaced may be tainted: only then can its run be owed to the create."""
        return self.joined is None

    def encode(self) -> bytes:
        """Return what Terraform is to hand to both halves of the replacement."""
        return json.dumps({"planned": dataclasses.asdict(self)}).encode()


Private: TypeAlias = Held | Planned

_OF_EARLIER_VERSIONS: Final = {
    b"imported": Standing.IMPORTED,
    b"unfinished": Standing.OWED,
    b"failed": Standing.FAILED,
}


def private_of(stored: bytes) -> Private:
    """Read what Terraform hands over; what another version of the provider wrote counts as settled."""
    if stored in _OF_EARLIER_VERSIONS:
        return Held(_OF_EARLIER_VERSIONS[stored])
    try:
        content = json.loads(stored)
        if "planned" in content:
            return Planned(**content["planned"])
        held = content["held"]
        return Held(Standing(held["standing"]), int(held["tenure"]), bool(held["joined"]))
    except (ValueError, KeyError, TypeError):
        return Held()
