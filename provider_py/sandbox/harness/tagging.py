"""Resolvers that attach, detach and read tags."""

from __future__ import annotations

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.catalog import Application, GraphQLObject
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.filters import Connection, Filters, meets, page
from provider_py.sandbox.harness.registry import Identified, Input, payload
from provider_py.sandbox.harness.resolvers import Resolver, get, get_named, listing
from provider_py.sandbox.harness.tags import Tag, TagLink, entity_ids

_WORDS = {"APPLICATION": "Application", "SERVICE": "Service", "ENVIRONMENT": "Environment"}
_TAGGED = ("Application", "Service", "Environment", "Workflow", "Pipeline", "Trigger")


def _application_of(call: Call, entity_id: str, entity_type: str) -> Application:
    for application in call.account.applications:
        if entity_id in entity_ids(application).get(entity_type, ()):
            return application
    raise invalid(f"{_WORDS.get(entity_type, entity_type.capitalize())} does not exist")


def _attach(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    name, entity_id, entity_type = input_["name"], input_["entity_id"], input_["entity_type"]
    if not name.strip():
        raise invalid("Tag name cannot be blank")
    application = _application_of(call, entity_id, entity_type)
    link = TagLink(name, input_.get("value") or "", entity_id, entity_type, application.id)
    call.account.tags.attach(link, call.account.now)
    return payload(input_, tag_link=link)


def _detach(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    _application_of(call, input_["entity_id"], input_["entity_type"])
    call.account.tags.detach(input_["entity_id"], input_["name"])
    return payload(input_)


def _usages(tag: Tag, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
    tags = call.account.tags
    links = [
        link for link in tags.usages(tag.name) if meets(tags, {"tag_name": link.name, "tag_value": link.value}, filters)
    ]
    return page(links, limit, offset)


def _tags_of(entity: Identified, call: Call) -> list[TagLink]:
    return call.account.tags.of(entity.id)


RESOLVERS: dict[str, Resolver] = {
    "Query.tag": get(lambda call: call.account.tags.registry),
    "Query.tagByName": get_named(lambda call: call.account.tags.registry),
    "Query.tags": listing(
        lambda call: call.account.tags.registry.all(), lambda tag: {"tag_id": tag.id, "tag_name": tag.name}
    ),
    "TagEntity.usages": _usages,
    "Mutation.attachTag": _attach,
    "Mutation.detachTag": _detach,
    **{f"{type_name}.tags": _tags_of for type_name in _TAGGED},
}
