"""The provider's `harness` block, and the settings that a connection gets from it.

The block's attributes are all optional, since each may come from an environment variable. Past `resolve_config` the
required ones are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from provider_py.execution import optional_path, require, require_encryption
from provider_py.plugin import duration, model, parse_duration, setting, url

SYSTEM: Final = "Harness"
DEFAULT_ENDPOINT: Final = "https://app.harness.io/gateway"
DEFAULT_REQUESTS_PER_MINUTE: Final = 30
DEFAULT_REQUEST_TIMEOUT: Final = "60s"


def _positive(value: int) -> str | None:
    return None if value >= 1 else f"{value} is not a valid request budget; write a number of 1 or more"


@model
class HarnessSettings:
    """Connects to an account of Harness FirstGen through its GraphQL API."""

    endpoint: Annotated[
        str | None,
        setting(
            f"Base URL of the Harness Manager, to which `/api/graphql` is appended. Defaults to `{DEFAULT_ENDPOINT}`.",
            environment="HARNESS_ENDPOINT",
            fallback=DEFAULT_ENDPOINT,
            checks=(url,),
        ),
    ] = None
    account_id: Annotated[str | None, setting("ID of the account.", environment="HARNESS_ACCOUNT_ID")] = None
    api_key: Annotated[
        str | None,
        setting(
            "API key. It has the permissions of the user groups that it is assigned to.",
            environment="HARNESS_API_KEY",
            sensitive=True,
        ),
    ] = None
    requests_per_minute: Annotated[
        int | None,
        setting(
            "Maximum number of requests that the provider sends in a minute. Harness allows 30 for an entire account, "
            f"or 5 on small plans. Defaults to `{DEFAULT_REQUESTS_PER_MINUTE}`.",
            environment="HARNESS_REQUESTS_PER_MINUTE",
            fallback=DEFAULT_REQUESTS_PER_MINUTE,
            checks=(_positive,),
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        setting(
            "Path of a PEM file with certificate authorities to trust in addition to the system's.",
            environment="HARNESS_CA_FILE",
        ),
    ] = None
    request_timeout: Annotated[
        str | None,
        setting(
            "Timeout of a single request, as a Go duration. Starting an execution may collect artifacts first, which "
            f"takes time. Defaults to `{DEFAULT_REQUEST_TIMEOUT}`.",
            environment="HARNESS_REQUEST_TIMEOUT",
            fallback=DEFAULT_REQUEST_TIMEOUT,
            checks=(duration,),
        ),
    ] = None
    allow_insecure_http: Annotated[
        bool | None,
        setting(
            "Whether to accept an `http://` address of another host, which sends credentials unencrypted. Defaults to "
            "`false`: `http://` is for loopback only.",
            environment="HARNESS_ALLOW_INSECURE_HTTP",
            fallback=False,
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Resolved settings. `endpoint` has no trailing slash; `request_timeout` is in seconds."""

    endpoint: str
    account_id: str
    api_key: str = field(repr=False)
    requests_per_minute: int
    ca_file: str | None
    request_timeout: float


def resolve_config(settings: HarnessSettings) -> Config:
    """Return the settings of a connection; raises DiagnosticError for missing ones."""
    require(SYSTEM, "harness", settings, ("account_id", "api_key"))
    require_encryption("harness", settings, ("endpoint",))
    return Config(
        endpoint=(settings.endpoint or DEFAULT_ENDPOINT).rstrip("/"),
        account_id=str(settings.account_id),
        api_key=str(settings.api_key),
        requests_per_minute=settings.requests_per_minute or DEFAULT_REQUESTS_PER_MINUTE,
        ca_file=optional_path(settings.ca_file, ("harness", "ca_file")),
        request_timeout=parse_duration(settings.request_timeout or DEFAULT_REQUEST_TIMEOUT),
    )
