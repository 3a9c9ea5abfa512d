"""An empty answer where content was asked for is no answer: it is tried again where that is safe."""

from __future__ import annotations

import pytest

from provider_py.execution import Unanswered
from provider_py.execution.transport import ATTEMPTS
from tests.support.http import reply
from tests.unit.execution.channels import line


@pytest.mark.parametrize("text", ["", " ", "\r\n"])
async def test_an_empty_answer_to_a_check_is_tried_again(text: str) -> None:
    async with line(reply(200, text), reply(200, text), reply()) as wire:
        assert (await wire.get()).json() == {"ok": True}
        assert len(wire.server.asked) == 3
        assert len(wire.clock.slept) == 2


async def test_a_check_that_is_always_answered_without_content_is_unanswered() -> None:
    async with line(reply(200, "")) as wire:
        with pytest.raises(Unanswered, match=r"GET 127\.0\.0\.1/things was answered 200 without content"):
            await wire.get()
        assert len(wire.server.asked) == ATTEMPTS


@pytest.mark.parametrize("status", [201, 202, 204])
async def test_other_answers_to_a_check_may_be_empty(status: int) -> None:
    async with line(reply(status, "")) as wire:
        assert (await wire.get()).content == b""
        assert len(wire.server.asked) == 1
