"""A simulated Harness account on a real socket, with a clock that moves only when told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from aiohttp.test_utils import TestServer

from provider_py.sandbox.harness.app import CREDENTIALS, application
from provider_py.sandbox.world import World
from tests.contract.sandbox.harness.requests import RUN_SECONDS, Harness


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    world = World(run_seconds=RUN_SECONDS, timer=lambda: 0.0)
    async with TestServer(application(world)) as server:
        world.behaviors.change({"harness": {"requests_per_minute": 0}})
        async with httpx2.AsyncClient(
            base_url=str(server.make_url("/gateway")),
            params={"accountId": CREDENTIALS["HARNESS_ACCOUNT_ID"]},
            headers={"x-api-key": CREDENTIALS["HARNESS_API_KEY"]},
            trust_env=False,
        ) as http:
            yield Harness(world, http)
