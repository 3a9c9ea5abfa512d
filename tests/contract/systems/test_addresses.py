"""Addresses and files of the three systems' settings, from the block and from the environment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from provider_py.execution import Runtime
from provider_py.plugin import Severity
from provider_py.provider import SYSTEMS as MODELS
from provider_py.provider import connect
from tests.support.site import Site, simple

ADDRESSES = [
    ("harness", "endpoint", "HARNESS_ENDPOINT"),
    ("nexthink", "api_url", "NEXTHINK_API_URL"),
    ("nexthink", "token_url", "NEXTHINK_TOKEN_URL"),
    ("vcd", "url", "VCD_URL"),
]
every_address = pytest.mark.parametrize(("system", "name", "variable"), ADDRESSES)
FILES = [("harness", "ca_file"), ("nexthink", "ca_file"), ("vcd", "ca_file"), ("vcd", "service_account_token_file")]


def outside(site: Site, variable: str) -> str:
    """Return the sandbox's address under a name that is not loopback, although it leads there."""
    parts = urlsplit(site.environment[variable])
    return urlunsplit(parts._replace(netloc=f"0.0.0.0:{parts.port}"))


def block(system: str, **values: Any) -> dict[str, Any]:
    return {system: MODELS[system](**values)}


@every_address
@pytest.mark.parametrize("by_environment", [False, True], ids=["block", "environment"])
async def test_plain_http_is_refused_before_anything_is_sent(
    site: Site, system: str, name: str, variable: str, by_environment: bool
) -> None:
    address = outside(site, variable)
    if by_environment:
        process = await site.process({variable: address})
    else:
        process = await site.process(**block(system, **{name: address}))
    (problem,) = await process.plan(simple(system))
    assert problem.severity is Severity.ERROR
    assert f"`{system}.{name}` ({variable})" in problem.detail
    assert f"{system.upper()}_ALLOW_INSECURE_HTTP" in problem.detail
    assert (await process.create(simple(system))).state is None
    assert site.requests == []


@every_address
@pytest.mark.parametrize("by_environment", [False, True], ids=["block", "environment"])
async def test_plain_http_is_used_where_it_is_allowed(
    site: Site, system: str, name: str, variable: str, by_environment: bool
) -> None:
    values: dict[str, Any] = {name: outside(site, variable)}
    environment: dict[str, str | None] = {"NO_PROXY": "127.0.0.1,0.0.0.0"}
    if by_environment:
        environment[f"{system.upper()}_ALLOW_INSECURE_HTTP"] = "true"
    else:
        values["allow_insecure_http"] = True
    process = await site.process(environment, **block(system, **values))
    created = await process.create(simple(system))
    assert list(created.diagnostics) == []
    assert site.requests != []


@pytest.mark.parametrize(("system", "name"), FILES)
async def test_the_content_of_a_file_is_not_taken_for_its_path(site: Site, system: str, name: str) -> None:
    values = {name: "-----BEGIN CERTIFICATE-----\nMIIBszCC\n-----END CERTIFICATE-----"}
    if name == "ca_file" and system == "vcd":
        values["api_token"] = "t"
    process = await site.process({"VCD_API_TOKEN": None}, **block(system, **values))
    (problem,) = await process.plan(simple(system))
    assert f"`{system}.{name}`" in problem.detail
    assert "MIIBszCC" not in problem.summary + problem.detail
    assert site.requests == []


@pytest.mark.parametrize(("system", "name"), FILES)
def test_the_home_directory_in_a_path_is_expanded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, name: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    needed_by_system = {
        "harness": {"account_id": "a", "api_key": "k"},
        "nexthink": {"instance": "i", "region": "eu", "client_id": "c", "client_secret": "s"},
        "vcd": {"url": "https://vcd.example.com", "org": "acme"},
    }
    needed = needed_by_system[system] | ({"api_token": "t"} if (system, name) == ("vcd", "ca_file") else {})
    settings = MODELS[system](**needed, **{name: "~/secrets/file"})
    opened: Any = connect(system, settings, Runtime(asyncio.Event()))
    config = opened.settings if system == "nexthink" else opened.config
    path = config.ca_file if name == "ca_file" else config.sign_in.token_file
    assert Path(path) == tmp_path / "secrets" / "file"
