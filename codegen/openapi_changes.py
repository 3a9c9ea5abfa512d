"""Differences between two OpenAPI documents in the operations that the shipped one has.

An operation is written out as places and facts, `answer 200.status: string`, with every reference followed; two
documents differ where a place is gone, is new or has another fact. What is only new in an answer touches nobody,
except a word of an enum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from codegen.changes import Change

_METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_FACTS: Final = ("type", "format", "nullable", "pattern", "minLength", "maxLength", "minItems", "maxItems")
_VALUE: Final = " = "


def compare(old: Any, new: Any) -> list[Change]:
    """Return the changes in the operations of `old`; operations that only `new` has are others."""
    before, after = dict(_operations(old)), dict(_operations(new))
    touched: dict[str, list[str]] = {}
    harmless: dict[str, None] = {}
    for key, operation in before.items():
        name = str(operation.get("operationId", key))
        if key not in after:
            touched.setdefault(f"{key} was removed", []).append(name)
            continue
        known, met = dict(_places(old, operation)), dict(_places(new, after[key]))
        for text, touches in _differences(known, met):
            if touches:
                touched.setdefault(text, []).append(name)
            else:
                harmless[text] = None
    harmless |= {f"{key} was added": None for key in after if key not in before}
    found = [Change(text, tuple(dict.fromkeys(names))) for text, names in touched.items()]
    return found + [Change(text) for text in harmless if text not in touched]


def _differences(known: Mapping[str, str], met: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    for place, fact in known.items():
        if place not in met:
            yield f"{place} was removed", True
        elif met[place] != fact:
            yield f"{place} changed from {fact or 'nothing'} to {met[place] or 'nothing'}", True
    for place, fact in met.items():
        if place not in known:
            word_of_answer = place.startswith("answer") and _VALUE in place
            yield f"{place} was added", word_of_answer or (not place.startswith("answer") and "required" in fact)


def _operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, item in (document.get("paths") or {}).items():
        for method in _METHODS:
            if method in item:
                shared = item.get("parameters", [])
                own = item[method]
                yield f"{method.upper()} {path}", {**own, "parameters": [*shared, *own.get("parameters", [])]}


def _places(document: Any, operation: Any) -> Iterator[tuple[str, str]]:
    for given in operation["parameters"]:
        parameter = _resolved(document, given)
        place = f"{parameter.get('in')} parameter {parameter.get('name')}"
        required = bool(parameter.get("required"))
        yield from _schema(document, parameter.get("schema", {}), place, required=required, above=())
    body = _resolved(document, operation.get("requestBody", {}))
    for schema in _contents(body):
        yield from _schema(document, schema, "request", required=bool(body.get("required")), above=())
    for status, given in operation.get("responses", {}).items():
        for schema in _contents(_resolved(document, given)):
            yield from _schema(document, schema, f"answer {status}", required=False, above=())


def _contents(holder: Mapping[str, Any]) -> Iterator[Any]:
    for content in (holder.get("content") or {}).values():
        if "schema" in content:
            yield content["schema"]


def _schema(
    document: Any, given: Any, place: str, *, required: bool, above: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    reference = given.get("$ref") if isinstance(given, dict) else None
    if reference in above:
        yield place, f"as above: {str(reference).rsplit('/', 1)[-1]}"
        return
    above = (*above, reference) if reference else above
    schema = _resolved(document, given)
    facts = [f"{name} {schema[name]}" for name in _FACTS if name in schema]
    yield place, ", ".join([*facts, *["required"] * required])
    for word in schema.get("enum", ()):
        yield f"{place}{_VALUE}{word}", ""
    demanded = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        yield from _schema(document, part, f"{place}.{name}", required=name in demanded, above=above)
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            yield from _schema(document, schema[key], f"{place}{mark}", required=False, above=above)
    for key in ("allOf", "oneOf", "anyOf"):
        for number, part in enumerate(schema.get(key, ())):
            name = str(part.get("$ref", number)).rsplit("/", 1)[-1]
            yield from _schema(document, part, f"{place}<{name}>", required=False, above=above)


def _resolved(document: Any, given: Any) -> Any:
    seen = 0
    while isinstance(given, dict) and isinstance(given.get("$ref"), str) and seen < 50:
        node = document
        for part in given["$ref"].removeprefix("#/").split("/"):
            node = node.get(part.replace("~1", "/").replace("~0", "~"), {})
        given, seen = node, seen + 1
    return given if isinstance(given, dict) else {}
