"""What a run is: the arguments and results that every `*_execution` resource has, and one reading of a run's record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final, Generic, TypeVar

from provider_py.plugin import computed, duration, max_length, model, not_empty, one_of, optional, parse_duration

D = TypeVar("D")


def at_least_a_second(value: str) -> str | None:
    """Check that a string is a duration of one second or more."""
    problem = duration(value)
    if problem is None and parse_duration(value) < 1:
        problem = f'"{value}" is less than a second; must be at least "1s"'
    return problem


LONGEST_KEY: Final = 255
"""The longest `idempotency_key`, in characters."""

DEFAULT_TIMEOUT: Final = "30m"


@model
class Timeouts:
    """Time limits of the operations on a run, as Go durations."""

    create: Annotated[
        str | None,
        optional(
            "Getting the run started, and once more waiting for its end, counted from the start. Default `30m`.",
            checks=(duration,),
        ),
    ] = None
    update: Annotated[str | None, optional("Resuming the wait for a run. Default `30m`.", checks=(duration,))] = None
    delete: Annotated[str | None, optional("Cancelling a run on destroy. Default `30m`.", checks=(duration,))] = None


@model
class Execution:
    """The arguments and results common to every run, which each system extends."""

    triggers: Annotated[
        dict[str, str] | None,
        optional("Arbitrary map of values that, when changed, triggers a new run.", replace=True),
    ] = None
    wait: Annotated[bool, optional("Whether to wait for the run to end. If `false`, the run is only started.")] = True
    idempotency_key: Annotated[
        str | None,
        optional(
            "Name of the run in its system, which whoever applies it has in common: a run with this key is joined "
            "while it is open, and returned once it has succeeded; only if it failed, was cancelled or was replaced is "
            "another started. Changing the key starts a new run; adding or removing it does not.",
            checks=(not_empty, max_length(LONGEST_KEY)),
        ),
    ] = None
    timeouts: Annotated[Timeouts | None, optional("Time limits of the operations on the run.")] = None
    poll_interval: Annotated[
        str | None,
        optional(
            "Time between two polls of the run, as a Go duration of at least `1s`. By default it grows with the time "
            "waited, from two to thirty seconds. Polling stays within the system's request budget.",
            checks=(at_least_a_second,),
        ),
    ] = None
    on_failure: Annotated[
        str,
        optional(
            "Behavior when the run fails: `error` fails the apply, and the next one starts a new run; `keep` accepts "
            "the failed run with a warning.",
            checks=(one_of("error", "keep"),),
        ),
    ] = "error"
    on_held: Annotated[
        str,
        optional(
            "Behavior when the run waits for a person: `wait` waits on until the time limit, `fail` fails the apply at "
            "once. The run continues either way, and the next apply takes it up.",
            checks=(one_of("wait", "fail"),),
        ),
    ] = "wait"
    on_destroy: Annotated[
        str,
        optional(
            "Behavior when the resource is destroyed before the run ends: `forget` lets the run continue, `cancel` "
            "cancels it.",
            checks=(one_of("forget", "cancel"),),
        ),
    ] = "forget"
    id: Annotated[str | None, computed("ID of the run.")] = None
    status: Annotated[str | None, computed("Status of the run, as the system names it.")] = None
    status_message: Annotated[
        str | None, computed("Why the run failed, or what it is waiting for, where the system says so.")
    ] = None
    url: Annotated[str | None, computed("Address of the run in the system's user interface.")] = None
    started_at: Annotated[str | None, computed("Time when the run started (RFC 3339).")] = None
    ended_at: Annotated[str | None, computed("Time when the run ended (RFC 3339); null until then.")] = None
    record_expired: Annotated[bool | None, computed("Whether the run no longer exists in the system.")] = None

    @property
    def judges_failure(self) -> bool:
        """Whether a failed run does not count as done."""
        return self.wait and self.on_failure == "error"

    def seconds(self, operation: str) -> float:
        """Return the time limit of `create`, `update` or `delete` in seconds."""
        limit: str | None = getattr(self.timeouts, operation) if self.timeouts else None
        return parse_duration(limit or DEFAULT_TIMEOUT)


class Phase(IntEnum):
    """What a status word means for waiting; ordered so that the greatest of several decides for all of them."""

    SUCCEEDED = 0
    FAILED = 1
    ACTIVE = 2
    HELD = 3

    @property
    def ended(self) -> bool:
        """Whether the run will not change any more."""
        return self in {Phase.SUCCEEDED, Phase.FAILED}


@dataclass(frozen=True, slots=True)
class Run(Generic[D]):
    """One reading of a run. `status` is the system's own word, `phase` its meaning, `detail` what only this system has.

    `message` gives the reason for a failure, or says who has to act on a run that is held. Times are RFC 3339.
    """

    id: str
    status: str | None
    phase: Phase
    detail: D
    message: str | None = None
    url: str | None = None
    started_at: str | None = None
    ended_at: str | None = None


def deciding_run(runs: Sequence[Run[D]]) -> Run[D]:
    """Return the run whose status counts for all: an unfinished one, else a failed one, else the first."""
    return max(runs, key=lambda run: run.phase)
