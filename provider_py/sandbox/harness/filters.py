"""Filters and pages of lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.inputs import IdFilter, NumberFilter, TimeFilter
from provider_py.sandbox.harness.tags import Tags

LARGEST_PAGE = 100
Filters: TypeAlias = Sequence[Mapping[str, object]] | None
"""The `filters` argument of a list: every condition of every entry must be met."""
Keys: TypeAlias = Mapping[str, object]
"""What an item is filtered by: under the name of each condition the value, or list of values, it is compared with."""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Position of a page in its list."""

    limit: int
    offset: int
    total: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """A page."""

    page_info: PageInfo
    nodes: Sequence[object]


def page(items: Sequence[object], limit: int, offset: int | None) -> Connection:
    """A page of at most 100 items, even if more are requested."""
    start = offset or 0
    if limit < 0 or start < 0:
        raise invalid("Limit/Offset argument accepts only non negative values")
    size = min(limit, LARGEST_PAGE)
    nodes = items[start : start + size]
    return Connection(PageInfo(size, start, len(items), start + len(nodes) < len(items)), nodes)


def conditions(filters: Filters) -> list[tuple[str, object]]:
    """The conditions of all entries, by name."""
    return [(name, condition) for entry in filters or [] for name, condition in entry.items()]


def meets(tags: Tags, keys: Keys, filters: Filters) -> bool:
    """Whether an item meets every filter.

    Filters on tags compare the ids under "tag" where the item has them, else all its keys.
    """
    return all(_is_met(tags, keys, name, condition) for name, condition in conditions(filters))


def _is_met(tags: Tags, keys: Keys, name: str, condition: object) -> bool:
    value = keys.get(name)
    if isinstance(condition, IdFilter):
        return ids_match(condition, value if isinstance(value, list) else [value])
    if isinstance(condition, TimeFilter):
        return isinstance(value, (int, float)) and _time_matches(condition, value)
    if isinstance(condition, NumberFilter):
        return isinstance(value, (int, float)) and _number_matches(condition, value)
    if isinstance(condition, Mapping) and name == "tag":
        return tags.match(condition, value if isinstance(value, Mapping) else keys)
    if isinstance(condition, Mapping):
        allowed = condition.get("values")
        return not isinstance(allowed, list) or value in allowed
    return condition in {None, value}


def ids_match(condition: IdFilter | None, values: Iterable[object]) -> bool:
    """Whether one of an item's ids meets the condition; no condition is always met."""
    if condition is None:
        return True
    selected, present = set(condition.values), {value for value in values if value and isinstance(value, str)}
    if condition.operator == "NOT_NULL":
        return bool(present)
    if not selected:
        raise invalid("Values cannot be empty")
    if condition.operator in {"EQUALS", "LIKE"} and len(condition.values) > 1:
        raise invalid(f"Only one value needs to be inputted for operator {condition.operator}")
    if condition.operator == "LIKE":
        return any(condition.values[0] in value for value in present)
    return bool(selected & present) is (condition.operator != "NOT_IN")


def _time_matches(condition: TimeFilter, moment: float) -> bool:
    """Compare a moment in epoch seconds; BEFORE and AFTER include the moment itself."""
    milliseconds = int(moment * 1000)
    if condition.operator == "BEFORE":
        return milliseconds <= condition.value
    if condition.operator == "AFTER":
        return milliseconds >= condition.value
    return milliseconds == condition.value


def _number_matches(condition: NumberFilter, number: float) -> bool:
    values = condition.values
    results = {
        "EQUALS": number in values,
        "IN": number in values,
        "NOT_EQUALS": number not in values,
        "GREATER_THAN": all(number > value for value in values),
        "GREATER_THAN_OR_EQUALS": all(number >= value for value in values),
        "LESS_THAN": all(number < value for value in values),
        "LESS_THAN_OR_EQUALS": all(number <= value for value in values),
    }
    return results[condition.operator]
