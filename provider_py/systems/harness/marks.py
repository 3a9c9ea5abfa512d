"""The mark in the notes of an execution: by it a run is found again after a lost answer, or by its key.

Harness does not de-duplicate by `clientMutationId`, and executions can be searched neither by it nor by their notes.
Notes can be read back, though. So a start carries a mark in them, and a search reads the executions of its workflow or
pipeline, newest first, back to the time in question. What does not work:

- *Reading one page.* A page holds 100 executions, and on a busy workflow more than that are newer.
- *Trusting the conditions on times.* Whether a server heeds both bounds of one time is not documented, so they only
  save pages: a search ends at an execution that is old enough, or with the list.
- *Taking a list that could not be read to its end for proof.* Then a run that exists is started again.
- *Bounding the time of a lost start from above.* It may have waited for the request budget, for as long as
  `timeouts.create` allows. The hour after it was intended is searched first, and the rest afterwards.
- *A listing of weeks for each run with a key.* It is the same for all runs of a workflow, and the budget is small.

The list changes while it is read: what others start shifts the pages, so that executions come again, and never passes
one by. Pages overlap by one execution, which shows whether some were removed meanwhile.

Runs with keys share the listing of their workflow. Whoever asks gets one that began after that, since it is to tell
what was started before: those who ask at the same moment, or while another listing goes on, get one together. Only
the first goes back to the horizon. Later ones end where the one before began, less CLOCK_SKEW_SECONDS for the clocks
and for executions that are listed late.

Not guaranteed: that a run is found that Harness lists later than that, or whose notes somebody has changed; that the
status of a run from an earlier listing is still the same.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final, TypeAlias

import harness_client as gql

from provider_py.execution import Phase, Run, SystemFault, Unanswered, rfc3339
from provider_py.systems.harness import polling
from provider_py.systems.harness.config import SYSTEM
from provider_py.systems.harness.connection import CLOCK_SKEW_SECONDS, Harness, omit_nulls, timestamp
from provider_py.systems.harness.lookup import PAGE, equals
from provider_py.systems.harness.polling import Detail

log = logging.getLogger(__name__)

MAX_PAGES: Final = 100
"""The most pages that a search reads: 10 000 executions, 200 seconds of a budget of 30 requests a minute."""
LIKELY_SECONDS: Final = 3600.0
"""The time after a start was intended in which it was probably sent."""
GATHER_SECONDS: Final = 0.1
"""How long a listing waits for others who ask at the same moment."""
_FEWER_DAYS: Final = (
    "Whether a run with this idempotency_key exists is therefore not known. Lower `harness.key_search_days` "
    "(HARNESS_KEY_SEARCH_DAYS): runs with keys are then searched for in fewer days."
)
_MARK: Final = re.compile(r"\[terraform run ([^\]\s]+)\]")

Node: TypeAlias = "gql.RecentExecutionsExecutionsNodes"


def with_mark(notes: str | None, token: str) -> str:
    """Return the notes of an execution with a mark after those of its user."""
    mark = f"[terraform run {token}]"
    return f"{notes}\n\n{mark}" if notes else mark


def token_of(notes: str | None) -> str | None:
    """Return the token of the mark in notes: the last one, should the user's own notes quote another."""
    tokens = _MARK.findall(notes or "")
    return str(tokens[-1]) if tokens else None


async def search(harness: Harness, part: gql.StartExecutionInput, token: str, since: float) -> Run[Detail] | None:
    """Find the execution of a start that was intended at `since`, in seconds since the epoch.

    None: there is none. Raises Unanswered where the list could not be read back to that time.
    """
    earliest, likely = since - CLOCK_SKEW_SECONDS, since + LIKELY_SECONDS
    spans: list[tuple[float, float | None]] = [(earliest, None)]
    if likely < harness.runtime.clock.time():
        spans = [(earliest, likely), (likely, None)]
    for after, before in spans:
        async with aclosing(_newest_first(harness, part, after, before)) as executions:
            async for node in executions:
                if token_of(node.notes) == token:
                    return await _found(harness, str(node.id))
    return None


async def _found(harness: Harness, identifier: str) -> Run[Detail]:
    """Read an execution that was found; where that fails, it is known to run, and is read when it is waited for."""
    try:
        run = (await polling.poll(harness, [identifier])).get(identifier)
    except SystemFault as fault:
        run = fault
    if isinstance(run, Run):
        return run
    log.warning("execution %s, which was found by its mark, could not be read: %s", identifier, run or "no record")
    return Run(identifier, None, Phase.ACTIVE, Detail())


