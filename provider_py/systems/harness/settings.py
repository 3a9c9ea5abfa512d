"""The provider's `harness` block."""

from __future__ import annotations

from typing import Annotated, Final

from provider_py.plugin import duration, model, setting, url

SYSTEM: Final = "Harness"


def _positive(value: int) -> str | None:
    return None if value >= 1 else f"{value} is not a budget; write a number of 1 or more"


@model
class HarnessSettings:
    """A Harness FirstGen account, reached through its GraphQL API."""

    endpoint: Annotated[
        str | None,
        setting(
            "Base address of the manager; `/api/graphql` is appended.",
            environment="HARNESS_ENDPOINT",
            fallback="https://app.harness.io/gateway",
            checks=(url,),
        ),
    ] = None
    account_id: Annotated[str | None, setting("Id of the account.", environment="HARNESS_ACCOUNT_ID")] = None
    api_key: Annotated[
        str | None,
        setting(
            "API key. It acts with the permissions of the user groups it is attached to.",
            environment="HARNESS_API_KEY",
            sensitive=True,
        ),
    ] = None
    requests_per_minute: Annotated[
        int | None,
        setting(
            "How many requests a minute the provider may send; Harness allows 30 to a whole account, 5 on small plans.",
            environment="HARNESS_REQUESTS_PER_MINUTE",
            fallback=30,
            checks=(_positive,),
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        setting("PEM file of certificate authorities to trust besides the machine's.", environment="HARNESS_CA_FILE"),
    ] = None
    request_timeout: Annotated[
        str | None,
        setting(
            "Time limit of one request, as a Go duration. A start may collect artifacts and so take long.",
            environment="HARNESS_REQUEST_TIMEOUT",
            fallback="60s",
            checks=(duration,),
        ),
    ] = None
