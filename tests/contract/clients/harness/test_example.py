"""The example of the typed client runs against the sandbox as its README says."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from provider_py.sandbox.runs import Script
from provider_py.sandbox.server import Sandbox

EXAMPLE = Path(__file__).parents[4] / "examples" / "harness-client"


async def run(sandbox: Sandbox) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE / "main.py"),
        "--poll-seconds=0.1",
        env={**os.environ, **sandbox.environment(), "NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()


async def test_the_example_prints_what_its_readme_shows() -> None:
    async with Sandbox(run_seconds=0.3) as sandbox:
        code, out, errors = await run(sandbox)

    _before, _, rest = (EXAMPLE / "README.md").read_text("utf-8").partition("prints\n\n```\n")
    shown, _, _after = rest.partition("```")
    printed = re.sub(r"^(execution) .*$", r"\1 …", out, flags=re.MULTILINE)
    assert (code, errors) == (0, "")
    assert re.sub(r"(status RUNNING\n)+", "status RUNNING\n", printed) == shown


@pytest.mark.parametrize(
    ("behaviours", "complaint"),
    [({"execute_denied": True}, "User not authorized"), ({"null_payload": True}, "look into its executions first")],
)
async def test_a_refusal_is_reported_without_a_traceback(behaviours: dict[str, object], complaint: str) -> None:
    async with Sandbox() as sandbox:
        sandbox.world.behaviors.change({"harness": behaviours})
        code, _out, errors = await run(sandbox)

    assert code == 1
    assert complaint in errors
    assert "Traceback" not in errors


async def test_a_failed_run_is_a_failed_example() -> None:
    async with Sandbox(run_seconds=0.1) as sandbox:
        sandbox.world.runs.scripts.append(Script("harness", ending="failure"))
        code, out, _errors = await run(sandbox)

    assert (code, out.splitlines()[-1]) == (1, "status FAILED")
