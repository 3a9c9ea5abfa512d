"""The tags of an account and the entities they are attached to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provider_py.sandbox.harness.catalog import Application, new_id
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.registry import Input, Registry


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of the account."""

    id: str
    name: str
    created_at: float


@dataclass(frozen=True, slots=True)
class TagLink:
    """A tag attached to an entity."""

    name: str
    value: str
    entity_id: str
    entity_type: str
    app_id: str


class Tags:
    """Every tag, and what it is attached to."""

    def __init__(self) -> None:
        self.registry: Registry[Tag] = Registry("Tag does not exist")
        self._links: dict[tuple[str, str], TagLink] = {}

    def attach(self, link: TagLink, now: float) -> None:
        """Attach a tag, created if it is new; an entity that already carries it gets the new value."""
        if not any(tag.name == link.name for tag in self.registry.all()):
            self.registry.add(Tag(new_id(), link.name, now))
        self._links[link.entity_id, link.name] = link

    def detach(self, entity_id: str, name: str) -> None:
        """Remove a tag from an entity; raises ApiError if it does not carry it."""
        if self._links.pop((entity_id, name), None) is None:
            raise invalid(f"Tag {name} is not attached to the entity")

    def forget(self, entity_ids: Iterable[str]) -> None:
        """Remove all tags from deleted entities."""
        deleted = set(entity_ids)
        self._links = {key: link for key, link in self._links.items() if link.entity_id not in deleted}

    def of(self, entity_id: str) -> list[TagLink]:
        """The tags of an entity."""
        return [link for link in self._links.values() if link.entity_id == entity_id]

    def usages(self, name: str) -> list[TagLink]:
        """Where a tag is attached."""
        return [link for link in self._links.values() if link.name == name]

    def match(self, condition: Input, ids: Mapping[str, object]) -> bool:
        """Whether an item with these ids (by entity type) carries one of the tags of a filter."""
        tags: Sequence[Mapping[str, str | None]] = condition.get("tags") or []
        entity_type = condition.get("entity_type")
        entity_ids = [ids.get(str(entity_type).lower())] if entity_type else list(ids.values())
        links = [link for entity_id in entity_ids if isinstance(entity_id, str) for link in self.of(entity_id)]
        return not tags or any(
            link.name == tag.get("name") and tag.get("value") in {None, link.value} for tag in tags for link in links
        )


def entity_ids(application: Application) -> dict[str, set[str]]:
    """The ids of everything that can carry tags, by entity type."""
    return {
        "APPLICATION": {application.id},
        "SERVICE": {service.id for service in application.services},
        "ENVIRONMENT": {environment.id for environment in application.environments},
        "WORKFLOW": {workflow.id for workflow in application.workflows},
        "PIPELINE": {pipeline.id for pipeline in application.pipelines},
    }
