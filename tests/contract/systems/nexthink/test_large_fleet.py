"""A fleet of 25 000 devices through the layers of a plan: decoding, validation, preflight.

Time is processor time, so that a busy machine does not fail the test.
"""

from __future__ import annotations

import time

from provider_py.plugin.plan import plan
from provider_py.plugin.validation import validate_config
from provider_py.rpc import codec
from provider_py.systems.nexthink.execution import TYPE, NexthinkExecution
from tests.support.nexthink import fleet
from tests.support.site import Process

COUNT = 25_000


async def test_fleet_is_planned_within_two_seconds_and_keeps_its_order(process: Process) -> None:
    names = [f"DESK-{number:05}" for number in range(COUNT, 0, -1)]
    config = {"workflow": "#reboot_device", "devices": [{"name": name} for name in names]}
    wire = codec.encode_msgpack(config)
    resource = process.execution("nexthink")
    began = time.process_time()
    decoded = codec.decode_msgpack(NexthinkExecution, wire)
    assert isinstance(decoded, dict)
    assert list(validate_config(TYPE, decoded)) == []
    planned = await plan(resource, None, decoded, decoded, b"")
    encoded = codec.encode_msgpack(dict(planned.state))
    assert time.process_time() - began < 2
    assert planned.diagnostics == ()
    state = codec.decode_msgpack(NexthinkExecution, encoded)
    assert isinstance(state, dict)
    assert [device["name"] for device in state["devices"]] == names


async def test_requests_keep_the_order_of_the_fleet(process: Process) -> None:
    config = NexthinkExecution(workflow="#reboot_device", devices=list(reversed(fleet(COUNT))))
    parts = await process.launcher("nexthink").prepare(config, frozenset())
    assert [len(part.devices) for part in parts] == [10_000, 10_000, 5_000]
    assert [device for part in parts for device in part.devices] == config.devices
