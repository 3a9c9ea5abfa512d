"""Tags: attached to entities of applications, and filtered by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provider_py.sandbox.harness.catalog import Application, Shown, new_id
from provider_py.sandbox.harness.filters import Connection, ids_match, page
from provider_py.sandbox.harness.inputs import IdFilter
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.register import Given, Register, payload

if TYPE_CHECKING:
    from provider_py.sandbox.harness.account import Call

_WORDS = {"APPLICATION": "Application", "SERVICE": "Service", "ENVIRONMENT": "Environment"}


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


class Tagging:
    """Every tag, and what it is attached to."""

    def __init__(self) -> None:
        """Begin without tags."""
        self.tags: Register[Tag] = Register("Tag does not exist")
        self._links: dict[tuple[str, str], TagLink] = {}

    def reset(self) -> None:
        """Forget all tags."""
        self.tags.reset()
        self._links.clear()

    def attach(self, link: TagLink, now: float) -> None:
        """Attach a tag, a new one is made; one attached before gets the new value."""
        if not any(tag.name == link.name for tag in self.tags.all()):
            self.tags.add(Tag(new_id(), link.name, now))
        self._links[link.entity_id, link.name] = link

    def detach(self, entity_id: str, name: str) -> None:
        """Take a tag off an entity."""
        if self._links.pop((entity_id, name), None) is None:
            raise invalid(f"Tag {name} is not attached to the entity")

    def forget(self, entity_ids: Iterable[str]) -> None:
        """Take all tags off entities that are removed."""
        gone = set(entity_ids)
        self._links = {key: link for key, link in self._links.items() if link.entity_id not in gone}

    def of(self, entity_id: str) -> list[TagLink]:
        """What is attached to an entity."""
        return [link for link in self._links.values() if link.entity_id == entity_id]

    def usages(self, name: str) -> list[TagLink]:
        """What a tag is attached to."""
        return [link for link in self._links.values() if link.name == name]

    def match(self, condition: Mapping[str, Any], ids: Mapping[str, object]) -> bool:
        """Whether an item with these ids (by entity type) carries one of the tags of a filter."""
        wanted: Sequence[Mapping[str, str | None]] = condition.get("tags") or []
        entity_type = condition.get("entity_type")
        chosen = [ids.get(str(entity_type).lower())] if entity_type else list(ids.values())
        links = [link for entity_id in chosen if isinstance(entity_id, str) for link in self.of(entity_id)]
        return not wanted or any(
            link.name == tag.get("name") and tag.get("value") in {None, link.value} for tag in wanted for link in links
        )


def entity_ids(application: Application) -> dict[str, set[str]]:
    """The ids of what tags can be attached to, by entity type."""
    return {
        "APPLICATION": {application.id},
        "SERVICE": {item.id for item in application.services},
        "ENVIRONMENT": {item.id for item in application.environments},
        "WORKFLOW": {item.id for item in application.workflows},
        "PIPELINE": {item.id for item in application.pipelines},
    }


def _application_of(call: Call, entity_id: str, entity_type: str) -> Application:
    for application in call.account.applications:
        if entity_id in entity_ids(application).get(entity_type, ()):
            return application
    raise invalid(f"{_WORDS.get(entity_type, entity_type.capitalize())} does not exist")


def _attach(_: object, call: Call, *, given: Given) -> Shown:
    name, entity_id, entity_type = given["name"], given["entity_id"], given["entity_type"]
    if not name.strip():
        raise invalid("Tag name cannot be blank")
    application = _application_of(call, entity_id, entity_type)
    link = TagLink(name, given.get("value") or "", entity_id, entity_type, application.id)
    call.account.tagging.attach(link, call.account.now)
    return payload(given, tag_link=link)


def _detach(_: object, call: Call, *, given: Given) -> Shown:
    _application_of(call, given["entity_id"], given["entity_type"])
    call.account.tagging.detach(given["entity_id"], given["name"])
    return payload(given)


def _tag(_: object, call: Call, *, tag_id: str) -> Tag:
    return call.account.tagging.tags.get(tag_id)


def _tag_by_name(_: object, call: Call, *, name: str) -> Tag:
    return call.account.tagging.tags.named(name)


def _tags(
    _: object,
    call: Call,
    *,
    limit: int,
    offset: int | None = None,
    filters: Sequence[Mapping[str, IdFilter]] | None = None,
) -> Connection:
    chosen = [
        tag
        for tag in call.account.tagging.tags.all()
        if all(
            ids_match(entry.get("tag_id"), [tag.id]) and ids_match(entry.get("tag_name"), [tag.name])
            for entry in filters or []
        )
    ]
    return page(chosen, limit, offset)


def _usages(
    tag: Tag,
    call: Call,
    *,
    limit: int,
    offset: int | None = None,
    filters: Sequence[Mapping[str, IdFilter]] | None = None,
) -> Connection:
    chosen = [
        link
        for link in call.account.tagging.usages(tag.name)
        if all(
            ids_match(entry.get("tag_name"), [link.name]) and ids_match(entry.get("tag_value"), [link.value])
            for entry in filters or []
        )
    ]
    return page(chosen, limit, offset)


def _tags_of(entity: Any, call: Call) -> list[TagLink]:
    return call.account.tagging.of(entity.id)


RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.tag": _tag,
    "Query.tagByName": _tag_by_name,
    "Query.tags": _tags,
    "TagEntity.usages": _usages,
    "Mutation.attachTag": _attach,
    "Mutation.detachTag": _detach,
    **{
        f"{kind}.tags": _tags_of
        for kind in ("Application", "Service", "Environment", "Workflow", "Pipeline", "Trigger")
    },
}
