"""Histories: what users, Terraform, machines and the system do, in any order."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any, Final

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.prove.acme import LAUNCHERS, in_memory
from tests.prove.reference import Reference
from tests.prove.simulated_host import DEFAULT, Command, Doom, Options, Plan, Settings, State, World

ADDRESSES: Final = ("a", "b", "c")
STATES: Final = ("one", "two")
DOOMS: Final = ("provider dies", "host dies", "machine dies", "interrupted", "interrupted twice")

addresses = st.sampled_from(ADDRESSES)
names = st.sampled_from(("one", "one", "one", "two"))
changes: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    st.tuples(st.just("target"), st.sampled_from(["x", "x", "y"])),
    st.tuples(st.just("trigger"), st.sampled_from([None, "1"])),
    st.tuples(st.just("wait"), st.sampled_from([None, False, True])),
    st.tuples(st.just("on_failure"), st.sampled_from([None, "keep", "error"])),
    st.tuples(st.just("on_held"), st.sampled_from([None, "fail"])),
    st.tuples(st.just("on_destroy"), st.sampled_from([None, "cancel"])),
    st.tuples(st.just("create_before_destroy"), st.booleans()),
    st.tuples(st.just("unknown"), st.sampled_from([frozenset(), frozenset({"target"}), frozenset({"workflow"})])),
)
keys: st.SearchStrategy[tuple[str, Any]] = st.tuples(st.just("key"), st.sampled_from([None, "k", "l"]))
dooms = st.none() | st.builds(Doom, st.sampled_from(DOOMS), st.integers(1, 24))
options = st.builds(
    Options,
    targets=st.none() | st.none() | st.frozensets(addresses, min_size=1, max_size=2),
    refresh=st.sampled_from([True, True, True, False]),
    replace=st.just(frozenset()) | st.frozensets(addresses, max_size=1),
    parallelism=st.sampled_from([10, 10, 1]),
)
written = st.sampled_from(["well", "well", "well", "not", "killed before"])


class Histories(RuleBasedStateMachine):
    """Two states over one journal."""

    keyed = True

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        self.settings: dict[str, dict[str, Settings]] = {name: {} for name in STATES}
        self.saved: Plan | None = None
        self.settled: str | None = None

    @initialize(kind=st.sampled_from(sorted(LAUNCHERS)), backend=st.sampled_from(["local", "remote", "late"]))
    def begin(self, kind: str, backend: str) -> None:
        self.world = World(kind)
        self.states = {name: State(name, backend) for name in STATES}
        self.reference = Reference(self.world, self.states)
        self._stack.callback(self.world.close)
        self._stack.enter_context(in_memory(self._is_errored))
        self.settings["one"]["a"] = Settings()

    def _is_errored(self) -> bool:
        return self.world.directory is not None and self.world.directory.errored is not None

    def teardown(self) -> None:
        self._stack.close()

    # Users.

    @rule(name=names, address=addresses, change=changes)
    def configure(self, name: str, address: str, change: tuple[str, Any]) -> None:
        before = self.settings[name].get(address, Settings())
        self.settings[name][address] = dataclasses.replace(before, **dict([change]))
        self.settled = None

    @precondition(lambda self: self.keyed)
    @rule(name=names, address=addresses, change=keys)
    def give_key(self, name: str, address: str, change: tuple[str, Any]) -> None:
        before = self.settings[name].get(address, Settings())
        slot = self.states[name].slots.get(address)
        if slot is not None and slot.current is not None:
            self.reference.vague_keys |= {before.key, change[1]} - {None}
        self.configure(name, address, change)

    @rule(name=names, address=addresses)
    def remove(self, name: str, address: str) -> None:
        self.settings[name].pop(address, None)
        self.settled = None

    def _command(self, name: str, doom: Doom | None = None, *, testing: bool = False) -> Command:
        self.world.system.faulty = bool(doom) or self.world.system.refuses_polls
        doom = None if doom is None else Doom(doom.kind, doom.at)
        return Command(self.world, self.states[name], dict(self.settings[name]), doom=doom, testing=testing)

    def _judge(self, before: Any, command: Command, name: str) -> None:
        self.world.settle()
        note(f"# {'well' if not command.failed else command.failed}")
        self.reference.judge(before, command, self.states[name])

    @rule(name=names)
    def apply_all(self, name: str) -> None:
        self.apply_with(name, DEFAULT, None, "well")

    @rule(name=names)
    def apply_again(self, name: str) -> None:
        self.apply_with(name, DEFAULT, None, "well")

    @rule(name=names, options=options)
    def plan(self, name: str, options: Options) -> None:
        before, command = self.reference.before(), self._command(name)
        plan = command.plan(options)
        self._judge(before, command, name)
        assert plan is not None or command.failed
        full = options == DEFAULT
        if self.settled == name and full and plan is not None:
            assert not plan.changes, f"a second apply would change {plan.changes}"

    @rule(name=names, options=options, doom=dooms, written=written)
    def apply(self, name: str, options: Options, doom: Doom | None, written: str) -> None:
        self.apply_with(name, options, doom, written)

    def apply_with(self, name: str, options: Options, doom: Doom | None, written: str) -> None:
        """Apply, and judge it."""
        before, command = self.reference.before(), self._command(name, doom)
        well = command.apply(options, written=written)
        self._judge(before, command, name)
        unknown = any(each.unknown for each in self.settings[name].values())
        self.settled = name if well and options == DEFAULT and not unknown else None

    @rule(name=names, doom=dooms)
    def destroy(self, name: str, doom: Doom | None) -> None:
        before, command = self.reference.before(), self._command(name, doom)
        command.destroy()
        self._judge(before, command, name)
        self.settled = None

    @rule(name=names, options=options)
    def save_plan(self, name: str, options: Options) -> None:
        before, command = self.reference.before(), self._command(name)
        self.saved = command.plan(options)
        self._judge(before, command, name)

    @precondition(lambda self: self.saved is not None)
    @rule(doom=dooms)
    def apply_saved(self, doom: Doom | None) -> None:
        assert self.saved is not None
        name = self.saved.state
        before, command = self.reference.before(), self._command(name, doom)
        command.apply_saved(self.saved)
        self._judge(before, command, name)
        self.saved = self.settled = None

    @rule(name=names, address=addresses, tainted=st.booleans())
    def taint(self, name: str, address: str, tainted: bool) -> None:
        slot = self.states[name].slots.get(address)
        if slot is not None and slot.current is not None:
            slot.current = dataclasses.replace(slot.current, tainted=tainted)
            self.states[name].serial += 1
            self.settled = None

    @rule(name=names, address=addresses)
    def state_rm(self, name: str, address: str) -> None:
        slot = self.states[name].slots.pop(address, None)
        if slot is not None:
            objects = [each for each in (slot.current, *slot.deposed) if each is not None]
            self.reference.removed(self.states[name], (str(each.values["id"]) for each in objects))
            self.states[name].serial += 1
            self.settled = None

    @rule(name=names, address=addresses, data=st.data())
    def import_(self, name: str, address: str, data: st.DataObject) -> None:
        account = "second" if address == "c" else "first"
        held = self.reference.held()
        runs = [each for each, r in self.world.system.runs.items() if each not in held and r.account == account]
        if address in self.states[name].slots or not runs:
            return
        run = data.draw(st.sampled_from(runs))
        before, command = self.reference.before(), self._command(name)
        imported = command.import_(address, run)
        self._judge(before, command, name)
        if imported:
            self.reference.imported(run)
        self.settled = None

    @rule(name=names)
    def test(self, name: str) -> None:
        own = State(f"test {name}", "remote")
        for destroying in (False, True):
            before = self.reference.before()
            self.world.system.faulty = self.world.system.refuses_polls
            command = Command(self.world, own, dict(self.settings[name]), testing=True)
            command.destroy() if destroying else command.apply()
            self.world.settle()
            self.reference.judge(before, command, own, tested=True)

    # Machines.

    @rule(name=names, push=st.booleans())
    def clear_errored_state(self, name: str, push: bool) -> None:
        state = self.states[name]
        if state.errored is not None:
            if push:
                state.write(state.errored)
            state.errored = None
            self.reference.cleared(state)
            self.settled = None

    @rule(what=st.sampled_from(["journal lost", "clock back", "clock on", "clock far on", "a moment", "a while"]))
    def happen(self, what: str) -> None:
        match what:
            case "journal lost":
                self.world.disk.lose()
                self.reference.lose_journal()
            case "a moment" | "a while":
                self.world.settle({"a moment": 1.0, "a while": 130.0}[what])
            case _:
                self.world.clock.step += {"clock back": -86400.0, "clock on": 3600.0, "clock far on": 86400.0}[what]

    # The system.

    @rule(plan=st.sampled_from(["fails", "hangs", "hangs", "hangs", "held", "refused", "lost", "dropped"]))
    def next_start(self, plan: str) -> None:
        system = self.world.system
        (system.faults if plan in {"refused", "lost", "dropped"} else system.plans).append(plan)

    @rule(ending=st.sampled_from(["succeeded", "succeeded", "failed", "gone"]), data=st.data())
    def end_run(self, ending: str, data: st.DataObject) -> None:
        system = self.world.system
        runs = [name for name, record in system.runs.items() if not record.ended(self.world.loop.time())]
        if runs:
            run = data.draw(st.sampled_from(runs))
            if ending == "gone":
                system.runs[run].gone = True
            else:
                system.finish(run, ending)
            self.settled = None

    @rule(broken=st.booleans(), cancels=st.booleans())
    def break_system(self, broken: bool, cancels: bool) -> None:
        self.world.system.refuses_polls = broken
        self.world.system.refuses_cancels = cancels
