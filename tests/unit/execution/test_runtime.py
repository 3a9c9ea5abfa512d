from __future__ import annotations

import asyncio
import gc

import pytest

from provider_py.execution import Interrupted, Runtime
from tests.support.clock import Clock, settle


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runtime(clock: Clock) -> Runtime:
    return Runtime(asyncio.Event(), clock)


async def test_work_that_ends_in_time_returns_its_result(runtime: Runtime, clock: Clock) -> None:
    async def work() -> str:
        await clock.sleep(5)
        return "done"

    assert await clock.run(runtime.unless_stopped(work(), seconds=6)) == "done"
    assert clock.monotonic() == 5


async def test_work_that_takes_too_long_is_cancelled(runtime: Runtime, clock: Clock) -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await clock.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(TimeoutError):
        await clock.run(runtime.unless_stopped(work(), seconds=6))
    assert clock.monotonic() == 6
    await settle()
    assert cancelled.is_set()


async def test_what_work_raises_after_it_was_given_up_is_no_error_of_the_program(
    runtime: Runtime, clock: Clock
) -> None:
    async def work() -> None:
        try:
            await clock.sleep(60)
        except asyncio.CancelledError:
            raise Interrupted("Acme", "the operation was interrupted") from None

    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context["message"]))
    with pytest.raises(TimeoutError):
        await clock.run(runtime.unless_stopped(work(), seconds=6))
    await settle()
    gc.collect()
    assert errors == []


@pytest.mark.parametrize("seconds", [0, -3])
async def test_work_without_time_left_times_out_at_once(runtime: Runtime, clock: Clock, seconds: float) -> None:
    with pytest.raises(TimeoutError):
        await clock.run(runtime.unless_stopped(clock.sleep(60), seconds=seconds))
    assert clock.monotonic() == 0


async def test_an_exception_of_the_work_is_raised(runtime: Runtime, clock: Clock) -> None:
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await clock.run(runtime.unless_stopped(work(), seconds=6))


async def test_a_sleep_ends_when_terraform_stops(runtime: Runtime, clock: Clock) -> None:
    sleeping = asyncio.create_task(runtime.sleep(3600))
    await settle()
    runtime.stop.set()
    with pytest.raises(Interrupted):
        await sleeping
    assert clock.monotonic() == 0


async def test_a_sleep_after_a_stop_is_interrupted(runtime: Runtime) -> None:
    runtime.stop.set()
    with pytest.raises(Interrupted):
        await runtime.sleep(1)
