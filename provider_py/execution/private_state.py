"""What a run keeps in Terraform's private state, from one operation to the next.

A state alone cannot say why a run in it has not ended: because an apply gave up on it, or because it was not to be
waited for. Nor may this stand in an attribute, where a plan would show it as a change. So it travels as private bytes,
whose way through Terraform is not documented and was found by trial:

- What apply and import return is stored, and shown to refresh, plan and an outright destroy. An empty value keeps what
  is stored; hence SETTLED, which replaces it.
- A tainted resource shows it to refresh only: its plan is that of a new resource.
- The destroy half of a replacement gets what was planned for the create half. RESUMES uses that.

The transitions:

    import                                      -> IMPORTED
    create, update                              -> SETTLED
    create that an error ended before the run   -> UNFINISHED
    create whose run failed                     -> FAILED
    plan of the create that resumes such a run  -> RESUMES, for the length of the apply
"""

from __future__ import annotations

from enum import Enum


class PrivateState(Enum):
    """The private bytes of a run, by meaning."""

    NOTHING = b""
    """Nothing was stored, or, at destroy, nothing was planned for the create half of the replacement."""
    IMPORTED = b"imported"
    """Imported and not updated since: the configuration may name the inputs in its own way without a new start."""
    UNFINISHED = b"unfinished"
    """An error, such as a timeout, kept the end from being seen: the next apply resumes the run."""
    FAILED = b"failed"
    """The run failed while the create waited for it: Terraform has tainted the entry, and will replace it."""
    SETTLED = b"settled"
    """Any other run in a state."""
    RESUMES = b"resumes"
    """Planned for a create that takes up an unfinished run."""

    @classmethod
    def decode(cls, private: bytes) -> PrivateState:
        """Read what Terraform hands over; words of another version of the provider mean SETTLED."""
        return next((member for member in cls if member.value == private), cls.SETTLED)

    def encode(self) -> bytes:
        """Return what Terraform is to store."""
        return self.value
