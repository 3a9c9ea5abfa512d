"""The provider's `nexthink` block."""

from __future__ import annotations

from typing import Annotated, Final

from nexthink_client.constraints import PATTERNS

from provider_py.plugin import duration, model, one_of, pattern, setting, url

SYSTEM: Final = "Nexthink"
saved_query: Final = pattern(
    PATTERNS["NqlRequest.queryId"], "the id of a saved query: # and 2 to 255 of a-z, 0-9 and _"
)


@model
class NexthinkSettings:
    """A Nexthink instance, reached with an API credential that has the permissions Workflows API and NQL API."""

    instance: Annotated[
        str | None,
        setting(
            "Name of the instance, the first part of its address.",
            environment="NEXTHINK_INSTANCE",
            checks=(pattern(r"[A-Za-z0-9][A-Za-z0-9-]*", "the first part of the instance's address, such as acme"),),
        ),
    ] = None
    region: Annotated[
        str | None,
        setting(
            "Region of the instance: `us`, `eu`, `pac` or `meta`.",
            environment="NEXTHINK_REGION",
            checks=(one_of("us", "eu", "pac", "meta"),),
        ),
    ] = None
    client_id: Annotated[str | None, setting("Client id of the API credential.", environment="NEXTHINK_CLIENT_ID")] = (
        None
    )
    client_secret: Annotated[
        str | None,
        setting("Client secret of the API credential.", environment="NEXTHINK_CLIENT_SECRET", sensitive=True),
    ] = None
    api_url: Annotated[
        str | None,
        setting(
            "Address of the API, in place of the one made of instance and region.",
            environment="NEXTHINK_API_URL",
            checks=(url,),
        ),
    ] = None
    token_url: Annotated[
        str | None,
        setting(
            "Address that gives tokens, in place of the one made of instance and region.",
            environment="NEXTHINK_TOKEN_URL",
            checks=(url,),
        ),
    ] = None
    status_query: Annotated[
        str | None,
        setting(
            "Id of the saved NQL query that reports the executions of a request, for example "
            "`#workflow_request_status`. Nexthink tells the state of executions in no other way, so waiting needs it.",
            environment="NEXTHINK_STATUS_QUERY",
            checks=(saved_query,),
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        setting("PEM file of certificate authorities to trust besides the machine's.", environment="NEXTHINK_CA_FILE"),
    ] = None
    request_timeout: Annotated[
        str | None,
        setting(
            "Time limit of one request, as a Go duration.",
            environment="NEXTHINK_REQUEST_TIMEOUT",
            fallback="60s",
            checks=(duration,),
        ),
    ] = None

    @property
    def api_address(self) -> str:
        """Where the API is."""
        return (self.api_url or f"https://{self.instance}.api.{self.region}.nexthink.cloud").rstrip("/")

    @property
    def token_address(self) -> str:
        """Where tokens are given."""
        return self.token_url or f"https://{self.instance}-login.{self.region}.nexthink.cloud/oauth2/default/v1/token"
