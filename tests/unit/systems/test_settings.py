from __future__ import annotations

from typing import Annotated

import pytest

from provider_py.plugin import DiagnosticError, attributes, model, one_of, optional, resolve, setting
from provider_py.provider import SYSTEMS, ProviderConfig
from provider_py.systems.harness.config import HarnessSettings, resolve_config


@model
class Settings:
    """A setting of every type."""

    region: Annotated[
        str | None, setting("A region.", environment="ACME_REGION", checks=(one_of("eu", "us"),), fallback="us")
    ] = None
    requests: Annotated[int | None, setting("A number.", environment="ACME_REQUESTS", fallback=30)] = None
    secure: Annotated[bool | None, setting("A switch.", environment="ACME_SECURE", fallback=True)] = None
    key: Annotated[str | None, setting("A key.", environment="ACME_KEY", sensitive=True)] = None
    plain: Annotated[str | None, optional("Not a setting.")] = None


def test_configured_values_take_precedence() -> None:
    configured = Settings(region="eu", requests=5, secure=False, key="k", plain="p")
    environment = {"ACME_REGION": "us", "ACME_REQUESTS": "7", "ACME_SECURE": "true", "ACME_KEY": "other"}
    assert resolve(Settings, configured, environment) == configured


def test_the_environment_supplies_what_is_not_configured() -> None:
    environment = {"ACME_REGION": "eu", "ACME_REQUESTS": "7", "ACME_SECURE": "no", "ACME_KEY": "secret"}
    expected = Settings(region="eu", requests=7, secure=False, key="secret")
    assert resolve(Settings, None, environment) == expected
    assert resolve(Settings, Settings(plain="p"), environment).plain == "p"


@pytest.mark.parametrize("environment", [{}, {"ACME_REGION": "", "ACME_REQUESTS": "", "ACME_SECURE": ""}])
def test_the_fallback_applies_when_a_variable_is_empty_or_missing(environment: dict[str, str]) -> None:
    assert resolve(Settings, None, environment) == Settings(region="us", requests=30, secure=True)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("YES", True), (" False ", False), ("0", False), ("no", False)]
)
def test_booleans_are_read_in_common_spellings(text: str, value: bool) -> None:
    assert resolve(Settings, None, {"ACME_SECURE": text}).secure is value


@pytest.mark.parametrize(
    ("variable", "text", "attribute"),
    [
        ("ACME_REQUESTS", "many", "requests"),
        ("ACME_REQUESTS", "1.5", "requests"),
        ("ACME_REQUESTS", "-3", "requests"),
        ("ACME_SECURE", "maybe", "secure"),
        ("ACME_REGION", "mars", "region"),
    ],
)
def test_an_invalid_value_is_reported_with_the_name_of_its_variable(variable: str, text: str, attribute: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        resolve(Settings, None, {variable: text}, ("acme",))
    (problem,) = caught.value.diagnostics
    assert variable in problem.summary
    assert f"`{attribute}`" in problem.detail
    assert problem.path == ("acme", attribute)


def test_a_budget_of_no_requests_is_rejected() -> None:
    with pytest.raises(DiagnosticError) as caught:
        resolve(HarnessSettings, None, {"HARNESS_REQUESTS_PER_MINUTE": "0"})
    assert "write a number of 1 or more" in caught.value.diagnostics[0].detail


@pytest.mark.parametrize("days", ["0", "366"])
def test_days_for_keys_are_in_range(days: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        resolve(HarnessSettings, None, {"HARNESS_KEY_SEARCH_DAYS": days})
    assert "write a number of days from 1 to 365" in caught.value.diagnostics[0].detail


@pytest.mark.parametrize(("given", "days"), [(None, 30), (1, 1), (365, 365)])
def test_days_for_keys_have_a_default(given: int | None, days: int) -> None:
    settings = HarnessSettings(account_id="a", api_key="k", key_search_days=given)
    assert resolve_config(resolve(HarnessSettings, settings, {})).key_search == days * 86400


def test_every_setting_of_the_provider_has_a_variable_of_its_own() -> None:
    models = [ProviderConfig, *SYSTEMS.values()]
    declared = [attribute for cls in models for attribute in attributes(cls).values() if attribute.name not in SYSTEMS]
    variables = [attribute.environment for attribute in declared]
    assert None not in variables
    assert len(set(variables)) == len(variables)
    for attribute in declared:
        assert f"`{attribute.environment}`" in attribute.description


def test_secrets_are_declared_sensitive() -> None:
    sensitive = {
        f"{system}.{name}"
        for system, settings in SYSTEMS.items()
        for name, attribute in attributes(settings).items()
        if attribute.sensitive
    }
    assert sensitive == {"harness.api_key", "nexthink.client_secret", "vcd.password", "vcd.api_token"}
