"""Keys, limits and the shapes of HTTP answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.contract.sandbox.harness.requests import Harness

ANY = "{ applications(limit: 1) { nodes { id } } }"


@pytest.mark.parametrize("headers", [{"x-api-key": "wrong"}, {"x-api-key": ""}])
async def test_wrong_key_gets_the_rest_envelope(harness: Harness, headers: dict[str, str]) -> None:
    response = await harness.http.post("/api/graphql", json={"query": ANY}, headers=headers)

    entry = response.json()["responseMessages"][0]
    assert (response.status_code, entry["code"], entry["message"]) == (401, "INVALID_TOKEN", "Token is not valid.")
    assert response.headers["X-Harness-Error"] == "INVALID_TOKEN"


async def test_wrong_key_can_get_graphql_errors(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"unauthorized_style": "graphql"}})

    response = await harness.http.post("/api/graphql", json={"query": ANY}, headers={"x-api-key": "wrong"})

    assert response.status_code == 401
    assert response.json() == {"errors": [{"message": "Invalid Api Key", "locations": []}]}


async def test_api_answers_without_the_gateway_prefix(harness: Harness) -> None:
    url = harness.http.base_url.copy_with(path="/api/graphql")

    response = await harness.http.post(url, json={"query": ANY})

    assert response.json()["data"]["applications"]["nodes"]


async def test_thirty_first_request_of_a_minute_is_refused(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"requests_per_minute": 30}})
    statuses = [(await harness.post(ANY)).status_code for _ in range(30)]

    refused = await harness.post(ANY)

    text = "You've reached your account's rate limit for data queries. Please try again later."
    assert statuses == [200] * 30
    assert (refused.status_code, refused.json()) == (429, {"errors": [{"message": text, "locations": []}]})
    assert "Retry-After" not in refused.headers


async def test_window_of_the_limit_slides(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"requests_per_minute": 2}})
    await harness.post(ANY)
    harness.world.advance(40)
    await harness.post(ANY)
    harness.world.advance(21)

    statuses = [(await harness.post(ANY)).status_code for _ in range(2)]

    assert statuses == [200, 429]


async def test_cloudflare_blocks_for_a_minute(harness: Harness) -> None:
    harness.world.behaviors.change(
        {"harness": {"requests_per_minute": 1, "rate_limit_style": "cloudflare", "retry_after": "seconds"}}
    )
    await harness.post(ANY)
    harness.world.advance(30)
    refused = await harness.post(ANY)
    harness.world.advance(59)
    still_refused = await harness.post(ANY)
    harness.world.advance(60)

    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert refused.headers["Retry-After"] == "61"
    assert still_refused.status_code == 429


async def test_retry_after_can_be_a_date(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"requests_per_minute": 1, "retry_after": "date"}})
    await harness.post(ANY)

    refused = await harness.post(ANY)

    until = parsedate_to_datetime(refused.headers["Retry-After"])
    now = datetime.fromtimestamp(harness.world.clock(), UTC)
    assert timedelta(seconds=59) < until - now <= timedelta(seconds=61)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"variables": {}}', '{"query": "{a}", "variables": []}x'])
async def test_body_without_a_request_is_a_400(harness: Harness, content: str) -> None:
    response = await harness.http.post("/api/graphql", content=content, headers={"content-type": "application/json"})

    assert response.status_code == 400
    assert "Unable to process JSON" in response.json()["message"]


async def test_unknown_operation_name_is_a_500_in_plain_text(harness: Harness) -> None:
    response = await harness.post("query a { __typename } query b { __typename }", operationName="c")

    assert (response.status_code, response.headers["content-type"].split(";")[0]) == (500, "text/plain")
    assert "Unknown operation named 'c'" in response.text
