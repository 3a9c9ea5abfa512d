"""The generated client of Harness against a simulated account, whose clock moves only when told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import pytest
from aiohttp.test_utils import TestServer
from harness_client import Client
from harness_client.async_base_client import Response

from provider_py.sandbox.harness.app import CREDENTIALS, application
from provider_py.sandbox.world import World

APPLICATION = "naNJDKrUTZKKdKycL5Tx4g"
WORKFLOW = "bhI2FyPrTpupdzL4QEk0_A"


ItemT = TypeVar("ItemT")


def several(*items: ItemT) -> list[ItemT | None]:
    """A list as the operations take it: the API allows null in each place."""
    return list(items)


class RecordingClient(Client):
    """The generated client, which notes the operations it sends."""

    sent: set[str]

    async def execute(
        self,
        query: str,
        operation_name: str | None = None,
        variables: Mapping[str, Any] | None = None,
        file: tuple[str, bytes] | None = None,
        **kwargs: Any,
    ) -> Response:
        self.sent.add(operation_name or "")
        return await super().execute(query, operation_name, variables, file, **kwargs)


@dataclass(frozen=True)
class Account:
    """The client and the world it acts in."""

    client: RecordingClient
    world: World


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    world = World(run_seconds=60.0, timer=lambda: 0.0)
    async with TestServer(application(world)) as server:
        world.behaviors.change({"harness": {"requests_per_minute": 0}})
        http = httpx2.AsyncClient(
            params={"accountId": CREDENTIALS["HARNESS_ACCOUNT_ID"]},
            headers={"x-api-key": CREDENTIALS["HARNESS_API_KEY"]},
            trust_env=False,
        )
        # httpx2 spells out the keyword arguments that the client's protocol leaves open, so types cannot show the fit.
        transport: Any = http
        async with RecordingClient(str(server.make_url("/gateway/api/graphql")), http_client=transport) as client:
            client.sent = set()
            yield Account(client, world)
