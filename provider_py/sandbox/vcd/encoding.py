"""Plain JSON values as parameter values, for what scripts prepare as outputs."""

from __future__ import annotations

from typing import Any

from provider_py.sandbox.vcd.values import composite_fields, kind_of


def type_of(value: object) -> str:
    """The Orchestrator type a plain JSON value stands for."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        return f"Array/{type_of(value[0]) if value else 'string'}"
    return "Properties" if isinstance(value, dict) else "string"


def encode(value: Any, type_: str) -> dict[str, object]:
    """A value of that Orchestrator type; one that does not suit the type goes by its own.

    One that already names its inputType stays as it is, known or not.
    """
    if isinstance(value, dict) and "inputType" in value:
        return value
    kind = kind_of(type_)
    if value is None:
        return {"inputType": kind or "StringParam"}
    if kind is None or not _suits(value, kind):
        type_ = type_of(value)
        kind = kind_of(type_)
    return {"inputType": kind, **_members(value, kind, type_)}


def _suits(value: object, kind: str) -> bool:
    match kind:
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


def _members(value: Any, kind: str | None, type_: str) -> dict[str, object]:
    match kind:
        case "ArrayParam":
            element = type_.partition("/")[2] or "Any"
            return {"value": [encode(each, element) for each in value]}
        case "Properties":
            pairs = {key: encode(each, "Any") for key, each in value.items()}
            return {
                "property": [{"inputType": "KeyValuePair", "key": key, "value": each} for key, each in pairs.items()]
            }
        case "CompositeType":
            fields = composite_fields(type_)
            parts = {name: encode(each, fields.get(name, "Any")) for name, each in value.items()}
            content = [{"inputType": "CompositeValue", "id": name, "property": each} for name, each in parts.items()]
            return {"type": type_, "property": content}
        case "SdkObject" | "MimeAttachment":
            return dict(value)
        case _:
            return {"value": value}
