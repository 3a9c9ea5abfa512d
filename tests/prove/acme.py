"""The system of the model: runs in memory, provider processes over it, and the effects between which they can die.

A provider process is the real `ExecutionResource` behind the real protocol methods, with a real journal over SQLite.
Only what costs time is replaced: sockets by bytes in memory, the journal's thread by a call, time by an event loop
whose clock jumps. Every transaction of the journal and every request to the system is an *effect*: before and after
each of them the process can die, and what is dead does nothing any more.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import selectors
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, Final, Protocol, TypeVar, cast

from provider_py.execution import journal as journal_module
from provider_py.execution.errors import Missing, Refused, Unanswered
from provider_py.execution.journal import Journal
from provider_py.execution.launcher import Started
from provider_py.execution.lifecycle import ExecutionResource
from provider_py.execution.poller import PollSource
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.run import Execution, Phase, Run
from provider_py.execution.runtime import Runtime
from provider_py.execution.scope import Scope
from provider_py.execution.store import Session, Value, migrate
from provider_py.plugin import model, optional, required
from provider_py.plugin.resource import Registered
from provider_py.rpc.dispatch import Dispatcher
from provider_py.rpc.resource_service import ResourceService

T = TypeVar("T")

TYPE_NAME: Final = "acme_job"
_EPOCH: Final = 1_700_000_000.0
_ENDED: Final = {"succeeded": Phase.SUCCEEDED, "failed": Phase.FAILED, "cancelled": Phase.FAILED}


# Time.


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while anybody works, and jumps when everybody sleeps."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """Call the function at once: nothing here blocks."""
        future = self.create_future()
        future.set_result(func(*args))
        return future


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            message = "the work waits for something that no passing of time brings"
            raise AssertionError(message)
        self._loop.pass_time(max(0.0, timeout))
        return []


class Clock:
    """The clocks of all processes. `step` is what the machine's time of day is wrong by, in seconds."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.step = 0.0
        self._loop = loop

    def time(self) -> float:
        return _EPOCH + self._loop.time() + self.step

    def monotonic(self) -> float:
        return self._loop.time()

    def origin(self) -> str:
        return "virtual"

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


# The journal's database.


class Disk:
    """What keeps the journal: all processes of a machine share it, and it can be lost."""

    def __init__(self) -> None:
        self.living: set[str] = set()
        self.lose()

    def lose(self) -> None:
        """Remove the journal."""
        self.exists = False
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.deserialize(_empty_journal())


class DiskStore:
    """A process's access to the journal's database."""

    def __init__(self, disk: Disk) -> None:
        self.name = "memory"
        self.shared = True
        self.remote = False
        self.process = secrets.token_hex(8)
        self._disk = disk
        self._abandoned = False

    def exists(self) -> bool:
        return self._disk.exists

    def run(self, work: Callable[[Session], T]) -> T:
        connection = self._disk.connection
        self._disk.exists = True
        if not self._abandoned:
            self._disk.living.add(self.process)
        connection.execute("BEGIN")
        try:
            result = work(_DiskSession(connection, self._disk.living.__contains__, self._abandon))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return result

    def warnings(self) -> Sequence[str]:
        return ()

    def _abandon(self) -> None:
        self._abandoned = True
        self.close()

    def close(self) -> None:
        self._disk.living.discard(self.process)


@dataclass(frozen=True, slots=True)
class _DiskSession:
    connection: sqlite3.Connection
    alive: Callable[[str], bool]
    abandon: Callable[[], None]

    def execute(self, statement: str, *values: Value) -> Sequence[tuple[Value, ...]]:
        return self.connection.execute(statement, values).fetchall()

    def doubtful(self, _process: str) -> bool:
        return False


def _empty_journal() -> bytes:
    global _prepared  # noqa: PLW0603 - made once, copied for each history
    if _prepared is None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(_DiskSession(connection, bool, lambda: None), prepared=False)
        _prepared = connection.serialize()
    return _prepared


_prepared: bytes | None = None


