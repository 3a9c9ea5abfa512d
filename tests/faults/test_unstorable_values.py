"""What a system answers cannot be stored: the run is in the state all the same, and is not repeated."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from provider_py.sandbox.runs import Script
from provider_py.sandbox.server import Sandbox
from tests.conftest import UNLIMITED
from tests.support.scenarios import address, run_of
from tests.support.stack import Result, Stack
from tests.support.systems import SUCCESS

pytestmark = pytest.mark.terraform


@pytest.fixture
async def systems(stack: Stack) -> AsyncIterator[Sandbox]:
    """Serve the systems in this process: the control API of another takes only what JSON should hold."""
    async with Sandbox(run_seconds=0.5) as sandbox:
        sandbox.world.behaviors.change(UNLIMITED)
        stack.environment |= sandbox.environment()
        yield sandbox


ONBOARD = """
resource "workflow_vcd_execution" "run" {
  workflow   = "Onboard tenant"
  parameters = { vmName = "web-1" }
}
"""


async def applied(stack: Stack) -> Result:
    """Apply while this process serves the systems."""
    return await asyncio.to_thread(stack.applied)


async def assert_kept(stack: Stack, systems: Sandbox, system: str) -> Any:
    """Check that the run is in the state and stays there; return its attributes."""
    (run,) = systems.world.runs.of(system)
    values = stack.values(address(system))
    assert values["id"] == run.id
    assert not stack.state()[address(system)].get("tainted")
    assert (await asyncio.to_thread(stack.plan)).status == 0
    return values


async def test_an_output_that_is_no_number_is_null(stack: Stack, systems: Sandbox) -> None:
    systems.world.runs.scripts.append(Script("vcd", outputs={"vmId": "x", "f": math.inf}))
    stack.write(ONBOARD)
    (warning,) = (await applied(stack)).warnings
    assert '`outputs["f"]`' in warning.text
    assert warning.address == address("vcd")
    values = await assert_kept(stack, systems, "vcd")
    assert (values["outputs"]["vmId"], values["outputs"]["f"]) == ("x", None)
    assert values["outputs"]["ready"] is True


@pytest.mark.parametrize("system", ["harness", pytest.param("vcd", marks=pytest.mark.prove)])
async def test_a_reason_that_is_cut_within_a_character_is_stored(stack: Stack, systems: Sandbox, system: str) -> None:
    systems.world.runs.scripts.append(Script(system, ending="failure", reason="it failed \ud83d"))
    stack.write(run_of(system, 'on_failure = "keep"'))
    result = await applied(stack)
    assert any("it failed \ufffd" in warning.text for warning in result.warnings)
    values = await assert_kept(stack, systems, system)
    assert "it failed \ufffd" in values["status_message"]


@pytest.mark.prove
async def test_an_output_with_half_a_character_and_a_name_in_form_d(stack: Stack, systems: Sandbox) -> None:
    outputs: dict[str, object] = {"vmId": "x\ud83d", "de\u0301marre\u0301": "e\u0301"}
    systems.world.runs.scripts.append(Script("vcd", outputs=outputs))
    stack.write(ONBOARD)
    assert (await applied(stack)).warnings == []
    values = await assert_kept(stack, systems, "vcd")
    assert values["outputs"]["vmId"] == "x\ufffd"
    assert values["outputs"]["d\u00e9marr\u00e9"] == "\u00e9"
    assert values["status"] == SUCCESS["vcd"]
