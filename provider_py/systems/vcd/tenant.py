"""Acting inside a tenant while signed in elsewhere: headers name the tenant on every request. Imported on first use."""

from __future__ import annotations

import re
from typing import Final

import httpx2
from vcd_client import Client
from vcd_client.api.organizations import query_orgs
from vcd_client.models import Orgs
from vcd_client.types import UNSET

from provider_py.execution.connection import readable
from provider_py.execution.errors import NotStarted, Refused, SystemFault, Unanswered
from provider_py.execution.lookups import Lookups
from provider_py.systems.vcd.settings import SYSTEM

PAGE: Final = 128
"""The most organizations of one page."""
_PLAIN_NAME: Final = re.compile(r"[\w.@-]{1,128}")
"""Names that need no quoting in a FIQL filter; for others all organizations are read."""


class TenantContext:
    """Puts the context of one organization on requests; the organization is looked up once."""

    def __init__(self, client: Client, lookups: Lookups, name: str) -> None:
        """`client` sends requests without a context; `name` is the organization's, case-sensitive."""
        self._client = client
        self._lookups = lookups
        self._name = name

    async def __call__(self, request: httpx2.Request) -> None:
        """Take a request about to be sent."""
        try:
            identifier = await self._lookups.get(("org", self._name), self._identifier)
        except NotStarted:
            raise
        except SystemFault as fault:  # the request it is for was not sent
            reason = f"the organization {self._name!r} could not be looked up: {fault.reason}"
            raise NotStarted(SYSTEM, reason, advice=fault.advice) from fault
        request.headers["X-VMWARE-VCLOUD-TENANT-CONTEXT"] = identifier
        request.headers["X-VMWARE-VCLOUD-AUTH-CONTEXT"] = self._name

    async def _identifier(self) -> str:
        """Return the UUID alone: some versions refuse the URN here."""
        page, total = 1, 1
        fiql = f"name=={self._name}" if _PLAIN_NAME.fullmatch(self._name) else UNSET
        with readable(SYSTEM, "the list of organizations"):
            while (page - 1) * PAGE < total:
                answer = await query_orgs.asyncio(client=self._client, filter_=fiql, page=page, page_size=PAGE)
                if not isinstance(answer, Orgs):
                    raise Unanswered(SYSTEM, "the list of organizations was answered without content")
                for org in answer.values or []:
                    if org.name == self._name and org.id:
                        return str(org.id).rpartition(":")[2]
                page, total = page + 1, answer.result_total or 0
        advice = "Check `vcd.tenant` (VCD_TENANT), which is case-sensitive, and that `vcd.org` may see it."
        raise Refused(SYSTEM, f"there is no organization {self._name!r}", advice=advice)