class _AtOnce:
    """The journal's queue, which does what is put into it instead of keeping it for a thread."""

    def __init__(self, journal: Journal, process: Process) -> None:
        self._journal = journal
        self._process = process

    def put(self, entry: tuple[Any, asyncio.Future[object]] | None) -> None:
        if entry is None:
            self._journal.store.close()
            return
        if self._process.passes("journal"):
            (outcome,) = self._journal._run_together([entry])
            if self._process.passes("journal written"):
                journal_module._resolve(entry[1], outcome)

    def empty(self) -> bool:
        return True


class _NoThread:
    def __init__(self, **_arguments: Any) -> None:
        pass

    def start(self) -> None:
        pass

    def join(self) -> None:
        pass


# The system.


@model
class Job(Execution):
    """A run of the system Acme."""

    workflow: Annotated[str, required("What to run.", replace=True)]
    target: Annotated[str | None, optional("Where to run it.", replace=True)] = None


@dataclass
class Record:
    """A run as the system knows it. `config` is what it was started for, which no system is told as a whole."""

    id: str
    account: str
    config: Job
    mark: str
    started_at: float
    ends_at: float | None
    ending: str
    process: Any
    held: bool = False
    gone: bool = False

    def status(self, now: float) -> str:
        """Return its status word."""
        if self.ends_at is not None and now >= self.ends_at:
            return self.ending
        return "held" if self.held else "running"

    def ended(self, now: float) -> bool:
        """Whether it has come to its end."""
        return self.status(now) in _ENDED


def phase(status: str | None) -> Phase:
    """Return what a status word means."""
    return Phase.HELD if status == "held" else _ENDED.get(status or "", Phase.ACTIVE)


class Timer(Protocol):
    """What says how late it is for the system."""

    def time(self) -> float:
        """Return seconds from an arbitrary start."""


@dataclass
class System:
    """The system: its runs by ID, and what it will do with the next starts."""

    loop: Timer
    kind: str
    runs: dict[str, Record] = field(default_factory=dict)
    plans: list[str] = field(default_factory=list)
    """How the next runs go: succeeds, fails, hangs, held."""
    faults: list[str] = field(default_factory=list)
    """How the next starts are answered: "" well, refused, lost (it started), dropped (it did not)."""
    answer_seconds: float = 0.0
    """How long the answer to a start takes after the run has begun."""
    refuses_polls: bool = False
    refuses_cancels: bool = False
    cancelled: list[str] = field(default_factory=list)
    created: int = 0
    faulty: bool = False
    """Whether a start was not answered well since this was last cleared."""

    def find(self, identifier: str) -> Record | None:
        """Return the run of an ID."""
        return self.runs.get(identifier)

    def new_id(self, _config: Job) -> str:
        """Return the ID of the next run."""
        self.created += 1
        return f"run-{self.created}"

    def start(self, config: Job, mark: str, account: str, process: Mortal) -> Record | None:
        """Start a run; None: the answer is lost. Raises Refused."""
        fault = self.faults.pop(0) if self.faults else ""
        self.faulty = self.faulty or bool(fault)
        if fault == "refused":
            raise Refused("Acme", "it is closed")
        if fault == "dropped":
            return None
        plan = self.plans.pop(0) if self.plans else "succeeds"
        now = self.loop.time()
        ends_at, ending = {"succeeds": (now + 5, "succeeded"), "fails": (now + 5, "failed")}.get(plan, (None, ""))
        record = Record(self.new_id(config), account, config, mark, now, ends_at, ending, process, held=plan == "held")
        self.runs[record.id] = record
        return None if fault == "lost" else record

    def finish(self, identifier: str, ending: str) -> None:
        """End a run now."""
        record = self.runs[identifier]
        if not record.ended(self.loop.time()):
            record.ends_at, record.ending = self.loop.time(), ending


class Mortal(Protocol):
    """What a launcher knows of its process."""

    clock: Clock

    async def passing(self, effect: str) -> None:
        """Go on if the process lives to see an effect, else never."""


