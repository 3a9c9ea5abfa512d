"""TLS and proxies, with real certificates and sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from provider_py.execution import Runtime, Unreachable
from provider_py.execution.transport import Channel, open_tls, tls
from provider_py.plugin import DiagnosticError
from tests.support.clock import INSTANT, Clock
from tests.support.http import Server, reply, serving
from tests.unit.execution.channels import channel


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return str(file)


@asynccontextmanager
async def secure(authority: trustme.CA, name: str) -> AsyncIterator[Server]:
    """Serve HTTPS with a certificate for a name."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    async with serving([reply()], tls=context) as server:
        yield server


def opened(verify: ssl.SSLContext) -> Channel:
    return channel(Runtime(asyncio.Event(), Clock(INSTANT)), verify=verify)


async def test_a_certificate_of_an_unknown_authority_is_rejected(authority: trustme.CA) -> None:
    async with secure(authority, "127.0.0.1") as server, opened(tls(server.url, None)) as trusting:
        with pytest.raises(Unreachable, match="certificate") as caught:
            await trusting.get(server.url)
        assert "ca_file" in caught.value.advice
        assert server.asked == []


async def test_a_certificate_of_another_host_is_rejected(authority: trustme.CA, ca_file: str) -> None:
    async with secure(authority, "other.example") as server, opened(tls(server.url, ca_file)) as trusting:
        with pytest.raises(Unreachable, match="certificate"):
            await trusting.get(server.url)
        assert server.asked == []


async def test_the_authority_in_ca_file_is_trusted(authority: trustme.CA, ca_file: str) -> None:
    async with secure(authority, "127.0.0.1") as server, opened(tls(server.url, ca_file)) as trusting:
        assert (await trusting.get(server.url)).json() == {"ok": True}


async def test_the_authority_in_ssl_cert_file_is_trusted(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    async with secure(authority, "127.0.0.1") as server, opened(tls(server.url, None)) as trusting:
        assert (await trusting.get(server.url)).json() == {"ok": True}


async def test_verification_may_be_disabled(authority: trustme.CA) -> None:
    async with (
        secure(authority, "other.example") as server,
        opened(tls(server.url, None, unverified=True)) as trusting,
    ):
        assert (await trusting.get(server.url)).json() == {"ok": True}


async def test_without_a_store_of_openssl_the_one_of_the_system_is_used(
    authority: trustme.CA, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    async with secure(authority, "127.0.0.1") as server:
        async with opened(tls(server.url, None)) as distrusting:
            with pytest.raises(Unreachable, match="certificate"):
                await distrusting.get(server.url)
        async with opened(tls(server.url, ca_file)) as trusting:
            assert (await trusting.get(server.url)).json() == {"ok": True}


def test_the_authorities_of_the_machine_remain_trusted(ca_file: str) -> None:
    alone = tls("https://example.com", None).cert_store_stats()["x509_ca"]
    besides = tls("https://example.com", ca_file).cert_store_stats()["x509_ca"]
    assert besides == alone + 1 > 1


@pytest.mark.parametrize("content", [None, "", "no certificate at all"])
def test_an_invalid_ca_file_is_reported(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(DiagnosticError) as caught:
        open_tls("vcd", "https://vcd.example.com", str(file))
    (problem,) = caught.value.diagnostics
    assert "`vcd.ca_file`" in problem.detail
    assert str(file) in problem.detail
    assert "PEM" in problem.detail


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving([reply(200, '{"by": "proxy"}')]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with channel(Runtime(asyncio.Event(), Clock(INSTANT)), trust_env=True) as proxied:
            answer = await proxied.get("http://harness.invalid/api/graphql")
        assert answer.json() == {"by": "proxy"}
        assert proxy.asked[0].headers["host"] == "harness.invalid"


async def test_hosts_in_no_proxy_are_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving([reply(200, '{"by": "proxy"}')]) as proxy, serving([reply()]) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with channel(Runtime(asyncio.Event(), Clock(INSTANT)), trust_env=True) as direct:
            assert (await direct.get(server.url)).json() == {"ok": True}
        assert proxy.asked == []


async def test_a_proxy_that_refuses_the_tunnel_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving([reply(403, "{}")]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        verify = tls("https://", None)
        async with channel(Runtime(asyncio.Event(), Clock(INSTANT)), trust_env=True, verify=verify) as proxied:
            with pytest.raises(Unreachable):
                await proxied.post("https://harness.invalid/api/graphql")
