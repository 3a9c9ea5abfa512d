"""A simulated Harness account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from provider_py.sandbox.harness import ACCOUNT_ID, CREDENTIALS, application
from tests.contract.sandbox.harness.requests import RUN_SECONDS, Harness
from tests.contract.sandbox.serving import serve, still_world


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    world = still_world(RUN_SECONDS)
    key = {"x-api-key": CREDENTIALS["HARNESS_API_KEY"]}
    async with serve(application, world, "/gateway", key, {"accountId": ACCOUNT_ID}) as client:
        world.behaviors.change({"harness": {"requests_per_minute": 0}})
        yield Harness(world, client)
