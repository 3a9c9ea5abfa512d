"""What can go wrong between the provider and a system, sorted by what it means for a run that was being started.

SystemFault                     everything below; says which system, what was tried and what came of it
  NotStarted                    the request had no effect
    Interrupted                 Terraform asked to stop before it was sent
    Unreachable                 no connection could be made
    RateLimited                 the system kept asking for a pause until we gave up
    Refused                     the system refused it
      Unauthorized              ... because of the credentials
      Missing                   ... because the object does not exist (or the credentials may not see it)
  Unanswered                    sent, but no readable answer came back: its effect is unknown
    Unsettled                   ... and the journal keeps it until that is settled
"""

from __future__ import annotations


class SystemFault(Exception):
    """A request to a system failed; `reason` tells the user how."""

    def __init__(self, system: str, reason: str, *, advice: str = "") -> None:
        """`system` is the name that users know; `advice` says what they can do, if that is known."""
        super().__init__(f"{system}: {reason}")
        self.system = system
        self.reason = reason
        self.advice = advice


class NotStarted(SystemFault):
    """The request had no effect."""


class Interrupted(NotStarted):
    """Terraform asked the provider to stop before the request was sent."""


class Unreachable(NotStarted):
    """No connection could be made."""


class RateLimited(NotStarted):
    """The system answered 429; `retry_after` is the pause it asked for, in seconds, if it named one."""

    def __init__(self, system: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(system, reason, advice="Lower Terraform's -parallelism or the provider's request budget.")
        self.retry_after = retry_after


class Refused(NotStarted):
    """The system understood the request and refused it."""


class Unauthorized(Refused):
    """The credentials were rejected, or lack a permission."""


class Missing(Refused):
    """The object does not exist, or the system hides it from these credentials."""


class Unanswered(SystemFault):
    """The request was sent and no readable answer came back: its effect is unknown."""


class Unsettled(Unanswered):
    """A start was not answered, and the journal keeps it under `token` until a search or the user settles it."""

    def __init__(self, system: str, reason: str, *, token: str, advice: str = "") -> None:
        super().__init__(system, reason, advice=advice)
        self.token = token
