"""What Terraform does with a run while the provider may die: each a configuration, and what came before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.prove.stage import Stage
from tests.support.systems import CANCELLABLE, SYSTEMS

PATIENCE: Final = "30s"
"""The time limit of a create that is to time out: long enough to start a run on a machine that is busy."""
KEY: Final = "release-7"


def _nothing(_stage: Stage) -> None:
    pass


@dataclass(frozen=True)
class Flow:
    """A command, and what came before it.

    `runs` is how many the command is to start, and `cancelled` how many its user asked to cancel.
    """

    name: str
    systems: Sequence[str] = SYSTEMS
    arguments: Mapping[str, Any] = field(default_factory=dict)
    prologue: Callable[[Stage], None] = _nothing
    create_before_destroy: bool = False
    destroys: bool = False
    runs: int = 1
    cancelled: int = 0
    shares_journal: bool = False

    @property
    def keyed(self) -> bool:
        """Whether the wish has a key."""
        return "idempotency_key" in self.arguments


def _timed_out(stage: Stage) -> None:
    """Apply a run that outlasts its time limit; it ends before the next apply."""
    stage.never_ending()
    outcome = stage.apply(timeouts={"create": PATIENCE, "update": None, "delete": None})
    assert "timed out" in outcome.errors[0], outcome
    stage.finish()


def _succeeded(stage: Stage) -> None:
    stage.applied(triggers={"v": "1"})


def _open(stage: Stage) -> None:
    stage.never_ending()
    stage.applied(triggers={"v": "1"}, wait=False, on_destroy="cancel")


def _started_elsewhere(stage: Stage) -> None:
    """Have a colleague start an open run with the key."""
    stage.never_ending()
    stage.applied_elsewhere(idempotency_key=KEY, wait=False)


def _waits_for_event(stage: Stage) -> None:
    stage.started_approval()


OTHER: Final = {"triggers": {"v": "2"}}

FLOWS: Final = (
    Flow("create"),
    Flow("create, not waited for", arguments={"wait": False}),
    Flow("create of two parts", ("nexthink",), {"devices": 10_001}, runs=2),
    Flow("resume after a time-out", prologue=_timed_out, runs=0),
    Flow("replace", arguments=OTHER, prologue=_succeeded),
    Flow("replace an open run", CANCELLABLE, OTHER, _open, cancelled=1),
    Flow("create-before-destroy, resume", prologue=_timed_out, create_before_destroy=True, runs=0),
    Flow("create-before-destroy, replace", arguments=OTHER, prologue=_succeeded, create_before_destroy=True),
    Flow(
        "cancel by destroy",
        CANCELLABLE,
        {"triggers": {"v": "1"}, "wait": False, "on_destroy": "cancel"},
        _open,
        destroys=True,
        runs=0,
        cancelled=1,
    ),
    Flow("create with a key", arguments={"idempotency_key": KEY}),
    Flow(
        "join by a key",
        arguments={"idempotency_key": KEY, "wait": False},
        prologue=_started_elsewhere,
        runs=0,
        shares_journal=True,
    ),
    Flow("event", ("nexthink",), prologue=_waits_for_event),
)
"""Every flow; `devices` is a number of devices."""
