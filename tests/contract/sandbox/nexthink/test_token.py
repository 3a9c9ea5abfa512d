from __future__ import annotations

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.nexthink import TOKEN_PATH
from tests.contract.sandbox.nexthink.conftest import CLIENT, FORM


async def test_basic_credentials_get_a_token_of_15_minutes(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.post(TOKEN_PATH, data=FORM, auth=CLIENT)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 900, "service:integration")
    assert "refresh_token" not in body


@pytest.mark.parametrize(
    ("form", "client", "status", "error"),
    [
        (FORM, (CLIENT[0], "wrong"), 401, "invalid_client"),
        (FORM | {"grant_type": "password"}, CLIENT, 400, "unsupported_grant_type"),
        (FORM | {"scope": "other"}, CLIENT, 400, "invalid_scope"),
    ],
)
async def test_wrong_token_requests_are_refused(
    anonymous: httpx2.AsyncClient, form: dict[str, str], client: tuple[str, str], status: int, error: str
) -> None:
    answer = await anonymous.post(TOKEN_PATH, data=form, auth=client)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_token_request_must_be_a_form(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.post(TOKEN_PATH, json=FORM, auth=CLIENT)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_form_credentials_are_accepted_only_when_enabled(anonymous: httpx2.AsyncClient, world: World) -> None:
    form = FORM | {"client_id": CLIENT[0], "client_secret": CLIENT[1]}
    assert (await anonymous.post(TOKEN_PATH, data=form)).status_code == 401
    world.behaviors.change({"nexthink": {"token_auth": "either"}})
    assert (await anonymous.post(TOKEN_PATH, data=form)).status_code == 200


async def test_call_without_a_token_gets_an_empty_401(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/api/v1/workflows")
    assert (answer.status_code, answer.content) == (401, b"")


async def test_token_expires(tenant: httpx2.AsyncClient, world: World) -> None:
    world.advance(899)
    assert (await tenant.get("/api/v1/workflows")).status_code == 200
    world.advance(2)
    assert (await tenant.get("/api/v1/workflows")).status_code == 401


async def test_token_lifetime_can_be_set(anonymous: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"token_seconds": 5}})
    assert (await anonymous.post(TOKEN_PATH, data=FORM, auth=CLIENT)).json()["expires_in"] == 5


async def test_reset_revokes_tokens(tenant: httpx2.AsyncClient, world: World) -> None:
    world.reset()
    assert (await tenant.get("/api/v1/workflows")).status_code == 401
