"""The connection to Cloud Director: one signed-in channel, one client and one memory of lookups for all resources.

Acting in a tenant while signed in elsewhere takes two headers on every request, one of them the tenant's ID. It is
looked up before the first request, through a client that does not send these headers. Only the UUID of the ID is sent:
some versions refuse the URN.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, cast

import vcd_client
from vcd_client import api, models

from provider_py.execution import Lookups, NotStarted, Refused, Runtime, SystemFault, readable
from provider_py.systems.vcd.answers import paged
from provider_py.systems.vcd.config import SYSTEM, VcdSettings, resolve_config

if TYPE_CHECKING:
    import httpx2

    from provider_py.execution.tokens import TokenAuth
    from provider_py.execution.transport import Channel
    from provider_py.systems.vcd.session import Session

log = logging.getLogger(__name__)

_SIGN_OUT_SECONDS: Final = 0.3
"""Real time for signing out: the process has half a second to close everything, and sessions expire by themselves."""
_PLAIN_NAME: Final = re.compile(r"[\w.@-]{1,128}")
"""Names that need no quoting in a FIQL filter; for others all organizations are read."""


class CloudDirector:
    """Cloud Director as one user sees it. Nothing is contacted before the first request."""

    def __init__(self, settings: VcdSettings, runtime: Runtime) -> None:
        """Raises DiagnosticError if a required setting is missing or the way to sign in is ambiguous."""
        self.config = resolve_config(settings)
        self.account = f"{SYSTEM} {self.config.address} {self.config.org} {self.config.tenant or ''}"
        self.runtime = runtime
        self.lookups = Lookups()
        self.short_input_types = False
        """Whether this server has turned out to accept only the short spellings of `inputType`."""
        self._exit_stack = AsyncExitStack()

    @functools.cached_property
    def client(self) -> vcd_client.Client:
        """The client whose requests are signed in, name the version of the API and, if configured, the tenant."""
        from provider_py.execution.tokens import TokenAuth  # lazy: loads httpx2, which takes 70 ms
        from provider_py.systems.vcd.session import Session  # lazy: loads httpx2 and filelock

        session = Session(self.config, self._open_channel())
        self._exit_stack.push_async_callback(self._sign_out, session)
        auth = TokenAuth(session.token, self.runtime, self.config.sign_in.settings)
        client = self._open_client(auth)
        if self.config.tenant is None:
            return client
        return self._open_client(auth, TenantContext(client, self.lookups, self.config.tenant, self.runtime))

    def system_time(self) -> float:
        """Return seconds since the epoch by Cloud Director's clock, as far as it is known."""
        return cast("Channel", self.client.get_async_httpx_client()).system_time()

    def _open_client(self, auth: TokenAuth, context: TenantContext | None = None) -> vcd_client.Client:
        channel = self._open_channel(auth, context)
        return vcd_client.Client(base_url=self.config.address).set_async_httpx_client(channel)

    def _open_channel(self, auth: TokenAuth | None = None, context: TenantContext | None = None) -> Channel:
        from provider_py.execution.transport import Channel, open_tls  # lazy: loads httpx2, which takes 70 ms

        config = self.config
        channel = Channel(
            SYSTEM,
            self.runtime,
            timeout=config.request_timeout,
            verify=open_tls("vcd", config.address, config.ca_file, unverified=config.allow_unverified_ssl),
            safe=_is_safe,
            explain=_explain,
            credentials=config.sign_in.settings,
            headers={"accept": f"application/json;version={config.api_version}"},
            base_url=config.address,
            auth=auth,
            event_hooks={"request": [context] if context else []},
        )
        self._exit_stack.push_async_callback(channel.aclose)
        return channel

    async def _sign_out(self, session: Session) -> None:
        try:
            async with asyncio.timeout(_SIGN_OUT_SECONDS):
                await session.close()
        except (SystemFault, TimeoutError) as fault:
            log.debug("signing out failed, the session will expire: %s", fault or "no answer in time")

    async def close(self) -> None:
        """Sign out and close the channels, as far as they were opened."""
        await self._exit_stack.aclose()


CONNECTION: Final = CloudDirector
"""What the provider connects with when a resource first needs the system."""


class TenantContext:
    """Puts the headers that name a tenant on requests."""

    def __init__(self, client: vcd_client.Client, lookups: Lookups, name: str, runtime: Runtime) -> None:
        """`client` sends requests without these headers; `name` is the organization's, case-sensitive."""
        self._client = client
        self._lookups = lookups
        self._name = name
        self._runtime = runtime

    async def __call__(self, request: httpx2.Request) -> None:
        """Complete a request that is about to be sent. Raises NotStarted: without its tenant it is not sent."""
        try:
            identifier = await self._runtime.unless_stopped(self._lookups.get(("org", self._name), self._find))
        except NotStarted:
            raise
        except SystemFault as fault:
            reason = f"looking up the organization {self._name!r} failed: {fault.reason}"
            raise NotStarted(SYSTEM, reason, advice=fault.advice) from fault
        request.headers["X-VMWARE-VCLOUD-TENANT-CONTEXT"] = identifier
        request.headers["X-VMWARE-VCLOUD-AUTH-CONTEXT"] = self._name

    async def _find(self) -> str:
        fiql = f"name=={self._name}" if _PLAIN_NAME.fullmatch(self._name) else None
        request = "the list of organizations"
        with readable(SYSTEM, request):
            async for org in paged(api.organizations.query_orgs.asyncio, models.Orgs, self._client, fiql, request):
                if org.name == self._name and org.id:
                    return str(org.id).rpartition(":")[2]
        advice = "Check `vcd.tenant` (VCD_TENANT), which is case-sensitive, and that `vcd.org` may see it."
        raise Refused(SYSTEM, f"there is no organization {self._name!r}", advice=advice)


def _is_safe(request: httpx2.Request) -> bool:
    """Whether a request may be repeated when its effect is unknown: any but a start."""
    return not (request.method == "POST" and request.url.path.endswith("/executions"))


def _explain(response: httpx2.Response) -> str:
    """Read the error object of cloudapi or of OAuth2; bodies may be empty."""
    unknown_version = response.status_code == 406
    advice = "Set `vcd.api_version` (VCD_API_VERSION) to a version that this server has. " if unknown_version else ""
    try:
        body = response.json()
        text = body.get("message") or body.get("error_description") or body.get("error") or ""
    except (ValueError, AttributeError):
        text = ""
    return f"{advice}{text}"
