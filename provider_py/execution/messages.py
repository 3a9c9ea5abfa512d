"""What the life of a run tells its user, in one place and one tone: what happened, where, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from provider_py.execution.errors import NotResumed, SystemFault, Unanswered
from provider_py.execution.journal import JournalError
from provider_py.execution.run import Execution, Run
from provider_py.plugin import Diagnostic, error, redact, warning

_JOURNAL_ADVICE = (
    "Make its directory writable, or set another path in the provider's `journal` argument (WORKFLOW_JOURNAL)."
)


def from_fault(fault: SystemFault, summary: str) -> Diagnostic:
    """Return a fault as an error; `summary` says what it prevented."""
    return error(summary, f"{str(fault).rstrip('.')}. {fault.advice}".strip())


def as_warning(diagnostic: Diagnostic) -> Diagnostic:
    """Return an error as a warning."""
    return warning(diagnostic.summary, diagnostic.detail, diagnostic.path)


def journal_damaged(reason: str) -> Diagnostic:
    """Report a journal that had to be renamed."""
    return warning(
        "Damaged journal of started runs",
        f"{reason} A run that an interrupted apply started without storing it may be started again: check the system "
        "for such runs before you apply again.",
    )


def not_started(title: str, fault: SystemFault | JournalError, number: int, parts: int) -> Diagnostic:
    """Report a start that failed, or whose outcome is unknown."""
    request = f" (request {number} of {parts})" if parts > 1 else ""
    if isinstance(fault, JournalError):
        return error(
            f"{title} was not started{request}",
            f"Every start is recorded in the journal before it is sent, but {fault}. {_JOURNAL_ADVICE}",
        )
    if isinstance(fault, NotResumed):
        return from_fault(fault, f"{title} was not resumed{request}")
    if not isinstance(fault, Unanswered):
        return from_fault(fault, f"{title} was not started{request}")
    return error(
        f"Unknown whether the {title} started{request}",
        f"{fault}. The request was sent once, and is not repeated because that could start a second run. Check "
        f"{fault.system} for a run that started at this time. If there is one, import it with `terraform import`. If "
        "there is none, change `triggers` and apply again.",
    )


def failed(title: str, state: Execution) -> Diagnostic:
    """Report a failed run: as an error or, where the user accepts failures, as a warning."""
    failure = _failure(state.status_message, state.url)
    summary = f"{title} {state.id} failed with status {state.status}"
    if state.on_failure == "keep":
        return warning(summary, f'{failure} It is kept because on_failure is "keep".')
    return error(
        summary,
        f"{failure} The next apply starts a new run: correct the cause first, or set "
        'on_failure = "keep" to accept the failure.',
    )


def replaced_failure(title: str, state: Execution) -> Diagnostic:
    """Report a stored run that failed, and is replaced because the configuration does not accept failures."""
    return warning(
        f"{title} {state.id} failed with status {state.status}",
        f"{_failure(state.status_message, state.url)} A failed run does not count as done, so it is replaced by a new "
        'run. To accept the failure instead, set on_failure = "keep".',
    )


def taken_over(run: Run[object]) -> Diagnostic:
    """Report a run that an earlier apply started and did not store."""
    return warning(
        f"Resumed run {run.id} of an earlier apply",
        "An earlier apply started this run for the same inputs and ended before it was stored. No new run was started.",
    )


def not_taken_over(run: Run[object]) -> Diagnostic:
    """Report a run that an earlier apply left unfinished, and that is of no use because it failed meanwhile."""
    failure = _failure(redact(run.message) if run.message else None, run.url)
    return warning(
        f"Run {run.id} of an earlier apply failed with status {run.status}",
        f"{failure} A failed run does not count as done, so a new one was started.",
    )


def _failure(reason: str | None, url: str | None) -> str:
    return f"The run failed{f': {reason}' if reason else ''}.{f' See {url}.' if url else ''}"


def interrupted(title: str, state: Execution) -> Diagnostic:
    """Report an interrupted wait; a warning, since an error would have the next apply replace the run."""
    return warning(
        f"{title} {state.id} is still running",
        "Terraform was interrupted while waiting for the run, which continues. The next apply resumes waiting for it "
        "and does not start another.",
    )


def timed_out(title: str, state: Execution, operation: str) -> Diagnostic:
    """Report a run that outlasted its time limit."""
    limit = f"timeouts.{operation}"
    return error(
        f"{title} {state.id} timed out",
        f"After the {state.seconds(operation):g} s of {limit} its status is {state.status}. The run continues; the "
        f"next apply resumes waiting for it and does not start another. If such runs take longer, raise {limit}.",
        ("timeouts",),
    )


def cancel_timed_out(title: str, state: Execution) -> Diagnostic:
    """Report a cancellation that the system did not confirm in time."""
    return error(
        f"Timed out cancelling {title} {state.id}",
        f"The cancellation was not confirmed within the {state.seconds('delete'):g} s of timeouts.delete. The resource "
        "is kept; destroy it again, or raise timeouts.delete.",
        ("timeouts",),
    )


def lost_track(title: str, state: Execution, fault: SystemFault) -> Diagnostic:
    """Report a run that could not be followed to its end."""
    return error(
        f"Lost track of {title} {state.id}",
        f"{str(fault).rstrip('.')}. {fault.advice} The run continues; the next apply resumes waiting for it and does "
        "not start another.",
    )


def expired(title: str, state: Execution, system: str) -> Diagnostic:
    """Report that the system has no record of a run any more."""
    return warning(
        f"{title} {state.id} no longer exists in {system}",
        f"Its last known status is {state.status}. The resource is kept with record_expired = true, and no new run is "
        "started in its place; to start one, change `triggers` or use -replace.",
    )


def not_handed_over(title: str, state: Execution, fault: JournalError) -> Diagnostic:
    """Report a run that cannot be left to the create that is to resume it."""
    return error(
        f"{title} {state.id} was not resumed",
        f"The run continues and must be recorded in the journal first, but {fault}. {_JOURNAL_ADVICE}",
    )


def preparation_timed_out(title: str, state: Execution, operation: str) -> Diagnostic:
    """Report that the time limit passed before anything was started."""
    return error(
        f"{title} was not started in time",
        f"Preparing it took longer than the {state.seconds(operation):g} s of timeouts.{operation}. Nothing was "
        "started.",
        ("timeouts",),
    )


def settings_unknown(title: str, system: str) -> Diagnostic:
    """Report a provider block that depends on values that are not known yet."""
    return error(
        f"Unknown provider settings for {title}s",
        f"The values of the provider's `{system}` block must be known when a {title} is started or read.",
    )


def did_you_mean(name: str, candidates: Iterable[str], *, cutoff: float = 0.5) -> str:
    """Return " Did you mean …?" for the names most like an unknown one; empty if none is."""
    matches = difflib.get_close_matches(name, list(candidates), n=3, cutoff=cutoff)
    return f" Did you mean {' or '.join(repr(match) for match in matches)}?" if matches else ""


def unknown_name(subject: str, name: str, candidates: Iterable[str], attribute: str) -> Diagnostic:
    """Report a name that the system does not know, with names like it."""
    return error(
        f"Unknown {subject} {name!r}",
        f"Check `{attribute}`: names are exact and case-sensitive, and the credentials must be allowed to see it."
        f"{did_you_mean(name, candidates)}",
        (attribute,),
    )
