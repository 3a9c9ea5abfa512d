"""Filters and pages of lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from provider_py.sandbox.harness.inputs import IdFilter, NumberFilter, TimeFilter
from provider_py.sandbox.harness.refusal import invalid

LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where a page lies."""

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
    """A page of at most 100 items, whatever is asked for."""
    start = offset or 0
    if limit < 0 or start < 0:
        raise invalid("Limit/Offset argument accepts only non negative values")
    size = min(limit, LARGEST_PAGE)
    nodes = items[start : start + size]
    return Connection(PageInfo(size, start, len(items), start + len(nodes) < len(items)), nodes)


def ids_match(condition: IdFilter | None, values: Iterable[str | None]) -> bool:
    """Whether one of an item's ids meets the condition; no condition is always met."""
    if condition is None:
        return True
    wanted, present = set(condition.values), {value for value in values if value}
    if condition.operator == "NOT_NULL":
        return bool(present)
    if not wanted:
        raise invalid("Values cannot be empty")
    if condition.operator in {"EQUALS", "LIKE"} and len(condition.values) > 1:
        raise invalid(f"Only one value needs to be inputted for operator {condition.operator}")
    if condition.operator == "LIKE":
        return any(condition.values[0] in value for value in present)
    return bool(wanted & present) is (condition.operator != "NOT_IN")


def time_matches(condition: TimeFilter | None, moment: float | None) -> bool:
    """Whether a moment in epoch seconds meets the condition; BEFORE and AFTER include it."""
    if condition is None:
        return True
    if moment is None:
        return False
    milliseconds = int(moment * 1000)
    if condition.operator == "BEFORE":
        return milliseconds <= condition.value
    if condition.operator == "AFTER":
        return milliseconds >= condition.value
    return milliseconds == condition.value


def number_matches(condition: NumberFilter | None, number: float | None) -> bool:
    """Whether a number meets the condition."""
    if condition is None:
        return True
    if number is None:
        return False
    wanted = condition.values
    answers = {
        "EQUALS": number in wanted,
        "IN": number in wanted,
        "NOT_EQUALS": number not in wanted,
        "GREATER_THAN": all(number > value for value in wanted),
        "GREATER_THAN_OR_EQUALS": all(number >= value for value in wanted),
        "LESS_THAN": all(number < value for value in wanted),
        "LESS_THAN_OR_EQUALS": all(number <= value for value in wanted),
    }
    return answers[condition.operator]
