"""Looking at requests: the saved query answers about a thousand rows at once, and an export all of them.

An export is slow and counted against a daily limit, so one is made only when the rows that the query answers have all
ended and there are more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from provider_py.execution.errors import Missing, Refused, SystemFault
from provider_py.execution.run import Phase, Run
from provider_py.systems.nexthink import calls
from provider_py.systems.nexthink.exports import Exported, Exports
from provider_py.systems.nexthink.reports import SAVE_QUERY, Detail, Expected, NexthinkTargetExecution, ended, standing
from provider_py.systems.nexthink.settings import SYSTEM
from provider_py.systems.nexthink.system import Nexthink

ROWS: Final = 1000
"""About how many rows NQL answers at most; the vendor names no number, so half as many may already be all."""
GONE_SECONDS: Final = 3600.0
"""How long after the start a request may go without a row; later it counts as one Nexthink has no record of."""


class Looks:
    """The looks at all requests of one process."""

    def __init__(self, nexthink: Nexthink) -> None:
        """Look through a connection."""
        self._nexthink = nexthink
        self._exports = Exports(nexthink)
        self._counts: dict[str, int] = {}
        self._seen: set[str] = set()

    async def look(self, asked: Mapping[str, Expected]) -> Mapping[str, Run[Detail] | SystemFault]:
        """Look at requests by their ids; those Nexthink has no record of are left out."""
        looks = await asyncio.gather(*(self._look(key, expected) for key, expected in asked.items()))
        return {key: look for key, look in zip(asked, looks, strict=True) if look is not None}

    async def _look(self, key: str, expected: Expected) -> Run[Detail] | SystemFault | None:
        if expected.query is None and expected.waited:
            return Refused(SYSTEM, "no status query is set, and nothing else reports executions", advice=SAVE_QUERY)
        if expected.query is None:
            return Run(key, "in_progress", Phase.ACTIVE, Detail(expected.execution_ids))
        try:
            return await self._judge(key, expected, expected.query)
        except Missing as fault:
            return Missing(SYSTEM, fault.reason, advice=f"Check that the saved query {expected.query!r} exists.")
        except SystemFault as fault:
            return fault

    async def _judge(self, key: str, expected: Expected, query: str) -> Run[Detail] | None:
        reported: Sequence[NexthinkTargetExecution] = ()
        if not self._exports.going_on(key):
            reported = await calls.report(self._nexthink, query, key)
        if self._exports.going_on(key) or _more(reported, expected):
            exported = await self._exports.get(key, query)
            if exported is None:
                return Run(key, "in_progress", Phase.ACTIVE, Detail(expected.execution_ids, reported))
            return self._of_export(key, exported, expected)
        if not reported and self._gone(key, expected):
            return None
        if reported:
            self._seen.add(key)
        return self._settled(key, reported, expected)

    def _gone(self, key: str, expected: Expected) -> bool:
        """Rows come with some delay, so their absence tells something only where there were some, or after long."""
        age = self._nexthink.runtime.clock.time() - expected.since
        return expected.seen or key in self._seen or age > GONE_SECONDS

    def _of_export(self, key: str, exported: Exported, expected: Expected) -> Run[Detail]:
        run = standing(key, exported.executions, expected.execution_ids)
        unseen = not run.phase.ended or not expected.execution_ids
        if exported.partial and unseen and ended(exported.executions):
            raise Refused(
                SYSTEM,
                f"the export of the status query holds {len(exported.executions)} rows only, because of the licence, "
                "so the other executions of the request cannot be followed",
                advice="Run on fewer targets at a time, or set wait = false.",
            )
        return run

    def _settled(self, key: str, reported: Sequence[NexthinkTargetExecution], expected: Expected) -> Run[Detail]:
        """Validate by rows; where their number is not known for sure, two looks in a row have to find as many."""
        before, self._counts[key] = self._counts.get(key), len(reported)
        run = standing(key, reported, expected.execution_ids)
        certain = expected.execution_ids or len(reported) >= expected.targets or before == len(reported)
        return run if certain else Run(key, "in_progress", Phase.ACTIVE, run.detail)


def _more(reported: Sequence[NexthinkTargetExecution], expected: Expected) -> bool:
    """Tell whether all that the query answers has ended and other rows may be beyond its limit."""
    if not reported or not ended(reported):
        return False
    if not expected.execution_ids:
        return len(reported) >= ROWS
    missing = not {each.execution_id for each in reported}.issuperset(expected.execution_ids)
    return missing and (len(expected.execution_ids) > ROWS or len(reported) >= ROWS // 2)
