"""Differences between two OpenAPI documents in the operations that the shipped one has.

Comparing the documents node by node does not work: the same operation can be written with or without references, and a
changed schema does not say which operations it reaches. So each operation is written out as places and facts,
`response 200.status: type string`, with every reference followed; two documents differ where a place is gone, is new or
has another fact. What is only new in a response touches no operation, except a value of an enum. Parts of a document
that are neither a place nor one of the facts below are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from codegen.changes import Change
from codegen.documents import JsonObject, JsonValue, elements, members, resolve

_METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_FACTS: Final = ("type", "format", "nullable", "pattern", "minLength", "maxLength", "minItems", "maxItems")
_VALUE: Final = " = "
_LONGEST_CHAIN: Final = 50
"""References that refer to references; a longer chain is taken for a circle."""

_Facts = Iterator[tuple[str, str]]


def compare(old: JsonValue, new: JsonValue) -> list[Change]:
    """Return the changes in the operations of `old`; operations that only `new` has touch none."""
    before, after = dict(_operations(old)), dict(_operations(new))
    touched: dict[str, list[str]] = {}
    harmless: dict[str, None] = {}
    for key, operation in before.items():
        name = str(operation.get("operationId", key))
        if key not in after:
            touched.setdefault(f"{key} was removed", []).append(name)
            continue
        for text, touches in _differences(dict(_places(old, operation)), dict(_places(new, after[key]))):
            if touches:
                touched.setdefault(text, []).append(name)
            else:
                harmless[text] = None
    harmless |= {f"{key} was added": None for key in after if key not in before}
    changes = [Change(text, tuple(dict.fromkeys(names))) for text, names in touched.items()]
    return changes + [Change(text) for text in harmless if text not in touched]


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    for place, fact in old.items():
        if place not in new:
            yield f"{place} was removed", True
        elif new[place] != fact:
            yield f"{place} changed from {fact or 'nothing'} to {new[place] or 'nothing'}", True
    for place, fact in new.items():
        if place not in old:
            in_response = place.startswith("response")
            yield f"{place} was added", _VALUE in place if in_response else "required" in fact


def _operations(document: JsonValue) -> Iterator[tuple[str, JsonObject]]:
    for path, item in members(document, "paths").items():
        for method in _METHODS:
            operation = members(item, method)
            if operation:
                parameters = [*elements(members(item).get("parameters")), *elements(operation.get("parameters"))]
                yield f"{method.upper()} {path}", {**operation, "parameters": parameters}


def _places(document: JsonValue, operation: JsonObject) -> _Facts:
    for parameter in (_followed(document, node) for node in elements(operation["parameters"])):
        place = f"{parameter.get('in')} parameter {parameter.get('name')}"
        yield from _schema(document, parameter.get("schema"), place, required=bool(parameter.get("required")))
    body = _followed(document, operation.get("requestBody"))
    for schema in _contents(body):
        yield from _schema(document, schema, "request", required=bool(body.get("required")))
    for status, response in members(operation, "responses").items():
        for schema in _contents(_followed(document, response)):
            yield from _schema(document, schema, f"response {status}")


def _contents(holder: JsonObject) -> Iterator[JsonValue]:
    for content in map(members, members(holder, "content").values()):
        if "schema" in content:
            yield content["schema"]


def _schema(
    document: JsonValue, node: JsonValue, place: str, *, required: bool = False, above: tuple[str, ...] = ()
) -> _Facts:
    reference = members(node).get("$ref")
    if isinstance(reference, str):
        if reference in above:
            yield place, f"as above: {_last(reference)}"
            return
        above = (*above, reference)
    schema = _followed(document, node)
    facts = [f"{name} {schema[name]}" for name in _FACTS if name in schema]
    yield place, ", ".join([*facts, *["required"] * required])
    for value in elements(schema.get("enum")):
        yield f"{place}{_VALUE}{value}", ""
    mandatory = elements(schema.get("required"))
    for name, part in members(schema, "properties").items():
        yield from _schema(document, part, f"{place}.{name}", required=name in mandatory, above=above)
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield from _schema(document, schema[key], f"{place}{mark}", above=above)
    for key in ("allOf", "oneOf", "anyOf"):
        for number, part in enumerate(elements(schema.get(key))):
            name = _last(str(members(part).get("$ref", number)))
            yield from _schema(document, part, f"{place}<{name}>", above=above)


def _last(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _followed(document: JsonValue, node: JsonValue) -> JsonObject:
    """Follow references until there is none; what leads nowhere is empty."""
    for _ in range(_LONGEST_CHAIN):
        reference = members(node).get("$ref")
        if not isinstance(reference, str):
            break
        node = resolve(document, reference)
    return members(node)
