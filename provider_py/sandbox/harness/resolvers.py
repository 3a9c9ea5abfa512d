"""Resolvers that only differ in what they read: by id, by name, lists, parts of an object, deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.catalog import GraphQLObject
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.filters import Connection, Filters, Keys, meets, page
from provider_py.sandbox.harness.registry import Identified, Input, ItemT, Registry, payload

Resolver: TypeAlias = Callable[..., object]
"""Called with the parent object, the call and the field's arguments by keyword; graphql-core types neither."""
RowT = TypeVar("RowT")


def get(registry: Callable[[Call], Registry[ItemT]]) -> Resolver:
    """Resolve the item whose id is the field's only argument."""

    def resolve(_: object, call: Call, **argument: str) -> ItemT:
        return registry(call).get(*argument.values())

    return resolve


def by_id(items: Callable[[Call], Iterable[Identified]], missing: str | None = None) -> Resolver:
    """Resolve the item whose id is the field's only argument; else the error `missing`, or null without one."""

    def resolve(_: object, call: Call, **argument: str) -> Identified | None:
        (item_id,) = argument.values()
        item = next((item for item in items(call) if item.id == item_id), None)
        if item is None and missing is not None:
            raise invalid(missing)
        return item

    return resolve


def get_named(registry: Callable[[Call], Registry[ItemT]]) -> Resolver:
    """Resolve the item with exactly that name."""

    def resolve(_: object, call: Call, *, name: str) -> ItemT:
        return registry(call).named(name)

    return resolve


def delete(registry: Callable[[Call], Registry[ItemT]], id_argument: str) -> Resolver:
    """Resolve a mutation that deletes the item whose id is under this name in its input."""

    def resolve(_: object, call: Call, *, input_: Input) -> GraphQLObject:
        registry(call).remove(input_[id_argument])
        return payload(input_)

    return resolve


def listing(
    rows: Callable[[Call], Iterable[RowT]],
    keys: Callable[[RowT], Keys],
    node: Callable[[RowT], object] = lambda row: row,
) -> Resolver:
    """Resolve a page of the rows whose keys meet the filters; `node` is what is shown of a row."""

    def resolve(_: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
        return page([node(row) for row in rows(call) if meets(call.account.tags, keys(row), filters)], limit, offset)

    return resolve


def part(attribute: str) -> Resolver:
    """Resolve a page of a list that the parent object holds."""

    def resolve(parent: object, _: Call, *, limit: int, offset: int | None = None) -> Connection:
        items: Sequence[object] = getattr(parent, attribute)
        return page(items, limit, offset)

    return resolve
