"""What an account keeps by id under unique names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from provider_py.sandbox.harness.catalog import Shown
from provider_py.sandbox.harness.refusal import invalid

Given = Mapping[str, Any]


class _Named(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


ItemT = TypeVar("ItemT", bound=_Named)


class Record(Shown):
    """Something whose fields are those of the input it was made from."""

    def __init__(self, graphql_type: str, record_id: str, name: str, created_at: float, **fields: object) -> None:
        """Keep the fields as attributes."""
        super().__init__(graphql_type, **fields)
        self.id = record_id
        self.name = name
        self.created_at = created_at

    def change(self, fields: Given) -> None:
        """Take over the fields that are given."""
        vars(self).update({key: value for key, value in fields.items() if not (key == "name" and value is None)})


class Register(Generic[ItemT]):
    """Items by id, whose names are unique; `missing` is what the server says of one that is not there."""

    def __init__(self, missing: str, first: Callable[[], Iterable[ItemT]] = tuple) -> None:
        """Begin with the first items."""
        self._missing = missing
        self._first = first
        self._items: dict[str, ItemT] = {}
        self.reset()

    def reset(self) -> None:
        """Go back to the first items."""
        self._items = {item.id: item for item in self._first()}

    def all(self) -> list[ItemT]:
        """Every item, oldest first."""
        return list(self._items.values())

    def get(self, item_id: str) -> ItemT:
        """The item, or the refusal the server answers."""
        found = self._items.get(item_id)
        if found is None:
            raise invalid(self._missing)
        return found

    def named(self, name: str) -> ItemT:
        """The item of exactly that name, or the refusal the server answers."""
        for item in self._items.values():
            if item.name == name:
                return item
        raise invalid(self._missing)

    def add(self, item: ItemT) -> ItemT:
        """Keep an item under a new name."""
        self.require_free(item.name)
        self._items[item.id] = item
        return item

    def require_free(self, name: str | None, own_id: str = "") -> None:
        """Refuse a name that is empty or another item's."""
        if name is None:
            return
        if not name.strip():
            raise invalid("Name cannot be empty")
        if any(item.name == name and item.id != own_id for item in self._items.values()):
            raise invalid(f"Duplicate name {name}")

    def remove(self, item_id: str) -> ItemT:
        """Forget an item."""
        return self._items.pop(self.get(item_id).id)


def payload(given: Given, **fields: object) -> Shown:
    """The answer of a mutation, with the echo of the client's own id."""
    return Shown("", client_mutation_id=given.get("client_mutation_id"), **fields)
