"""Lists of the simulated Cloud Director: FIQL filter, order and pages."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlencode

from provider_py.sandbox.vcd.errors import bad_request

_FIELDS: Final = ("id", "name", "serviceName", "vroWorkflowId")


@dataclass(frozen=True, slots=True)
class Page:
    """One page and the query of the next."""

    body: dict[str, object]
    following: str | None


def page_of(items: list[dict[str, object]], query: Mapping[str, str]) -> Page:
    """The page a query asks for; raises ApiError for a filter or order that cannot be understood."""
    found = [item for item in items if _matches(item, query["filter"])] if query.get("filter") else list(items)
    for name, descending in (("sortDesc", True), ("sortAsc", False)):
        if name in query:
            field = _field(query[name])
            found.sort(key=lambda item: str(item[field]), reverse=descending)
    number, size = int(query.get("page", 1)), int(query.get("pageSize", 25))
    pages = -(-len(found) // size)
    body: dict[str, object] = {
        "resultTotal": len(found),
        "pageCount": pages,
        "page": number,
        "pageSize": size,
        "associations": None,
        "values": found[(number - 1) * size : number * size],
    }
    return Page(body, urlencode({**query, "page": number + 1, "pageSize": size}) if number < pages else None)


def _matches(item: Mapping[str, object], expression: str) -> bool:
    """Whether all clauses of field==value fit; reserved characters of a value are percent-encoded."""
    return all(_fits(item, clause) for clause in expression.split(";"))


def _fits(item: Mapping[str, object], clause: str) -> bool:
    field, operator, value = clause.partition("==")
    if not operator or any(character in value for character in ",()"):
        raise bad_request(f"The filter {clause} is not valid FIQL.")
    pattern = unquote(value).replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(str(item[_field(field)]), pattern)


def _field(name: str) -> str:
    if name not in _FIELDS:
        raise bad_request(f"{name} is not a property that can be filtered or sorted by.")
    return name
