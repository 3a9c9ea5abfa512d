"""One case: the systems, a working directory and its Terraform, and what happened there."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from provider_py.cli.sandbox import SandboxProcess
from provider_py.execution.store import FILE
from tests.prove.processes import Forge
from tests.prove.terraform import DATA, Machine, Outcome, State, Terraform
from tests.support.postgres import Server
from tests.support.systems import SUCCESS

PACE: Final = 40.0
"""How much faster time passes."""
HOUR: Final = 3600.0
_UNLIMITED: Final = {"harness": {"requests_per_minute": 0, "deployments_per_day": 0}}
_RUNS: Final[Mapping[str, Mapping[str, Any]]] = {
    "harness": {"application": "Test App", "workflow": "restart"},
    "nexthink": {"workflow": "#reboot_device"},
    "vcd": {"workflow": "Refresh inventory"},
}


class Way(StrEnum):
    """What there is when the next apply comes."""

    KEPT = "everything kept"
    REMOTE = "everything kept, with a remote state"
    DIRECTORY_LOST = "working directory lost"
    ALL_LOST = "state and working directory lost"
    MACHINE = "another machine with the shared journal"
    STATE_LOST = "state lost, and another machine with the shared journal"

    @property
    def loses_state(self) -> bool:
        """Whether nothing is left of the wish but its key."""
        return self in {Way.ALL_LOST, Way.STATE_LOST}

    @property
    def shares_journal(self) -> bool:
        """Whether the journal is in PostgreSQL."""
        return self in {Way.MACHINE, Way.STATE_LOST}


@dataclass
class Stage:
    """Where a flow plays."""

    system: str
    sandbox: SandboxProcess
    forge: Forge
    postgres: Server
    directory: Path
    way: Way
    kind: str
    shares_journal: bool = False
    create_before_destroy: bool = False
    kill: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    _clock: str = ""
    _directories: int = 0

    def __post_init__(self) -> None:
        self.sandbox.ask("POST", "/reset")
        self.sandbox.ask("POST", "/behaviours", _UNLIMITED)
        self._set_clock()
        if self.way.shares_journal and self._has_tables():
            self.postgres.execute("TRUNCATE workflow_attempt, workflow_part, workflow_process", self.postgres.shared)
        self.terraform = self._terraform()

    def _set_clock(self) -> None:
        clock = self.sandbox.ask("POST", "/clock", {"speed": PACE})
        self._clock = f"{clock['now']} {time.monotonic()} {PACE}"

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.sandbox.ask("POST", "/clock", {"advance": seconds})
        self._set_clock()

    def _terraform(self, state: State = State()) -> Terraform:  # noqa: B008 - frozen
        self._directories += 1
        directory = self.directory / f"directory-{self._directories}"
        backend = "local" if self.way is Way.KEPT else "http"
        return Terraform(self.kind, directory, backend, self.create_before_destroy, state)

    @property
    def log(self) -> Path:
        """Where effects are written."""
        return self.directory / "effects"

    @property
    def journal(self) -> Path:
        """The file of the journal."""
        if self.shared:
            return self.directory / FILE
        return self.terraform.directory / DATA / FILE

    @property
    def shared(self) -> bool:
        """Whether the journal lies outside of the working directory."""
        return self.shares_journal or self.way.shares_journal

    def machine(self, kill: str = "") -> Machine:
        """Return the machine that commands are run on; a provider dies at the stage `kill`."""
        variables = {
            **self.sandbox.environment,
            "PATH": os.environ["PATH"],
            "HARNESS_REQUESTS_PER_MINUTE": "10000",
            "XDG_CACHE_HOME": str(self.directory / "cache"),
            "TMPDIR": str(self.directory),
            "NO_PROXY": "127.0.0.1",
            "TF_LOG": "INFO",
            "PROVE_CLOCK": self._clock,
            "PROVE_LOG": str(self.log),
        }
        if self.way.shares_journal:
            variables["WORKFLOW_JOURNAL"] = self.postgres.address(self.postgres.shared)
        elif self.shared:
            variables["WORKFLOW_JOURNAL"] = str(self.journal)
        return Machine(self.forge, variables, kill)

    # What a prologue does.

    def config(self, **arguments: Any) -> Mapping[str, Any]:
        """Return a configuration of the one resource."""
        given = {**self.arguments, **arguments}
        if self.kind == "workflow_nexthink_event":
            return given
        if self.system == "nexthink":
            names = [f"DESK-{number:05}" for number in range(1, given.pop("devices", 1) + 1)]
            given["devices"] = [{"name": name, "uid": None, "collector_uid": None} for name in names]
        return {**_RUNS[self.system], "poll_interval": "4s", **given}

    def apply(self, **arguments: Any) -> Outcome:
        """Apply."""
        return self.terraform.apply(self.machine(), self.config(**arguments))

    def applied(self, **arguments: Any) -> None:
        """Apply, which must succeed."""
        outcome = self.apply(**arguments)
        assert not outcome.errors, outcome
        assert not outcome.died

    def applied_elsewhere(self, **arguments: Any) -> None:
        """Have a colleague with a state of their own apply."""
        elsewhere = Terraform(self.kind, self.directory / "elsewhere")
        outcome = elsewhere.apply(self.machine(), self.config(**arguments))
        assert not outcome.errors, outcome

    def started_approval(self) -> None:
        """Start an execution that waits for an event, which is what is applied then."""
        elsewhere = Terraform("workflow_nexthink_execution", self.directory / "elsewhere")
        devices = [{"name": "LAPTOP-01", "uid": None, "collector_uid": None}]
        config = {"workflow": "#approval_gate", "devices": devices, "wait": False}
        outcome = elsewhere.apply(self.machine(), config)
        assert not outcome.errors, outcome
        assert elsewhere.state.current is not None
        (execution,) = elsewhere.state.current.attributes["execution_ids"]
        self.arguments = {"workflow": "#approval_gate", "execution_id": execution}

    def never_ending(self) -> None:
        """Have the next run last until it is finished."""
        self.sandbox.ask("POST", "/scripts", {"system": self.system, "seconds": 24 * HOUR})

    def finish(self) -> None:
        """Let every run end successfully."""
        for run in self.runs():
            self.sandbox.ask("PATCH", f"/runs/{run['id']}", {"finish": True})

    # What happened.

    def runs(self) -> Sequence[Mapping[str, Any]]:
        """Return the runs of the system, oldest first."""
        runs: Sequence[Mapping[str, Any]] = self.sandbox.ask("GET", f"/runs?system={self.system}")
        return runs

    def count(self) -> tuple[int, int]:
        """Return how many runs, or events, were started, and how many of them were cancelled."""
        if self.kind == "workflow_nexthink_event":
            sent = [request for request in self.sandbox.requests("nexthink") if request["path"].endswith("/trigger")]
            return len([request for request in sent if request["status"] in {200, 201, 202, 204}]), 0
        runs = self.runs()
        return len(runs), sum(run["phase"] == "CANCELLED" for run in runs)

    def recover(self) -> None:
        """Lose what is lost."""
        if self.way not in {Way.KEPT, Way.REMOTE}:
            self.terraform = self._terraform(State() if self.way.loses_state else self.terraform.state)
        if self.way.shares_journal and self._has_tables():  # the leases of the dead expire
            self.postgres.execute("UPDATE workflow_process SET expires_at = 0", self.postgres.shared)

    def unanswered(self) -> bool:
        """Whether the journal has a start of which it does not know the outcome."""
        return any(run is None for _, run in self._rows("workflow_part", "part, run"))

    def tokens(self) -> Sequence[str]:
        """Return what marks the attempts in the journal."""
        return [str(token) for (token,) in self._rows("workflow_attempt", "token")]

    def world(self) -> str:
        """Describe what is left of everything, without what differs from one time to the next.

        What is equal here has the same future.
        """
        runs = self.runs()
        names = {str(run["id"]): f"run {number}" for number, run in enumerate(runs)}
        held = [self._entry(entry) for entry in self._entries()]
        rows = self._rows(
            "workflow_attempt",
            "place, ending, parts, key IS NULL, number, tenure, joins, yields_to IS NULL, status, token",
        )
        described = [(*row[:-1], self._parts(str(row[-1]))) for row in rows]
        text = json.dumps([[run["phase"] for run in runs], held, sorted(described), self.count()], default=str)
        for name, plain in names.items():
            text = text.replace(name, plain)
        return text

    def _parts(self, token: str) -> Sequence[Any]:
        return [run for part, run in self._rows("workflow_part", "part, run", f"WHERE token = '{token}' ORDER BY part")]

    def _rows(self, table: str, columns: str, clause: str = "") -> Sequence[Any]:
        if self.way.shares_journal:
            if not self._has_tables():
                return []
            return self.postgres.execute(f"SELECT {columns} FROM {table} {clause}", self.postgres.shared)
        if not self.journal.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.journal)) as connection, contextlib.suppress(sqlite3.Error):
            return connection.execute(f"SELECT {columns} FROM {table} {clause}").fetchall()
        return []

    def _has_tables(self) -> bool:
        found = self.postgres.execute("SELECT to_regclass('workflow_attempt') IS NOT NULL", self.postgres.shared)
        return found == [(True,)]

    def _entries(self) -> Sequence[Any]:
        state = self.terraform.state
        return [*([state.current] if state.current else []), *state.deposed]

    def _entry(self, entry: Any) -> Any:
        timeless = {
            name: given
            for name, given in entry.attributes.items()
            if name in {"id", "request_ids", "status", "wait", "triggers", "idempotency_key", "record_expired"}
        }
        return [timeless, entry.private.decode(errors="replace"), entry.tainted]

    def stores_all(self) -> bool:
        """Whether the state has every run that has been started for it and that nobody cancelled."""
        text = json.dumps([dict(entry.attributes) for entry in self._entries()], default=bytes.decode)
        return all(str(run["id"]) in text for run in self.runs() if run["phase"] != "CANCELLED")

    def holds_success(self) -> bool:
        """Whether the state has a run that exists, and that has ended well if it was waited for."""
        current = self.terraform.state.current
        if current is None or current.tainted or self.terraform.state.deposed:
            return False
        if self.kind == "workflow_nexthink_event":
            return True
        known = {str(run["id"]) for run in self.runs()}
        ids = current.attributes.get("request_ids") or [current.attributes["id"]]
        ended = current.attributes["status"] == SUCCESS[self.system] or not current.attributes["wait"]
        return known.issuperset(ids) and ended
