"""The provider's `harness` block, and the settings that a connection gets from it.

The block's attributes are all optional, since each may come from an environment variable. Past `resolve_config` the
required ones are there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from provider_py.execution import optional_path, require, require_encryption
from provider_py.execution.local_settings import allow_insecure_http, ca_file, request_timeout
from provider_py.plugin import model, parse_duration, setting, url

SYSTEM: Final = "Harness"
DEFAULT_ENDPOINT: Final = "https://app.harness.io/gateway"
DEFAULT_REQUESTS_PER_MINUTE: Final = 30
DEFAULT_REQUEST_TIMEOUT: Final = "60s"
DEFAULT_KEY_SEARCH_DAYS: Final = 30
LONGEST_KEY_SEARCH_DAYS: Final = 365
DAY_SECONDS: Final = 86400.0


def _positive(value: int) -> str | None:
    return None if value >= 1 else f"{value} is not a valid request budget; write a number of 1 or more"


def _days(value: int) -> str | None:
    if 1 <= value <= LONGEST_KEY_SEARCH_DAYS:
        return None
    return f"{value} is out of range; write a number of days from 1 to {LONGEST_KEY_SEARCH_DAYS}"


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
    ca_file: Annotated[str | None, ca_file("HARNESS")] = None
    request_timeout: Annotated[
        str | None,
        request_timeout(
            "HARNESS", DEFAULT_REQUEST_TIMEOUT, "Starting an execution may collect artifacts first, which takes time. "
        ),
    ] = None
    key_search_days: Annotated[
        int | None,
        setting(
            f"Number of days, from 1 to {LONGEST_KEY_SEARCH_DAYS}, for which an `idempotency_key` is found again where "
            "the journal does not have it: executions that were created earlier are not searched for it. Where the "
            "executions of a workflow in this time are too many to be listed (more than 10 000), nothing is started. "
            f"Defaults to `{DEFAULT_KEY_SEARCH_DAYS}`.",
            environment="HARNESS_KEY_SEARCH_DAYS",
            fallback=DEFAULT_KEY_SEARCH_DAYS,
            checks=(_days,),
        ),
    ] = None
    allow_insecure_http: Annotated[bool | None, allow_insecure_http("HARNESS")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Resolved settings. `endpoint` has no trailing slash; `request_timeout` and `key_search` are in seconds."""

    endpoint: str
    account_id: str
    api_key: str = field(repr=False)
    requests_per_minute: int
    ca_file: str | None
    request_timeout: float
    key_search: float


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
        key_search=(settings.key_search_days or DEFAULT_KEY_SEARCH_DAYS) * DAY_SECONDS,
    )
