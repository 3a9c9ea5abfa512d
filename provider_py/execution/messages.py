"""What the life of a run tells its user, in one place and one tone: what happened, what is known, how to go on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from provider_py.execution.errors import NotResumed, SystemFault, Unanswered
from provider_py.execution.journal import JournalError
from provider_py.execution.run import Execution
from provider_py.plugin import Diagnostic, error, warning


def from_fault(fault: SystemFault, summary: str) -> Diagnostic:
    """Turn a fault into an error under a summary of what it prevented."""
    return error(summary, f"{str(fault).rstrip('.')}. {fault.advice}".strip())


def softened(diagnostic: Diagnostic) -> Diagnostic:
    """Turn an error into a warning."""
    return warning(diagnostic.summary, diagnostic.detail, diagnostic.path)


def journal_warning(said: str) -> Diagnostic:
    """Tell of a journal that had to be set aside."""
    return warning(
        "The journal of started runs was damaged",
        f"{said} A run that an interrupted apply started and did not store may be started again: look for such runs "
        "before you apply again.",
    )


def not_started(title: str, fault: SystemFault | JournalError, number: int, parts: int) -> Diagnostic:
    """Tell that a start failed, or that nobody knows whether it did."""
    which = f" (request {number} of {parts})" if parts > 1 else ""
    if isinstance(fault, JournalError):
        return error(
            f"The {title} was not started{which}",
            f"A start is written down before it is sent, but {fault}. Make its directory writable, or name another "
            "file with the provider's `journal` (WORKFLOW_JOURNAL).",
        )
    if isinstance(fault, NotResumed):
        return from_fault(fault, f"The {title} was not taken up again{which}")
    if not isinstance(fault, Unanswered):
        return from_fault(fault, f"The {title} was not started{which}")
    return error(
        f"It is not known whether the {title} was started{which}",
        f"{fault}. The request was sent once, and is not repeated because that could start a second run. Look in "
        f"{fault.system} for a run of this time. If there is one, adopt it with `terraform import`. If there is none, "
        "change `triggers` and apply again.",
    )


def failed(title: str, state: Execution) -> Diagnostic:
    """Tell of a bad end, as an error or, where the user accepts such ends, as a warning."""
    reason = f": {state.status_message}" if state.status_message else ""
    where = f" See {state.url}." if state.url else ""
    summary = f"{title} {state.id} ended with status {state.status}"
    if state.on_failure == "keep":
        return warning(summary, f'The run ended badly{reason}.{where} It is kept because of on_failure = "keep".')
    return error(
        summary,
        f"The run ended badly{reason}.{where} The next apply starts a new run: correct the cause first, or set "
        'on_failure = "keep" to accept such an end.',
    )


def interrupted(title: str, state: Execution) -> Diagnostic:
    """Tell that Terraform stopped waiting; a warning, since an error would have the next apply start a new run."""
    return warning(
        f"{title} {state.id} is still going on",
        "Terraform was interrupted while waiting for it. The run goes on. The next apply resumes waiting for it and "
        "does not start another.",
    )


def timed_out(title: str, state: Execution, operation: str) -> Diagnostic:
    """Tell that a run outlasted its time limit."""
    limit = f"timeouts.{operation}"
    return error(
        f"{title} {state.id} has not ended in time",
        f"Its status is {state.status} after the {state.seconds(operation):g} s of {limit}. The run goes on; "
        f"the next apply takes it up again and does not start another. If such runs take longer, raise {limit}.",
        ("timeouts",),
    )


def lost_sight(title: str, state: Execution, fault: SystemFault) -> Diagnostic:
    """Tell that a run could not be followed to its end."""
    return error(
        f"{title} {state.id} could no longer be followed",
        f"{str(fault).rstrip('.')}. {fault.advice} The run goes on; the next apply takes it up again and does not "
        "start another.",
    )


def gone(title: str, state: Execution) -> Diagnostic:
    """Tell that the system has no record of a run any more."""
    return warning(
        f"There is no record of {title} {state.id} any more",
        f"Its last known status is {state.status}. The resource is kept, with record_expired = true, and the run is "
        "not started again by itself; to start it anew change `triggers` or use -replace.",
    )


def journal_unusable(title: str, state: Execution, fault: JournalError) -> Diagnostic:
    """Tell that a run cannot be left to the creation that is to take it up."""
    return error(
        f"{title} {state.id} was not taken up again",
        f"The run goes on and has to be written down first, but {fault}. Make its directory writable, or name another "
        "file with the provider's `journal` (WORKFLOW_JOURNAL).",
    )


def too_slow(state: Execution, operation: str) -> Diagnostic:
    """Tell that the time limit passed before anything was started."""
    return error(
        "The run was not started in time",
        f"Preparing it took longer than the {state.seconds(operation):g} s of timeouts.{operation}. Nothing was "
        "started.",
        ("timeouts",),
    )


def settings_unknown(title: str, system: str) -> Diagnostic:
    """Tell that the provider block depends on values that are not known yet."""
    return error(
        f"The provider's settings for {title}s are not known",
        f"The values of the provider's `{system}` block must be known when the run is started or looked at.",
    )


def did_you_mean(name: str, candidates: Iterable[str], *, cutoff: float = 0.5) -> str:
    """Return " Did you mean …?" for the names most like a wrong one; empty if none is."""
    near = difflib.get_close_matches(name, list(candidates), n=3, cutoff=cutoff)
    return f" Did you mean {' or '.join(repr(candidate) for candidate in near)}?" if near else ""


def unknown_name(subject: str, name: str, candidates: Iterable[str], attribute: str) -> Diagnostic:
    """Report a name that the system does not know, with names like it."""
    return error(
        f"Unknown {subject} {name!r}",
        f"Check `{attribute}`: names are exact and case-sensitive, and the credentials must be allowed to see it."
        f"{did_you_mean(name, candidates)}",
        (attribute,),
    )
