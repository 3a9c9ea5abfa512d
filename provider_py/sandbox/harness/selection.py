"""Which items a list's filters choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from provider_py.sandbox.harness.filters import ids_match, time_matches
from provider_py.sandbox.harness.inputs import IdFilter, TimeFilter

if TYPE_CHECKING:
    from provider_py.sandbox.harness.account import Call

Filters = Sequence[Mapping[str, object]] | None


def meets(call: Call, item: Mapping[str, object], filters: Filters) -> bool:
    """Whether an item meets every filter; it is given by what each condition is about."""
    conditions = [(key, condition) for entry in filters or [] for key, condition in entry.items()]
    return all(_met(call, item, key, condition) for key, condition in conditions)


def _met(call: Call, item: Mapping[str, object], key: str, condition: object) -> bool:
    value = item.get(key)
    if isinstance(condition, IdFilter):
        return ids_match(condition, [value if isinstance(value, str) else None])
    if isinstance(condition, TimeFilter):
        return time_matches(condition, value if isinstance(value, float) else None)
    if isinstance(condition, Mapping):
        return call.account.tagging.match(condition, item) if key == "tag" else _among(condition, value)
    return True


def _among(condition: Mapping[str, object], value: object) -> bool:
    wanted = condition.get("values")
    return not isinstance(wanted, list) or value in wanted
