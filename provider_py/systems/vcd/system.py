"""The connection to Cloud Director: signing in, one channel, one client and one memory of look-ups."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

from provider_py.execution.connection import require
from provider_py.execution.errors import SystemFault
from provider_py.execution.lookups import Lookups
from provider_py.execution.runtime import Runtime
from provider_py.plugin import DiagnosticError, parse_duration
from provider_py.systems.vcd.settings import SYSTEM, VcdSettings, check_credentials

if TYPE_CHECKING:  # imported on first use: a plan that touches no Cloud Director resource must not pay for it
    import httpx2
    from vcd_client import Client

    from provider_py.execution.tokens import TokenAuth
    from provider_py.execution.transport import Channel
    from provider_py.systems.vcd.session import Session

log = logging.getLogger(__name__)


class CloudDirector:
    """A Cloud Director as one user sees it. Nothing is imported or contacted before the first request."""

    def __init__(self, settings: VcdSettings, runtime: Runtime) -> None:
        """Raises DiagnosticError if a setting is missing, or if it is not clear how to sign in."""
        require(SYSTEM, "vcd", settings, ("url", "org"))
        findings = tuple(check_credentials(settings))
        if findings:
            raise DiagnosticError(*findings)
        self.settings = settings
        self.runtime = runtime
        self.lookups = Lookups()
        self.short_kinds = False
        """Whether this server was found to take the short spellings of `inputType` only."""

    @functools.cached_property
    def channel(self) -> Channel:
        """The HTTP channel; every request names the version of the API it speaks, and the tenant it is about."""
        tenant = self.settings.context
        if tenant is None:
            return self._signed_in
        from provider_py.systems.vcd.tenant import TenantContext

        context = TenantContext(self._client(self._signed_in), self.lookups, tenant)
        return self._channel(
            auth=self._auth, base_url=self.settings.address, event_hooks={"request": [context], "response": []}
        )

    @functools.cached_property
    def client(self) -> Client:
        """The generated client over the channel."""
        return self._client(self.channel)

    def _client(self, channel: Channel) -> Client:
        from vcd_client import Client

        return Client(base_url=self.settings.address).set_async_httpx_client(channel)

    @functools.cached_property
    def _signed_in(self) -> Channel:
        return self._channel(auth=self._auth, base_url=self.settings.address)

    @functools.cached_property
    def _auth(self) -> TokenAuth:
        from provider_py.execution.tokens import TokenAuth

        return TokenAuth(self._session.token, self.runtime.clock, _credentials(self.settings))

    @functools.cached_property
    def _session(self) -> Session:
        from provider_py.systems.vcd.session import Session

        return Session(self.settings, self._login_channel)

    @functools.cached_property
    def _login_channel(self) -> Channel:
        return self._channel()

    def _channel(self, **options: Any) -> Channel:
        from provider_py.execution.transport import Channel, open_tls

        settings = self.settings
        unverified = bool(settings.allow_unverified_ssl)
        return Channel(
            SYSTEM,
            self.runtime,
            timeout=parse_duration(settings.request_timeout or ""),
            verify=open_tls("vcd", settings.address, settings.ca_file, unverified=unverified),
            safe=_safe,
            explain=_explain,
            credentials=_credentials(settings),
            headers={"accept": f"application/json;version={settings.api_version}"},
            **options,
        )

    async def close(self) -> None:
        """Sign out and close the connections, if there are any."""
        if "_session" in self.__dict__:
            try:
                await self._session.close()
            except SystemFault as fault:
                log.debug("signing out failed: %s", fault)
        for name in ("channel", "_signed_in", "_login_channel"):
            if name in self.__dict__:
                await self.__dict__[name].aclose()


def _safe(request: httpx2.Request) -> bool:
    """Only a start must not be repeated: signing in, reading and cancelling may be."""
    return not (request.method == "POST" and request.url.path.endswith("/executions"))


def _credentials(settings: VcdSettings) -> str:
    if settings.api_token is not None:
        return "`vcd.api_token` (VCD_API_TOKEN)"
    if settings.service_account_token_file is not None:
        return "`vcd.service_account_token_file` (VCD_SA_TOKEN_FILE)"
    return "`vcd.user` and `vcd.password` (VCD_PASSWORD)"


def _explain(response: httpx2.Response) -> str:
    """Read the error object of cloudapi or of OAuth2; bodies may be empty."""
    version = response.status_code == 406
    advice = "Set `vcd.api_version` (VCD_API_VERSION) to a version that this server has. " if version else ""
    try:
        body = response.json()
        text = body.get("message") or body.get("error_description") or body.get("error") or ""
    except (ValueError, AttributeError):
        text = ""
    return f"{advice}{text}"
