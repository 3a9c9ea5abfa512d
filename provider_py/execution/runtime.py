"""What everything in a provider process shares: time, Terraform's request to stop, and a few settings.

Work ends early for three reasons: Terraform asks to stop, its time is up, or nobody waits for it any more. Cancelling
it suits work that only looks. A request that starts something must not be cut off, since its answer names what it
started, so a start runs under a `Limit` instead: what has been sent is waited for, but nothing is sent after it, and no
pause or queue before a request outlasts it. The limit is a context variable, because a start may need requests of its
own on the way (a token, the ID of a tenant) that know nothing of it. What several wait for together (a token, a
look-up) runs under a limit of its own, and each bounds its own wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
import platform
import time
from collections.abc import Awaitable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from provider_py.execution.errors import Interrupted, NotStarted, Unanswered

T = TypeVar("T")

LOOKING_SECONDS: Final = 1800.0
"""The time limit of what has no argument for it: reading, importing, looking up, and checking a plan."""


@dataclass(eq=False, slots=True)
class Limit:
    """Until when requests may be sent: `at` is in seconds of the monotonic clock, `name` what users know it by."""

    at: float = math.inf
    name: str = "the time limit"
    system: str = "The provider"
    """Who the requests are for, as messages put it."""

    def fault(self) -> NotStarted:
        """Return the fault of a request that was not sent in time."""
        return NotStarted(self.system, f"{self.name} passed before the request could be sent")


_UNLIMITED: Final = Limit()
_LIMIT: Final = ContextVar("limit", default=_UNLIMITED)


@contextlib.contextmanager
def sending_within(limit: Limit) -> Iterator[None]:
    """Send nothing after the limit, in this context and in the tasks that are created in it."""
    outer = _LIMIT.set(limit)
    try:
        yield
    finally:
        _LIMIT.reset(outer)


class Clock(Protocol):
    """Time, passed in so that tests control it."""

    def time(self) -> float:
        """Return seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary origin."""

    def origin(self) -> str:
        """Return a name of that origin, by which processes find out whether they can compare monotonic times."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""


class SystemClock:
    """The machine's clocks."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since the machine was started."""
        return time.monotonic()

    def origin(self) -> str:
        """Return what tells this start of this machine from others; where it cannot be told, the machine's name."""
        return _origin()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


@functools.cache
def _origin() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/time').readlink()}"  # a container may have a monotonic time of its own
    except OSError:
        return platform.node()


@dataclass(slots=True)
class Runtime:
    """Shared by all resources of one provider process.

    `stop` is set when Terraform asks to stop; `preflight` says whether plans are checked against the systems.
    """

    stop: asyncio.Event
    clock: Clock = field(default_factory=SystemClock)
    preflight: bool = True

    @property
    def limit(self) -> Limit:
        """The limit on sending that holds here."""
        return _LIMIT.get()

    @property
    def seconds_left(self) -> float:
        """The seconds in which requests may still be sent."""
        return self.limit.at - self.clock.monotonic()

    @contextlib.contextmanager
    def sending(self, seconds: float, system: str) -> Iterator[None]:
        """Send nothing in this context after so many seconds, where no argument names the limit."""
        with sending_within(Limit(self.clock.monotonic() + seconds, f"the limit of {seconds:g} s", system)):
            yield

    def check(self) -> None:
        """Raise Interrupted if Terraform has asked to stop, NotStarted at the limit: nothing may be sent then."""
        if self.stop.is_set():
            raise _interrupted()
        if self.seconds_left <= 0:
            raise self.limit.fault()

    async def sleep(self, seconds: float) -> None:
        """Sleep; raises Interrupted as soon as Terraform asks to stop, NotStarted at the limit."""
        await self.unless_stopped(self.clock.sleep(seconds))

    async def look(self, work: Awaitable[T], seconds: float = LOOKING_SECONDS) -> T:
        """Do work that may be given up at any time. Raises Interrupted, or Unanswered if it takes too long."""
        try:
            return await self.unless_stopped(work, seconds=seconds)
        except TimeoutError:
            message = f"there was no answer within {seconds:g} s"
            raise Unanswered("The provider", message, advice="Try again later.") from None

    async def unless_stopped(self, work: Awaitable[T], *, seconds: float | None = None) -> T:
        """Do work that may be cancelled at any `await`.

        Raises Interrupted if Terraform asks to stop first, TimeoutError if the work takes longer than `seconds`,
        NotStarted if it goes on at the limit.
        """
        task = asyncio.ensure_future(work)
        stopped = asyncio.create_task(self.stop.wait())
        guards: set[asyncio.Task[bool] | asyncio.Task[None]] = {stopped}
        shortest = min(math.inf if seconds is None else seconds, self.seconds_left)
        if shortest < math.inf:
            guards.add(asyncio.create_task(self.clock.sleep(max(0.0, shortest))))
        try:
            if not self.stop.is_set():
                await asyncio.wait({task, *guards}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if self.stop.is_set():
                raise _interrupted()
            if seconds is None or shortest < seconds:
                raise self.limit.fault()
            raise TimeoutError
        finally:
            task.add_done_callback(_heed)
            for pending in (task, *guards):
                pending.cancel()


def _heed(task: asyncio.Future[T]) -> None:
    """Take note of what work raises that nobody waits for any more, lest asyncio log it as an error."""
    if not task.cancelled():
        task.exception()


def _interrupted() -> Interrupted:
    return Interrupted("Terraform", "the operation was interrupted")
