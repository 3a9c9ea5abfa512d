"""The provider's `vcd` block."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final
from urllib.parse import quote

from provider_py.plugin import Diagnostic, duration, error, model, pattern, setting, url

SYSTEM: Final = "Cloud Director"


@model
class VcdSettings:
    """A VMware Cloud Director, reached as a tenant or as its provider, by password, API token or service account."""

    url: Annotated[
        str | None, setting("Address of Cloud Director, with or without `/api`.", environment="VCD_URL", checks=(url,))
    ] = None
    org: Annotated[
        str | None,
        setting("Organization to sign in to; `System` is the provider's. Case-sensitive.", environment="VCD_ORG"),
    ] = None
    tenant: Annotated[
        str | None,
        setting(
            "Organization to act in, if it is not the one that is signed in to: so a provider's user runs the "
            "workflows of a tenant. Case-sensitive.",
            environment="VCD_TENANT",
        ),
    ] = None
    user: Annotated[str | None, setting("User to sign in as, with `password`.", environment="VCD_USER")] = None
    password: Annotated[str | None, setting("Password of `user`.", environment="VCD_PASSWORD", sensitive=True)] = None
    api_token: Annotated[
        str | None,
        setting(
            "API token to sign in with, in place of user and password.", environment="VCD_API_TOKEN", sensitive=True
        ),
    ] = None
    service_account_token_file: Annotated[
        str | None,
        setting(
            "JSON file with a service account's `refresh_token`. Each use gives a new token, so the file is rewritten.",
            environment="VCD_SA_TOKEN_FILE",
        ),
    ] = None
    api_version: Annotated[
        str | None,
        setting(
            "Version of the API to ask for.",
            environment="VCD_API_VERSION",
            fallback="37.1",
            checks=(pattern(r"\d+\.\d+(\.\d+)?(-alpha)?", "a version such as 37.1"),),
        ),
    ] = None
    allow_unverified_ssl: Annotated[
        bool | None,
        setting("Accept any certificate. Prefer `ca_file`.", environment="VCD_ALLOW_UNVERIFIED_SSL", fallback=False),
    ] = None
    ca_file: Annotated[
        str | None,
        setting("PEM file of certificate authorities to trust besides the machine's.", environment="VCD_CA_FILE"),
    ] = None
    request_timeout: Annotated[
        str | None,
        setting(
            "Time limit of one request, as a Go duration.",
            environment="VCD_REQUEST_TIMEOUT",
            fallback="60s",
            checks=(duration,),
        ),
    ] = None

    @property
    def address(self) -> str:
        """Where Cloud Director is, without the path of the API."""
        return str(self.url).rstrip("/").removesuffix("/api")

    @property
    def realm(self) -> str:
        """The part of the OAuth2 paths that names who signs in."""
        return "provider" if self.provider else f"tenant/{quote(str(self.org), safe='')}"

    @property
    def provider(self) -> bool:
        """Whether the provider organization is meant."""
        return _is_provider(str(self.org))

    @property
    def context(self) -> str | None:
        """The organization to act in where it is another than the one that is signed in to."""
        return (
            None if self.tenant is None or self.tenant in {self.org, ""} or _is_provider(self.tenant) else self.tenant
        )


def _is_provider(org: str) -> bool:
    return org.lower() == "system"


def check_credentials(settings: VcdSettings) -> Iterable[Diagnostic]:
    """Demand exactly one way to sign in."""
    ways = {
        "api_token": settings.api_token is not None,
        "service_account_token_file": settings.service_account_token_file is not None,
        "user": settings.user is not None,
    }
    given = [name for name, present in ways.items() if present]
    if len(given) != 1:
        found = f"Given are {', '.join(given)}" if given else "None is given"
        yield error(
            f"{SYSTEM} is not configured: one way to sign in is needed",
            "Set exactly one of `vcd.api_token` (VCD_API_TOKEN), `vcd.service_account_token_file` (VCD_SA_TOKEN_FILE) "
            f"or `vcd.user` with `vcd.password` (VCD_USER, VCD_PASSWORD). {found}.",
        )
    elif settings.user is not None and settings.password is None:
        yield error(
            f"{SYSTEM} is not configured: `vcd.password` is missing",
            "Set the password of `vcd.user`, or the environment variable VCD_PASSWORD.",
        )
