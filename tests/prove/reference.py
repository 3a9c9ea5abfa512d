"""What has to come of each command: wishes, runs and debts, told by Terraform's state and the system's runs alone.

This knows nothing of journals, private data or the provider's rules. A run is *held* by an object of a written state,
is an *orphan* (the command that started it, or took it, did not end so that the state has it), or is *gone*
(destroyed, replaced, removed from the state). An entry's run is *owed* after a creation was answered with an error, but
the run was open. From that follows which runs a creation has to take, and which it may; it must start the rest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.prove.acme import Record, inputs
from tests.prove.simulated_host import Applied, Command, Slots, State, Stored, World

Group: TypeAlias = tuple[str, str, tuple[object, ...]]
"""State, account and inputs: what equal wishes have in common."""

_FAILED = {"failed", "cancelled"}


def account(address: str) -> str:
    """Return the account of the provider configuration that a resource has."""
    return "second" if address.startswith("c") else "first"


class Violation(AssertionError):
    """A promise was broken."""


@dataclass
class Before:
    """What was there when a command began."""

    slots: Mapping[str, Slots]
    runs: frozenset[str]
    statuses: Mapping[str, str]
    cancelled: int


@dataclass
class Reference:
    """The wishes and runs of a history."""

    world: World
    states: Mapping[str, State]
    owed: set[str] = field(default_factory=set)
    """Runs whose entry was answered with an error while they were open."""
    orphans: dict[str, Group] = field(default_factory=dict)
    possible: dict[str, Group] = field(default_factory=dict)
    """Runs that an equal wish may take, but need not."""
    doubtful: set[Group] = field(default_factory=set)
    """Wishes of which a start is not known to have arrived or not: a creation may fail."""
    keys: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """The attempts at each key of an account."""
    closed: set[str] = field(default_factory=set)
    vague_keys: set[str] = field(default_factory=set)
    """Keys of which this does not know what they answer: they were given to or taken from a run."""
    destroyed: set[str] = field(default_factory=set)
    """Runs that were destroyed, although a state still has them: the answer was lost."""
    unconfirmed: set[str] = field(default_factory=set)
    """Runs that were answered by a process that did not end in order: it is not told whether the state has them."""
    errored: set[str] = field(default_factory=set)
    """Runs that processes which ended in order have answered, and that only an `errored.tfstate` holds."""

    def before(self) -> Before:
        """Look at the world before a command."""
        system = self.world.system
        return Before(
            {name: dict(state.slots) for name, state in self.states.items()},
            frozenset(system.runs),
            {each: self._status(each) for each in system.runs},
            len(system.cancelled),
        )

    def _status(self, run: str) -> str:
        record = self.world.system.runs[run]
        return "gone" if record.gone else record.status(self.world.loop.time())

    # Judging a command.

    def judge(self, before: Before, command: Command, state: State, *, tested: bool = False) -> None:
        """Compare what a command did with what it had to do, and note what has become of the runs."""
        started = [record for name, record in self.world.system.runs.items() if name not in before.runs]
        creations = [applied for applied in command.applied if applied.action == "create"]
        name = state.name
        self._judge_cancellations(before, command)
        self._judge_creations(before, command, name, started, creations)
        self._judge_keys(before, command, started, creations)
        self._judge_answers(command)
        if tested:
            self._note_keys(started)
            self.closed |= {str(each.prior["id"]) for each in command.applied if each.prior is not None}
        else:
            self._note(before, command, state, started)
        self.judge_holders()

    def _judge_creations(
        self,
        before: Before,
        command: Command,
        state: str,
        started: Sequence[Record],
        creations: Sequence[Applied],
    ) -> None:
        groups: dict[Group, list[Applied]] = defaultdict(list)
        for applied in creations:
            assert applied.config is not None
            groups[state, account(applied.address), inputs(applied.config)].append(applied)
        starts: dict[Group, list[Record]] = defaultdict(list)
        for record in started:
            starts[state, record.account, inputs(record.config)].append(record)
        for group in starts:
            _require(group in groups, f"{group}: a run was started without a creation")
        for group, wishes in groups.items():
            if all(_key(applied) is None for applied in wishes):
                self._judge_group(before, command, group, wishes, starts[group])

    def _judge_group(
        self, before: Before, command: Command, group: Group, wishes: Sequence[Applied], starts: Sequence[Record]
    ) -> None:
        owed, possible = self._owed_to(before, group, command)
        orphans = [run for run, wish in self.orphans.items() if wish == group]
        possible |= {run for run, wish in self.possible.items() if wish == group} | set(owed) | set(orphans)
        waiting = [applied for applied in wishes if _waits(applied)]
        due_orphans = [run for run in orphans if self._is_due(run) and self._key_of(run) is None]
        due_owed = [run for run in owed if self._is_due(run)]
        due = min(len(wishes), len(due_orphans) + min(len(due_owed), len(waiting)))
        ids = [record.id for record in starts]
        _require(
            len(starts) <= len(wishes) - due,
            f"{group}: {ids} started for {len(wishes)} wishes, although {due_owed} are owed and {due_orphans} orphans",
        )
        answers = [str(applied.answer["id"]) for applied in wishes if applied.answer is not None]
        for run in answers:
            _require(run in ids or run in possible, f"{group}: answered by {run}, which is none of its own")
        _require(len(set(answers)) == len(answers), f"{group}: a run answers two wishes: {answers}")
        for applied in wishes:
            excused = (
                group in self.doubtful
                or command.stopping
                or applied.answer is not None
                or not applied.answered
                or self.world.system.faulty
            )
            _require(excused, f"{group}: a creation failed without reason: {applied.errors}")

    def _owed_to(self, before: Before, group: Group, command: Command) -> tuple[list[str], set[str]]:
        """Return the runs that entries which this command replaces by equal wishes have to, or may, hand over."""
        owed, possible = [], set()
        for applied in command.applied:
            change = applied.change
            if applied.action != "create" or change.prior is None:
                continue
            prior, run = change.prior, str(change.prior.values["id"])
            if (group[0], account(applied.address), inputs(prior.values)) != group:
                continue
            wait = prior.values["wait"] and _waits(applied)
            unknown = change.planned is not None and inputs_unknown(change.planned)
            if run in self.owed and run not in self.destroyed and prior.tainted and wait:
                blind = change.create_before_destroy and not command.refreshed
                possible.add(run)
                if (not blind and not unknown) or (unknown and not change.create_before_destroy):
                    owed.append(run)
            elif unknown or not command.refreshed or run in self.owed:
                possible.add(run)
        return owed, possible

    def _is_due(self, run: str) -> bool:
        """Whether a run is to be taken for sure: it has not failed."""
        return self._status(run) not in _FAILED

    def _key_of(self, run: str) -> str | None:
        return self.world.system.runs[run].config.idempotency_key

    def _judge_keys(
        self, before: Before, command: Command, started: Sequence[Record], creations: Sequence[Applied]
    ) -> None:
        wishes: dict[tuple[str, str], list[Applied]] = defaultdict(list)
        for applied in creations:
            key = _key(applied)
            if key is not None and key not in self.vague_keys:
                wishes[account(applied.address), key].append(applied)
        touched = {str(applied.prior["id"]) for applied in command.applied if applied.prior is not None}
        for domain, keyed in wishes.items():
            starts = [r.id for r in started if (r.account, r.config.idempotency_key) == domain]
            attempts = self.keys[domain]
            newest = attempts[-1] if attempts else None
            failed = any(self._status(run) in _FAILED for run in (*starts, *attempts[-1:]))
            if not failed and not touched.intersection(attempts):
                _require(len(starts) <= 1, f"{domain}: {starts} started at once")
            if newest is None or newest in self.closed or newest in touched or failed:
                continue
            same = [a for a in keyed if inputs(a.config or {}) == inputs(self.world.system.runs[newest].config)]
            _require(not starts, f"{domain}: {starts} started although {newest} has the key")
            for applied in keyed:
                if applied.answer is not None:
                    _require(applied in same, f"{domain}: {newest} answered other inputs")
                    _require(applied.answer["id"] == newest, f"{domain}: not {newest} answered")

    def _judge_cancellations(self, before: Before, command: Command) -> None:
        cancelled = self.world.system.cancelled[before.cancelled :]
        deletions = [applied for applied in command.applied if applied.action == "delete"]
        held = Counter(_runs(slots for name, slots in before.slots.items()))
        for run in cancelled:
            asked = [a for a in deletions if a.prior is not None and a.prior["id"] == run]
            _require(bool(asked), f"{run} was cancelled, and nothing that holds it destroyed")
            _require(any(a.prior and a.prior["on_destroy"] == "cancel" for a in asked), f"{run}: cancelled unasked")
            _require(held[run] <= len(asked), f"{run} was cancelled, and another entry holds it")
            takers = [a for a in command.applied if a.action == "create" and a.answer and a.answer["id"] == run]
            _require(not takers, f"{run} was cancelled, and a creation of the same apply has taken it")
        if self.world.system.kind == "blind":
            return
        for applied in deletions:
            prior = applied.prior
            if prior is None or not applied.answered or applied.errors or prior["on_destroy"] != "cancel":
                continue
            run = str(prior["id"])
            if self._status(run) not in {"running", "held"} or prior["status"] not in {None, "running", "held"}:
                continue
            handed = applied.change.action in {"replace", "delete deposed"}
            _require(handed or held[run] > 1 or prior["idempotency_key"] is not None, f"{run} was not cancelled")

    def _judge_answers(self, command: Command) -> None:
        """An apply that succeeds has runs that have succeeded."""
        if command.failed:
            return
        for applied in command.applied:
            answer = applied.answer
            if applied.action == "delete" or answer is None or not answer["wait"]:
                continue
            status = self._status(str(answer["id"]))
            kept = answer["on_failure"] == "keep" and status in _FAILED
            well = status == "succeeded" or kept or answer["record_expired"]
            _require(well, f"{applied.address} succeeded with {answer['id']}, which is {status}")

    def judge_holders(self) -> None:
        """No two entries hold one run, unless by a key."""
        held: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, state in self.states.items():
            for address, slot in state.slots.items():
                if any(each.values["idempotency_key"] is not None for each in _objects(slot)):
                    continue
                for run in {str(each.values["id"]) for each in _objects(slot)}:
                    held[run].append((name, address))
        for run, holders in held.items():
            if self._key_of(run) is None:
                _require(len(holders) == 1, f"{run} is held by {holders}")

    # Noting what has become of the runs.

    def _note(self, before: Before, command: Command, state: State, started: Sequence[Record]) -> None:
        attempted = {record.id: (state.name, record.account, inputs(record.config)) for record in started}
        for applied in command.applied:
            match applied.action:
                case "create":
                    attempted |= self._note_creation(applied, state)
                case "update" if applied.answer is not None and not applied.errors:
                    self.owed.discard(str(applied.answer["id"]))
        answered = {str(applied.answer["id"]) for applied in command.applied if applied.answer is not None}
        if command.in_order:
            self.unconfirmed -= answered
        else:
            self.unconfirmed |= answered
        self._note_keys(started)
        for applied in command.applied:
            if applied.action == "delete" and applied.prior is not None:
                self._note_deletion(applied, command, state)
        held = self.held()
        for run, group in attempted.items():
            if run not in held:
                self._note_loss(run, group, command, state)
        for run in held:
            self.orphans.pop(run, None)
            self.possible.pop(run, None)

    def _note_creation(self, applied: Applied, state: State) -> Mapping[str, Group]:
        """Return the run that a creation was answered with, if it was."""
        group = (state.name, account(applied.address), inputs(applied.config or {}))
        if applied.answer is None:
            self.doubtful.add(group)
            return {}
        run = str(applied.answer["id"])
        if applied.errors and phase_open(applied.answer["status"]):
            self.owed.add(run)
        return {run: group}

    def _note_loss(self, run: str, group: Group, command: Command, state: State) -> None:
        """Note a run of a creation that the state does not have after its command."""
        answers = [applied for applied in command.applied if applied.answer is not None and applied.answer["id"] == run]
        unwritten = command.in_order and not all(applied.saved for applied in answers)
        if unwritten and state.errored is None:  # the host died between the provider's end and the writing of the state
            self.orphans.pop(run, None)
            self.possible[run] = group
        elif run not in self.closed:
            self.orphans[run] = group
            if unwritten:
                self.errored.add(run)

    def _note_keys(self, started: Sequence[Record]) -> None:
        for record in started:
            key = record.config.idempotency_key
            if key is not None:
                self.keys[record.account, key].append(record.id)

    def _note_deletion(self, applied: Applied, command: Command, state: State) -> None:
        assert applied.prior is not None
        run = str(applied.prior["id"])
        held = set(_runs(each.slots for each in self.states.values()))
        if run in held:  # it was destroyed, and the state does not know it: its key may be used again
            self.vague_keys |= {applied.prior["idempotency_key"]} - {None}
            self.destroyed.add(run)
            return
        group = (state.name, account(applied.address), inputs(applied.prior))
        change = applied.change
        if change.action == "replace" and run in self.owed and change.prior is not None and change.prior.tainted:
            planned = change.planned or {}
            equal = inputs_unknown(planned) or inputs(planned) == inputs(applied.prior)
            taken = any(a.action == "create" and a.answer and a.answer["id"] == run for a in command.applied)
            if equal and not taken:
                created = any(a.action == "create" and a.address == applied.address for a in command.applied)
                if not created and applied.prior["wait"] and planned.get("wait") and not inputs_unknown(planned):
                    self.orphans[run] = group
                else:
                    self.possible[run] = group
                return
        if change.action == "replace" and inputs_unknown(change.planned or {}):
            self.possible[run] = group
        self.closed.add(run)

    def held(self) -> set[str]:
        """Return the runs that entries hold."""
        return set(_runs(state.slots for state in self.states.values()))

    def removed(self, state: State, runs: Iterable[str]) -> None:
        """Note that runs were removed from a state by hand."""
        for run in runs:
            self.owed.discard(run)
            if run in self.unconfirmed:
                record = self.world.system.runs[run]
                self.possible[run] = (state.name, record.account, inputs(record.config))

    def imported(self, run: str) -> None:
        """Note that the user has said where a run belongs."""
        self.orphans.pop(run, None)
        self.possible.pop(run, None)
        self.owed.discard(run)

    def cleared(self, state: State) -> None:
        """Note that there is no `errored.tfstate` any more: what ended in order may be taken if there is another."""
        for run in [run for run in self.errored if run in self.orphans]:
            self.possible[run] = self.orphans.pop(run)
        for run in self.held():
            self.orphans.pop(run, None)
            self.possible.pop(run, None)
        self.errored.clear()

    def lose_journal(self) -> None:
        """Note that nothing but the states knows the runs."""
        self.orphans.clear()
        self.possible.clear()
        self.doubtful.clear()
        self.vague_keys |= {key for _, key in self.keys}


def inputs_unknown(planned: Mapping[str, Any]) -> bool:
    """Whether inputs were unknown at plan."""
    return any(not isinstance(planned.get(name), str | None) for name in ("workflow", "target"))


def phase_open(status: str | None) -> bool:
    """Whether a status says that the run goes on."""
    return status in {None, "running", "held"}


def _key(applied: Applied) -> str | None:
    return None if applied.config is None else applied.config["idempotency_key"]


def _waits(applied: Applied) -> bool:
    return applied.config is not None and applied.config["wait"] is not False


def _objects(slot: Any) -> Iterator[Stored]:
    if slot.current is not None:
        yield slot.current
    yield from slot.deposed


def _runs(states: Iterable[Slots]) -> Iterator[str]:
    """Return the runs of all entries, once for each entry."""
    for slots in states:
        for slot in slots.values():
            yield from {str(each.values["id"]) for each in _objects(slot)}


def _require(holds: bool, promise: str) -> None:
    if not holds:
        raise Violation(promise)
