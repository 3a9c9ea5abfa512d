"""Conversion of plain JSON values to parameter values, for the outputs that scripts prepare."""

from __future__ import annotations

from provider_py.sandbox.vcd.values import class_for, composite_fields, element_type
from provider_py.sandbox.wire import JsonObject


def type_of(value: object) -> str:
    """The Orchestrator type of a plain JSON value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        return f"Array/{type_of(value[0]) if value else 'string'}"
    return "Properties" if isinstance(value, dict) else "string"


def encode(value: object, type_: str) -> JsonObject:
    """A value of that Orchestrator type, or of its own type if it does not match.

    A value that already has an `inputType` is returned unchanged, even if the type is unknown.
    """
    if isinstance(value, dict) and "inputType" in value:
        return value
    class_ = class_for(type_)
    if value is None:
        return {"inputType": class_ or "StringParam"}
    if class_ is None or not _matches(value, class_):
        type_ = type_of(value)
        class_ = class_for(type_)
    return {"inputType": class_, **_members(value, class_, type_)}


def _matches(value: object, class_: str) -> bool:
    match class_:
        case "NumberParam":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "BooleanParam":
            return isinstance(value, bool)
        case "ArrayParam":
            return isinstance(value, list)
        case "Properties" | "CompositeType" | "SdkObject" | "MimeAttachment":
            return isinstance(value, dict)
        case _:
            return isinstance(value, str)


def _members(value: object, class_: str | None, type_: str) -> JsonObject:
    match class_, value:
        case "ArrayParam", list(elements):
            return {"value": [encode(element, element_type(type_)) for element in elements]}
        case "Properties", dict(pairs):
            return {
                "property": [
                    {"inputType": "KeyValuePair", "key": key, "value": encode(member, "Any")}
                    for key, member in pairs.items()
                ]
            }
        case "CompositeType", dict(pairs):
            fields = composite_fields(type_)
            content = [
                {"inputType": "CompositeValue", "id": name, "property": encode(member, fields.get(name, "Any"))}
                for name, member in pairs.items()
            ]
            return {"type": type_, "property": content}
        case (("SdkObject" | "MimeAttachment"), dict(members)):
            return members
        case _:
            return {"value": value}
