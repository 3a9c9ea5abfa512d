"""The outermost middleware of every system: records each request and applies the prepared faults."""

from __future__ import annotations

import asyncio
import contextlib
import json

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from provider_py.sandbox.faults import Fault, FaultKind
from provider_py.sandbox.world import RecordedRequest, World

_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_CUT_SHORT = '{"stand-in": "a response that is cut short"}'


def observer(world: World, system: str) -> Middleware:
    """The middleware of a system; it must be the outermost, or requests refused before it go unrecorded."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = (await request.read()).decode("utf-8", "replace")
        record = _record(world, system, request, body)
        world.requests.append(record)
        fault = world.faults.take(system, request.method, request.path, body)
        response, record.status = await _respond(request, handler, fault)
        return response

    return observe


def _record(world: World, system: str, request: web.Request, body: str) -> RecordedRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    parsed: object = body
    with contextlib.suppress(ValueError):
        parsed = json.loads(body)
    return RecordedRequest(
        system, request.method, request.path, dict(request.query), headers, parsed, None, world.clock()
    )


async def _respond(
    request: web.Request, handler: Handler, fault: Fault | None
) -> tuple[web.StreamResponse, int | None]:
    if fault is None:
        response = await _process(request, handler)
        return response, response.status
    if fault.kind is FaultKind.DELAY and not fault.after:
        await asyncio.sleep(fault.seconds or 0.0)
        response = await _process(request, handler)
        return response, response.status
    processed = await _process(request, handler) if fault.after else None
    return await _apply(request, fault, processed)


async def _process(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        headers = {name: value for name, value in refusal.headers.items() if not name.lower().startswith("content-")}
        return web.Response(status=refusal.status, reason=refusal.reason, text=refusal.text, headers=headers)


async def _apply(
    request: web.Request, fault: Fault, processed: web.StreamResponse | None
) -> tuple[web.StreamResponse, int | None]:
    if fault.kind is FaultKind.DELAY and processed is not None:
        await asyncio.sleep(fault.seconds or 0.0)
        return processed, processed.status
    if fault.kind is FaultKind.SILENCE:
        await _wait(fault.seconds)
    if fault.kind in {FaultKind.SILENCE, FaultKind.CUT}:
        return _cut(request), None
    if fault.kind is FaultKind.TRUNCATE:
        complete = processed if isinstance(processed, web.Response) else _substitute(fault)
        return await _truncate(request, complete), complete.status
    substitute = _substitute(fault)
    return substitute, substitute.status


async def _wait(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


def _substitute(fault: Fault) -> web.Response:
    headers = dict(fault.headers)
    if fault.kind is FaultKind.HTML:
        text = _PAGE if fault.body is None else str(fault.body)
        return web.Response(status=fault.status or 502, text=text, content_type="text/html", headers=headers)
    if fault.kind is FaultKind.JSON or not isinstance(fault.body, str | None):
        return web.json_response(fault.body, status=fault.status or 200, headers=headers)
    default = _CUT_SHORT if fault.kind is FaultKind.TRUNCATE else ""
    response = web.Response(status=fault.status or (200 if default else 500), headers=headers)
    response.text = default if fault.body is None else fault.body
    return response


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def _truncate(request: web.Request, complete: web.Response) -> web.StreamResponse:
    """Announce the full length, send half of it, close the connection."""
    body = complete.body if isinstance(complete.body, bytes) else b""
    headers = {name: value for name, value in complete.headers.items() if name.lower() != "content-length"}
    stream = web.StreamResponse(status=complete.status, headers=headers)
    stream.content_length = len(body)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream
