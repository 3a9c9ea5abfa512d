"""The connection to a Nexthink instance: OAuth 2.0 client credentials, one HTTP channel, one cache of look-ups.

All resources of the process share it. Nothing heavy is imported and nothing is contacted before the first request:
Terraform starts the provider several times per command, mostly without touching any system.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Unpack

import nexthink_client

from provider_py.execution import Lookups, Runtime, SystemFault, readable
from provider_py.systems.nexthink.config import SYSTEM, NexthinkSettings

if TYPE_CHECKING:  # these import httpx2, 70 ms
    import httpx2

    from provider_py.execution.tokens import Token
    from provider_py.execution.transport import Channel, ClientOptions

SOURCE: Final = "terraform-provider-workflow"
"""Sent as the header `Source` of every call to Workflows."""
_CREDENTIALS: Final = "`nexthink.client_id` and `nexthink.client_secret` (NEXTHINK_CLIENT_SECRET)"
_NOT_REPEATABLE: Final = ("/execute", "/trigger")
"""How the paths of requests end that start or resume something; `/nql/execute` only reads."""


class Nexthink:
    """A Nexthink instance."""

    def __init__(self, settings: NexthinkSettings, runtime: Runtime) -> None:
        """Raises DiagnosticError if a setting is missing."""
        self.settings = settings.complete()
        self.account = f"{SYSTEM} {self.settings.api_url}"
        self.runtime = runtime
        self.lookups = Lookups()
        self._exit_stack = AsyncExitStack()

    @functools.cached_property
    def client(self) -> nexthink_client.Client:
        """The generated client; its requests raise SystemFault."""
        from provider_py.execution.tokens import TokenAuth  # lazy: imports httpx2, 70 ms

        url = self.settings.api_url
        auth = TokenAuth(self._request_token, self.runtime, _CREDENTIALS)
        return nexthink_client.Client(base_url=url).set_async_httpx_client(self._api_channel(url, auth, base_url=url))

    async def download(self, url: str) -> bytes:
        """Return the content of an exported file. Raises SystemFault.

        The file is on another host. Its signed URL is valid for 15 minutes, needs no token, and is never part of a
        message.
        """
        async with self._channel(url, accept=_accept_file) as channel:
            return (await channel.get(url)).content

    async def close(self) -> None:
        """Close the connections that were opened."""
        await self._exit_stack.aclose()

    @functools.cached_property
    def _login_channel(self) -> Channel:
        """The channel to the login host, which requires the credential as Basic authentication."""
        return self._api_channel(self.settings.token_url, (self.settings.client_id, self.settings.client_secret))

    async def _request_token(self) -> Token:
        from provider_py.execution.tokens import Token  # lazy: imports httpx2, 70 ms

        form = {"grant_type": "client_credentials", "scope": "service:integration"}
        response = await self._login_channel.post(self.settings.token_url, data=form)
        with readable(SYSTEM, "the token request"):
            answer = response.json()
            return Token(str(answer["access_token"]), float(answer.get("expires_in", 900)))

    def _api_channel(self, url: str, auth: httpx2.Auth | tuple[str, str], base_url: str = "") -> Channel:
        """Open a channel that is closed with the connection."""
        headers = {"accept": "application/json"}
        channel = self._channel(
            url, auth=auth, base_url=base_url, headers=headers, explain=_explain, credentials=_CREDENTIALS
        )
        self._exit_stack.push_async_callback(channel.aclose)
        return channel

    def _channel(
        self,
        url: str,
        *,
        accept: Callable[[httpx2.Response], None] | None = None,
        explain: Callable[[httpx2.Response], str] | None = None,
        credentials: str = "",
        **options: Unpack[ClientOptions],
    ) -> Channel:
        from provider_py.execution.transport import Channel, open_tls  # lazy: imports httpx2, 70 ms

        return Channel(
            SYSTEM,
            self.runtime,
            timeout=self.settings.request_timeout,
            verify=open_tls("nexthink", url, self.settings.ca_file),
            safe=_is_repeatable,
            accept=accept,
            explain=explain,
            credentials=credentials,
            **options,
        )


CONNECTION: Final = Nexthink
"""What the provider connects with when a resource first needs the system."""


def _is_repeatable(request: httpx2.Request) -> bool:
    path = request.url.path
    return request.method == "GET" or not path.endswith(_NOT_REPEATABLE) or path.endswith("/nql/execute")


def _accept_file(response: httpx2.Response) -> None:
    """Refuse a file that cannot be had: its URL expired, so another export may succeed and polling goes on."""
    if response.status_code >= 300:
        host, status = response.request.url.host, response.status_code
        raise SystemFault(SYSTEM, f"the file of an export could not be downloaded: {host} answered {status}")


def _explain(response: httpx2.Response) -> str:
    """Return what an error body says, and the permission that a rejected API credential lacks."""
    text = _error_text(response)
    if response.status_code != 403 or "/api/" not in response.url.path:
        return text
    permission = "NQL API" if "/nql/" in response.url.path else "Workflows API"
    hint = f"the API credential needs the permission {permission} (Administration, API credentials)"
    return f"{text}; {hint}" if text else hint


def _error_text(response: httpx2.Response) -> str:
    """Read an error body: code and details of Workflows, message of NQL, error and description of OAuth 2.0."""
    try:
        body = response.json()
    except ValueError:  # a 401 has no body, and a gateway answers with a page
        return ""
    names = ("code", "details", "message", "error", "error_description")
    return ": ".join(str(body[name]) for name in names if body.get(name)) if isinstance(body, dict) else ""
