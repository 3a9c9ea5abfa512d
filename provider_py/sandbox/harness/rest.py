"""The REST calls for executions: interrupt one, read its status."""

from __future__ import annotations

import json

from aiohttp import web

from provider_py.sandbox.harness.account import Account
from provider_py.sandbox.harness.behaviors import SYSTEM
from provider_py.sandbox.harness.catalog import new_id
from provider_py.sandbox.harness.executions import Execution, PipelineExecution
from provider_py.sandbox.harness.gateway import envelope, reject_key

_FINAL = frozenset({"ABORTED", "ERROR", "FAILED", "SUCCESS", "REJECTED", "EXPIRED", "SKIPPED"})


class ExecutionsApi:
    """Handlers of the REST calls."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _find(self, request: web.Request) -> Execution | None:
        execution = self._account.execution(request.match_info["id"])
        if execution is None or execution.application.id != request.query.get("appId"):
            return None
        return execution

    async def interrupt(self, request: web.Request) -> web.Response:
        """PUT /api/executions/{id}?appId=&routingId= {"executionInterruptType": "ABORT_ALL"}."""
        error = reject_key(self._account.world, request)
        if error is not None:
            return error
        try:
            body = json.loads(await request.text())
            interrupt = str(body["executionInterruptType"])
        except (ValueError, KeyError, TypeError):
            return _error(400, "INVALID_ARGUMENT", "Invalid argument: executionInterruptType")
        execution = self._find(request)
        if execution is None:
            return _error(400, "INVALID_ARGUMENT", f"No execution for uuid: {request.match_info['id']}")
        return self._interrupt(execution, interrupt)

    def _interrupt(self, execution: Execution, interrupt: str) -> web.Response:
        now = self._account.now
        if interrupt == "ABORT_ALL":
            if execution.run.cancelled_at is not None:
                return _error(400, "ABORT_ALL_ALREADY", "Execution has already been aborted.")
            if execution.internal_status(now) in _FINAL:
                message = f"Current state execution is in final state {execution.internal_status(now)}"
                return _error(400, "STATE_NOT_FOR_ABORT", message)
            lag = self._account.world.behaviors.number(SYSTEM, "aborting_seconds")
            self._account.world.runs.cancel(execution.run.id, now + lag)
        elif interrupt == "PAUSE_ALL":
            execution.run.hold, execution.run.hold_at = "PAUSED", now
        elif interrupt == "RESUME_ALL":
            execution.run.release(now)
            if isinstance(execution, PipelineExecution):
                execution.settle()
        else:
            return _error(400, "INVALID_ARGUMENT", f"Invalid argument: {interrupt}")
        resource = {
            "uuid": new_id(),
            "appId": execution.application.id,
            "executionInterruptType": interrupt,
            "executionUuid": execution.id,
            "createdAt": int(now * 1000),
        }
        return web.json_response({"metaData": {}, "resource": resource, "responseMessages": []})

    async def status(self, request: web.Request) -> web.Response:
        """GET /api/external/v1/executions/{id}/status?accountId=&appId=, answered with the server's internal status."""
        error = reject_key(self._account.world, request)
        if error is not None:
            return error
        execution = self._find(request)
        if execution is None:
            return _error(400, "INVALID_ARGUMENT", f"No execution for uuid: {request.match_info['id']}")
        return web.json_response({"status": execution.internal_status(self._account.now)})


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response(envelope(code, message), status=status)
