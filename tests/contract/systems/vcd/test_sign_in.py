"""Signing in to Cloud Director in every way, keeping the session, and signing out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from provider_py.plugin import DiagnosticError
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.vcd import access
from provider_py.sandbox.world import Script
from tests.contract.systems.vcd.conftest import Life, Site

RUN: dict[str, Any] = {"workflow": "Onboard tenant", "parameters": {"vmName": "web-1"}}
TENANT: dict[str, Any] = {"user": access.USER, "password": access.PASSWORD}
PROVIDER: dict[str, Any] = {"org": "SYSTEM", "user": access.PROVIDER_USER, "password": access.PROVIDER_PASSWORD}
PROVIDER_TOKEN: dict[str, Any] = {"org": "System", "api_token": access.PROVIDER_API_TOKEN}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token.json"
    file.write_text(json.dumps({"refresh_token": access.SERVICE_ACCOUNT_TOKEN, "updated_by": "someone"}))
    file.chmod(0o644)
    return file


def kept(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def write(file: Path, content: str | None) -> None:
    file.unlink()
    if content is not None:
        file.write_text(content)


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def beside(file: Path) -> set[str]:
    return {each.name for each in file.parent.glob(f".{file.name}*")}


@pytest.mark.parametrize(
    ("settings", "door"),
    [
        ({}, "/oauth/tenant/acme/token"),
        (PROVIDER_TOKEN, "/oauth/provider/token"),
        (TENANT, "/cloudapi/1.0.0/sessions"),
        (PROVIDER, "/cloudapi/1.0.0/sessions/provider"),
    ],
)
@pytest.mark.parametrize("unauthorized_body", ["empty", "error"])
async def test_one_session_serves_all_requests(
    site: Site, settings: dict[str, Any], door: str, unauthorized_body: str
) -> None:
    life = site.life(**settings)
    life.behave(unauthorized_body=unauthorized_body)
    await asyncio.gather(*(life.made(**RUN, triggers={"n": str(n)}) for n in range(3)))
    assert [each.path for each in site.world.requests if each.path == door] == [door]
    signed = {each.headers["authorization"] for each in site.world.requests if each.path != door}
    assert len(signed) == 1


@pytest.mark.parametrize(("settings", "ends"), [({}, 0), (TENANT, 1), (PROVIDER, 1)])
async def test_a_session_that_was_opened_is_ended(site: Site, settings: dict[str, Any], ends: int) -> None:
    life = site.life(**settings)
    await life.made(**RUN)
    await life.director.close()
    await life.director.close()
    assert [each.status for each in life.asked("DELETE", "/sessions/current")] == [204] * ends


async def test_who_needed_nothing_signs_in_nowhere(site: Site) -> None:
    life = site.life(**TENANT)
    await life.director.close()
    assert site.world.requests == []


async def test_a_server_that_is_gone_does_not_keep_the_process(site: Site) -> None:
    life = site.life(**TENANT)
    await life.made(**RUN)
    site.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("DELETE"), status=401))
    await life.director.close()


@pytest.mark.parametrize("settings", [{}, TENANT, PROVIDER])
async def test_an_expired_session_is_renewed_while_a_run_is_waited_for(site: Site, settings: dict[str, Any]) -> None:
    life = site.life(**settings)
    life.behave(token_seconds=50.0)
    site.world.runs.scripts.append(Script("vcd", seconds=120))
    state = await life.made(**RUN)
    assert state.status == "completed"
    assert (
        len(life.asked("POST", "/executions")) - sum(each.status == 401 for each in life.asked("POST", "/executions"))
        == 1
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"api_token": "wrong"}, "VCD_API_TOKEN"),
        ({**TENANT, "password": "wrong"}, "VCD_PASSWORD"),
        ({**TENANT, "org": "globex"}, "VCD_PASSWORD"),
        ({"org": "System"}, "VCD_API_TOKEN"),
    ],
)
async def test_credentials_that_are_refused_are_named_and_not_shown(
    site: Site, settings: dict[str, Any], named: str
) -> None:
    life = site.life(**settings)
    (said,) = (await life.plan(**RUN)).diagnostics
    assert named in said.detail
    assert "wrong" not in said.detail


async def test_a_service_accounts_token_is_exchanged_and_kept(site: Site, token_file: Path) -> None:
    life = site.life(service_account_token_file=str(token_file))
    await life.made(**RUN)
    assert kept(token_file)["refresh_token"] != access.SERVICE_ACCOUNT_TOKEN
    assert kept(token_file)["updated_by"] == "someone"
    assert mode(token_file) == 0o600
    assert beside(token_file) <= {".token.json.lock"}


async def test_processes_take_turns_with_one_token_file(site: Site, token_file: Path) -> None:
    lives = [site.life(service_account_token_file=str(token_file)) for _ in range(4)]
    await asyncio.gather(*(life.plan(**RUN) for life in lives))
    exchanged = [each.status for each in site.world.requests if each.path.endswith("/token")]
    assert exchanged == [200] * 4


async def test_a_linked_token_file_stays_a_link(site: Site, token_file: Path) -> None:
    link = token_file.parent / "elsewhere" / "link.json"
    link.parent.mkdir()
    link.symlink_to(token_file)
    assert (await site.life(service_account_token_file=str(link)).plan(**RUN)).diagnostics == ()
    assert link.is_symlink()
    assert kept(token_file)["refresh_token"] != access.SERVICE_ACCOUNT_TOKEN


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"refresh_token": 7}', "\x00"])
async def test_a_token_file_that_cannot_be_used_is_told(site: Site, token_file: Path, content: str | None) -> None:
    write(token_file, content)
    (said,) = (await site.life(service_account_token_file=str(token_file)).plan(**RUN)).diagnostics
    assert str(token_file) in said.detail
    assert said.path == ("vcd", "service_account_token_file")


async def test_a_token_is_not_used_up_where_the_next_cannot_be_kept(
    site: Site, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("provider_py.systems.vcd.session.tempfile.mkstemp", full)
    (said,) = (await site.life(service_account_token_file=str(token_file)).plan(**RUN)).diagnostics
    assert "cannot be written to" in said.detail
    assert site.world.requests == []
    assert kept(token_file)["refresh_token"] == access.SERVICE_ACCOUNT_TOKEN


async def test_a_refused_exchange_leaves_the_file_alone(site: Site, token_file: Path) -> None:
    write(token_file, '{"refresh_token": "used-up"}')
    (said,) = (await site.life(service_account_token_file=str(token_file)).plan(**RUN)).diagnostics
    assert "VCD_SA_TOKEN_FILE" in said.detail
    assert "used-up" not in said.detail
    assert kept(token_file) == {"refresh_token": "used-up"}
    assert beside(token_file) <= {".token.json.lock"}


@pytest.mark.parametrize("tenant", ["acme", "globex", "Initech & Söhne"])
async def test_the_providers_user_acts_in_a_tenant(site: Site, tenant: str) -> None:
    life = site.life(**PROVIDER_TOKEN, tenant=tenant)
    await life.made(**RUN)
    inside = [each for each in site.world.requests if "/workflows/" in each.path or "/serviceItem" in each.path]
    assert inside
    for each in inside:
        assert each.headers["x-vmware-vcloud-tenant-context"] == access.org_id(tenant)
        assert each.headers["x-vmware-vcloud-auth-context"].encode("utf-8", "surrogateescape").decode() == tenant
    assert len(life.asked("GET", "/orgs")) == 1


@pytest.mark.parametrize(
    "settings", [{}, {"tenant": "acme"}, {**PROVIDER_TOKEN, "tenant": "System"}, {**PROVIDER_TOKEN, "tenant": "system"}]
)
async def test_who_is_there_already_sends_no_context(site: Site, settings: dict[str, Any]) -> None:
    life = site.life(**settings)
    await life.made(**RUN)
    assert not any("x-vmware-vcloud-tenant-context" in each.headers for each in site.world.requests)
    assert life.asked("GET", "/orgs") == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({**PROVIDER_TOKEN, "tenant": "Acme"}, "no organization 'Acme'"),
        ({**PROVIDER_TOKEN, "tenant": "a,b;c==d*"}, "no organization"),
        ({"tenant": "globex"}, "no organization 'globex'"),
    ],
)
async def test_a_tenant_that_is_not_there_is_told(site: Site, settings: dict[str, Any], words: str) -> None:
    (said,) = (await site.life(**settings).plan(**RUN)).diagnostics
    assert words in said.detail
    assert "VCD_TENANT" in said.detail


async def test_a_tenant_that_cannot_be_looked_up_starts_nothing(site: Site) -> None:
    life = site.life(**PROVIDER_TOKEN, tenant="acme")
    site.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET", "/orgs"), status=503, times=None))
    with pytest.raises(DiagnosticError, match="Nothing was started"):
        await life.create(**RUN)
    assert life.asked("POST", "/executions") == []


@pytest.mark.parametrize("body", ["", "<html>", '{"message": "versions: [38.0, 37.2]"}', "[]"])
async def test_a_version_that_is_not_there_names_its_setting(life: Life, body: str) -> None:
    life.world.faults.add(Fault("vcd", FaultKind.STATUS, Match("GET"), status=406, body=body, times=None))
    (said,) = (await life.plan(**RUN)).diagnostics
    assert "VCD_API_VERSION" in said.detail
    assert "message" not in body or "38.0" in said.detail
