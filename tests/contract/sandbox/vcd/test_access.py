from __future__ import annotations

import base64
import json

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.vcd import access
from tests.contract.sandbox.vcd.conftest import form

SESSIONS = "/cloudapi/1.0.0/sessions"
CURRENT = "/cloudapi/1.0.0/sessions/current"
TENANT_TOKEN = f"/oauth/tenant/{access.ORG}/token"
PROVIDER_TOKEN = "/oauth/provider/token"


async def test_password_opens_a_tenant_session(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.post(SESSIONS, auth=(f"{access.USER}@{access.ORG}", access.PASSWORD))
    assert answer.status_code == 200
    assert answer.headers["X-VMWARE-VCLOUD-TOKEN-TYPE"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/json;version=37.1"
    token = answer.headers["X-VMWARE-VCLOUD-ACCESS-TOKEN"]
    current = await anonymous.get(CURRENT, headers={"Authorization": f"bearer {token}"})
    assert current.json() == answer.json()
    assert current.json()["org"]["name"] == "acme"


async def test_password_opens_a_provider_session(anonymous: httpx2.AsyncClient) -> None:
    login = (f"{access.PROVIDER_USER}@system", access.PROVIDER_PASSWORD)
    answer = await anonymous.post(f"{SESSIONS}/provider", auth=login)
    assert answer.json()["org"]["name"] == "System"
    assert (await anonymous.post(SESSIONS, auth=login)).status_code == 401


async def test_wrong_passwords_get_an_empty_401(anonymous: httpx2.AsyncClient, world: World) -> None:
    login = (f"{access.USER}@{access.ORG}", "wrong")
    answer = await anonymous.post(SESSIONS, auth=login)
    assert (answer.status_code, answer.content) == (401, b"")
    world.behaviors.change({"vcd": {"unauthorized_body": "error"}})
    answer = await anonymous.post(SESSIONS, auth=login)
    assert (answer.status_code, answer.json()["minorErrorCode"]) == (401, "UNAUTHORIZED")


async def test_api_token_can_be_exchanged_repeatedly(anonymous: httpx2.AsyncClient) -> None:
    first = (await anonymous.post(TENANT_TOKEN, data=form(access.API_TOKEN))).json()
    second = (await anonymous.post(TENANT_TOKEN, data=form(access.API_TOKEN))).json()
    assert first["access_token"] != second["access_token"]
    assert (first["token_type"], first["expires_in"], first["refresh_token"]) == ("Bearer", 3600, None)


async def test_token_exchange_needs_no_version(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.post(TENANT_TOKEN, data=form(access.API_TOKEN), headers={"Accept": "application/json"})
    assert answer.status_code == 200


async def test_api_token_can_be_returned_in_the_answer(anonymous: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"api_token_answer": "repeat"}})
    answer = await anonymous.post(TENANT_TOKEN, data=form(access.API_TOKEN))
    assert answer.json()["refresh_token"] == access.API_TOKEN


async def test_provider_has_its_own_tokens(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.post(PROVIDER_TOKEN, data=form(access.PROVIDER_API_TOKEN))).status_code == 200
    assert (await anonymous.post(PROVIDER_TOKEN, data=form(access.API_TOKEN))).status_code == 400


@pytest.mark.parametrize(
    ("url", "body", "error"),
    [
        (TENANT_TOKEN, form("unknown"), "invalid_grant"),
        ("/oauth/tenant/other/token", form(access.API_TOKEN), "invalid_grant"),
        (TENANT_TOKEN, form(access.API_TOKEN, "password"), "unsupported_grant_type"),
    ],
)
async def test_wrong_exchanges_are_refused(
    anonymous: httpx2.AsyncClient, url: str, body: dict[str, str], error: str
) -> None:
    answer = await anonymous.post(url, data=body)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_service_account_token_rotates(anonymous: httpx2.AsyncClient, world: World) -> None:
    first = await anonymous.post(TENANT_TOKEN, data=form(access.SERVICE_ACCOUNT_TOKEN))
    following = first.json()["refresh_token"]
    assert following != access.SERVICE_ACCOUNT_TOKEN
    dead = await anonymous.post(TENANT_TOKEN, data=form(access.SERVICE_ACCOUNT_TOKEN))
    assert dead.json()["error"] == "invalid_grant"
    assert (await anonymous.post(TENANT_TOKEN, data=form(following))).status_code == 200
    world.reset()
    assert (await anonymous.post(TENANT_TOKEN, data=form(access.SERVICE_ACCOUNT_TOKEN))).status_code == 200


async def test_token_is_a_jwt_that_expires(site: httpx2.AsyncClient, world: World) -> None:
    _, claims, _ = site.headers["Authorization"].removeprefix("Bearer ").split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert decoded["exp"] == int(world.clock() + 3600)
    assert (await site.get(CURRENT)).status_code == 200
    world.advance(3600)
    assert (await site.get(CURRENT)).status_code == 401


async def test_token_lifetime_can_be_set(anonymous: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"token_seconds": 5}})
    assert (await anonymous.post(TENANT_TOKEN, data=form(access.API_TOKEN))).json()["expires_in"] == 5


async def test_logout_ends_the_session(site: httpx2.AsyncClient) -> None:
    assert (await site.delete(CURRENT)).status_code == 204
    assert (await site.get(CURRENT)).status_code == 401


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json;version=99.0"])
async def test_unsupported_version_is_not_acceptable(site: httpx2.AsyncClient, accept: str) -> None:
    answer = await site.get(CURRENT, headers={"Accept": accept})
    assert (answer.status_code, answer.json()["minorErrorCode"]) == (406, "NOT_ACCEPTABLE")
    assert "[39.0.0-alpha, 38.0, 37.2, 37.1, 37.0, 36.3 [D]" in answer.json()["message"]


async def test_first_supported_version_is_used(site: httpx2.AsyncClient) -> None:
    accept = "application/json;version=99.0, application/*+json;version=38.0"
    answer = await site.get(CURRENT, headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "application/json;version=38.0"


async def test_versions_need_no_session(anonymous: httpx2.AsyncClient) -> None:
    as_json = await anonymous.get("/api/versions", headers={"Accept": "application/*+json"})
    infos = {info["version"]: info["deprecated"] for info in as_json.json()["versionInfo"]}
    assert (infos["37.1"], infos["35.0"]) == (False, True)
    as_xml = await anonymous.get("/api/versions", headers={"Accept": "*/*"})
    assert as_xml.headers["Content-Type"].startswith("application/xml")
    assert "<Version>37.1</Version>" in as_xml.text


async def test_request_id_is_returned(site: httpx2.AsyncClient) -> None:
    answer = await site.get(CURRENT, headers={"X-VMWARE-VCLOUD-CLIENT-REQUEST-ID": "mine-1"})
    assert answer.headers["X-VMWARE-VCLOUD-REQUEST-ID"].startswith("mine-1-")
    assert len((await site.get(CURRENT)).headers["X-VMWARE-VCLOUD-REQUEST-ID"]) == 36


async def test_unknown_path_returns_an_api_error(site: httpx2.AsyncClient) -> None:
    answer = await site.get("/cloudapi/workflows")
    assert (answer.status_code, set(answer.json())) == (404, {"minorErrorCode", "message", "stackTrace"})
