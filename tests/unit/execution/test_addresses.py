"""Credentials cross the network in the clear only where the user allows it, and paths are paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import pytest

from provider_py.execution import local_path, require_encryption
from provider_py.plugin import DiagnosticError, model, setting


@model
class AcmeSettings:
    """Settings with two addresses."""

    url: Annotated[str | None, setting("An address.", environment="ACME_URL")] = None
    token_url: Annotated[str | None, setting("Another.", environment="ACME_TOKEN_URL")] = None
    allow_insecure_http: Annotated[bool | None, setting("A way out.", environment="ACME_ALLOW_INSECURE_HTTP")] = None


ACCEPTED = [
    None,
    "https://acme.example",
    "HTTPS://acme.example",
    "http://127.0.0.1:8080/x",
    "http://127.255.0.9",
    "http://localhost:1",
    "HTTP://LocalHost",
    "http://[::1]:8080",
]
REFUSED = [
    "http://acme.example",
    "HTTP://acme.example:80/gateway",
    "http://10.0.0.1",
    "http://0.0.0.0:8080",
    "http://128.0.0.1",
    "http://[::]",
    "http://[fe80::1]",
    "http://localhost.acme.example",
    "http://127.0.0.1.acme.example",
    "http://acme.example/127.0.0.1",
    "http://acme.example?localhost",
    "http://acme.example#@localhost",
    "http://mylocalhost",
    "http://2130706433",
    "http://127.1",
]


@pytest.mark.parametrize("url", ACCEPTED)
def test_an_encrypted_or_local_address_is_accepted(url: str | None) -> None:
    require_encryption("acme", AcmeSettings(url=url), ("url", "token_url"))


@pytest.mark.parametrize("url", REFUSED)
def test_plain_http_to_another_host_is_an_error_that_names_both_ways_out(url: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        require_encryption("acme", AcmeSettings(token_url=url), ("url", "token_url"))
    (problem,) = caught.value.diagnostics
    assert problem.path == ("acme", "token_url")
    for words in ("`acme.token_url` (ACME_TOKEN_URL)", url, "https://", "`allow_insecure_http = true`"):
        assert words in problem.detail
    assert "ACME_ALLOW_INSECURE_HTTP" in problem.detail


@pytest.mark.parametrize("url", REFUSED)
def test_plain_http_is_accepted_where_it_is_allowed(url: str) -> None:
    require_encryption("acme", AcmeSettings(url=url, allow_insecure_http=True), ("url",))


def test_every_insecure_address_is_reported() -> None:
    settings = AcmeSettings(url="http://acme.example", token_url="http://login.example", allow_insecure_http=False)
    with pytest.raises(DiagnosticError) as caught:
        require_encryption("acme", settings, ("url", "token_url"))
    assert [problem.path for problem in caught.value.diagnostics] == [("acme", "url"), ("acme", "token_url")]


PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUc2VjcmV0\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "content",
    [
        PEM,
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\r\n"),
        f"  {PEM}",
        '{"refresh_token": "MIIBszCCAVmgAwIBAgIUc2VjcmV0"}',
        '[{"refresh_token": "MIIBszCCAVmgAwIBAgIUc2VjcmV0"}]',
        "MIIBszCCAVmgAwIBAgIUc2VjcmV0" * 20,
        "some\ttext MIIBszCCAVmgAwIBAgIUc2VjcmV0",
        "/etc/MIIBszCCAVmgAwIBAgIUc2VjcmV0\0",
    ],
)
def test_content_in_place_of_a_path_is_reported_and_not_shown(content: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        local_path(content, ("acme", "ca_file"))
    (problem,) = caught.value.diagnostics
    assert problem.path == ("acme", "ca_file")
    assert "`acme.ca_file`" in problem.detail
    assert "path" in problem.detail
    assert "MIIBszCC" not in problem.summary + problem.detail


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("~/ca.pem", "/home/ann/ca.pem"),
        ("~", "/home/ann"),
        ("/etc/ca.pem", "/etc/ca.pem"),
        ("certificates/ca.pem", "certificates/ca.pem"),
        ("./ca.pem", "ca.pem"),
        ("../a~b/~/ca.pem", "../a~b/~/ca.pem"),
        ("/etc/ca file [1].pem", "/etc/ca file [1].pem"),
    ],
)
def test_a_path_is_expanded(text: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert local_path(text, ("acme", "ca_file")) == Path(path)


@pytest.mark.skipif(os.name == "nt", reason="users have home directories elsewhere")
def test_the_home_of_another_user_is_found() -> None:
    assert local_path("~root/ca.pem", ("acme", "ca_file")).is_absolute()


def test_a_home_directory_that_does_not_exist_is_reported() -> None:
    with pytest.raises(DiagnosticError) as caught:
        local_path("~no-such-user/ca.pem", ("acme", "ca_file"))
    assert "~no-such-user/ca.pem" in caught.value.diagnostics[0].detail
