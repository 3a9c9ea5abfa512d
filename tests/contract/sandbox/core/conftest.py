"""A whole sandbox, and clients of its control API and of one system."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from provider_py.sandbox import Sandbox, World


@pytest.fixture
async def sandbox(world: World) -> AsyncIterator[Sandbox]:
    async with Sandbox(world=world) as sandbox:
        yield sandbox


@pytest.fixture
async def control(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=sandbox.urls.control, trust_env=False) as client:
        yield client


@pytest.fixture
async def harness(sandbox: Sandbox) -> AsyncIterator[httpx2.AsyncClient]:
    environment = sandbox.environment()
    headers = {"x-api-key": environment["HARNESS_API_KEY"]}
    async with httpx2.AsyncClient(base_url=environment["HARNESS_ENDPOINT"], headers=headers, trust_env=False) as client:
        yield client
