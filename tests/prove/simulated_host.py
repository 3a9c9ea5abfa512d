"""Terraform as a provider sees it: which calls it makes in each command, with what, and what it keeps of the answers.

The rules are those of Terraform's sources and of logged calls; `test_calls.py` compares this host's calls with those of
the real one. What it leaves out makes no difference to a run: schemas, validation, dependencies, upgrades of states.
"""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.execution.scope import Scope
from provider_py.plugin.schema import attributes
from tests.prove.acme import TYPE_NAME, Clock, Disk, Job, Process, StateFile, System, VirtualLoop
from tests.support.host import UNKNOWN, tree, value

Tree = Mapping[str, Any]

PARENT_SECONDS: Final = 1.0
"""How long a provider process takes to notice that its host is gone, at most."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A resource block: its arguments, and how it is to be replaced. `unknown` are arguments not known at plan."""

    workflow: str = "deploy"
    target: str | None = "x"
    trigger: str | None = None
    wait: bool | None = None
    on_failure: str | None = None
    on_held: str | None = None
    on_destroy: str | None = None
    key: str | None = None
    create_before_destroy: bool = False
    unknown: frozenset[str] = frozenset()
    limit: str = "300s"
    """Longer than a start of an ended process is searched for: else no apply ever learns that it did not arrive."""
    poll_interval: str | None = "100s"

    def tree(self, *, planning: bool = False) -> dict[str, Any]:
        """Return the configuration as Terraform sends it."""
        config: dict[str, Any] = dict.fromkeys(attributes(Job))
        config |= {
            "workflow": self.workflow,
            "target": self.target,
            "triggers": None if self.trigger is None else {"v": self.trigger},
            "wait": self.wait,
            "on_failure": self.on_failure,
            "on_held": self.on_held,
            "on_destroy": self.on_destroy,
            "idempotency_key": self.key,
            "timeouts": dict.fromkeys(("create", "update", "delete"), self.limit),
            "poll_interval": self.poll_interval,
        }
        return {**config, **dict.fromkeys(self.unknown, UNKNOWN)} if planning else config


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in a state."""

    values: Tree
    private: bytes
    tainted: bool = False


@dataclass(slots=True)
class Slot:
    """A resource instance in a state: its object, and those that were to be destroyed after their replacement."""

    current: Stored | None = None
    deposed: list[Stored] = field(default_factory=list)


Slots = dict[str, Slot]


@dataclass
class State:
    """A state and where it is kept.

    `backend`: `local` is written after each answer, `late` (OpenTofu's local file) and `remote` at the end of the
    apply; the provider can read files only. `account` tells which account the provider is configured for, by address.
    """

    name: str
    backend: str
    slots: Slots = field(default_factory=dict)
    serial: int = 0
    errored: Slots | None = None

    def file(self) -> str:
        """Return the file of a local state."""
        objects = [each for slot in self.slots.values() for each in (slot.current, *slot.deposed) if each is not None]
        return json.dumps({"resources": [{"instances": [{"attributes": dict(each.values)} for each in objects]}]})

    def write(self, slots: Slots) -> None:
        """Write the state."""
        self.slots = {
            address: slot for address, slot in copy.deepcopy(slots).items() if slot.current is not None or slot.deposed
        }
        self.serial += 1


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a plan or apply."""

    targets: frozenset[str] | None = None
    refresh: bool = True
    replace: frozenset[str] = frozenset()
    parallelism: int = 10


DEFAULT: Final = Options()


@dataclass(frozen=True, slots=True)
class Change:
    """What is planned for an object."""

    address: str
    action: str
    """create, update, replace, delete, delete deposed"""
    prior: Stored | None = None
    planned: Tree | None = None
    private: bytes = b""
    create_before_destroy: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, as a file holds it."""

    state: str
    serial: int
    settings: Mapping[str, Settings]
    options: Options
    changes: Sequence[Change]
    refreshed: Slots


@dataclass(slots=True)
class Applied:
    """An ApplyResourceChange: what was asked, and what came of it. `answer` is None if none arrived."""

    address: str
    action: str
    prior: Tree | None
    config: Tree | None
    change: Change
    process: Process
    answer: Tree | None = None
    answered: bool = False
    errors: Sequence[str] = ()
    warnings: Sequence[str] = ()
    saved: bool = False


class HostGone(Exception):
    """The host does nothing any more."""


class PluginCrashed(Exception):
    """The provider process is gone."""


class Inconsistent(AssertionError):
    """Terraform reports a bug of the provider."""


@dataclass
class Doom:
    """What happens to a command at one of its effects, counted from 1.

    provider dies; host dies (its provider lives on until it notices); machine dies; interrupted (one Ctrl-C);
    interrupted twice.
    """

    kind: str
    at: int
    struck: bool = False
    _heard: int = 0
    command: Command | None = None

    def heard(self, process: Process | None, _effect: str) -> None:
        self._heard += 1
        if self.command is None or (self.struck and not (self.kind == "interrupted twice" and self._heard >= self.at)):
            return
        if self._heard >= self.at:
            self._strike(process)

    def _strike(self, process: Process | None) -> None:
        command = self.command
        assert command is not None
        if self.kind == "provider dies":
            if process is None:
                return
            process.kill()
        elif self.kind == "interrupted" or (self.kind == "interrupted twice" and not self.struck):
            command.interrupt()
            self.at = self._heard + 2
        else:
            if self.kind == "machine dies":
                for each in command.processes.values():
                    each.kill()
            command.leave()
        self.struck = True
        if self.kind != "interrupted twice" or command.gone.done():
            self.command = None


class World:
    """A machine: system, journal, clock, and the states that are worked on."""

    def __init__(self, kind: str) -> None:
        self.loop = VirtualLoop()
        self.clock = Clock(self.loop)
        self.system = System(self.loop, kind)
        self.disk = Disk()
        self.directory: State | None = None
        """The state of the directory that the current command works in."""
        self.orphans: list[asyncio.Task[None]] = []
        self.calls: list[tuple[Process, str, Any]] | None = None
        """Where all calls are recorded, if anywhere."""

    def run(self, work: Awaitable[Any]) -> Any:
        """Do work, time passing whenever everybody sleeps."""
        return self.loop.run_until_complete(asyncio.ensure_future(work, loop=self.loop))

    def settle(self, seconds: float = 0.0) -> None:
        """Let orphaned processes come to their end, and time pass."""

        async def wait() -> None:
            await asyncio.gather(*self.orphans)
            self.orphans.clear()
            await asyncio.sleep(seconds)

        self.run(wait())

    def close(self) -> None:
        """Give up whatever still runs."""

        async def bury() -> None:
            for _ in range(10):
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    task.cancel()
                await asyncio.sleep(0.01)

        self.run(bury())
        self.disk.connection.close()
        self.loop.close()


class Command:
    """One Terraform command over a state."""

    def __init__(
        self,
        world: World,
        state: State,
        settings: Mapping[str, Settings],
        *,
        doom: Doom | None = None,
        testing: bool = False,
    ) -> None:
        self.gone: asyncio.Future[None] = world.loop.create_future()
        self.processes: dict[str, Process] = {}
        self.stopping = False
        self.failed: list[str] = []
        self.warnings: list[str] = []
        self.applied: list[Applied] = []
        self.refreshed = True
        """Whether the plan was made with a refresh."""
        self.in_order = False
        """Whether all provider processes of the apply have ended in order."""
        self._world = world
        self._state = state
        self._settings = settings
        self._doom = doom
        self._testing = testing
        self._persist: Callable[[], None] | None = None
        self._room = asyncio.Semaphore()
        if doom is not None:
            doom.command = self

    # What befalls a command.

    def heard(self, process: Process | None, effect: str) -> None:
        """Count an effect."""
        if self._doom is not None:
            self._doom.heard(process, effect)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.stopping = True
        for process in self.processes.values():
            process.interrupt()
        if self._persist is not None:
            self._persist()

    def leave(self) -> None:
        """Do nothing any more."""
        if not self.gone.done():
            self.gone.set_result(None)

    # Commands. They return whether they succeeded.

    def plan(self, options: Options = DEFAULT) -> Plan | None:
        """`terraform plan`; None if it failed."""
        plan: Plan | None = self._do(self._plan(options))
        return plan

    def apply(self, options: Options = DEFAULT, *, written: str = "well") -> bool:
        """`terraform apply`. `written`: how the state is written at its end (well, not, killed before)."""

        async def work() -> bool:
            plan = await self._plan(options)
            return plan is not None and await self._apply(plan, written)

        return bool(self._do(work()))

    def apply_saved(self, plan: Plan, *, written: str = "well") -> bool:
        """`terraform apply FILE`."""
        if plan.serial != self._state.serial or plan.state != self._state.name:
            self.failed.append("Saved plan is stale")
            return False
        self._settings = plan.settings
        return bool(self._do(self._apply(plan, written)))

    def destroy(self, options: Options = DEFAULT, *, written: str = "well") -> bool:
        """`terraform destroy`."""

        async def work() -> bool:
            refreshed = await self._plan(options)
            if refreshed is None:
                return False
            async with self._walk():
                changes = await self._together(
                    self._plan_destruction(address, slot)
                    for address, slot in refreshed.refreshed.items()
                    if _is_among(address, options.targets)
                )
            flat = [change for group in changes for change in group]
            plan = dataclasses.replace(refreshed, changes=flat)
            return not self.failed and await self._apply(plan, written)

        return bool(self._do(work()))

    def import_(self, address: str, identifier: str) -> bool:
        """`terraform import`."""

        async def work() -> bool:
            async with self._walk():
                request = pb.ImportResourceState.Request(type_name=TYPE_NAME, id=identifier)
                answer = await self._call(address, "ImportResourceState", request)
                if not self._accepts(answer):
                    return False
                (imported,) = answer.imported_resources
                stored = await self._read(address, Stored(tree(imported.state), imported.private))
            if self.failed or stored is None:
                return False
            self._state.write({**self._state.slots, address: Slot(stored)})
            return True

        return bool(self._do(work()))

    def _do(self, work: Awaitable[Any]) -> Any:
        self._world.directory = self._state

        async def doing() -> Any:
            try:
                return await work
            except HostGone:
                await self._abandon()
                self.failed.append("the host is gone")
                return None

        return self._world.run(doing())

    async def _abandon(self) -> None:
        """Leave the processes as a host does that is gone: killed, or after the second Ctrl-C."""
        for process in self.processes.values():
            if self.stopping:
                await process.end()
            else:
                self._world.orphans.append(asyncio.create_task(_orphaned(process)))

    # Walks.

    def _walk(self) -> _Walk:
        return _Walk(self)

    def begin(self) -> None:
        """Begin a walk, with processes of its own."""
        self.processes = {}

    async def end(self) -> None:
        """End the processes of a walk."""
        for process in self.processes.values():
            await process.end()
        self.processes = {}

    def _process(self, address: str) -> Process:
        """Return the process of the provider configuration that a resource has: that of `c` is for another account."""
        account = "second" if address.startswith("c") else "first"
        if account not in self.processes:
            world, state = self._world, self._state
            file = StateFile(state.file).path() if state.backend != "remote" and not self._testing else None
            scope = Scope(f"test {state.name}" if self._testing else state.name, file)
            self.processes[account] = Process(
                world.system, world.disk, world.clock, account, scope, self, adopts=not self._testing
            )
            if self.stopping:
                self.processes[account].interrupt()
        return self.processes[account]

    async def _together(self, works: Iterable[Awaitable[Any]]) -> list[Any]:
        """Do work concurrently; what one of them raises is raised when all have ended."""

        async def in_turn(work: Awaitable[Any]) -> Any:
            async with self._room:
                return await work

        outcomes = await asyncio.gather(*map(in_turn, works), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return outcomes

    async def _call(self, address: str, name: str, request: Any) -> Any:
        """Call the provider. Raises HostGone, or PluginCrashed."""
        if self.gone.done():
            raise HostGone
        process = self._process(address)
        if process.dead:
            raise PluginCrashed
        if self._world.calls is not None:
            self._world.calls.append((process, name, request))
        task = process.call(name, request)
        await asyncio.wait({task, process.died, self.gone}, return_when=asyncio.FIRST_COMPLETED)
        if self.gone.done():
            raise HostGone
        if not task.done():
            raise PluginCrashed
        answer = task.result()
        for diagnostic in answer.diagnostics:
            if diagnostic.summary == "Unexpected provider error":
                raise Inconsistent(diagnostic.detail)
        return answer

    def _accepts(self, answer: Any) -> bool:
        errors, warnings = _texts(answer)
        self.failed.extend(errors)
        self.warnings.extend(warnings)
        return not errors

    # Planning.

    async def _plan(self, options: Options) -> Plan | None:
        self._room = asyncio.Semaphore(options.parallelism)
        slots = copy.deepcopy(self._state.slots)
        addresses = [a for a in sorted({*slots, *self._settings}) if _is_among(a, options.targets)]
        async with self._walk():
            planned = await self._together(
                self._plan_slot(address, slots.setdefault(address, Slot()), options) for address in addresses
            )
        if self.failed or self.stopping:
            return None
        changes = [change for group in planned for change in group]
        return Plan(self._state.name, self._state.serial, dict(self._settings), options, changes, slots)

    async def _plan_slot(self, address: str, slot: Slot, options: Options) -> list[Change]:
        try:
            changes = []
            for place, stored in enumerate(slot.deposed):
                slot.deposed[place] = await self._read(address, stored) if options.refresh else stored
                changes.append(await self._plan_delete(address, slot.deposed[place], "delete deposed"))
            removed = address not in self._settings
            if removed and slot.current is not None:
                changes.append(await self._plan_delete(address, slot.current, "delete"))
            if options.refresh and slot.current is not None:
                slot.current = await self._read(address, slot.current)
            if not removed:
                changes = [*await self._plan_current(address, slot.current, address in options.replace), *changes]
        except PluginCrashed:
            self.failed.append("Plugin did not respond")
            return []
        return changes

    async def _plan_destruction(self, address: str, slot: Slot) -> list[Change]:
        try:
            changes = [await self._plan_delete(address, each, "delete deposed") for each in slot.deposed]
            if slot.current is not None:
                changes.append(await self._plan_delete(address, slot.current, "delete"))
        except PluginCrashed:
            self.failed.append("Plugin did not respond")
            return []
        return changes

    async def _read(self, address: str, stored: Stored) -> Stored:
        request = pb.ReadResource.Request(
            type_name=TYPE_NAME, current_state=value(stored.values), private=stored.private
        )
        answer = await self._call(address, "ReadResource", request)
        self._accepts(answer)
        return dataclasses.replace(stored, values=tree(answer.new_state), private=answer.private)

    async def _plan_delete(self, address: str, stored: Stored, action: str) -> Change:
        request = pb.PlanResourceChange.Request(
            type_name=TYPE_NAME,
            prior_state=value(stored.values),
            proposed_new_state=value(None),
            config=value(None),
            prior_private=stored.private,
        )
        answer = await self._call(address, "PlanResourceChange", request)
        self._accepts(answer)
        return Change(address, action, stored, None, answer.planned_private)

    async def _plan_current(self, address: str, current: Stored | None, replaced: bool) -> list[Change]:
        settings = self._settings[address]
        config, before = settings.tree(planning=True), settings.create_before_destroy
        tainted = current is None or current.tainted
        prior, private = (None, b"") if current is None or tainted else (current.values, current.private)
        answer = await self._ask_plan(address, prior, config, private)
        planned, action = tree(answer.planned_state), "create" if current is None else "replace"
        if prior is not None and (replaced or _forces_replacement(answer, planned, prior)):
            if not self._accepts(answer):
                return []
            answer = await self._ask_plan(address, None, config, answer.planned_private)
            planned = tree(answer.planned_state)
        elif prior is not None:
            action = "update" if planned != prior else ""
        if not self._accepts(answer) or not action:
            return []
        return [Change(address, action, current, planned, answer.planned_private, before and action == "replace")]

    async def _ask_plan(self, address: str, prior: Tree | None, config: Tree, private: bytes) -> Any:
        request = pb.PlanResourceChange.Request(
            type_name=TYPE_NAME,
            prior_state=value(prior),
            proposed_new_state=value(_proposed(prior, config)),
            config=value(config),
            prior_private=private,
        )
        return await self._call(address, "PlanResourceChange", request)

    # Applying.

    async def _apply(self, plan: Plan, written: str) -> bool:
        self._room = asyncio.Semaphore(plan.options.parallelism)
        slots = copy.deepcopy(plan.refreshed)
        self.refreshed = plan.options.refresh

        def persist() -> None:
            self._state.write(slots)

        def save() -> None:
            if self._state.backend == "local" or self.stopping:
                persist()

        self._persist = persist
        async with self._walk():
            await self._together(
                self._apply_slot(address, slots[address], [c for c in plan.changes if c.address == address], save)
                for address in sorted({change.address for change in plan.changes})
            )
            failed = bool(self.failed)
            if failed or self.stopping:  # else the processes end before the state is written
                self._end_walk(slots, written)
            processes = list(self.processes.values())
            self.in_order = not self.stopping and not any(process.dead for process in processes)
        self._persist = None
        if not failed and not self.stopping:
            if written == "killed before":
                raise HostGone
            self._end_walk(slots, written)
        if self.stopping:
            self.failed.append("execution halted")
        return not self.failed

    def _end_walk(self, slots: Slots, written: str) -> None:
        if written == "not" and self._state.backend != "local":
            self._state.errored = copy.deepcopy(slots)
            self.failed.append("Failed to persist state")
            return
        self._state.write(slots)
        for applied in self.applied:
            applied.saved = True

    async def _apply_slot(self, address: str, slot: Slot, changes: Sequence[Change], save: Callable[[], None]) -> None:
        try:
            for change in changes:
                if self.stopping or not await self._apply_change(address, slot, change, save):
                    return  # what was deposed goes after what was created
        except PluginCrashed:
            self.failed.append("Plugin did not respond")

    async def _apply_change(self, address: str, slot: Slot, change: Change, save: Callable[[], None]) -> bool:
        match change.action:
            case "delete deposed":
                return await self._delete_deposed(address, slot, change, save)
            case "delete":
                return await self._delete(address, slot, change, change.private, save)
            case "update":
                return await self._update(address, slot, change, save)
            case "create":
                return await self._create(address, slot, change, save)
            case _ if change.create_before_destroy:
                return await self._replace_after_creation(address, slot, change, save)
            case _:
                deleted = await self._delete(address, slot, change, change.private, save)
                return deleted and not self.stopping and await self._create(address, slot, change, save)

    async def _replace_after_creation(self, address: str, slot: Slot, change: Change, save: Callable[[], None]) -> bool:
        assert slot.current is not None
        old = slot.current
        slot.current = None
        slot.deposed.append(old)
        try:
            created = await self._create(address, slot, change, save)
        finally:
            if slot.current is None:
                slot.deposed.remove(old)
                slot.current = old
        return (
            created
            and not self.stopping
            and await self._delete_deposed(address, slot, dataclasses.replace(change, prior=old), save)
        )

    async def _delete_deposed(self, address: str, slot: Slot, change: Change, save: Callable[[], None]) -> bool:
        assert change.prior is not None
        planned = await self._plan_delete(address, change.prior, "delete deposed")
        place = slot.deposed.index(change.prior)
        left = await self._ask_delete(address, change.prior, planned.private, change, save)
        slot.deposed[place : place + 1] = [] if left is None else [left]
        self._save(save)
        return left is None

    async def _delete(self, address: str, slot: Slot, change: Change, private: bytes, save: Callable[[], None]) -> bool:
        assert slot.current is not None
        slot.current = await self._ask_delete(address, slot.current, private, change, save)
        self._save(save)
        return slot.current is None

    async def _ask_delete(
        self, address: str, stored: Stored, private: bytes, change: Change, save: Callable[[], None]
    ) -> Stored | None:
        applied = Applied(address, "delete", stored.values, None, change, self._process(address))
        answer = await self._ask_apply(applied, stored.values, None, None, private)
        if applied.errors:
            return Stored(tree(answer.new_state) or stored.values, answer.private, stored.tainted)
        return None

    async def _update(self, address: str, slot: Slot, change: Change, save: Callable[[], None]) -> bool:
        stored = slot.current
        assert stored is not None
        config = self._settings[address].tree()
        answer = await self._ask_plan(address, stored.values, config, stored.private)
        if not self._accepts(answer):
            return False
        planned = tree(answer.planned_state)
        _check_final_plan(change.planned, planned)
        if _forces_replacement(answer, planned, stored.values):
            raise Inconsistent("the update became a replacement")
        applied = Applied(address, "update", stored.values, config, change, self._process(address))
        answer = await self._ask_apply(applied, stored.values, planned, config, answer.planned_private)
        new = tree(answer.new_state)
        if new is not None:
            _check_result(planned, new, applied)
            slot.current = Stored(new, answer.private)
        self._save(save)
        return not applied.errors

    async def _create(self, address: str, slot: Slot, change: Change, save: Callable[[], None]) -> bool:
        config = self._settings[address].tree()
        answer = await self._ask_plan(address, None, config, b"")
        if not self._accepts(answer):
            return False
        planned = tree(answer.planned_state)
        _check_final_plan(change.planned, planned)
        applied = Applied(address, "create", None, config, change, self._process(address))
        answer = await self._ask_apply(applied, None, planned, config, answer.planned_private)
        new = tree(answer.new_state)
        if new is not None:
            _check_result(planned, new, applied)
            slot.current = Stored(new, answer.private, tainted=bool(applied.errors))
        elif not applied.errors:
            raise Inconsistent("a creation returned nothing")
        self._save(save)
        return not applied.errors

    async def _ask_apply(
        self, applied: Applied, prior: Tree | None, planned: Tree | None, config: Tree | None, private: bytes
    ) -> Any:
        self.applied.append(applied)
        request = pb.ApplyResourceChange.Request(
            type_name=TYPE_NAME,
            prior_state=value(prior),
            planned_state=value(planned),
            config=value(config),
            planned_private=private,
        )
        answer = await self._call(applied.address, "ApplyResourceChange", request)
        applied.errors, applied.warnings = _texts(answer)
        self._accepts(answer)
        applied.answered, applied.answer = True, tree(answer.new_state)
        return answer

    def _save(self, save: Callable[[], None]) -> None:
        """Keep an answer; the host can die before and after that."""
        self.heard(None, "answered")
        if self.gone.done():
            raise HostGone
        save()
        self.heard(None, "saved")
        if self.gone.done():
            raise HostGone


class _Walk:
    """A walk of the graph: processes of its own, which are asked to end in order after it."""

    def __init__(self, command: Command) -> None:
        self._command = command

    async def __aenter__(self) -> None:
        self._command.begin()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self._command.end()


async def _orphaned(process: Process) -> None:
    await asyncio.wait({process.died}, timeout=PARENT_SECONDS)
    await process.end(orphaned=True)


def _is_among(address: str, targets: frozenset[str] | None) -> bool:
    return targets is None or address in targets


def _proposed(prior: Tree | None, config: Tree) -> Tree:
    """Merge prior state and configuration as Terraform does."""
    before = prior if prior is not None else dict.fromkeys(config)
    computed = {name for name, attribute in attributes(Job).items() if attribute.computed}
    return {name: before[name] if each is None and name in computed else each for name, each in config.items()}


def _forces_replacement(answer: Any, planned: Tree, prior: Tree) -> bool:
    """Whether a path that requires replacement has a planned value that differs."""
    names = {path.steps[0].attribute_name for path in answer.requires_replace}
    return any(planned[name] != prior[name] for name in names)


def _check_final_plan(planned: Tree | None, final: Tree) -> None:
    for name, each in (planned or {}).items():
        if not _has_unknown(each) and final[name] != each:
            raise Inconsistent(f"inconsistent final plan: {name} was {each!r} and is {final[name]!r}")


def _check_result(planned: Tree, new: Tree, applied: Applied) -> None:
    for name, each in planned.items():
        if not applied.errors and not _has_unknown(each) and new[name] != each:
            raise Inconsistent(f"inconsistent result after apply: {name} was {each!r} and is {new[name]!r}")
        if _has_unknown(new[name]):
            raise Inconsistent(f"unknown after apply: {name}")


def _has_unknown(each: object) -> bool:
    if isinstance(each, dict):
        return any(map(_has_unknown, each.values()))
    return bool(each == UNKNOWN)


def _texts(answer: Any) -> tuple[list[str], list[str]]:
    texts: tuple[list[str], list[str]] = ([], [])
    for diagnostic in answer.diagnostics:
        texts[diagnostic.severity != pb.Diagnostic.ERROR].append(f"{diagnostic.summary}\n{diagnostic.detail}")
    return texts


@contextmanager
def opened(kind: str) -> Iterator[World]:
    """Make a world for one history."""
    world = World(kind)
    try:
        yield world
    finally:
        world.close()
