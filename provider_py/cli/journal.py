"""`workflow-provider journal`: what the journal knows of runs, and a way out where it does not know enough.

Rows hold no inputs and no secrets; of what they do hold, hashes are left out here, since they tell a reader nothing.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Annotated, Final, TypeVar

import typer

from provider_py.cli.errors import CommandError
from provider_py.execution.journal import Journal
from provider_py.execution.journal_setting import VARIABLE, open_store
from provider_py.execution.life import Attempt
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.scope import Scope
from provider_py.execution.store import JournalError, schema_sql
from provider_py.execution.times import rfc3339
from provider_py.plugin import DiagnosticError

T = TypeVar("T")

app = typer.Typer(help="Show the journal of runs, and settle what it does not know.", no_args_is_help=True)

Setting = Annotated[
    str | None,
    typer.Option(
        "--journal",
        envvar=VARIABLE,
        show_default=False,
        help="Path or postgresql:// address, if not the journal of Terraform's working directory.",
    ),
]
Token = Annotated[str, typer.Argument(help="Token of the attempt, or the beginning of it, from `list`.")]

_SHORT: Final = 8
_HEADINGS: Final = (
    "TOKEN",
    "TYPE",
    "SCOPE",
    "WORKFLOW",
    "KEY",
    "ATTEMPT",
    "PLACE",
    "END",
    "RUNS",
    "AGE",
)  # as in `_row`
_UNANSWERED: Final = "unanswered"


@app.command("list")
def list_(journal: Setting = None) -> None:
    """List the attempts, the oldest first."""
    now = time.time()
    rows = [_row(attempt, now) for attempt in _ask(journal, Journal.attempts)]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    for row in (_HEADINGS, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def show(token: Token, journal: Setting = None) -> None:
    """Show one attempt."""

    async def read(opened: Journal) -> tuple[Attempt, Mapping[int, str | None]]:
        attempt = await _find(opened, token)
        return attempt, await opened.parts(attempt)

    attempt, parts = _ask(journal, read)
    facts = {
        "token": attempt.token,
        "type": attempt.type,
        "account": attempt.account,
        "scope": attempt.scope,
        "workflow": attempt.workflow,
        "key": attempt.key,
        "attempt": attempt.number,
        "place": attempt.place,
        "end": attempt.end,
        "status": attempt.status,
        "url": attempt.url,
        "sent at": rfc3339(attempt.sent_at),
        "ended at": attempt.ended_at,
        **{f"part {part + 1} of {attempt.parts or len(parts)}": run or _UNANSWERED for part, run in parts.items()},
    }
    for name, fact in facts.items():
        print(f"{name + ':':<14}{_plain(fact)}")


@app.command()
def settle(
    token: Token,
    started: Annotated[
        str | None, typer.Option(metavar="RUN", help="It started: the ID that `terraform import` takes.")
    ] = None,
    not_started: Annotated[bool, typer.Option("--not-started", help="It did not start.")] = False,
    part: Annotated[int | None, typer.Option(min=1, help="The part, where several are unanswered.")] = None,
    journal: Setting = None,
) -> None:
    """Say what became of a request that was sent and never answered."""
    if (started is None) is not not_started:
        message = "Say either --started with the ID of the run, or --not-started."
        raise CommandError(message)

    async def settled(opened: Journal) -> tuple[Attempt, Attempt | None]:
        attempt = await _find(opened, token)
        run = None if started is None else _run_key(attempt, started)
        chosen = _part(await opened.parts(attempt), part, attempt)
        return attempt, await opened.settle(attempt.token, chosen, run)

    before, after = _ask(journal, settled)
    print(_outlook(before, after))


@app.command()
def schema() -> None:
    """Print the SQL that prepares an empty PostgreSQL database, for a role that may create tables.

    The provider's own role then needs SELECT, INSERT, UPDATE and DELETE on these tables.
    """
    print(schema_sql(), end="")


def _ask(setting: str | None, question: Callable[[Journal], Awaitable[T]]) -> T:
    """Open a journal that is there, and ask it."""

    async def ask() -> T:
        store = open_store(setting, os.environ)
        if not store.exists():
            message = f"There is no journal {store.name}. Run this where Terraform runs, or name one with --journal."
            raise CommandError(message)
        journal = Journal(store, time.time, Scope(None))
        try:
            return await question(journal)
        finally:
            await journal.close()

    try:
        return asyncio.run(ask())
    except DiagnosticError as fault:
        raise CommandError(" ".join(diagnostic.detail for diagnostic in fault.diagnostics)) from None
    except JournalError as fault:
        message = f"{str(fault)[:1].upper()}{str(fault)[1:]}."
        raise CommandError(message) from None


async def _find(journal: Journal, token: str) -> Attempt:
    found = [attempt for attempt in await journal.attempts() if attempt.token.startswith(token)]
    if len(found) != 1:
        message = f"{'Several attempts have' if found else 'No attempt has'} a token that begins with {token!r}."
        raise CommandError(message)
    return found[0]


def _part(parts: Mapping[int, str | None], given: int | None, attempt: Attempt) -> int:
    unanswered = [part for part, run in parts.items() if run is None]
    if not unanswered:
        message = f"Attempt {attempt.token} is settled: every request of it was answered."
        raise CommandError(message)
    if given is None and len(unanswered) > 1:
        message = f"Say which part with --part: {_listed(unanswered)} are unanswered."
        raise CommandError(message)
    if given is not None and given - 1 not in unanswered:
        message = f"Part {given} is not unanswered; {_listed(unanswered)} is."
        raise CommandError(message)
    return unanswered[0] if given is None else given - 1


def _listed(parts: Iterable[int]) -> str:
    return ", ".join(str(part + 1) for part in parts)


def _run_key(attempt: Attempt, identifier: str) -> str:
    """Return the key of a run from its import ID, in the form of its type."""
    from provider_py.provider import RESOURCES  # slow, and for this command alone

    type_ = RESOURCES[attempt.type] if attempt.type in RESOURCES.names else None
    if not isinstance(type_, ExecutionType):
        return identifier
    key = type_.import_key(identifier)
    if not key:
        message = f"The ID of this run has the form {type_.import_form}."
        raise CommandError(message)
    return key


def _outlook(before: Attempt, after: Attempt | None) -> str:
    """Say what the next apply does."""
    if after is None:
        number = f"attempt {before.number} at the key {before.key!r}" if before.key else "a run"
        return f"Nothing is left of attempt {before.token}: the next apply that asks for it starts {number}."
    if after.unanswered:
        return f"Recorded. Another part of attempt {after.token} is still unanswered: settle that too."
    runs = ", ".join(after.known_runs)
    if not after.complete:
        return f"Recorded. The next apply that asks for it sends the missing parts and waits for them and {runs}."
    if after.key:
        return f"Recorded. The next apply with the key {after.key!r} waits for {runs}, or returns it, and starts none."
    return f"Recorded. The next apply of this state that asks for it waits for {runs}, or returns it, and starts none."


def _row(attempt: Attempt, now: float) -> Sequence[str]:
    runs = [run or _UNANSWERED for run in attempt.runs]
    return [
        attempt.token[:_SHORT],
        attempt.type,
        *(_plain(fact) for fact in (attempt.scope, attempt.workflow, attempt.key)),
        str(attempt.number),
        attempt.place,
        attempt.end,
        _plain(", ".join(runs[:2]) + (f" and {len(runs) - 2} more" if len(runs) > 2 else "")),
        _age(now - attempt.sent_at),
    ]


def _plain(fact: object) -> str:
    """Return what a terminal can be shown: names from outside may hold escape sequences."""
    text = "" if fact is None else str(fact)
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text) or "-"


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{max(0, int(seconds))}s"
