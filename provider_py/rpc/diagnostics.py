"""Diagnostics on the wire, and those for what only a bug can cause."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.diagnostics import Diagnostic, DiagnosticError, Key, Path, Severity, error
from provider_py.plugin.redaction import redact
from provider_py.plugin.storable import text

log = logging.getLogger(__name__)


def encode(diagnostics: Iterable[Diagnostic]) -> list[pb.Diagnostic]:
    """Encode diagnostics, with every secret masked; a path that cannot be encoded is left out."""
    return [
        pb.Diagnostic(
            severity=pb.Diagnostic.ERROR if diagnostic.severity is Severity.ERROR else pb.Diagnostic.WARNING,
            summary=text(redact(diagnostic.summary)),
            detail=text(redact(diagnostic.detail)),
            attribute=_path(diagnostic.path),
        )
        for diagnostic in diagnostics
    ]


def _path(path: Path) -> pb.AttributePath | None:
    try:
        return attribute_path(path) if path else None
    except (TypeError, ValueError):  # without the path the message is still true, and the state is still returned
        log.exception("A diagnostic has the path %r", path)
        return None


def attribute_path(path: Path) -> pb.AttributePath:
    """Encode a path."""
    return pb.AttributePath(steps=map(_step, path))


def unexpected(fault: BaseException, support: str) -> Diagnostic:
    """Report a bug of the provider; `support` is a sentence that says where to report it."""
    return error(
        "Unexpected provider error",
        f"This is a bug in the provider, not in the configuration: {type(fault).__name__}: {fault}\n\n{support} "
        "For more detail, run Terraform again with TF_LOG_PROVIDER=DEBUG.",
    )


def not_served(what: str, type_name: str) -> DiagnosticError:
    """Report a name that this provider does not serve; the state or configuration belongs to another version."""
    return DiagnosticError(
        error(
            f"Unknown {what}",
            f"This version of the provider does not support the {what} `{type_name}`. Check the name and the "
            "provider's version.",
        )
    )


def missing_state(type_name: str) -> Diagnostic:
    """Report an operation that succeeded without a state."""
    return error(
        "Provider returned no state",
        f"This is a bug in the provider: {type_name} returned neither an error nor a state.",
    )


def _step(step: str | int) -> pb.AttributePath.Step:
    if isinstance(step, Key):
        return pb.AttributePath.Step(element_key_string=step)
    if isinstance(step, int):
        return pb.AttributePath.Step(element_key_int=step)
    return pb.AttributePath.Step(attribute_name=step)
