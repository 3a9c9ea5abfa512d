"""A simulated Nexthink tenant on a real socket, with a clock that moves only when told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from aiohttp.test_utils import TestServer

from provider_py.sandbox.nexthink.app import CREDENTIALS, application
from provider_py.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World(run_seconds=10.0, timer=lambda: 0.0)


@pytest.fixture
async def anonymous(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        TestServer(application(world)) as server,
        httpx2.AsyncClient(base_url=str(server.make_url("/")), trust_env=False) as client,
    ):
        yield client


@pytest.fixture
async def tenant(anonymous: httpx2.AsyncClient) -> httpx2.AsyncClient:
    answer = await anonymous.post(
        "/oauth2/default/v1/token",
        data={"grant_type": "client_credentials", "scope": "service:integration"},
        auth=(CREDENTIALS["NEXTHINK_CLIENT_ID"], CREDENTIALS["NEXTHINK_CLIENT_SECRET"]),
    )
    anonymous.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return anonymous
