"""What can go wrong between the provider and a system, sorted by what it means for a run that was being started.

SystemFault                     everything below; says which system, what was tried and what came of it
  NotStarted                    the request had no effect, for certain
    Interrupted                 Terraform asked to stop before it was sent
    Unreachable                 no connection could be made
    RateLimited                 the system is asking for a pause, and the patience for that is used up
    Refused                     the system answered no
      Unauthorized              ... because of the credentials
      Missing                   ... because there is no such thing (or it may not be seen)
    NotResumed                  a run that an earlier apply started could not be looked at; no other is started
  Unanswered                    sent, but no readable answer came back: its effect is unknown
"""

from __future__ import annotations


class SystemFault(Exception):
    """A request to a system failed: `reason` says how, in words for a user."""

    def __init__(self, system: str, reason: str, *, advice: str = "") -> None:
        """Take the system's name as users know it, and what they can do about it if that is known."""
        super().__init__(f"{system}: {reason}")
        self.system = system
        self.reason = reason
        self.advice = advice


class NotStarted(SystemFault):
    """The request had no effect, for certain."""


class Interrupted(NotStarted):
    """Terraform asked the provider to stop before the request was sent."""


class Unreachable(NotStarted):
    """No connection could be made."""


class RateLimited(NotStarted):
    """The system answered 429; `retry_after` is the pause it asked for, in seconds, if it named one."""

    def __init__(self, system: str, reason: str, *, retry_after: float | None = None) -> None:
        """Keep the pause beside the reason."""
        super().__init__(system, reason, advice="Lower Terraform's -parallelism or the provider's request budget.")
        self.retry_after = retry_after


class Refused(NotStarted):
    """The system understood the request and said no."""


class Unauthorized(Refused):
    """The credentials were not accepted, or lack a permission."""


class Missing(Refused):
    """The system knows no such thing, or hides it from these credentials."""


class NotResumed(NotStarted):
    """A run that an earlier apply started could not be looked at, and no other is started in its place."""


class Unanswered(SystemFault):
    """The request was sent and no readable answer came back: whether it had an effect is unknown."""
