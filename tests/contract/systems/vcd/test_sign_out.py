"""A session that Cloud Director is slow to end neither outlasts the process' closing time nor looks like a bug."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import pytest

from provider_py.execution import Runtime, SystemFault
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.vcd import access
from provider_py.systems.vcd.config import VcdSettings
from provider_py.systems.vcd.connection import CloudDirector

CLOSING_SECONDS = 0.5
"""What the plugin process allows."""


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("kind", [FaultKind.DELAY, FaultKind.STATUS])
async def test_a_slow_sign_out_is_given_up(kind: FaultKind, stopped: bool, caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    async with Sandbox() as sandbox:
        url = sandbox.environment()["VCD_URL"]
        settings = VcdSettings(url=url, org="acme", user=access.USER, password=access.PASSWORD)
        director = CloudDirector(settings, Runtime(stop))
        channel = director.client.get_async_httpx_client()
        with contextlib.suppress(SystemFault):
            await channel.get("/cloudapi/1.0.0/workflows")
        sandbox.world.faults.add(Fault("vcd", kind, Match("DELETE"), status=503, seconds=30.0, times=None))
        if stopped:
            stop.set()
        began = time.monotonic()
        await director.close()
        assert time.monotonic() - began < CLOSING_SECONDS
        assert channel.is_closed
        assert [request.method for request in sandbox.world.requests if request.method == "DELETE"] == ["DELETE"]
        assert [record for record in caplog.records if record.levelno > logging.INFO] == []
