"""A simulated Cloud Director on a real socket, with a clock that moves only when told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from aiohttp.test_utils import TestServer

from provider_py.sandbox.vcd.access import API_TOKEN, ORG
from provider_py.sandbox.vcd.app import application
from provider_py.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World(run_seconds=10.0, timer=lambda: 0.0)


@pytest.fixture
async def anonymous(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Accept": "application/json;version=37.1"}
    async with (
        TestServer(application(world)) as server,
        httpx2.AsyncClient(base_url=str(server.make_url("/")), headers=headers, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
async def site(anonymous: httpx2.AsyncClient) -> httpx2.AsyncClient:
    form = {"grant_type": "refresh_token", "refresh_token": API_TOKEN}
    answer = await anonymous.post(f"/oauth/tenant/{ORG}/token", data=form)
    anonymous.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return anonymous
