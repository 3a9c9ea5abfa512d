"""The service library: which workflows there are, and under which names and ids. Imported on first use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vcd_client.api.service_library import query_service_items
from vcd_client.models import ServiceItem, ServiceItems
from vcd_client.types import UNSET

from provider_py.execution.connection import readable
from provider_py.execution.errors import Refused, Unanswered
from provider_py.execution.messages import unknown_name
from provider_py.plugin import DiagnosticError, error
from provider_py.systems.vcd.settings import SYSTEM
from provider_py.systems.vcd.system import CloudDirector

PAGE: Final = 128
"""The most service items of one page."""
URN: Final = "urn:vcloud:serviceItem:"
_PLAIN_NAME: Final = re.compile(r"[\w .@*-]{1,128}")
"""Names that need no quoting in a FIQL filter; for others the whole library is read."""


@dataclass(frozen=True, slots=True)
class Item:
    """A workflow in the library; what the library does not tell is None."""

    id: str
    name: str | None = None
    description: str | None = None
    service: str | None = None
    service_id: str | None = None
    orchestrator_id: str | None = None
    can_execute: bool | None = None

    def goes_by(self, identifier: str) -> bool:
        """Whether an id is this item's: its URN, the UUID in it or the workflow's in Orchestrator."""
        return identifier.lower() in {
            each.lower() for each in (self.id, self.id.removeprefix(URN), self.orchestrator_id) if each
        }


async def listed(director: CloudDirector, name: str | None = None) -> Sequence[Item]:
    """Return the items, all or those of a name, in which `*` stands for any characters; asks once."""
    fiql = f"name=={name}" if name and _PLAIN_NAME.fullmatch(name) else None
    found: Sequence[Item] = await director.lookups.get(("items", fiql), lambda: _items(director, fiql))
    return found


async def named(director: CloudDirector, name: str) -> Item:
    """Return the item of exactly this name. Raises DiagnosticError if there is none, or several."""
    found = [item for item in await listed(director, None if "*" in name else name) if item.name == name]
    if not found:
        known = [item.name for item in await listed(director) if item.name]
        raise DiagnosticError(unknown_name("Cloud Director workflow", name, known, "workflow"))
    if len(found) > 1:
        ids = ", ".join(f"{item.id}{f' ({item.service})' if item.service else ''}" for item in found)
        raise DiagnosticError(
            error(
                f"There are {len(found)} workflows named {name!r}",
                f"Set `workflow_id` instead of `workflow`, to one of: {ids}.",
                ("workflow",),
            )
        )
    return found[0]


async def identified(director: CloudDirector, identifier: str) -> Item | None:
    """Return the item that goes by any form of id; None if it is not listed, or if the library may not be read."""
    try:
        items = await listed(director)
    except Refused:
        return None
    return next((item for item in items if item.goes_by(identifier)), None)


async def _items(director: CloudDirector, fiql: str | None) -> Sequence[Item]:
    """Read page by page."""
    items: list[Item] = []
    page, total = 1, 1
    with readable(SYSTEM, "the list of service items"):
        while (page - 1) * PAGE < total:
            answer = await query_service_items.asyncio(
                client=director.client, filter_=UNSET if fiql is None else fiql, page=page, page_size=PAGE
            )
            if not isinstance(answer, ServiceItems):
                raise Unanswered(SYSTEM, "the list of service items was answered without items")
            several = [_item(each) for each in answer.values or [] if each.id]
            items += several
            total = answer.result_total or len(items)
            page = page + 1 if several else total + 2
    return items


def _item(answered: ServiceItem) -> Item:
    return Item(
        id=str(answered.id),
        name=answered.name or None,
        description=answered.description or None,
        service=answered.service_name or None,
        service_id=answered.service_id or None,
        orchestrator_id=answered.vro_workflow_id or None,
        can_execute=answered.can_execute if isinstance(answered.can_execute, bool) else None,
    )
