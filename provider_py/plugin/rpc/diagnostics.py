"""Diagnostics on the wire, and the one that stands for a bug."""

from __future__ import annotations

from collections.abc import Iterable

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.diagnostics import Diagnostic, DiagnosticError, Key, Path, Severity, error
from provider_py.plugin.redaction import redact


def encode(diagnostics: Iterable[Diagnostic]) -> list[pb.Diagnostic]:
    """Write diagnostics, with every secret masked."""
    return [
        pb.Diagnostic(
            severity=pb.Diagnostic.ERROR if each.severity is Severity.ERROR else pb.Diagnostic.WARNING,
            summary=redact(each.summary),
            detail=redact(each.detail),
            attribute=attribute_path(each.path) if each.path else None,
        )
        for each in diagnostics
    ]


def attribute_path(path: Path) -> pb.AttributePath:
    """Write a path."""
    return pb.AttributePath(steps=map(_step, path))


def unexpected(fault: BaseException, support: str) -> Diagnostic:
    """Say that the provider is at fault; `support` tells where to report it."""
    return error(
        "The provider failed unexpectedly",
        f"This is a bug of the provider, not of the configuration: {type(fault).__name__}: {fault}\n\n{support} "
        "The log has more: run Terraform again with TF_LOG_PROVIDER=DEBUG.",
    )


def not_served(what: str, type_name: str) -> DiagnosticError:
    """Say that a name is none of this provider's; the state or configuration belongs to another version."""
    return DiagnosticError(
        error(
            f"Unknown {what}",
            f"This version of the provider has no {what} `{type_name}`. Check the name and the provider's version.",
        )
    )


def stateless(type_name: str) -> Diagnostic:
    """Say that an operation ended well and without its result."""
    return error(
        "The provider gave no state",
        f"This is a bug of the provider: {type_name} ended without an error and without a state.",
    )


def _step(step: str | int) -> pb.AttributePath.Step:
    if isinstance(step, Key):
        return pb.AttributePath.Step(element_key_string=step)
    if isinstance(step, int):
        return pb.AttributePath.Step(element_key_int=step)
    return pb.AttributePath.Step(attribute_name=step)
