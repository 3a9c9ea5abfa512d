"""A simulated Cloud Director."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.vcd import application
from provider_py.sandbox.vcd.access import API_TOKEN, ORG, PROVIDER_API_TOKEN
from tests.contract.sandbox.serving import serve, sign_in


def form(token: str, grant_type: str = "refresh_token") -> dict[str, str]:
    return {"grant_type": grant_type, "refresh_token": token}


@pytest.fixture
async def anonymous(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with serve(application, world, headers={"Accept": "application/json;version=37.1"}) as client:
        yield client


@pytest.fixture
async def site(anonymous: httpx2.AsyncClient) -> httpx2.AsyncClient:
    await sign_in(anonymous, f"/oauth/tenant/{ORG}/token", form(API_TOKEN))
    return anonymous


@pytest.fixture
async def provider(anonymous: httpx2.AsyncClient) -> httpx2.AsyncClient:
    await sign_in(anonymous, "/oauth/provider/token", form(PROVIDER_API_TOKEN))
    return anonymous
