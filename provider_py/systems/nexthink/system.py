"""The connection to Nexthink: OAuth2 client credentials, one channel and one memory of look-ups for all resources."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from provider_py.execution.connection import require
from provider_py.execution.lookups import Lookups
from provider_py.execution.runtime import Runtime
from provider_py.plugin import parse_duration
from provider_py.systems.nexthink.settings import SYSTEM, NexthinkSettings

if TYPE_CHECKING:  # imported on first use: a plan that touches no Nexthink resource must not pay for it
    import httpx2
    from nexthink_client import Client

    from provider_py.execution.tokens import Token, TokenAuth
    from provider_py.execution.transport import Channel

_CREDENTIALS: Final = "`nexthink.client_id` and `nexthink.client_secret` (NEXTHINK_CLIENT_SECRET)"
_ONCE: Final = ("/execute", "/trigger")
"""The paths of requests that must not be repeated; `nql/execute` only reads."""


class Nexthink:
    """A Nexthink instance. Nothing is imported or contacted before the first request."""

    def __init__(self, settings: NexthinkSettings, runtime: Runtime) -> None:
        """Raises DiagnosticError if a setting is missing."""
        addresses = () if settings.api_url and settings.token_url else ("instance", "region")
        require(SYSTEM, "nexthink", settings, (*addresses, "client_id", "client_secret"))
        self.settings = settings
        self.runtime = runtime
        self.lookups = Lookups()

    @functools.cached_property
    def channel(self) -> Channel:
        """The HTTP channel to the API."""
        return self._channel(self.settings.api_address, auth=self._auth, base_url=self.settings.api_address)

    @functools.cached_property
    def client(self) -> Client:
        """The generated client over the channel."""
        from nexthink_client import Client

        return Client(base_url=self.settings.api_address).set_async_httpx_client(self.channel)

    @functools.cached_property
    def _auth(self) -> TokenAuth:
        from provider_py.execution.tokens import TokenAuth

        return TokenAuth(self._fetch, self.runtime.clock, _CREDENTIALS)

    @functools.cached_property
    def _login_channel(self) -> Channel:
        """The channel to the login host; Nexthink wants the credential as Basic authentication."""
        credential = (self.settings.client_id or "", self.settings.client_secret or "")
        return self._channel(self.settings.token_address, auth=credential)

    async def _fetch(self) -> Token:
        from provider_py.execution.connection import readable
        from provider_py.execution.tokens import Token

        form = {"grant_type": "client_credentials", "scope": "service:integration"}
        response = await self._login_channel.post(self.settings.token_address, data=form)
        with readable(SYSTEM, "the token request"):
            answer = response.json()
            return Token(str(answer["access_token"]), float(answer.get("expires_in", 900)))

    def _channel(self, address: str, **options: Any) -> Channel:
        from provider_py.execution.transport import Channel, open_tls

        return Channel(
            SYSTEM,
            self.runtime,
            timeout=parse_duration(self.settings.request_timeout or ""),
            verify=open_tls("nexthink", address, self.settings.ca_file),
            safe=_safe,
            explain=_explain,
            credentials=_CREDENTIALS,
            headers={"accept": "application/json"},
            **options,
        )

    async def close(self) -> None:
        """Close the connections, if there are any."""
        for name in ("channel", "_login_channel"):
            if name in self.__dict__:
                await self.__dict__[name].aclose()


def _safe(request: httpx2.Request) -> bool:
    """Tell whether a request only reads, or gives a token."""
    path = request.url.path
    return request.method == "GET" or not path.endswith(_ONCE) or path.endswith("/nql/execute")


def _explain(response: httpx2.Response) -> str:
    """Read an error, and say which permission a refused credential lacks."""
    said = _said(response)
    if response.status_code != 403 or "/api/" not in response.url.path:
        return said
    permission = "NQL API" if "/nql/" in response.url.path else "Workflows API"
    hint = f"does the API credential have the permission {permission} (Administration, API credentials)?"
    return f"{said}; {hint}" if said else hint


def _said(response: httpx2.Response) -> str:
    """Read the error bodies: code and details of workflows, message of NQL, the standard one of OAuth2."""
    try:
        body = response.json()
    except ValueError:  # a 401 has no body, and a gateway answers with a page
        return ""
    names = ("code", "details", "message", "error", "error_description")
    return ": ".join(str(body[name]) for name in names if body.get(name)) if isinstance(body, dict) else ""
