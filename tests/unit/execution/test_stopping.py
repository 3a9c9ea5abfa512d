"""When Terraform asks to stop, whoever waits is told within a second, whatever the pause was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import httpx2
import pytest

from provider_py.execution import Interrupted, PollSource, Runtime
from provider_py.execution.poller import Poller
from provider_py.execution.run import Phase, Run
from provider_py.execution.tokens import Token, TokenAuth
from provider_py.execution.waiting import Watch
from tests.support.clock import Clock, settle
from tests.support.http import reply, serving
from tests.unit.execution.channels import channel


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(asyncio.Event(), Clock())


async def poll(keys: Sequence[str]) -> Mapping[str, str]:
    return dict.fromkeys(keys, "running")


@pytest.mark.parametrize("interval", [0.0, 30.0])
async def test_a_stop_ends_the_wait_for_a_poll(runtime: Runtime, interval: float) -> None:
    """The first poll is followed by a spacing of two minutes, which no clock passes."""
    poller = Poller(PollSource(poll, 25, lambda: 120.0), runtime)
    assert await poller.next("first", 0) == "running"
    waiting = [asyncio.create_task(poller.next(f"run-{number}", interval)) for number in range(3)]
    await settle()
    assert not any(task.done() for task in waiting)
    runtime.stop.set()
    await settle()
    assert [type(task.exception()) for task in waiting] == [Interrupted] * 3
    assert poller._task is not None
    assert poller._task.done()


async def test_a_poller_goes_on_after_a_stop_that_is_over(runtime: Runtime) -> None:
    """In debug mode the process outlives the command that was stopped."""
    poller = Poller(PollSource(poll, 25, lambda: 120.0), runtime)
    await poller.next("run", 0)
    runtime.stop.set()
    await settle()
    runtime.stop.clear()
    assert await poller.next("run", 0) == "running"


async def test_a_stop_is_not_logged_as_a_failed_poll(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    async def read(keys: Sequence[str]) -> Mapping[str, Run[object]]:
        return {key: Run(key, "RUNNING", Phase.ACTIVE, detail=None) for key in keys}

    def note(key: str, run: Run[object]) -> None:
        assert run.id == key

    watch = Watch("Acme execution", Poller(PollSource(read, 25, lambda: 120.0), runtime), runtime, None, note=note)
    waiting = asyncio.create_task(watch.outcome(["a", "b"], {}, 3600))
    await settle()
    runtime.stop.set()
    assert isinstance((await waiting).fault, Interrupted)
    assert caplog.records == []


async def test_a_stop_ends_the_wait_for_a_token_but_not_its_exchange(runtime: Runtime) -> None:
    answered = asyncio.Event()

    async def fetch() -> Token:
        await answered.wait()
        return Token("a-token")

    auth = TokenAuth(fetch, runtime, "`acme.token`")
    async with serving([reply()]) as server, channel(runtime, auth=auth) as opened:
        waiting = asyncio.create_task(opened.post(server.url))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        runtime.stop.set()
        with pytest.raises(Interrupted):
            await waiting
        assert time.monotonic() - began < 0.5
        assert server.asked == []
        answered.set()
        await settle()
        assert auth.token == Token("a-token")
        runtime.stop.clear()  # as under a debugger, where the process outlives the command
        assert isinstance(await opened.post(server.url), httpx2.Response)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_stop_ends_a_pause_over_a_socket(status: int) -> None:
    runtime = Runtime(asyncio.Event())
    async with serving([reply(status, "{}", Retry_After="600")]) as server, channel(runtime) as opened:
        waiting = asyncio.create_task(opened.get(server.url))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        runtime.stop.set()
        with pytest.raises(Interrupted):
            await waiting
        assert time.monotonic() - began < 0.5
        assert len(server.asked) == 1