class Marks:
    """The marked executions of each workflow and pipeline, as they were listed."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._listings: dict[tuple[str, str], _Listing] = {}

    async def beginning(self, part: gql.StartExecutionInput, beginning: str) -> Sequence[tuple[str, Run[Detail]]]:
        """Return the executions of a part's workflow or pipeline whose tokens begin so, each with its token.

        Raises SystemFault where they could not be listed back to the horizon.
        """
        key = (part.application_id, part.entity_id)
        if key not in self._listings:
            self._listings[key] = _Listing(self._harness, part)
        marked = await self._listings[key].after_now()
        return [(token, run) for token, run in marked if token.startswith(beginning)]


class _Listing:
    """The marked executions of one workflow or pipeline."""

    def __init__(self, harness: Harness, part: gql.StartExecutionInput) -> None:
        self._harness = harness
        self._part = part
        self._marked: dict[str, tuple[str, Run[Detail]]] = {}
        self._began: float | None = None
        """When the last complete listing began, in seconds since the epoch."""
        self._number = 0
        """How many listings have begun."""
        self._too_many: _TooMany | None = None
        self._turn = asyncio.Lock()

    async def after_now(self) -> Sequence[tuple[str, Run[Detail]]]:
        """Return the executions by a listing that begins after this call."""
        key = ("marks", self._part.application_id, self._part.entity_id, self._number)
        await self._harness.lookups.get(key, self._take_turn)
        return list(self._marked.values())

    async def _take_turn(self) -> None:
        async with self._turn:  # whoever asks while one listing goes on waits for the next, all for the same one
            if self._too_many is not None:  # they have not become fewer
                raise self._too_many
            await self._harness.runtime.clock.sleep(GATHER_SECONDS)
            self._number += 1
            try:
                await self._list(self._harness.runtime.clock.time())
            except _TooMany as fault:
                self._too_many = fault
                raise

    async def _list(self, now: float) -> None:
        horizon = now - self._harness.config.key_search
        known_until = horizon if self._began is None else max(horizon, min(self._began, now))
        after = known_until - CLOCK_SKEW_SECONDS
        async with aclosing(_newest_first(self._harness, self._part, after, advice=_FEWER_DAYS)) as executions:
            async for node in executions:
                token = token_of(node.notes)
                if token is not None:
                    self._marked[str(node.id)] = (token, _run(node))
        self._began = now


def _run(node: Node) -> Run[Detail]:
    status = polling.status_text(node.status)
    return Run(str(node.id), status, polling.phase(status), Detail(), started_at=timestamp(node.created_at))


class _TooMany(Unanswered):
    """The executions are too many to be listed back to the time in question."""


async def _newest_first(
    harness: Harness, part: gql.StartExecutionInput, after: float, before: float | None = None, *, advice: str = ""
) -> AsyncGenerator[Node, None]:
    """Read the executions of a part's workflow or pipeline that were created at `after` or later, each once.

    `before` saves pages where the server heeds it: later ones need not come. Both are in seconds since the epoch.
    Raises Unanswered where the list cannot be read back to `after`; `advice` says what to do if it is too long.
    """
    filters, earliest = _filters(part, after, before), _milliseconds(after)
    seen: set[str] = set()
    end, oldest = 0, None
    for _ in range(MAX_PAGES):
        offset = max(0, end - 1)
        request = harness.client.recent_executions(limit=PAGE, offset=offset, filters=filters)
        page = (await harness.ask("executions", request)).executions
        nodes = [node for node in (page.nodes if page else None) or () if node is not None and node.id]
        if end and not _overlaps(nodes, seen, oldest):
            raise Unanswered(SYSTEM, "executions disappeared from the list while it was read")
        known = len(seen)
        for node in nodes:
            if node.created_at is not None and node.created_at < earliest:
                return
            if node.id not in seen:
                seen.add(str(node.id))
                yield node
        more = page.page_info.has_more if page is not None and page.page_info is not None else None
        if more is False or (more is None and len(seen) == known):
            return
        if not nodes:
            raise Unanswered(SYSTEM, "the list of executions is said to go on, but nothing follows")
        end, oldest = offset + len(nodes), nodes[-1].created_at
    kind = part.execution_type.value.lower()
    reason = f"the latest {len(seen)} executions of the {kind} do not reach back to {rfc3339(after)}"
    raise _TooMany(SYSTEM, reason, advice=advice)


def _overlaps(nodes: Sequence[Node], seen: set[str], oldest: int | None) -> bool:
    """Whether a page begins where the one before ended, or with something newer: else executions are missing."""
    if not nodes:
        return False
    first = nodes[0]
    return first.id in seen or first.created_at is None or oldest is None or first.created_at >= oldest


def _filters(part: gql.StartExecutionInput, after: float, before: float | None) -> list[gql.ExecutionFilter | None]:
    """Return the conditions for a part's executions; each entry adds one condition on the time of creation."""
    entity, is_workflow = equals(part.entity_id), part.execution_type is gql.ExecutionType.WORKFLOW
    first = gql.ExecutionFilter(
        application=equals(part.application_id),
        workflow=entity if is_workflow else None,
        pipeline=None if is_workflow else entity,
        creationTime=gql.TimeFilter(operator=gql.TimeOperator.AFTER, value=_milliseconds(after)),
    )
    filters: list[gql.ExecutionFilter | None] = [omit_nulls(first)]
    if before is not None:
        upper = gql.TimeFilter(operator=gql.TimeOperator.BEFORE, value=_milliseconds(before))
        filters.append(omit_nulls(gql.ExecutionFilter(creationTime=upper)))
    return filters


def _milliseconds(moment: float) -> int:
    return int(moment * 1000)
