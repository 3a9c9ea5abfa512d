"""The provider's `nexthink` block, the complete settings made of it, and checks by the published specification."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from nexthink_client.constraints import PATTERNS

from provider_py.execution import optional_path, require, require_encryption
from provider_py.execution.local_settings import allow_insecure_http, ca_file, request_timeout
from provider_py.plugin import Check, model, one_of, parse_duration, pattern, setting, url

SYSTEM: Final = "Nexthink"
A_UUID: Final = "a UUID such as 3fa85f64-5717-4562-b3fc-2c963f66afa6"
_REQUEST_TIMEOUT: Final = "60s"


def published(place: str, hint: str) -> Check:
    """Return a check by a pattern of the specification, in which a digit is one of 0 to 9."""
    return pattern(f"(?a:{PATTERNS[place]})", hint)


saved_query: Final = published(
    "NqlRequest.queryId", "the ID of a saved query: # and 2 to 255 lowercase letters, digits or underscores"
)


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What a connection needs, complete; `request_timeout` is in seconds."""

    api_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    status_query: str | None
    ca_file: str | None
    request_timeout: float


@model
class NexthinkSettings:
    """A Nexthink instance, reached with an API credential that has the permissions Workflows API and NQL API."""

    instance: Annotated[
        str | None,
        setting(
            "Name of the instance: the first label of its host name, such as `acme`.",
            environment="NEXTHINK_INSTANCE",
            checks=(pattern(r"[A-Za-z0-9][A-Za-z0-9-]*", "the first label of the instance's host name, such as acme"),),
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
    client_id: Annotated[str | None, setting("Client ID of the API credential.", environment="NEXTHINK_CLIENT_ID")] = (
        None
    )
    client_secret: Annotated[
        str | None,
        setting("Client secret of the API credential.", environment="NEXTHINK_CLIENT_SECRET", sensitive=True),
    ] = None
    api_url: Annotated[
        str | None,
        setting(
            "Base URL of the API. Overrides the URL derived from `instance` and `region`.",
            environment="NEXTHINK_API_URL",
            checks=(url,),
        ),
    ] = None
    token_url: Annotated[
        str | None,
        setting(
            "URL of the OAuth 2.0 token endpoint. Overrides the URL derived from `instance` and `region`.",
            environment="NEXTHINK_TOKEN_URL",
            checks=(url,),
        ),
    ] = None
    status_query: Annotated[
        str | None,
        setting(
            "ID of the saved NQL query that returns the executions of a request, such as `#workflow_request_status`. "
            "Required to wait for executions, because Nexthink reports their status through NQL only.",
            environment="NEXTHINK_STATUS_QUERY",
            checks=(saved_query,),
        ),
    ] = None
    ca_file: Annotated[str | None, ca_file("NEXTHINK")] = None
    request_timeout: Annotated[str | None, request_timeout("NEXTHINK", _REQUEST_TIMEOUT)] = None
    allow_insecure_http: Annotated[bool | None, allow_insecure_http("NEXTHINK")] = None

    def complete(self) -> ConnectionSettings:
        """Return the settings of a connection; raises DiagnosticError for each that is missing."""
        address = () if self.api_url and self.token_url else ("instance", "region")
        *_, client_id, client_secret = require(SYSTEM, "nexthink", self, (*address, "client_id", "client_secret"))
        require_encryption("nexthink", self, ("api_url", "token_url"))
        login = f"https://{self.instance}-login.{self.region}.nexthink.cloud"
        return ConnectionSettings(
            api_url=(self.api_url or f"https://{self.instance}.api.{self.region}.nexthink.cloud").rstrip("/"),
            token_url=self.token_url or f"{login}/oauth2/default/v1/token",
            client_id=client_id,
            client_secret=client_secret,
            status_query=self.status_query,
            ca_file=optional_path(self.ca_file, ("nexthink", "ca_file")),
            request_timeout=parse_duration(self.request_timeout or _REQUEST_TIMEOUT),
        )
