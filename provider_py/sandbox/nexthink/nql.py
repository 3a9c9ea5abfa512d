"""The NQL API: the saved status query, answered directly for up to a thousand rows, or exported to a file."""

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

from provider_py.sandbox.nexthink.behaviors import SYSTEM
from provider_py.sandbox.nexthink.errors import NqlError
from provider_py.sandbox.nexthink.executions import Executions, iso_time
from provider_py.sandbox.wire import JsonObject
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
    """A file in preparation; its rows are those at the moment of the request."""

    id: str
    signature: str
    requested_at: float
    content: bytes
    partial: bool


class Nql:
    """The calls for the saved query; `query` is its id."""

    def __init__(self, world: World, executions: Executions, query: str) -> None:
        """Start without exports; a reset removes all."""
        self._world = world
        self._executions = executions
        self._query = query
        self._exports: dict[str, _Export] = {}
        world.on_reset(self._exports.clear)

    async def execute(self, request: web.Request) -> web.Response:
        """POST the saved status query, get its first rows."""
        request_id = await self._request_id(request)
        utc = request.headers.get("x-utc-times", "").lower() == "true"
        rows = self._rows(request_id, utc, ROW_LIMIT)
        body: JsonObject = {
            "queryId": self._query,
            "executedQuery": f'workflow.executions during past 30d | where request_id == "{request_id}"',
            "rows": len(rows),
            "executionDateTime": iso_time(self._world.clock(), utc),
            "data": rows,
        }
        return web.json_response(body)

    async def export(self, request: web.Request) -> web.Response:
        """POST the saved status query, get the id of a file in preparation."""
        request_id = await self._request_id(request)
        compression = (await request.json()).get("compression", "NONE")
        if compression == "ZSTD":
            raise NqlError(400, 200, "the sandbox does not compress with ZSTD")
        rows = self._rows(request_id, False, None)
        allowed = int(self._world.behaviors.number(SYSTEM, "export_limit")) or len(rows)
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
        """GET the progress of a file, and its address once it is complete."""
        self._check_permission()
        export = self._exports.get(request.match_info["export"])
        if export is None:
            raise NqlError(404, 101, "there is no such export")
        age = self._world.clock() - export.requested_at
        duration = self._world.behaviors.number(SYSTEM, "export_seconds")
        if age < duration:
            return web.json_response({"status": "SUBMITTED" if age < duration / 2 else "IN_PROGRESS"})
        if reason := self._world.behaviors.text(SYSTEM, "export_error"):
            return web.json_response({"status": "ERROR", "errorDescription": reason})
        address = request.url.origin().with_path(f"{FILES}/{export.id}.csv").with_query(signature=export.signature)
        body = {"status": "COMPLETED", "resultsFileUrl": str(address)}
        return web.json_response(body, status=206 if export.partial else 200)

    async def file(self, request: web.Request) -> web.Response:
        """GET a file from the store, which takes signed addresses and refuses tokens."""
        if "Authorization" in request.headers:
            return _store_error(400, "InvalidArgument")
        export = self._exports.get(request.match_info["export"])
        if export is None or request.query.get("signature") != export.signature:
            return _store_error(403, "SignatureDoesNotMatch")
        if self._world.clock() > export.requested_at + _FILE_SECONDS:
            return _store_error(403, "AccessDenied")
        return web.Response(body=export.content, content_type="binary/octet-stream")

    async def _request_id(self, request: web.Request) -> str:
        self._check_permission()
        body = await request.json()
        if body["queryId"] != self._query:
            raise NqlError(404, 100, f"there is no query {body['queryId']}")
        request_id: str | None = body.get("parameters", {}).get("request_id")
        if not request_id:
            raise NqlError(400, 200, "the parameter request_id has no value")
        return request_id

    def _check_permission(self) -> None:
        if not self._world.behaviors.flag(SYSTEM, "nql_right"):
            raise NqlError(403, 403, "the credentials have no permission for NQL")

    def _rows(self, request_id: str, utc: bool, limit: int | None) -> list[JsonObject]:
        lag = self._world.behaviors.number(SYSTEM, "row_lag_seconds")
        return self._executions.rows(request_id, utc, lag, limit)


def _csv(rows: Sequence[JsonObject]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _FIELDS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _store_error(status: int, code: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return web.Response(status=status, text=text, content_type="application/xml")
