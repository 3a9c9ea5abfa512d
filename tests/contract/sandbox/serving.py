"""The one way to serve a simulated system to a test: on a real socket, with a clock that only the test advances."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import httpx2
from aiohttp import web
from aiohttp.test_utils import TestServer

from provider_py.sandbox import World

RUN_SECONDS = 10.0


def still_world(run_seconds: float = RUN_SECONDS) -> World:
    """A world whose clock stands still unless it is advanced."""
    return World(run_seconds, timer=lambda: 0.0)


@asynccontextmanager
async def serve(
    application: Callable[[World], web.Application],
    world: World,
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve a system and yield a client of it, whose requests go below the path."""
    async with (
        TestServer(application(world)) as server,
        httpx2.AsyncClient(
            base_url=str(server.make_url(path)), headers=headers, params=params, trust_env=False
        ) as client,
    ):
        yield client


async def sign_in(
    client: httpx2.AsyncClient, path: str, form: Mapping[str, str], auth: httpx2.Auth | None = None
) -> str:
    """Exchange credentials for a token, which the client sends from now on."""
    answer = await client.post(path, data=form, auth=auth or httpx2.Auth())
    token: str = answer.json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return token