class _Launcher:
    """What all kinds of systems have in common."""

    system = "Acme"

    def __init__(self, system: System, account: str, process: Mortal) -> None:
        self._system = system
        self._account = account
        self._process = process
        self.source = PollSource(self._poll, 10)

    async def prepare(self, config: Job, unknown: frozenset[str]) -> Sequence[Job]:
        return [config]

    async def start(self, part: Job, token: str) -> Started[None]:
        await self._process.passing("start")
        record = self._system.start(part, token, self._account, self._process)
        await asyncio.sleep(self._system.answer_seconds)
        await self._process.passing("started")
        if record is None:
            raise Unanswered("Acme", "no answer")
        return Started(self._run(record))

    def key(self, part: Job, run: Run[None]) -> str:
        return run.id

    def unread(self, key: str) -> Run[None]:
        return Run(key, None, Phase.ACTIVE, None)

    def results(self, state: Job, runs: Sequence[Run[None]]) -> Job:
        return state

    def adopt(self, identifier: str, run: Run[None]) -> Job:
        record = self._visible(identifier)
        assert record is not None
        config = record.config
        return Job(workflow=config.workflow, target=config.target)

    async def _poll(self, keys: Sequence[str]) -> Mapping[str, Run[None]]:
        await self._process.passing("poll")
        if self._system.refuses_polls:
            raise Refused("Acme", "the credentials have expired")
        return {key: self._run(record) for key in keys if (record := self._visible(key)) is not None}

    def _visible(self, key: str) -> Record | None:
        record = self._system.find(key)
        return None if record is None or record.gone or record.account != self._account else record

    def _of_account(self) -> Iterator[Record]:
        return (record for record in self._system.runs.values() if record.account == self._account and not record.gone)

    def _run(self, record: Record) -> Run[None]:
        status = record.status(self._system.loop.time())
        return Run(record.id, status, phase(status), None)


class _Cancelling(_Launcher):
    async def cancel(self, state: Job) -> None:
        await self._process.passing("cancel")
        record = self._visible(state.id or "")
        if self._system.refuses_cancels:
            raise Refused("Acme", "it cannot be cancelled now")
        if record is None:
            raise Missing("Acme", "there is no such run")
        self._system.cancelled.append(record.id)
        self._system.finish(record.id, "cancelled")
        await self._process.passing("cancelled")


class MarkedLauncher(_Cancelling):
    """A system whose runs show their marks, like Harness."""

    async def search(self, part: Job, token: str, since: float, taken: frozenset[str]) -> Run[None] | None:
        await self._process.passing("search")
        return next((self._run(record) for record in self._of_account() if record.mark == token), None)

    async def marked(self, part: Job, beginning: str) -> Sequence[tuple[str, Run[None]]]:
        await self._process.passing("marked")
        return [(each.mark, self._run(each)) for each in self._of_account() if each.mark.startswith(beginning)]


class ListedLauncher(_Cancelling):
    """A system that lists runs without marks, like Cloud Director."""

    async def search(self, part: Job, token: str, since: float, taken: frozenset[str]) -> Run[None] | None:
        await self._process.passing("search")
        since -= self._process.clock.step  # the system says what time it has
        found = [
            record
            for record in self._of_account()
            if (record.config.workflow, record.config.target) == (part.workflow, part.target)
            and record.started_at + _EPOCH >= since - 1
            and record.id not in taken
        ]
        if len(found) > 1:
            raise Unanswered("Acme", "several runs could be the one that was started")
        return self._run(found[0]) if found else None

    def dedup_key(self, part: Job) -> str:
        return f"{part.workflow} {part.target}"


class BlindLauncher(_Launcher):
    """A system that neither lists nor cancels its runs, like Nexthink."""


LAUNCHERS: Final[Mapping[str, type[_Launcher]]] = {
    "marked": MarkedLauncher,
    "listed": ListedLauncher,
    "blind": BlindLauncher,
}


def execution_type(launcher: Callable[[Any], Any]) -> ExecutionType[Job]:
    """Return the type of the resource."""
    return ExecutionType(
        name="job",
        title="Acme job",
        system="acme",
        model=Job,
        description="A run of the system Acme.",
        phase=phase,
        keys=lambda state: [state.id] if state.id else [],
        import_form="the ID of the job",
        import_key=lambda identifier: identifier,
        workflow=lambda state: state.workflow,
        validate=lambda _config: (),
        launcher=launcher,
    )


