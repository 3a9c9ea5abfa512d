"""Exports of the status query: asked for, waited for, downloaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from nexthink_client.api.nql import export_nql_query, get_nql_export_status
from nexthink_client.models import (
    NqlExportRequest,
    NqlExportRequestParameters,
    NqlExportResponse,
    NqlExportStatus,
)

from provider_py.execution.connection import readable
from provider_py.execution.errors import Missing, SystemFault, Unanswered
from provider_py.systems.nexthink.calls import target_execution
from provider_py.systems.nexthink.reports import NexthinkTargetExecution
from provider_py.systems.nexthink.settings import SYSTEM
from provider_py.systems.nexthink.store import download
from provider_py.systems.nexthink.system import Nexthink

PATIENCE_SECONDS: Final = 20.0
"""How long one look waits for an export; what takes longer is taken up by the next look."""
PAUSE_SECONDS: Final = 2.0
FRESH_SECONDS: Final = 60.0
"""How long the rows of an export stand in for another export of the same request."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The rows of an export; `partial` says that the licence cut them short, `at` when they were asked for."""

    executions: Sequence[NexthinkTargetExecution]
    partial: bool
    at: float


class Exports:
    """The exports of one process, by the requests they report on."""

    def __init__(self, nexthink: Nexthink) -> None:
        """Nothing is asked for yet."""
        self._nexthink = nexthink
        self._clock = nexthink.runtime.clock
        self._asked: dict[str, tuple[str, float]] = {}
        self._latest: dict[str, Exported] = {}

    def going_on(self, key: str) -> bool:
        """Tell whether an export for this request was asked for and not downloaded yet."""
        return key in self._asked

    async def get(self, key: str, query: str) -> Exported | None:
        """Return the rows of a request, all of them if the licence allows; None: the export takes longer."""
        latest = self._latest.get(key)
        if latest is not None and self._clock.monotonic() - latest.at < FRESH_SECONDS:
            return latest
        if key not in self._asked:
            self._asked[key] = (await self._ask(key, query), self._clock.monotonic())
        export, at = self._asked[key]
        try:
            file = await self._file(export)
        except SystemFault:
            del self._asked[key]
            raise
        if file is None:
            return None
        del self._asked[key]
        self._latest[key] = Exported(_executions(file[0]), file[1], at)
        return self._latest[key]

    async def _ask(self, key: str, query: str) -> str:
        with readable(SYSTEM, "the export of the status query"):
            parameters = NqlExportRequestParameters()
            parameters["request_id"] = key
            body = NqlExportRequest(query_id=query, parameters=parameters)
            answer = await export_nql_query.asyncio(client=self._nexthink.client, body=body)
            if not isinstance(answer, NqlExportResponse):
                raise Unanswered(SYSTEM, "the export of the status query was answered without an id")
            return answer.export_id

    async def _file(self, export: str) -> tuple[str, bool] | None:
        """Return the text of the file and whether it was cut short; None while it is being made."""
        until = self._clock.monotonic() + PATIENCE_SECONDS
        while True:
            status, partial = await self._status(export)
            if status.status == "COMPLETED" and isinstance(status.results_file_url, str):
                content = await download(self._nexthink, status.results_file_url)
                with readable(SYSTEM, "the download of an export"):
                    return content.decode("utf-8-sig"), partial
            if status.status in {"COMPLETED", "ERROR"}:
                raise Unanswered(SYSTEM, f"the export of the status query failed: {_reason(status)}")
            if self._clock.monotonic() >= until:
                return None
            await self._nexthink.runtime.sleep(PAUSE_SECONDS)

    async def _status(self, export: str) -> tuple[NqlExportStatus, bool]:
        with readable(SYSTEM, "the export's status"):
            try:
                answer = await get_nql_export_status.asyncio_detailed(export, client=self._nexthink.client)
            except Missing as fault:  # the saved query is there, so this is no reason to give up
                raise Unanswered(SYSTEM, fault.reason) from fault
            if not isinstance(answer.parsed, NqlExportStatus):
                raise Unanswered(SYSTEM, "the export's status was answered in an unknown form")
            return answer.parsed, answer.status_code == 206


def _reason(status: NqlExportStatus) -> str:
    return status.error_description if isinstance(status.error_description, str) else "it gave no file"


def _executions(text: str) -> Sequence[NexthinkTargetExecution]:
    rows: Any = csv.DictReader(io.StringIO(text, newline=""))
    return [target_execution({name: value or None for name, value in row.items() if name}) for row in rows]
