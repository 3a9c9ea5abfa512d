"""Items an account keeps by id, and the objects GraphQL reads and mutations answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from provider_py.sandbox.harness.catalog import GraphQLObject
from provider_py.sandbox.harness.errors import invalid

Input: TypeAlias = Mapping[str, Any]
"""An input object without a class in `inputs`; graphql-core has checked its members against the schema."""


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str: ...


class _Named(Identified, Protocol):
    @property
    def name(self) -> str: ...


ItemT = TypeVar("ItemT", bound=_Named)


class Record(GraphQLObject):
    """An item whose fields are those of the input it was created from."""

    def __init__(self, graphql_type: str, record_id: str, name: str, created_at: float, **fields: object) -> None:
        super().__init__(graphql_type, **fields)
        self.id = record_id
        self.name = name
        self.created_at = created_at

    def change(self, fields: Input) -> None:
        """Overwrite the fields that are present; a null name changes nothing."""
        vars(self).update({key: value for key, value in fields.items() if not (key == "name" and value is None)})


class Registry(Generic[ItemT]):
    """Items by id, with unique names; `missing` is the server's message for an unknown item."""

    def __init__(self, missing: str, items: Iterable[ItemT] = ()) -> None:
        self._missing = missing
        self._items = {item.id: item for item in items}

    def all(self) -> list[ItemT]:
        """Every item, oldest first."""
        return list(self._items.values())

    def get(self, item_id: str) -> ItemT:
        """The item; raises ApiError if there is none."""
        item = self._items.get(item_id)
        if item is None:
            raise invalid(self._missing)
        return item

    def named(self, name: str) -> ItemT:
        """The item with exactly that name; raises ApiError if there is none."""
        for item in self._items.values():
            if item.name == name:
                return item
        raise invalid(self._missing)

    def add(self, item: ItemT) -> ItemT:
        """Keep an item; raises ApiError if its name is empty or taken."""
        self.require_free(item.name)
        self._items[item.id] = item
        return item

    def require_free(self, name: str | None, own_id: str = "") -> None:
        """Raise ApiError for a name that is empty or belongs to another item."""
        if name is None:
            return
        if not name.strip():
            raise invalid("Name cannot be empty")
        if any(item.name == name and item.id != own_id for item in self._items.values()):
            raise invalid(f"Duplicate name {name}")

    def remove(self, item_id: str) -> ItemT:
        """Delete an item; raises ApiError if there is none."""
        return self._items.pop(self.get(item_id).id)


def payload(input_: Input, **fields: object) -> GraphQLObject:
    """The answer of a mutation, which echoes the client's own id."""
    return GraphQLObject("", client_mutation_id=input_.get("client_mutation_id"), **fields)
