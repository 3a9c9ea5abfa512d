"""A system for tests of the transport: a real server that answers what the test says, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """Where it answers, and the requests it got."""

    url: str = ""
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)


@asynccontextmanager
async def serving(answers: Sequence[Answer], *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answer the first request with the first answer, and so on; the last answer stands for all that follow."""
    server = Server()

    async def handle(request: web.Request) -> web.StreamResponse:
        server.bodies.append(await request.text())
        server.asked.append(request)
        return await answers[min(len(server.asked), len(answers)) - 1](request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


def reply(status: int = 200, text: str = '{"ok": true}', **headers: str) -> Answer:
    """Answer with a status and a JSON text; header names are written with underscores."""

    async def answer(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=text.encode(), headers={"Content-Type": "application/json", **named})

    return answer


def page(status: int = 200) -> Answer:
    """Answer with a web page, as a proxy or a login does."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="<html><body>Sign in</body></html>", content_type="text/html")

    return answer


async def cut(request: web.Request) -> web.StreamResponse:
    """Hang up without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def truncated(request: web.Request) -> web.StreamResponse:
    """Announce a length, send less, hang up."""
    response = web.StreamResponse()
    response.content_length = 100
    await response.prepare(request)
    await response.write(b'{"ok"')
    if request.transport is not None:
        request.transport.close()
    return response


async def silence(request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(3600)
    return web.Response()
