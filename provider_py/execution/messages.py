"""What the life of a run tells its user, in one place and one tone: what happened, where, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from provider_py.execution.errors import SystemFault, Unsettled
from provider_py.execution.life import Attempt
from provider_py.execution.run import Execution, Run
from provider_py.execution.store import JournalError
from provider_py.execution.times import rfc3339
from provider_py.plugin import Diagnostic, DiagnosticError, error, redact, warning

_JOURNAL_ADVICE = (
    "Make its directory writable, or set another path in the provider's `journal` argument (WORKFLOW_JOURNAL)."
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What messages call a thing that is started once: an event is sent, a trigger created."""

    noun: str
    verb: str
    past: str
    request: str
    """What is sent to have it."""
    can_be_imported: bool = True


RUN: Final = Wording("run", "start", "started", "start")


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


def settling(token: str, started: str) -> tuple[str, str]:
    """Return the commands that settle a start without an answer: that it has `started`, an ID, and that it has not."""
    command = f"workflow-provider journal settle {token}"
    return f"`{command} --started {started}`", f"`{command} --not-started`"


def how_to_settle(system: str, token: str, words: Wording, certain_seconds: float | None) -> str:
    """Return what to do about a start without an answer.

    `certain_seconds`: how long a search that finds nothing has to go on to be proof; None: it cannot be searched for.
    """
    started, not_started = settling(token, "<ID>")
    imported = "import it with `terraform import`, or " if words.can_be_imported else ""
    searched = ""
    if certain_seconds is not None:
        searched = (
            f"The next apply searches for it again, and {words.verb}s one if there is none for {certain_seconds:g} s; "
            "its time limit has to allow for that. To settle it yourself: "
        )
    return (
        f"The request was sent once, and is not repeated because that could {words.verb} a second {words.noun}. "
        f"{searched}Check {system} for a {words.noun} that was {words.past} at this time. If there is one, {imported}"
        f"run {started} and apply again. If there is none, run {not_started} and apply again."
    )


def not_started(
    title: str, fault: SystemFault | JournalError, number: int, parts: int, words: Wording = RUN
) -> Diagnostic:
    """Report a start that failed, or whose outcome is unknown."""
    request = f" (request {number} of {parts})" if parts > 1 else ""
    if isinstance(fault, JournalError):
        return error(
            f"{title} was not {words.past}{request}",
            f"Every start is recorded in the journal before it is sent, but {fault}. {_JOURNAL_ADVICE}",
        )
    if isinstance(fault, Unsettled):
        return from_fault(fault, f"Unknown whether the {title} {words.past}{request}")
    return from_fault(fault, f"{title} was not {words.past}{request}")


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


def taken_over(runs: Sequence[Run[object]], words: Wording = RUN) -> Diagnostic:
    """Report what an earlier apply started and did not store."""
    names = ", ".join(run.id for run in runs)
    return warning(
        f"Resumed {words.noun} {names} of an earlier apply",
        f"An earlier apply {words.past} this {words.noun} for the same inputs and ended before it was stored. No new "
        f"{words.noun} was {words.past}.",
    )


def not_taken_over(run: Run[object], words: Wording = RUN) -> Diagnostic:
    """Report what an earlier apply left, and is of no use: a run that failed meanwhile, or what is gone (no status)."""
    name = f"{words.noun.capitalize()} {run.id} of an earlier apply"
    if run.status is None:
        return warning(f"{name} no longer exists", f"A new {words.noun} was {words.past}.")
    failure = _failure(redact(run.message) if run.message else None, run.url)
    return warning(
        f"{name} failed with status {run.status}",
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


def lost_track(title: str, state: Execution, fault: Exception | None) -> Iterable[Diagnostic]:
    """Report a run that could not be followed to its end; a fault of our own is named by its kind alone."""
    goes_on = "The run continues; the next apply resumes waiting for it and does not start another."
    if isinstance(fault, DiagnosticError):
        yield from fault.diagnostics
    elif isinstance(fault, SystemFault):
        yield error(f"Lost track of {title} {state.id}", f"{str(fault).rstrip('.')}. {fault.advice} {goes_on}")
    else:
        yield error(
            f"Lost track of {title} {state.id}",
            f"Waiting for it failed with {type(fault).__name__}, which is a bug of the provider; its log (TF_LOG) has "
            f"more. {goes_on}",
        )


def held(title: str, state: Execution) -> Diagnostic:
    """Report a run that waits for a person, where the configuration does not wait for that."""
    reason = f" {state.status_message}" if state.status_message else ""
    return error(
        f"{title} {state.id} is held",
        f'Its status is {state.status}.{reason} The apply does not wait for that, since on_held is "fail". The run '
        "continues; the next apply takes it up and does not start another.",
        ("on_held",),
    )


def vanished(title: str, state: Execution, system: str) -> Diagnostic:
    """Report that the system has no record of a run that is waited for."""
    return error(
        f"{title} {state.id} no longer exists in {system}",
        f"Its last known status is {state.status}, so whether it succeeded is not known. Check {system}. The next "
        "apply looks once more, and if there is still no record, it keeps the resource with record_expired = true and "
        "goes on; no new run is started in its place. To start one, change `triggers` or use -replace.",
    )


def not_found(title: str, state: Execution, system: str) -> Diagnostic:
    """Report that one look did not find a run; that proves nothing yet."""
    return warning(
        f"{system} shows no record of {title} {state.id}",
        f"Its last known status is {state.status}. An apply that waits for the run looks again, and reports it if "
        "there is still no record.",
    )


def expired(title: str, state: Execution, system: str) -> Diagnostic:
    """Report that a run is kept of which the system has no record any more."""
    return warning(
        f"{title} {state.id} no longer exists in {system}",
        f"Its last known status is {state.status}. The resource is kept with record_expired = true, and no new run is "
        "started in its place; to start one, change `triggers` or use -replace.",
    )


def joined(
    title: str,
    attempt: Attempt,
    runs: Sequence[Run[object]],
    *,
    ended: bool,
    first: bool,
    words: Wording = RUN,
) -> Diagnostic:
    """Report what answers a create because it has the same key."""
    names = ", ".join(run.id for run in runs)
    times = ", ".join(dict.fromkeys(run.ended_at or "" for run in runs)).strip(", ")
    if ended:
        when = f"ended at {times}" if times else f"was {words.past} at {rfc3339(attempt.sent_at)}"
        text = f"It {when}, and its result is returned."
    else:
        text = "It is still open, and is waited for."
    noun = words.noun
    again = "" if first else f" Another resource of this apply has joined the same {noun}: use a key for each {noun}."
    return warning(
        f"{title} {names} already answers idempotency_key {attempt.key!r}",
        f"{text} No new {noun} was {words.past}, and destroying this resource leaves the {noun} alone.{again}",
        ("idempotency_key",),
    )


def other_inputs(attempt: Attempt, differing: Sequence[str], words: Wording = RUN) -> Diagnostic:
    """Report a key that names what was started with other arguments."""
    noun = words.noun
    names = ", ".join(f"`{name}`" for name in differing)
    what = f"with other values of {names}" if names else "with other arguments; its mark does not say which"
    named = f"{noun.capitalize()} {', '.join(attempt.known_runs)}" if attempt.known_runs else "What it names"
    return error(
        f"idempotency_key {attempt.key!r} belongs to another {noun}",
        f"{named} was {words.past} {what}. A key stands for one {noun}: use another key, or the same arguments. "
        f"Nothing was {words.past}.",
        ("idempotency_key",),
    )


def started_twice(key: str, own: Sequence[str], others: Sequence[str]) -> Diagnostic:
    """Report that another machine has started the same attempt at a key at the same moment."""
    return warning(
        f"idempotency_key {key!r} was started twice",
        f"Run {', '.join(own)} was started here, and run {', '.join(others)} at the same time elsewhere. Neither was "
        "cancelled: decide which one to keep. A journal that all machines share (`journal`) prevents this.",
        ("idempotency_key",),
    )


def left_running(title: str, attempt: Attempt) -> Diagnostic:
    """Report a run whose entry was replaced, and that no create of equal inputs has taken."""
    return warning(
        f"{title} {', '.join(attempt.known_runs)} was left running",
        "The resource that held it was replaced, with arguments that were unknown when that was planned, so it was not "
        "cancelled. Unless another resource of this apply takes it up, cancel it in the system if it is not wanted.",
    )


def runs_elsewhere(title: str, attempt: Attempt, words: Wording = RUN) -> Diagnostic:
    """Report something open of equal inputs that belongs to another state of this directory."""
    imported = f"adopt the {words.noun} with `terraform import`, or " if words.can_be_imported else ""
    return warning(
        f"An equal {title} is open for another state",
        f"{words.noun.capitalize()} {', '.join(attempt.known_runs) or 'without a known ID'} was {words.past} from this "
        f"directory for the state {attempt.scope}. If the state was moved, {imported}set the provider's "
        f"`journal_scope`; otherwise this apply {words.verb}s one of its own.",
    )


def journal_unusable(fault: JournalError) -> Diagnostic:
    """Report a journal that could not be written."""
    return error("The journal of started runs cannot be used", f"{str(fault).capitalize()}. {_JOURNAL_ADVICE}")


def not_handed_over(title: str, state: Execution, fault: JournalError) -> Diagnostic:
    """Report a run that cannot be left to the create that is to resume it."""
    return error(
        f"{title} {state.id} was not resumed",
        f"The run continues and must be recorded in the journal first, but {fault}. {_JOURNAL_ADVICE}",
    )


def preparation_timed_out(title: str, seconds: float, operation: str) -> Diagnostic:
    """Report that the time limit passed before anything was started."""
    return error(
        f"{title} was not started in time",
        f"Preparing it took longer than the {seconds:g} s of timeouts.{operation}. Nothing was started.",
        ("timeouts",),
    )


def not_in_time(title: str, seconds: float, words: Wording) -> Diagnostic:
    """Report that a limit which no argument names passed before anything was sent."""
    return error(
        f"{title} was not {words.past} in time",
        f"Preparing it took longer than {seconds:g} s. Nothing was {words.past}.",
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
