"""Checks against a system at plan time: a problem is an error, a system that cannot be reached a warning.

A plan must stay possible while a system is down, so only what the system itself says about the configuration stops it.
Not guaranteed: that an apply succeeds whose plan passed. Anything may change in between, and unknown values are not
checked.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence

from provider_py.execution import messages
from provider_py.execution.errors import Refused, SystemFault
from provider_py.execution.runtime import Runtime
from provider_py.plugin import Diagnostic, DiagnosticError


async def run_preflight(check: Coroutine[object, None, object], subject: str, runtime: Runtime) -> Sequence[Diagnostic]:
    """Run a check, for LOOKING_SECONDS at most; `subject` begins the summaries of its diagnostics: "The run"."""
    try:
        await runtime.look(check)
    except DiagnosticError as fault:
        return fault.diagnostics
    except Refused as fault:
        return (messages.from_fault(fault, f"{subject} could not be checked"),)
    except SystemFault as fault:
        return (messages.as_warning(messages.from_fault(fault, f"{subject} could not be checked before the apply")),)
    return ()
