"""What a run is: the arguments and results that every `*_execution` resource has, and one look at a run's record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final, Generic, TypeVar

from provider_py.plugin import computed, duration, model, one_of, optional, parse_duration

D = TypeVar("D")


def not_hasty(value: str) -> str | None:
    """Check that a string is a duration long enough for a system that is asked this often."""
    wrong = duration(value)
    if wrong is None and parse_duration(value) < 1:
        wrong = f'"{value}" is less than a second; write at least "1s"'
    return wrong


DEFAULT_TIMEOUT: Final = "30m"


@model
class Timeouts:
    """How long the operations of a run may take, as Go durations."""

    create: Annotated[
        str | None, optional("Starting the run and waiting for its end. Default `30m`.", checks=(duration,))
    ] = None
    update: Annotated[str | None, optional("Resuming to wait for a run. Default `30m`.", checks=(duration,))] = None
    delete: Annotated[str | None, optional("Cancelling a run at destroy. Default `30m`.", checks=(duration,))] = None


@model
class Execution:
    """The arguments and results common to every run; the fields of each system come on top."""

    triggers: Annotated[
        dict[str, str] | None,
        optional("Values of your choice; the run is started anew when one of them changes.", replace=True),
    ] = None
    wait: Annotated[bool, optional("Wait for the run's end. If `false`, the run is only started.")] = True
    timeouts: Annotated[Timeouts | None, optional("Time limits of the operations.")] = None
    poll_interval: Annotated[
        str | None,
        optional(
            "Time between two looks at the run, as a Go duration of at least `1s`. By default it grows with the run's "
            "age, from two to thirty seconds, and keeps inside the system's request budget.",
            checks=(not_hasty,),
        ),
    ] = None
    on_failure: Annotated[
        str,
        optional(
            "What a bad end does: `error` fails the apply and starts the run anew at the next one; `keep` only warns.",
            checks=(one_of("error", "keep"),),
        ),
    ] = "error"
    on_destroy: Annotated[
        str,
        optional(
            "What destroying the resource does to an unfinished run: `forget` leaves it alone, `cancel` cancels it.",
            checks=(one_of("forget", "cancel"),),
        ),
    ] = "forget"
    id: Annotated[str | None, computed("The run's id.")] = None
    status: Annotated[str | None, computed("The run's status, in the system's own words.")] = None
    status_message: Annotated[
        str | None, computed("Why the run failed, or what it is waiting for, as far as the system tells.")
    ] = None
    url: Annotated[str | None, computed("Where to look at the run.")] = None
    started_at: Annotated[str | None, computed("When the run was started (RFC 3339).")] = None
    ended_at: Annotated[str | None, computed("When the run ended (RFC 3339); null while it is going on.")] = None
    record_expired: Annotated[bool | None, computed("Whether the system no longer has a record of the run.")] = None

    def seconds(self, operation: str) -> float:
        """Return the time limit of `create`, `update` or `delete`."""
        limit: str | None = getattr(self.timeouts, operation) if self.timeouts else None
        return parse_duration(limit or DEFAULT_TIMEOUT)


class Phase(IntEnum):
    """What a status word means for waiting; ordered so that the greatest tells how several runs stand together."""

    SUCCEEDED = 0
    FAILED = 1
    ACTIVE = 2
    HELD = 3

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self in {Phase.SUCCEEDED, Phase.FAILED}


@dataclass(frozen=True, slots=True)
class Run(Generic[D]):
    """One look at a run. `status` is the system's own word, `phase` its meaning, `detail` what only this system has.

    `message` gives the reason of a bad end, or says who has to act on a run that is held. Times are RFC 3339.
    """

    id: str
    status: str | None
    phase: Phase
    detail: D
    message: str | None = None
    url: str | None = None
    started_at: str | None = None
    ended_at: str | None = None


def together(runs: Sequence[Run[D]]) -> Run[D]:
    """Return the run that tells how all of them stand: an unfinished one, else a failed one, else the first."""
    return max(runs, key=lambda run: run.phase)
