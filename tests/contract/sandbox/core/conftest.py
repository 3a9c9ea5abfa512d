"""A whole sandbox with a clock that moves only when told, and a client of its control API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.world import World


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(world=World(run_seconds=10.0, timer=lambda: 0.0)) as sandbox:
        yield sandbox


@pytest.fixture
async def control(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=sandbox.urls.control, trust_env=False) as client:
        yield client


@pytest.fixture
async def harness(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    environment = sandbox.environment()
    async with httpx2.AsyncClient(
        base_url=environment["HARNESS_ENDPOINT"],
        headers={"x-api-key": environment["HARNESS_API_KEY"]},
        trust_env=False,
    ) as client:
        yield client
