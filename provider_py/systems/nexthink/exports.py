"""All rows of a saved query, by an export: requested, waited for, downloaded.

A query returns about a thousand rows; an export writes all of them to a CSV file, as far as the licence allows. Exports
are slow and a daily limit counts them, so there is never more than one of a request at a time: one poll waits a while
for it, the next poll resumes waiting, and its rows serve other polls for a minute. An export that failed, or whose file
is gone, is forgotten, so that the next poll requests another.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from nexthink_client import api, models

from provider_py.execution import Missing, SystemFault, Unanswered, readable
from provider_py.systems.nexthink.config import SYSTEM
from provider_py.systems.nexthink.connection import Nexthink

PATIENCE_SECONDS: Final = 20.0
"""How long one poll waits for an export."""
PAUSE_SECONDS: Final = 2.0
FRESH_SECONDS: Final = 60.0
"""How long the rows of an export, counted from its request, are used in place of another export."""


class Export(NamedTuple):
    """The rows of an export. `partial`: the licence cut them short; `at`: when they were requested (monotonic)."""

    rows: Sequence[Mapping[str, str | None]]
    partial: bool
    at: float


class Exports:
    """The exports of one process, by the ID of the request they report."""

    def __init__(self, nexthink: Nexthink) -> None:
        self._nexthink = nexthink
        self._clock = nexthink.runtime.clock
        self._pending: dict[str, tuple[str, float]] = {}
        self._latest: dict[str, Export] = {}

    def is_pending(self, request_id: str) -> bool:
        """Whether an export was requested and not downloaded yet."""
        return request_id in self._pending

    async def get(self, request_id: str, query: str) -> Export | None:
        """Return the rows of a request; None while the export takes longer. Raises SystemFault."""
        latest = self._latest.get(request_id)
        if latest is not None and self._clock.monotonic() - latest.at < FRESH_SECONDS:
            return latest
        if request_id not in self._pending:
            self._pending[request_id] = (await self._request(request_id, query), self._clock.monotonic())
        export_id, at = self._pending[request_id]
        try:
            file = await self._wait(export_id)
        except SystemFault:
            del self._pending[request_id]
            raise
        if file is None:
            return None
        del self._pending[request_id]
        text, partial = file
        self._latest[request_id] = Export(read_rows(text), partial, at)
        return self._latest[request_id]

    async def _request(self, request_id: str, query: str) -> str:
        with readable(SYSTEM, "the export of the status query"):
            parameters = models.NqlExportRequestParameters()
            parameters["request_id"] = request_id
            body = models.NqlExportRequest(query_id=query, parameters=parameters)
            answer = await api.nql.export_nql_query.asyncio(client=self._nexthink.client, body=body)
            if not isinstance(answer, models.NqlExportResponse):
                raise Unanswered(SYSTEM, "the export of the status query was answered without an ID")
            return answer.export_id

    async def _wait(self, export_id: str) -> tuple[str, bool] | None:
        """Return the text of the file and whether it was cut short; None if it is not ready in time."""
        until = self._clock.monotonic() + PATIENCE_SECONDS
        while True:
            status, partial = await self._status(export_id)
            if status.status == "COMPLETED" and isinstance(status.results_file_url, str):
                content = await self._nexthink.download(status.results_file_url)
                with readable(SYSTEM, "the download of an export"):
                    return content.decode("utf-8-sig"), partial
            if status.status in {"COMPLETED", "ERROR"}:
                raise Unanswered(SYSTEM, f"the export of the status query failed: {_reason(status)}")
            if self._clock.monotonic() >= until:
                return None
            await self._nexthink.runtime.sleep(PAUSE_SECONDS)

    async def _status(self, export_id: str) -> tuple[models.NqlExportStatus, bool]:
        with readable(SYSTEM, "the export's status"):
            try:
                answer = await api.nql.get_nql_export_status.asyncio_detailed(export_id, client=self._nexthink.client)
            except Missing as fault:  # the saved query exists, so this is no reason to give up
                raise Unanswered(SYSTEM, fault.reason) from fault
            if not isinstance(answer.parsed, models.NqlExportStatus):
                raise Unanswered(SYSTEM, "the export's status was answered in an unknown form")
            return answer.parsed, answer.status_code == 206


def read_rows(text: str) -> Sequence[Mapping[str, str | None]]:
    """Read a CSV file with a header; empty fields become None."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: value or None for name, value in row.items() if name} for row in rows]


def _reason(status: models.NqlExportStatus) -> str:
    return status.error_description if isinstance(status.error_description, str) else "it has no file"
