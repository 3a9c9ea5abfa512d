"""Signing in to Cloud Director in every way, keeping the session, and signing out."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from provider_py.execution.life import Held, Standing
from provider_py.plugin import Severity
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.vcd import access
from provider_py.systems.vcd.execution import VcdExecution
from tests.support.site import Process, Site, only
from tests.support.systems import texts
from tests.support.vcd import sign_in

RUN: dict[str, Any] = {"workflow": "Onboard tenant", "parameters": {"vmName": "web-1"}}
SESSIONS = "/cloudapi/1.0.0/sessions"
TENANT: dict[str, Any] = {"user": access.USER, "password": access.PASSWORD}
PROVIDER: dict[str, Any] = {"org": "SYSTEM", "user": access.PROVIDER_USER, "password": access.PROVIDER_PASSWORD}
PROVIDER_TOKEN: dict[str, Any] = {"org": "System", "api_token": access.PROVIDER_API_TOKEN}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "account" / "token.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"refresh_token": access.SERVICE_ACCOUNT_TOKEN, "token_type": "Service Account"}))
    file.chmod(0o644)
    return file


def content_of(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def names_beside(file: Path) -> list[str]:
    return sorted(other.name for other in file.parent.iterdir())


def replace(file: Path, content: str | None) -> None:
    """Write the file again, or remove it."""
    file.unlink()
    if content is not None:
        file.write_text(content)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({}, "/oauth/tenant/acme/token"),
        (PROVIDER_TOKEN, "/oauth/provider/token"),
        ({**PROVIDER_TOKEN, "org": "system"}, "/oauth/provider/token"),
        (TENANT, SESSIONS),
        (PROVIDER, f"{SESSIONS}/provider"),
    ],
)
@pytest.mark.parametrize("unauthorized_body", ["empty", "error"])
async def test_one_session_serves_all_requests(
    site: Site, settings: dict[str, Any], path: str, unauthorized_body: str
) -> None:
    process = await sign_in(site, **settings)
    site.set_behaviors("vcd", unauthorized_body=unauthorized_body)
    assert await process.plan(VcdExecution(**RUN)) == ()
    await asyncio.gather(*(process.created(VcdExecution(**RUN, triggers={"n": str(n)})) for n in range(3)))
    sign_ins = [(request.method, request.status) for request in site.requests if request.path == path]
    assert sign_ins == [("POST", 200)]
    tokens = {request.headers["authorization"] for request in site.requests if request.path != path}
    assert len(tokens) == 1


@pytest.mark.parametrize(("settings", "sessions"), [({}, 0), (TENANT, 1), (PROVIDER, 1)])
async def test_an_opened_session_is_closed_once(site: Site, settings: dict[str, Any], sessions: int) -> None:
    process = await sign_in(site, **settings)
    await process.created(VcdExecution(**RUN))
    assert site.received("/sessions/current", "DELETE") == []
    await process.close()
    await process.close()
    assert [request.status for request in site.received("/sessions/current", "DELETE")] == [204] * sessions


async def test_an_unused_connection_does_not_sign_in(site: Site) -> None:
    process = await sign_in(site, **TENANT)
    process.connection("vcd")
    await process.close()
    assert site.requests == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("vcd", FaultKind.STATUS, Match("DELETE"), status=401, times=None),
        Fault("vcd", FaultKind.CUT, Match("DELETE"), times=None),
    ],
    ids=["refused", "gone"],
)
async def test_the_connection_closes_when_signing_out_fails(site: Site, fault: Fault) -> None:
    process = await sign_in(site, **TENANT)
    await process.created(VcdExecution(**RUN))
    channel = process.connection("vcd").client.get_async_httpx_client()
    site.world.faults.add(fault)
    async with asyncio.timeout(10):
        await process.close()
    assert site.requests[-1].method == "DELETE"
    assert 204 not in [request.status for request in site.received("/sessions/current", "DELETE")]
    assert channel.is_closed


@pytest.mark.parametrize("settings", [{}, TENANT, PROVIDER])
async def test_an_expired_session_is_renewed_during_a_run(site: Site, settings: dict[str, Any]) -> None:
    process = await sign_in(site, **settings)
    site.set_behaviors("vcd", token_seconds=50.0)
    site.script("vcd", seconds=120)
    assert (await process.created(VcdExecution(**RUN))).status == "completed"
    statuses = [request.status for request in site.received("/executions", "POST")]
    assert [status for status in statuses if status != 401] == [201]


async def test_a_session_that_expires_between_operations_is_reopened(site: Site) -> None:
    process = await sign_in(site, **TENANT)
    await process.plan(VcdExecution(**RUN))
    site.world.advance(7200)
    state = await process.created(VcdExecution(**RUN, wait=False))
    assert site.runs("vcd")[0].id == state.id
    assert [request.status for request in site.received(SESSIONS, "POST")] == [200] * 2


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({**TENANT, "password": "wrong"}, "`vcd.user` and `vcd.password` (VCD_PASSWORD)"),
        ({**TENANT, "org": "globex"}, "VCD_PASSWORD"),
        ({"org": "System"}, "VCD_API_TOKEN"),
    ],
)
async def test_refused_credentials_are_named_but_not_shown(site: Site, settings: dict[str, Any], named: str) -> None:
    (problem,) = await (await sign_in(site, **settings)).plan(VcdExecution(**RUN))
    assert problem.severity is Severity.ERROR
    assert named in problem.detail
    assert "wrong" not in texts([problem])
    assert site.runs("vcd") == []


async def test_a_service_account_token_is_exchanged_and_stored(site: Site, token_file: Path) -> None:
    await (await sign_in(site, service_account_token_file=str(token_file))).created(VcdExecution(**RUN))
    content = content_of(token_file)
    assert content["refresh_token"] != access.SERVICE_ACCOUNT_TOKEN
    assert content["token_type"] == "Service Account"
    assert content["updated_on"]
    assert mode_of(token_file) == 0o600
    assert names_beside(token_file) == [".token.json.lock", "token.json"]
    assert await (await sign_in(site, service_account_token_file=str(token_file))).plan(VcdExecution(**RUN)) == ()
    assert content_of(token_file)["refresh_token"] != content["refresh_token"]


async def test_an_expired_access_token_is_renewed_with_the_newest_token(site: Site, token_file: Path) -> None:
    process = await sign_in(site, service_account_token_file=str(token_file))
    await process.plan(VcdExecution(**RUN))
    stored = content_of(token_file)["refresh_token"]
    site.world.advance(4000)
    assert (await process.created(VcdExecution(**RUN))).status == "completed"
    assert content_of(token_file)["refresh_token"] != stored


async def test_processes_take_turns_with_one_token_file(site: Site, token_file: Path) -> None:
    processes = [await sign_in(site, service_account_token_file=str(token_file)) for _ in range(4)]
    await asyncio.gather(*(process.plan(VcdExecution(**RUN)) for process in processes))
    exchanges = [request.status for request in site.requests if request.path.endswith("/token")]
    assert exchanges == [200] * 4


async def test_a_symbolic_link_to_a_token_file_remains(site: Site, token_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(token_file)
    assert await (await sign_in(site, service_account_token_file=str(link))).plan(VcdExecution(**RUN)) == ()
    assert link.is_symlink()
    assert content_of(token_file)["refresh_token"] != access.SERVICE_ACCOUNT_TOKEN


@pytest.mark.parametrize("content", [None, "", "no JSON", "[]", "{}", '{"refresh_token": 7}', "\x00"])
async def test_an_unusable_token_file_is_reported(site: Site, token_file: Path, content: str | None) -> None:
    replace(token_file, content)
    (problem,) = await (await sign_in(site, service_account_token_file=str(token_file))).plan(VcdExecution(**RUN))
    assert problem.severity is Severity.ERROR
    assert str(token_file) in problem.detail
    assert "`vcd.service_account_token_file`" in problem.detail
    assert problem.path == ("vcd", "service_account_token_file")
    assert site.requests == []


async def test_a_token_is_not_exchanged_if_the_next_cannot_be_stored(
    site: Site, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("provider_py.systems.vcd.session.tempfile.mkstemp", fail)
    (problem,) = await (await sign_in(site, service_account_token_file=str(token_file))).plan(VcdExecution(**RUN))
    assert "cannot be written to" in problem.detail
    assert site.requests == []
    assert content_of(token_file)["refresh_token"] == access.SERVICE_ACCOUNT_TOKEN


async def test_a_refused_exchange_leaves_the_token_file_unchanged(site: Site, token_file: Path) -> None:
    replace(token_file, '{"refresh_token": "used-up"}')
    (problem,) = await (await sign_in(site, service_account_token_file=str(token_file))).plan(VcdExecution(**RUN))
    assert problem.severity is Severity.ERROR
    assert "`vcd.service_account_token_file` (VCD_SA_TOKEN_FILE)" in problem.detail
    assert "already exchanged" in problem.detail
    assert "used-up" not in texts([problem])
    assert content_of(token_file) == {"refresh_token": "used-up"}
    assert names_beside(token_file) == [".token.json.lock", "token.json"]


async def test_a_token_file_that_breaks_during_a_run_does_not_lose_the_run(site: Site, token_file: Path) -> None:
    site.script("vcd", seconds=60)
    process = await sign_in(site, service_account_token_file=str(token_file))
    creation = asyncio.create_task(process.create(VcdExecution(**RUN)))
    await site.until_started("vcd")
    (run,) = site.runs("vcd")
    replace(token_file, None)
    site.world.advance(7200)
    run.seconds = 1e6
    result = await creation
    (problem,) = result.diagnostics
    assert problem.severity is Severity.ERROR
    assert "token file cannot be used" in texts([problem])
    assert str(token_file) in problem.detail
    assert result.state is not None
    assert result.state.id == run.id
    assert result.private == Held(Standing.OWED).encode()


@pytest.mark.parametrize("tenant", ["acme", "globex", "Initech & Söhne"])
async def test_a_provider_user_acts_in_a_tenant(site: Site, tenant: str) -> None:
    process = await sign_in(site, **PROVIDER_TOKEN, tenant=tenant)
    await process.created(VcdExecution(**RUN))
    in_tenant = [
        request.headers for request in site.requests if "/workflows/" in request.path or "/serviceItem" in request.path
    ]
    assert in_tenant
    for headers in in_tenant:
        assert headers["x-vmware-vcloud-tenant-context"] == access.org_id(tenant)
        assert headers["x-vmware-vcloud-auth-context"].encode("utf-8", "surrogateescape").decode() == tenant
    assert len(site.received("/orgs", "GET")) == 1


@pytest.mark.parametrize(
    "settings", [{}, {"tenant": "acme"}, {**PROVIDER_TOKEN, "tenant": "System"}, {**PROVIDER_TOKEN, "tenant": "system"}]
)
async def test_no_context_is_sent_in_ones_own_organization(site: Site, settings: dict[str, Any]) -> None:
    process = await sign_in(site, **settings)
    await process.created(VcdExecution(**RUN))
    assert not any("x-vmware-vcloud-tenant-context" in request.headers for request in site.requests)
    assert site.received("/orgs", "GET") == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({**PROVIDER_TOKEN, "tenant": "Acme"}, "no organization 'Acme'"),
        ({**PROVIDER_TOKEN, "tenant": "a,b;c==d*"}, "no organization"),
        ({"tenant": "globex"}, "no organization 'globex'"),
    ],
)
async def test_an_unknown_tenant_is_reported(site: Site, settings: dict[str, Any], words: str) -> None:
    (problem,) = await (await sign_in(site, **settings)).plan(VcdExecution(**RUN))
    assert words in problem.detail
    assert "VCD_TENANT" in problem.detail


async def test_nothing_is_started_if_the_tenant_lookup_fails(site: Site) -> None:
    process = await sign_in(site, **PROVIDER_TOKEN, tenant="acme")
    site.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET", "/orgs"), status=503, times=None))
    assert "Nothing was started" in only((await process.create(VcdExecution(**RUN))).diagnostics)
    assert site.received("/executions", "POST") == []


@pytest.mark.parametrize("body", ["", "<html>", '{"message": "versions: [38.0, 37.2]"}', "[]"])
async def test_an_unsupported_version_names_its_setting(process: Process, body: str) -> None:
    process.site.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET"), status=406, body=body, times=None))
    (problem,) = await process.plan(VcdExecution(**RUN))
    assert "VCD_API_VERSION" in problem.detail
    assert "message" not in body or "38.0" in problem.detail


async def test_an_unsupported_version_lists_the_supported_ones(site: Site) -> None:
    (problem,) = await (await sign_in(site, api_version="99.0")).plan(VcdExecution(**RUN))
    assert problem.severity is Severity.ERROR
    assert "vcd.api_version" in problem.detail
    assert "VCD_API_VERSION" in problem.detail
    assert "37.2" in problem.detail
    assert "38.0" in problem.detail
    assert site.runs() == []