# Processes.


class Fate(Protocol):
    """What is to happen to a command: it hears of each effect."""

    def heard(self, process: Process, effect: str) -> None:
        """Let fate take its course before an effect, or after it."""


class Process:
    """A provider process. What it remembers ends with it."""

    def __init__(
        self, system: System, disk: Disk, clock: Clock, account: str, scope: Scope, fate: Fate, *, adopts: bool
    ) -> None:
        self.dead = False
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.running: set[asyncio.Task[Any]] = set()
        self._fate = fate
        self.clock = clock
        self._stop = asyncio.Event()
        runtime = Runtime(self._stop, clock)
        self.journal = Journal(DiskStore(disk), clock.time, scope, adopts=adopts)
        self.journal._queue = cast(Any, _AtOnce(self.journal, self))
        launcher = LAUNCHERS[system.kind](system, account, self)
        resource = ExecutionResource(
            execution_type(lambda _connection: launcher),
            lambda: cast(Any, launcher),
            lambda: self.journal,
            runtime,
            lambda: account,
        )
        service = ResourceService("acme", Registered(["job"], lambda _name: resource))
        methods: dict[str, Callable[[Any], Awaitable[object]]] = {
            "ReadResource": service.read,
            "PlanResourceChange": service.plan,
            "ApplyResourceChange": service.apply,
            "ImportResourceState": service.import_state,
        }
        self._dispatcher = Dispatcher(methods, "")

    def call(self, name: str, request: Any) -> asyncio.Task[Any]:
        """Begin a call."""
        task = asyncio.create_task(self._dispatcher._respond(name, request))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return task

    def interrupt(self) -> None:
        """Ask to stop, as StopProvider does."""
        self._stop.set()

    async def end(self, *, orphaned: bool = False) -> None:
        """End as the plugin process does when the host asks for it, or is gone."""
        if self.dead:
            return
        orderly = not self.running and not orphaned and not self._stop.is_set()
        self._stop.set()
        if orphaned:
            await self._unless_dead(self.journal.abandon())
        if self.running:
            _, late = await asyncio.wait(self.running, timeout=120.0 if orphaned else 1.0)
            for task in late:
                task.cancel()
            await asyncio.sleep(0.1)
        await self._unless_dead(self.journal.close(orderly=orderly))
        self.kill()

    async def _unless_dead(self, work: Coroutine[Any, Any, None]) -> None:
        """Work, as far as the process lives to do it."""
        await asyncio.wait({asyncio.ensure_future(work), self.died}, return_when=asyncio.FIRST_COMPLETED)

    def kill(self) -> None:
        """End at once: nothing that was begun goes on."""
        if not self.dead:
            self.dead = True
            self.journal.store.close()
            self.died.set_result(None)

    def passes(self, effect: str) -> bool:
        """Say whether the process lives to see an effect."""
        if not self.dead:
            self._fate.heard(self, effect)
        return not self.dead

    async def passing(self, effect: str) -> None:
        """Go on if the process lives to see an effect, else never."""
        if not self.passes(effect):
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0)


@contextmanager
def in_memory(errored: Callable[[], bool]) -> Iterator[None]:
    """Have journals work without threads, and ask `errored` whether an `errored.tfstate` lies in the directory."""
    module = cast(Any, journal_module)
    threading, errored_state = module.threading, module.ERRORED_STATE
    module.threading = SimpleNamespace(Thread=_NoThread)
    module.ERRORED_STATE = SimpleNamespace(exists=errored)
    try:
        yield
    finally:
        module.threading, module.ERRORED_STATE = threading, errored_state


class StateFile:
    """A local state file that exists in memory only."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def read_text(self, _encoding: str) -> str:
        return self._read()

    def path(self) -> Path:
        """Return itself, as what it stands for."""
        return cast(Path, self)


def inputs(config: Mapping[str, Any] | Job) -> tuple[object, ...]:
    """Return what makes two wishes equal."""
    values = dataclasses.asdict(config) if isinstance(config, Job) else config
    triggers = values["triggers"]
    return values["workflow"], values["target"], tuple(sorted(triggers.items())) if triggers else None
