"""Signing in to Cloud Director, and out again."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from provider_py.plugin import Severity
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.vcd import access
from provider_py.sandbox.world import Script
from tests.contract.systems.driving import Driver, driving, only, simple

SESSIONS = "/cloudapi/1.0.0/sessions"


def configure(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Sign in with these variables alone."""
    for name in ("USER", "PASSWORD", "API_TOKEN", "SA_TOKEN_FILE"):
        monkeypatch.delenv(f"VCD_{name}", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(f"VCD_{name}", value)


def asked(driver: Driver, path: str) -> list[tuple[str, int | None]]:
    return [(each.method, each.status) for each in driver.requests if each.path == path]


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service account's token file, which the settings name."""
    file = tmp_path / "account" / "token.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"refresh_token": access.SERVICE_ACCOUNT_TOKEN, "token_type": "Service Account"}))
    file.chmod(0o644)
    configure(monkeypatch, SA_TOKEN_FILE=str(file))
    return file


def look(file: Path) -> tuple[int, list[str]]:
    """Return the file's mode, and the names of all files beside it."""
    return stat.S_IMODE(file.stat().st_mode), sorted(each.name for each in file.parent.iterdir())


def write(file: Path, text: str | None) -> None:
    """Write the file anew, or remove it."""
    file.unlink()
    if text is not None:
        file.write_text(text)


def kept(file: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(file.read_text())
    return found


async def test_an_api_token_is_exchanged_once(driver: Driver) -> None:
    for _ in range(3):
        assert await driver.plan(simple("vcd")) == ()
    await driver.create(simple("vcd"))
    assert asked(driver, "/oauth/tenant/acme/token") == [("POST", 200)]
    await driver.provider.close()
    assert asked(driver, f"{SESSIONS}/current") == []


async def test_an_api_token_of_the_provider(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, ORG="system", API_TOKEN=access.PROVIDER_API_TOKEN)
    async with driving(served) as driver:
        assert await driver.plan(simple("vcd")) == ()
        assert asked(driver, "/oauth/provider/token") == [("POST", 200)]


@pytest.mark.parametrize(
    ("org", "user", "password", "path"),
    [
        ("acme", access.USER, access.PASSWORD, SESSIONS),
        ("System", access.PROVIDER_USER, access.PROVIDER_PASSWORD, f"{SESSIONS}/provider"),
    ],
)
async def test_a_password_opens_one_session_and_closes_it(
    served: Sandbox, monkeypatch: pytest.MonkeyPatch, org: str, user: str, password: str, path: str
) -> None:
    configure(monkeypatch, ORG=org, USER=user, PASSWORD=password)
    async with driving(served) as driver:
        assert (await driver.create(simple("vcd"))).state.status == "completed"
        assert asked(driver, path) == [("POST", 200)]
        assert asked(driver, f"{SESSIONS}/current") == []
    assert [(each.method, each.status) for each in served.world.requests if each.path == f"{SESSIONS}/current"] == [
        ("DELETE", 204)
    ]


async def test_a_wrong_password_is_told(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, USER=access.USER, PASSWORD="wrong-password")
    async with driving(served) as driver:
        text = only(await driver.plan(simple("vcd")), Severity.ERROR)
        assert "`vcd.user` and `vcd.password`" in text
        assert "wrong-password" not in text
        assert driver.runs() == []


async def test_a_sign_out_that_fails_is_no_fault(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, USER=access.USER, PASSWORD=access.PASSWORD)
    async with driving(served) as driver:
        await driver.plan(simple("vcd"))
        served.world.faults.add(Fault("vcd", FaultKind.STATUS, match=Match(method="DELETE"), status=401, times=None))
    assert served.world.requests[-1].method == "DELETE"


async def test_a_session_that_ends_meanwhile_is_opened_again(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, USER=access.USER, PASSWORD=access.PASSWORD)
    async with driving(served) as driver:
        await driver.plan(simple("vcd"))
        served.world.advance(7200)
        state = await driver.started(simple("vcd"))
        assert driver.runs()[0].id == state.id
        assert asked(driver, SESSIONS) == [("POST", 200)] * 2


async def test_a_service_account_keeps_its_newest_token(served: Sandbox, token_file: Path) -> None:
    async with driving(served) as driver:
        assert await driver.plan(simple("vcd")) == ()
    second = kept(token_file)
    assert second["refresh_token"] != access.SERVICE_ACCOUNT_TOKEN
    assert second["token_type"] == "Service Account"
    assert second["updated_on"]
    assert look(token_file) == (0o600, [".token.json.lock", "token.json"])
    async with driving(served) as driver:
        assert await driver.plan(simple("vcd")) == ()
    assert kept(token_file)["refresh_token"] != second["refresh_token"]


async def test_a_token_file_behind_a_link_stays_there(
    served: Sandbox, token_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(token_file)
    configure(monkeypatch, SA_TOKEN_FILE=str(link))
    async with driving(served) as driver:
        assert await driver.plan(simple("vcd")) == ()
    assert link.is_symlink()
    assert kept(token_file)["refresh_token"] != access.SERVICE_ACCOUNT_TOKEN


async def test_an_expired_access_token_is_renewed_with_the_newest_token(served: Sandbox, token_file: Path) -> None:
    async with driving(served) as driver:
        await driver.plan(simple("vcd"))
        second = kept(token_file)["refresh_token"]
        served.world.advance(4000)
        assert (await driver.create(simple("vcd"))).state.status == "completed"
        assert kept(token_file)["refresh_token"] != second


async def test_a_token_that_was_used_elsewhere_is_told(served: Sandbox, token_file: Path) -> None:
    write(token_file, json.dumps({"refresh_token": "used-long-ago"}))
    async with driving(served) as driver:
        text = only(await driver.plan(simple("vcd")), Severity.ERROR)
        assert "`vcd.service_account_token_file`" in text
        assert "already exchanged" in text
        assert "used-long-ago" not in text
    assert kept(token_file) == {"refresh_token": "used-long-ago"}


@pytest.mark.parametrize("content", [None, "", "no JSON", "[]", "{}", '{"refresh_token": 7}'])
async def test_a_token_file_that_cannot_be_used_is_told(served: Sandbox, token_file: Path, content: str | None) -> None:
    write(token_file, content)
    async with driving(served) as driver:
        said = await driver.plan(simple("vcd"))
        text = only(said, Severity.ERROR)
        assert str(token_file) in text
        assert "`vcd.service_account_token_file`" in text
        assert driver.requests == []


async def test_a_token_file_that_breaks_while_a_run_is_waited_for_does_not_lose_the_run(
    served: Sandbox, token_file: Path
) -> None:
    served.world.runs.scripts.append(Script("vcd", seconds=60))
    async with driving(served) as driver:
        creating = asyncio.create_task(driver.create(simple("vcd")))
        await driver.until("vcd")
        write(token_file, None)
        served.world.advance(7200)
        served.world.runs.of("vcd")[0].seconds = 1e6
        answer = await creating
        assert str(token_file) in only(answer.diagnostics, Severity.ERROR)
        assert answer.state.id == driver.runs()[0].id


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "None is given"),
        ({"API_TOKEN": "t", "USER": "u", "PASSWORD": "p"}, "Given are api_token, user"),
        ({"API_TOKEN": "t", "SA_TOKEN_FILE": "f"}, "Given are api_token, service_account_token_file"),
        ({"USER": "u"}, "VCD_PASSWORD"),
    ],
)
async def test_there_must_be_one_way_to_sign_in(
    served: Sandbox, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    configure(monkeypatch, **variables)
    async with driving(served) as driver:
        assert words in only(await driver.plan(simple("vcd")), Severity.ERROR)
        assert driver.requests == []
