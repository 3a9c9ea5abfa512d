"""The NQL API: the saved status query, answered at once for about a thousand rows or exported to a file for all."""

from __future__ import annotations

import csv
import gzip
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from aiohttp import web

from provider_py.sandbox.nexthink.executions import SYSTEM, Executions, iso_time
from provider_py.sandbox.nexthink.refusals import nql_refusal
from provider_py.sandbox.world import World

ROW_LIMIT: Final = 1000
FILES: Final = "/exported-files"
_FILE_SECONDS: Final = 900
_FIELDS: Final = (
    "execution_id",
    "request_id",
    "request_time",
    "workflow.nql_id",
    "status",
    "status_details",
    "outcome",
    "outcome_details",
    "trigger_method",
    "device.name",
)


@dataclass(frozen=True, slots=True)
class _Export:
    """A file in the making; its rows are those of the moment it was asked for."""

    id: str
    signature: str
    asked_at: float
    content: bytes
    partial: bool


class Nql:
    """What the saved query answers; `query` is its id."""

    def __init__(self, world: World, executions: Executions, query: str) -> None:
        """Start without exports, and again after each reset."""
        self._world = world
        self._executions = executions
        self._query = query
        self._exports: dict[str, _Export] = {}
        world.on_reset(self._exports.clear)

    async def execute(self, request: web.Request) -> web.Response:
        """POST the saved status query, get its first rows."""
        request_id = await self._request_id(request)
        if isinstance(request_id, web.Response):
            return request_id
        utc = request.headers.get("x-utc-times", "").lower() == "true"
        rows = self._rows(request_id, utc, ROW_LIMIT)
        answer: dict[str, object] = {
            "queryId": self._query,
            "executedQuery": f'workflow.executions during past 30d | where request_id == "{request_id}"',
            "rows": len(rows),
            "executionDateTime": iso_time(self._world.clock(), utc),
            "data": rows,
        }
        return web.json_response(answer)

    async def export(self, request: web.Request) -> web.Response:
        """POST the saved status query, get the id of a file in the making."""
        request_id = await self._request_id(request)
        if isinstance(request_id, web.Response):
            return request_id
        compression = (await request.json()).get("compression", "NONE")
        if compression == "ZSTD":
            return nql_refusal(400, 200, "the sandbox does not compress with ZSTD")
        rows = self._rows(request_id, False, None)
        allowed = int(self._world.behaviours.number(SYSTEM, "export_limit")) or len(rows)
        content = _csv(rows[:allowed])
        export = _Export(
            str(uuid4()),
            secrets.token_urlsafe(16),
            self._world.clock(),
            gzip.compress(content) if compression == "GZIP" else content,
            len(rows) > allowed,
        )
        self._exports[export.id] = export
        return web.json_response({"exportId": export.id})

    async def status(self, request: web.Request) -> web.Response:
        """GET how far a file is, and its address once it is complete."""
        if (refused := self._refused()) is not None:
            return refused
        export = self._exports.get(request.match_info["export"])
        if export is None:
            return nql_refusal(404, 101, "there is no such export")
        age = self._world.clock() - export.asked_at
        takes = self._world.behaviours.number(SYSTEM, "export_seconds")
        if age < takes:
            return web.json_response({"status": "SUBMITTED" if age < takes / 2 else "IN_PROGRESS"})
        if reason := self._world.behaviours.text(SYSTEM, "export_error"):
            return web.json_response({"status": "ERROR", "errorDescription": reason})
        address = request.url.origin().with_path(f"{FILES}/{export.id}.csv").with_query(signature=export.signature)
        answer = {"status": "COMPLETED", "resultsFileUrl": str(address)}
        return web.json_response(answer, status=206 if export.partial else 200)

    async def file(self, request: web.Request) -> web.Response:
        """GET a file from the store, which knows signed addresses and no tokens."""
        if "Authorization" in request.headers:
            return _store_refusal(400, "InvalidArgument")
        export = self._exports.get(request.match_info["export"])
        if export is None or request.query.get("signature") != export.signature:
            return _store_refusal(403, "SignatureDoesNotMatch")
        if self._world.clock() > export.asked_at + _FILE_SECONDS:
            return _store_refusal(403, "AccessDenied")
        return web.Response(body=export.content, content_type="binary/octet-stream")

    async def _request_id(self, request: web.Request) -> str | web.Response:
        if (refused := self._refused()) is not None:
            return refused
        body = await request.json()
        if body["queryId"] != self._query:
            return nql_refusal(404, 100, f"there is no query {body['queryId']}")
        request_id: str | None = body.get("parameters", {}).get("request_id")
        return request_id or nql_refusal(400, 200, "the parameter request_id has no value")

    def _refused(self) -> web.Response | None:
        if self._world.behaviours.flag(SYSTEM, "nql_right"):
            return None
        return nql_refusal(403, 403, "the credentials have no right to NQL")

    def _rows(self, request_id: str, utc: bool, limit: int | None) -> list[dict[str, object]]:
        lag = self._world.behaviours.number(SYSTEM, "row_lag_seconds")
        return self._executions.rows(request_id, utc, lag, limit)


def _csv(rows: Sequence[dict[str, object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _FIELDS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _store_refusal(status: int, code: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return web.Response(status=status, text=text, content_type="application/xml")
