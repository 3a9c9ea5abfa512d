"""Which fault an answer raises, and what its message says."""

from __future__ import annotations

import asyncio
import logging

import httpx2
import pytest

from provider_py.execution import (
    Missing,
    NotStarted,
    Refused,
    Runtime,
    SystemFault,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from tests.support.clock import INSTANT, Clock
from tests.support.http import Answer, cut, page, reply, silence
from tests.unit.execution.channels import CREDENTIALS, SECRET, channel, line


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (301, Refused),
        (302, Unanswered),
        (400, Refused),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, Missing),
        (406, Refused),
        (409, Refused),
        (422, Refused),
        (500, Unanswered),
        (503, Unanswered),
    ],
)
async def test_the_status_decides_the_fault(status: int, fault: type[SystemFault]) -> None:
    async with line(reply(status, '{"message": "the reason"}', Location="https://elsewhere.example")) as wire:
        with pytest.raises(SystemFault) as caught:
            await wire.post()
        assert type(caught.value) is fault
        assert caught.value.reason == f"POST 127.0.0.1/things was answered {status}: the reason"
        assert str(caught.value) == f"Acme: {caught.value.reason}"
        assert isinstance(caught.value, NotStarted) is (fault is not Unanswered)
        assert (CREDENTIALS in caught.value.advice) is (fault is Unauthorized)
        assert len(wire.server.asked) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_an_answer_may_be_empty(status: int) -> None:
    async with line(reply(status, "")) as wire:
        assert (await wire.post()).content == b""


@pytest.mark.parametrize("text", ["[]", "null", '"word"', '{"a": 1}'])
async def test_an_answer_may_be_any_json(text: str) -> None:
    async with line(reply(200, text)) as wire:
        assert (await wire.post()).text == text


@pytest.mark.parametrize("text", ["", "[]", "null", '{"code": 7}', "<html>Bad request</html>", '{"mess'])
async def test_an_error_body_of_any_shape_is_accepted(text: str) -> None:
    async with line(reply(400, text)) as wire:
        with pytest.raises(Refused) as caught:
            await wire.get()
        assert caught.value.reason == "GET 127.0.0.1/things was answered 400"


async def test_a_long_explanation_is_truncated() -> None:
    async with line(reply(400, f'{{"message": "{"x" * 9000}"}}')) as wire:
        with pytest.raises(Refused) as caught:
            await wire.get()
        assert 500 < len(caught.value.reason) < 600


async def test_a_login_page_is_not_an_answer() -> None:
    async with line(page()) as wire:
        with pytest.raises(Unanswered, match="is not JSON; it may come from a proxy or a login page"):
            await wire.post()


@pytest.mark.parametrize("answer", [reply(401, '{"message": "no"}'), reply(500, "{}"), cut, page(), silence])
async def test_messages_contain_neither_credentials_nor_the_request_body(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="provider_py")
    async with line(answer, timeout=0.1) as wire:
        with pytest.raises(SystemFault) as caught:
            await wire.channel.post(
                f"{wire.server.url}/things?accountId=acme-account", json={"password": "body-secret"}
            )
    text = f"{caught.value} {caught.value.advice} {caught.value.__cause__} {caplog.text}"
    for secret in (SECRET, "body-secret", "acme-account"):
        assert secret not in text


async def test_a_credential_with_a_line_break_is_neither_sent_nor_shown() -> None:
    async with line(reply()) as wire:
        wire.channel.headers["x-api-key"] = f"{SECRET}\n"
        with pytest.raises(NotStarted) as caught:
            await wire.post()
        assert wire.server.asked == []
        assert "Check the credentials for line breaks" in caught.value.advice
        assert SECRET not in f"{caught.value}{caught.value.advice}{caught.value.__cause__}"


async def test_a_host_that_does_not_exist_is_unreachable() -> None:
    async with channel(Runtime(asyncio.Event(), Clock(INSTANT))) as opened:
        with pytest.raises(Unreachable, match=r"no connection to harness\.invalid could be made"):
            await opened.post("http://harness.invalid/api")


async def test_a_caller_may_send_a_request_again() -> None:
    async with line(reply(503, "{}"), reply()) as wire:
        request = httpx2.Request("POST", f"{wire.server.url}/things", content=b'{"start": true}')
        with pytest.raises(Unanswered):
            await wire.channel.send(request)
        assert (await wire.channel.send(request)).status_code == 200
        assert wire.server.bodies == ['{"start": true}'] * 2
