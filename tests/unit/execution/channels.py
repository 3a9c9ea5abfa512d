"""A channel to a server of the test, on a clock whose pauses take no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from provider_py.execution import Runtime
from provider_py.execution.transport import Channel, tls
from tests.support.clock import INSTANT, Clock
from tests.support.http import Answer, Server, serving

SECRET = "s3cr3t-credential"
CREDENTIALS = "`acme.api_key`"


def explain(response: httpx2.Response) -> str:
    """Read an error as `{"message": …}`."""
    return str(response.json()["message"])


def channel(runtime: Runtime, *, timeout: float = 5.0, **options: Any) -> Channel:
    """Make a channel on which GET is safe to repeat, and nothing else."""
    options.setdefault("verify", tls("http://", None))
    options.setdefault("trust_env", False)
    headers = {"authorization": f"Bearer {SECRET}"}
    return Channel(
        "Acme",
        runtime,
        timeout=timeout,
        safe=_is_get,
        explain=explain,
        credentials=CREDENTIALS,
        headers=headers,
        **options,
    )


def _is_get(request: httpx2.Request) -> bool:
    return request.method == "GET"


@dataclass
class Line:
    """A channel, the server at its end, and the clock between them."""

    channel: Channel
    server: Server
    clock: Clock
    stop: asyncio.Event

    async def get(self) -> httpx2.Response:
        """Send a request that is safe to repeat."""
        return await self.channel.get(f"{self.server.url}/things")

    async def post(self) -> httpx2.Response:
        """Send a request that is not."""
        return await self.channel.post(f"{self.server.url}/things", json={"start": True})


@asynccontextmanager
async def line(*answers: Answer, **options: Any) -> AsyncIterator[Line]:
    """Open a channel to a server that gives these answers."""
    clock, stop = Clock(INSTANT), asyncio.Event()
    async with serving(answers) as server, channel(Runtime(stop, clock), **options) as opened:
        yield Line(opened, server, clock, stop)
