"""The sandbox as a process: its output, its start, its end."""

from __future__ import annotations

import json
import os
import shlex
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
import trustme

from provider_py.sandbox import Sandbox, World
from provider_py.sandbox.__main__ import main

VARIABLES = {
    "HARNESS_ENDPOINT",
    "HARNESS_ACCOUNT_ID",
    "HARNESS_API_KEY",
    "NEXTHINK_API_URL",
    "NEXTHINK_TOKEN_URL",
    "NEXTHINK_CLIENT_ID",
    "NEXTHINK_CLIENT_SECRET",
    "NEXTHINK_STATUS_QUERY",
    "VCD_URL",
    "VCD_ORG",
    "VCD_API_TOKEN",
    "WORKFLOW_SANDBOX_CONTROL",
}


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The running process and the lines it printed before "ready"."""
    command = [sys.executable, "-m", "provider_py.sandbox", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": ""}
    ) as running:
        try:
            lines = []
            assert running.stdout is not None
            for line in running.stdout:
                if line == "ready\n":
                    break
                lines.append(line.rstrip("\n"))
            yield running, lines
        finally:
            running.kill()


def stop(running: subprocess.Popen[str], signum: signal.Signals) -> tuple[int, str]:
    """Send a signal; return the exit status and what was printed to stderr."""
    running.send_signal(signum)
    return running.wait(5), running.stderr.read() if running.stderr else ""


def test_process_prints_its_environment_and_stops_on_sigterm() -> None:
    with process() as (running, lines):
        exports = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        answer = httpx2.get(exports["WORKFLOW_SANDBOX_CONTROL"] + "/behaviours", trust_env=False)
        ended = stop(running, signal.SIGTERM)

    assert set(exports) == VARIABLES
    assert all(line.startswith("export ") for line in lines)
    assert set(answer.json()) == {"harness", "nexthink", "vcd"}
    assert ended == (0, "")


def test_process_prints_json_and_applies_its_options_and_stops_on_sigint() -> None:
    with process("--json", "--run-seconds", "7", "--speed", "50") as (running, lines):
        environment = json.loads(lines[0])
        clock = httpx2.post(environment["WORKFLOW_SANDBOX_CONTROL"] + "/clock", json={}, trust_env=False).json()
        ended = stop(running, signal.SIGINT)

    assert (len(lines), set(environment)) == (1, VARIABLES)
    assert clock["speed"] == 50
    assert ended == (0, "")


@pytest.mark.parametrize("options", [["--speed", "0"], ["--run-seconds", "x"], ["--nope"]])
def test_invalid_options_are_explained(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)

    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


async def test_sandbox_starts_within_two_seconds() -> None:
    began = time.perf_counter()
    async with Sandbox() as sandbox:
        seconds = time.perf_counter() - began
        urls = sandbox.urls

    assert seconds < 2
    assert len({urls.harness, urls.nexthink, urls.vcd, urls.control}) == 4
    async with httpx2.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(urls.control)


async def test_silent_request_does_not_delay_the_stop() -> None:
    async with Sandbox() as sandbox:
        async with httpx2.AsyncClient(trust_env=False) as client:
            fault = {"system": "harness", "kind": "silence"}
            await client.post(f"{sandbox.urls.control}/faults", json=fault)
            with pytest.raises(httpx2.ReadTimeout):
                await client.get(sandbox.urls.harness, timeout=0.05)
        began = time.perf_counter()

    assert time.perf_counter() - began < 2


async def test_two_sandboxes_share_nothing() -> None:
    async with Sandbox() as one, Sandbox() as other:
        one.world.behaviors.change({"harness": {"null_payload": True}})

        assert other.world.behaviors["harness"]["null_payload"] is False
        assert one.urls != other.urls


async def test_systems_can_speak_https() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async with Sandbox(tls=context) as sandbox, httpx2.AsyncClient(verify=trusting, trust_env=False) as client:
        answer = await client.get(sandbox.urls.vcd)
        urls = sandbox.urls

    assert answer.status_code >= 200
    assert {url.split(":")[0] for url in (urls.harness, urls.nexthink, urls.vcd)} == {"https"}
    assert urls.control.startswith("http:")


def test_world_keeps_its_own_time() -> None:
    real = [0.0]
    world = World(speed=10.0, timer=lambda: real[0])
    began = world.clock()

    real[0] = 1.0
    fast = world.clock() - began
    world.speed = 1.0
    real[0] = 2.0
    world.advance(100.0)

    assert fast == pytest.approx(10.0)
    assert world.clock() - began == pytest.approx(111.0)
