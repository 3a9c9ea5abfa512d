"""What stands before each system: records every request and lets the prepared faults strike."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from provider_py.sandbox.faults import Fault, FaultKind
from provider_py.sandbox.world import RecordedRequest, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_STAND_IN = '{"stand-in": "an answer that is cut short"}'


def observer(world: World, system: str) -> Middleware:
    """The middleware of a system; it must be the outermost."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = (await request.read()).decode("utf-8", "replace")
        record = _record(world, system, request, body)
        world.requests.append(record)
        fault = world.faults.take(system, request.method, request.path, body)
        response, record.status = await _answer(request, handler, fault)
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


async def _answer(request: web.Request, handler: Handler, fault: Fault | None) -> tuple[web.StreamResponse, int | None]:
    if fault is None:
        response = await _process(request, handler)
        return response, response.status
    if fault.kind is FaultKind.DELAY and not fault.after:
        await asyncio.sleep(fault.seconds or 0.0)
        response = await _process(request, handler)
        return response, response.status
    genuine = await _process(request, handler) if fault.after else None
    return await _strike(request, fault, genuine)


async def _process(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        headers = {name: value for name, value in refusal.headers.items() if not name.lower().startswith("content-")}
        return web.Response(status=refusal.status, reason=refusal.reason, text=refusal.text, headers=headers)


async def _strike(
    request: web.Request, fault: Fault, genuine: web.StreamResponse | None
) -> tuple[web.StreamResponse, int | None]:
    if fault.kind is FaultKind.DELAY and genuine is not None:
        await asyncio.sleep(fault.seconds or 0.0)
        return genuine, genuine.status
    if fault.kind is FaultKind.SILENCE:
        await _wait(fault.seconds)
    if fault.kind in {FaultKind.SILENCE, FaultKind.CUT}:
        return _cut(request), None
    if fault.kind is FaultKind.TRUNCATE:
        whole = genuine if isinstance(genuine, web.Response) else _stand_in(fault)
        return await _truncate(request, whole), whole.status
    answer = _stand_in(fault)
    return answer, answer.status


async def _wait(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


def _stand_in(fault: Fault) -> web.Response:
    headers = dict(fault.headers)
    if fault.kind is FaultKind.HTML:
        text = _PAGE if fault.body is None else str(fault.body)
        return web.Response(status=fault.status or 502, text=text, content_type="text/html", headers=headers)
    if fault.kind is FaultKind.JSON or not isinstance(fault.body, str | None):
        return web.json_response(fault.body, status=fault.status or 200, headers=headers)
    default = _STAND_IN if fault.kind is FaultKind.TRUNCATE else ""
    response = web.Response(status=fault.status or (200 if default else 500), headers=headers)
    response.text = default if fault.body is None else fault.body
    return response


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def _truncate(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Announce the full length, send half of it, hang up."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    headers = {name: value for name, value in whole.headers.items() if name.lower() != "content-length"}
    stream = web.StreamResponse(status=whole.status, headers=headers)
    stream.content_length = len(body)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream
