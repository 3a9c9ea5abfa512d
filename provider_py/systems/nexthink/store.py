"""The store that exported files lie in: another host, which takes signed addresses and no token of ours."""

from __future__ import annotations

import httpx2

from provider_py.execution.errors import SystemFault
from provider_py.execution.transport import Channel, open_tls
from provider_py.plugin import parse_duration
from provider_py.systems.nexthink.settings import SYSTEM, NexthinkSettings
from provider_py.systems.nexthink.system import Nexthink


async def download(nexthink: Nexthink, address: str) -> bytes:
    """Return a file's content. Raises SystemFault; the address is good for 15 minutes, and never part of a message."""
    async with _store(nexthink, nexthink.settings, address) as store:
        return (await store.get(address)).content


def _store(nexthink: Nexthink, settings: NexthinkSettings, address: str) -> Channel:
    return Channel(
        SYSTEM,
        nexthink.runtime,
        timeout=parse_duration(settings.request_timeout or ""),
        verify=open_tls("nexthink", address, settings.ca_file),
        safe=lambda _: True,
        accept=_accept_file,
    )


def _accept_file(response: httpx2.Response) -> None:
    if response.status_code >= 300:  # an address that expired: no reason to give up, another export helps
        reason = f"the file of an export was not given by {response.request.url.host}"
        raise SystemFault(SYSTEM, f"{reason}, which answered {response.status_code}")
