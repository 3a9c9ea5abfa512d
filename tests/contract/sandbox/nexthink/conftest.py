"""A simulated Nexthink tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.nexthink import CREDENTIALS, TOKEN_PATH, application
from tests.contract.sandbox.serving import serve, sign_in

FORM = {"grant_type": "client_credentials", "scope": "service:integration"}
CLIENT = (CREDENTIALS["NEXTHINK_CLIENT_ID"], CREDENTIALS["NEXTHINK_CLIENT_SECRET"])


@pytest.fixture
async def anonymous(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with serve(application, world) as client:
        yield client


@pytest.fixture
async def tenant(anonymous: httpx2.AsyncClient) -> httpx2.AsyncClient:
    await sign_in(anonymous, TOKEN_PATH, FORM, httpx2.BasicAuth(*CLIENT))
    return anonymous
