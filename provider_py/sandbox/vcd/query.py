"""Queries of lists: FIQL filters, order and pages."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlencode

from provider_py.sandbox.vcd.errors import bad_request
from provider_py.sandbox.wire import JsonObject

_FIELDS: Final = ("id", "name", "serviceName", "vroWorkflowId")


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and the query for the next."""

    body: JsonObject
    next_query: str | None


def page_of(items: list[JsonObject], query: Mapping[str, str]) -> Page:
    """The page that a query selects; raises ApiError for an invalid filter or order."""
    selected = [item for item in items if _matches(item, query["filter"])] if query.get("filter") else list(items)
    for name, descending in (("sortDesc", True), ("sortAsc", False)):
        if name in query:
            field = _field(query[name])
            selected.sort(key=lambda item: str(item[field]), reverse=descending)
    number, size = int(query.get("page", 1)), int(query.get("pageSize", 25))
    pages = -(-len(selected) // size)
    body: JsonObject = {
        "resultTotal": len(selected),
        "pageCount": pages,
        "page": number,
        "pageSize": size,
        "associations": None,
        "values": selected[(number - 1) * size : number * size],
    }
    return Page(body, urlencode({**query, "page": number + 1, "pageSize": size}) if number < pages else None)


def _matches(item: Mapping[str, object], expression: str) -> bool:
    """Whether every clause field==value matches; reserved characters in a value are percent-encoded."""
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
