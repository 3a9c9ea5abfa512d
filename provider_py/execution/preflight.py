"""Checks against a system at plan time: what they find is an error, a system that cannot be reached a warning.

A plan must stay possible while a system is down, so only what the system itself says about the configuration stops it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from provider_py.execution import messages
from provider_py.execution.errors import Refused, SystemFault
from provider_py.execution.runtime import Runtime
from provider_py.plugin import Diagnostic, DiagnosticError


async def preflight(check: Coroutine[Any, Any, object], subject: str, runtime: Runtime) -> Sequence[Diagnostic]:
    """Run a check and return its diagnostics; `subject` begins their summaries: "The run"."""
    try:
        await runtime.unless_stopped(check)
    except DiagnosticError as fault:
        return fault.diagnostics
    except Refused as fault:
        return (messages.from_fault(fault, f"{subject} could not be checked"),)
    except SystemFault as fault:
        return (messages.softened(messages.from_fault(fault, f"{subject} could not be checked before the apply")),)
    return ()
