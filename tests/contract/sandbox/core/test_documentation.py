"""docs/contributing/sandbox.md lists what the sandbox has: behaviors, kinds of faults, calls of the control API."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from provider_py.sandbox import FaultKind, Sandbox, World, control, harness, nexthink, vcd

PAGE = (Path(__file__).parents[4] / "docs" / "contributing" / "sandbox.md").read_text("utf-8")
SYSTEMS = {"harness": harness.BEHAVIORS, "nexthink": nexthink.BEHAVIORS, "vcd": vcd.BEHAVIORS}


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its header."""
    section = PAGE.partition(f"{heading}\n")[2]
    rows = re.findall(r"^\|(.*)\|$", section.partition("\n#")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[2:]]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_behavior_is_documented_with_its_values(system: str) -> None:
    values = {name: behavior.choices or (behavior.default,) for name, behavior in SYSTEMS[system].items()}
    rows = table(f"### {system}")

    assert [(name, allowed) for name, allowed, *_ in rows] == [
        (f"`{name}`", ", ".join(f"`{json.dumps(value)}`" for value in allowed)) for name, allowed in values.items()
    ]
    assert all(meaning and reason for _, _, meaning, reason in rows)


async def test_every_switch_has_its_documented_default(sandbox: Sandbox) -> None:
    documented = {
        system: {row[0].strip("`"): json.loads(row[1].partition("`, ")[0].strip("`")) for row in table(f"### {system}")}
        for system in SYSTEMS
    }
    assert sandbox.world.behaviors == documented


def test_every_kind_of_fault_is_documented() -> None:
    assert [row[0] for row in table("## Faults")] == [f"`{kind}`" for kind in FaultKind]


def test_every_call_of_the_control_api_is_documented() -> None:
    app = control.application(World(), ())
    calls = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    documented = re.findall(r"`(GET|POST|PATCH|DELETE) (/[a-z{}/]+)", PAGE)

    assert set(documented) == calls
