"""The provider's `vcd` block, and the settings that a connection gets from it.

The block's attributes are all optional, since each may come from an environment variable. Past `resolve_config` nothing
is: what is required is there, and the way to sign in is exactly one of three types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Final, TypeAlias
from urllib.parse import quote

from provider_py.execution import local_path, optional_path, require, require_encryption
from provider_py.execution.local_settings import allow_insecure_http, ca_file, request_timeout
from provider_py.plugin import DiagnosticError, error, model, parse_duration, pattern, setting, url

SYSTEM: Final = "Cloud Director"
DEFAULT_API_VERSION: Final = "37.1"
DEFAULT_REQUEST_TIMEOUT: Final = "60s"


@model
class VcdSettings:
    """A VMware Cloud Director, used as a tenant or as its provider, by password, API token or service account."""

    url: Annotated[
        str | None, setting("URL of Cloud Director, with or without `/api`.", environment="VCD_URL", checks=(url,))
    ] = None
    org: Annotated[
        str | None,
        setting(
            "Organization to sign in to. Case-sensitive; `System` is the provider organization.", environment="VCD_ORG"
        ),
    ] = None
    tenant: Annotated[
        str | None,
        setting(
            "Organization to act in, if it is not `org`: a user of the provider organization can run the workflows of "
            "a tenant. Case-sensitive.",
            environment="VCD_TENANT",
        ),
    ] = None
    user: Annotated[str | None, setting("User to sign in as. Requires `password`.", environment="VCD_USER")] = None
    password: Annotated[str | None, setting("Password of `user`.", environment="VCD_PASSWORD", sensitive=True)] = None
    api_token: Annotated[
        str | None,
        setting(
            "API token to sign in with, instead of `user` and `password`.", environment="VCD_API_TOKEN", sensitive=True
        ),
    ] = None
    service_account_token_file: Annotated[
        str | None,
        setting(
            "Path of a JSON file with the `refresh_token` of a service account. Must be writable: each use replaces "
            "the token, and the new one is stored in the file.",
            environment="VCD_SA_TOKEN_FILE",
        ),
    ] = None
    api_version: Annotated[
        str | None,
        setting(
            f"Version of the API to request. Defaults to `{DEFAULT_API_VERSION}`.",
            environment="VCD_API_VERSION",
            fallback=DEFAULT_API_VERSION,
            checks=(pattern(r"\d+\.\d+(\.\d+)?(-alpha)?", f"a version such as {DEFAULT_API_VERSION}"),),
        ),
    ] = None
    allow_unverified_ssl: Annotated[
        bool | None,
        setting(
            "Whether to accept any TLS certificate. Defaults to `false`; prefer `ca_file`.",
            environment="VCD_ALLOW_UNVERIFIED_SSL",
            fallback=False,
        ),
    ] = None
    ca_file: Annotated[str | None, ca_file("VCD")] = None
    request_timeout: Annotated[str | None, request_timeout("VCD", DEFAULT_REQUEST_TIMEOUT)] = None
    allow_insecure_http: Annotated[bool | None, allow_insecure_http("VCD")] = None


@dataclass(frozen=True, slots=True)
class ApiToken:
    """Sign in by exchanging a user's API token, which stays valid."""

    token: str = field(repr=False)
    settings: ClassVar = "`vcd.api_token` (VCD_API_TOKEN)"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Sign in by exchanging a service account's token, which each exchange replaces."""

    token_file: Path
    settings: ClassVar = "`vcd.service_account_token_file` (VCD_SA_TOKEN_FILE)"


@dataclass(frozen=True, slots=True)
class Password:
    """Sign in by opening a session, which has to be closed again."""

    user: str
    password: str = field(repr=False)
    settings: ClassVar = "`vcd.user` and `vcd.password` (VCD_PASSWORD)"


SignIn: TypeAlias = ApiToken | ServiceAccount | Password
"""The ways to sign in; `settings` names the settings to check when one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Resolved settings. `address` is the URL without the path of the API; `request_timeout` is in seconds."""

    address: str
    org: str
    tenant: str | None
    """The organization to act in; None if it is the one that is signed in to."""
    sign_in: SignIn
    api_version: str
    allow_unverified_ssl: bool
    ca_file: str | None
    request_timeout: float

    @property
    def as_provider(self) -> bool:
        """Whether the provider organization is signed in to."""
        return _is_provider(self.org)

    @property
    def realm(self) -> str:
        """The part of the OAuth2 paths that names who signs in."""
        return "provider" if self.as_provider else f"tenant/{quote(self.org, safe='')}"


def resolve_config(settings: VcdSettings) -> Config:
    """Return the settings of a connection; raises DiagnosticError for missing and for contradictory ones."""
    require(SYSTEM, "vcd", settings, ("url", "org"))
    require_encryption("vcd", settings, ("url",))
    tenant = settings.tenant
    return Config(
        address=str(settings.url).rstrip("/").removesuffix("/api"),
        org=str(settings.org),
        tenant=None if not tenant or tenant == settings.org or _is_provider(tenant) else tenant,
        sign_in=_sign_in(settings),
        api_version=settings.api_version or DEFAULT_API_VERSION,
        allow_unverified_ssl=bool(settings.allow_unverified_ssl),
        ca_file=optional_path(settings.ca_file, ("vcd", "ca_file")),
        request_timeout=parse_duration(settings.request_timeout or DEFAULT_REQUEST_TIMEOUT),
    )


def _is_provider(org: str) -> bool:
    return org.lower() == "system"


def _sign_in(settings: VcdSettings) -> SignIn:
    alternatives = ("api_token", "service_account_token_file", "user")
    configured = [name for name in alternatives if getattr(settings, name) is not None]
    if len(configured) != 1:
        got = f"Got {', '.join(configured)}" if configured else "None is set"
        raise DiagnosticError(
            error(
                f"{SYSTEM} is not configured: exactly one way to sign in is required",
                "Set exactly one of `vcd.api_token` (VCD_API_TOKEN), `vcd.service_account_token_file` "
                f"(VCD_SA_TOKEN_FILE) or `vcd.user` with `vcd.password` (VCD_USER, VCD_PASSWORD). {got}.",
            )
        )
    if settings.api_token is not None:
        return ApiToken(settings.api_token)
    if (file := settings.service_account_token_file) is not None:
        return ServiceAccount(local_path(file, ("vcd", "service_account_token_file")))
    require(SYSTEM, "vcd", settings, ("password",))
    return Password(str(settings.user), str(settings.password))
