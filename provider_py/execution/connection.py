"""A connection to one system: opened when a resource first needs it, and shared by all resources of the system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, Protocol, TypeVar

from provider_py.execution import messages
from provider_py.execution.errors import SystemFault, Unanswered
from provider_py.plugin import DiagnosticError, attributes, error


class Connection(Protocol):
    """A way to one account of a system."""

    account: str
    """What tells the account from others: the address, and whose account it is there."""

    async def close(self) -> None:
        """Close what was opened."""


C = TypeVar("C", bound=Connection)


class Connector(NamedTuple, Generic[C]):
    """Opens the connection to a system, shared by all its resources; `system` names the provider's block for it."""

    system: str
    open: Callable[[], C | None]
    """Returns None while the provider's settings for the system are unknown; raises DiagnosticError for bad ones."""

    def connect(self, title: str) -> C:
        """Return the connection; raises DiagnosticError while the settings that `title` needs are unknown."""
        connection = self.open()
        if connection is None:
            raise DiagnosticError(messages.settings_unknown(title, self.system))
        return connection

    def account(self) -> str:
        """Return what tells the account from others; empty while the settings are unknown or invalid."""
        try:
            connection = self.open()
        except DiagnosticError:
            return ""
        return "" if connection is None else connection.account


def require(system: str, block: str, settings: object, names: Sequence[str]) -> list[str]:
    """Return the values of string settings, in the order of `names`, for a resolved type without optional fields.

    Raises DiagnosticError with one error for each that is set neither in the provider block nor in the environment.
    """
    declared = attributes(type(settings))
    missing = [name for name in names if getattr(settings, name) is None]
    if missing:
        raise DiagnosticError(
            *(
                error(
                    f"{system} is not configured: `{block}.{name}` is missing",
                    f'Set `{name}` in the `{block}` block of provider "workflow", or the environment variable '
                    f"{declared[name].environment}.",
                )
                for name in missing
            )
        )
    return [str(getattr(settings, name)) for name in names]


@contextmanager
def readable(system: str, request: str) -> Iterator[None]:
    """Raise Unanswered for what a generated client raises on an unreadable answer; `request` names the request."""
    try:
        yield
    except (SystemFault, DiagnosticError):
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        reason = f"the answer to {request} does not have the documented shape ({type(fault).__name__})"
        raise Unanswered(
            system, reason, advice="Its version may be one that this provider does not support."
        ) from fault
