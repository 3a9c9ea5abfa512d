from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provider_py.plugin import DiagnosticError, Severity
from provider_py.systems.vcd.config import (
    ApiToken,
    Config,
    Password,
    ServiceAccount,
    SignIn,
    VcdSettings,
    resolve_config,
)


def resolve(**settings: Any) -> Config:
    return resolve_config(VcdSettings(**{"url": "https://vcd.example.com/api/", "org": "acme", **settings}))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "None is set"),
        ({"api_token": "t", "user": "u", "password": "p"}, "Got api_token, user"),
        ({"api_token": "t", "service_account_token_file": "f"}, "Got api_token, service_account_token_file"),
        ({"user": "u"}, "VCD_PASSWORD"),
    ],
)
def test_exactly_one_way_to_sign_in_is_required(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        resolve(**settings)
    (problem,) = caught.value.diagnostics
    assert problem.severity is Severity.ERROR
    assert words in problem.detail


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"api_token": "t"}, ApiToken("t")),
        ({"service_account_token_file": "f"}, ServiceAccount(Path("f"))),
        ({"user": "u", "password": "p"}, Password("u", "p")),
    ],
)
def test_settings_are_resolved(settings: dict[str, Any], expected: SignIn) -> None:
    config = resolve(**settings)
    assert config.sign_in == expected
    assert (config.address, config.api_version, config.request_timeout) == ("https://vcd.example.com", "37.1", 60.0)


def test_secrets_are_not_part_of_the_representation() -> None:
    assert "hunter2" not in f"{resolve(api_token='hunter2')}{resolve(user='u', password='hunter2')}"
