"""A connection to one system: its settings, judged when first needed, and what all its resources share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from provider_py.execution.errors import SystemFault, Unanswered
from provider_py.plugin import Diagnostic, DiagnosticError, attributes, error


def require(system: str, block: str, settings: Any, names: Iterable[str]) -> None:
    """Raise DiagnosticError for every setting that is neither in the provider block nor in the environment."""
    known = attributes(type(settings))
    missing = [name for name in names if getattr(settings, name) is None]
    if missing:
        raise DiagnosticError(
            *(
                error(
                    f"{system} is not configured: `{block}.{name}` is missing",
                    f'Set `{name}` in the `{block}` block of provider "workflow", or the environment variable '
                    f"{known[name].environment}.",
                )
                for name in missing
            )
        )


@contextmanager
def readable(system: str, asked: str) -> Iterator[None]:
    """Turn what a generated client raises on an answer it cannot read into Unanswered."""
    try:
        yield
    except (SystemFault, DiagnosticError):
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        reason = f"the answer to {asked} is not of the documented shape ({type(fault).__name__})"
        raise Unanswered(
            system, reason, advice="The system may be of a version this provider does not know."
        ) from fault


def unknown_name(what: str, name: str, known: Iterable[str], attribute: str) -> Diagnostic:
    """Tell that a named thing does not exist, with names like it."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    hint = f" Names like it: {', '.join(repr(each) for each in near)}." if near else ""
    return error(
        f"There is no {what} {name!r}",
        f"Check `{attribute}`: names are exact and case-sensitive, and the credentials must be allowed to see it."
        f"{hint}",
        (attribute,),
    )
