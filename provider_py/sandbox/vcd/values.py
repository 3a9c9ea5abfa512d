"""Parameter values: fourteen kinds told apart by inputType, each belonging to Orchestrator types."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any, Final

MEMBERS: Final[dict[str, dict[str, type | tuple[type, ...]]]] = {
    "StringParam": {"value": str},
    "NumberParam": {"value": (int, float)},
    "BooleanParam": {"value": bool},
    "DateParam": {"value": str},
    "SecureString": {"value": str},
    "EncryptedString": {"value": str},
    "Regex": {"value": str},
    "MimeAttachment": {"name": str, "mimeType": str, "content": str},
    "SdkObject": {"type": str, "id": str},
    "ArrayParam": {"value": list},
    "Properties": {"property": list},
    "KeyValuePair": {"key": str, "value": dict},
    "CompositeType": {"property": list},
    "CompositeValue": {"id": str, "property": dict},
}
"""The members each kind needs, by its class name."""

SHORT_NAMES: Final = {
    "string": "StringParam",
    "number": "NumberParam",
    "boolean": "BooleanParam",
    "date": "DateParam",
    "secureString": "SecureString",
    "encryptedString": "EncryptedString",
    "regex": "Regex",
    "mimeAttachment": "MimeAttachment",
    "sdkObject": "SdkObject",
    "array": "ArrayParam",
    "properties": "Properties",
    "keyValuePair": "KeyValuePair",
    "composite": "CompositeType",
    "compositeValue": "CompositeValue",
}
"""The other spelling of inputType, which may be the wire's."""
_LONG: Final = {name: short for short, name in SHORT_NAMES.items()}

_KINDS: Final = {
    "string": "StringParam",
    "number": "NumberParam",
    "boolean": "BooleanParam",
    "date": "DateParam",
    "securestring": "SecureString",
    "encryptedstring": "EncryptedString",
    "regexp": "Regex",
    "mimeattachment": "MimeAttachment",
    "properties": "Properties",
}


class ValueFaultError(Exception):
    """A value that does not fit; the message names the place."""


def class_of(spelled: str, spelling: str) -> str:
    """The class name of an inputType: "class" and "short" allow one spelling each, "any" both."""
    if spelling == "class":
        return spelled
    return SHORT_NAMES.get(spelled, spelled if spelling == "any" else "")


def respelled(value: Any) -> Any:
    """A value with every inputType in its short spelling."""
    if isinstance(value, list):
        return [respelled(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _LONG.get(each, each) if key == "inputType" else respelled(each) for key, each in value.items()}


def kind_of(type_: str) -> str | None:
    """The kind of value an Orchestrator type takes; None for any."""
    lower = type_.lower()
    if lower == "any":
        return None
    if lower.startswith("array/"):
        return "ArrayParam"
    if lower.startswith("compositetype("):
        return "CompositeType"
    return _KINDS.get(lower, "SdkObject")


def composite_fields(type_: str) -> dict[str, str]:
    """The fields of CompositeType(a:t,b:u):Name and their types."""
    inner = type_[type_.index("(") + 1 : type_.rindex(")")]
    return dict(field.split(":", 1) for field in inner.split(",") if field)


def check(value: Any, type_: str, spelling: str, place: str) -> None:
    """Raise ValueFaultError unless the value is one of that Orchestrator type."""
    if not isinstance(value, dict) or not isinstance(value.get("inputType"), str):
        raise ValueFaultError(f"{place}: inputType is missing")
    kind = class_of(value["inputType"], spelling)
    if kind not in MEMBERS:
        raise ValueFaultError(f"{place}: unknown inputType {value['inputType']}")
    expected = kind_of(type_)
    if expected is not None and kind != expected:
        raise ValueFaultError(f"{place}: {kind} where {type_} takes {expected}")
    for member, python_type in MEMBERS[kind].items():
        given = value.get(member)
        if not isinstance(given, python_type) or (kind == "NumberParam" and isinstance(given, bool)):
            raise ValueFaultError(f"{place}: {member} of {kind} is missing or of another type")
    _check_inside(value, kind, type_, spelling, place)


def _check_inside(value: dict[str, Any], kind: str, type_: str, spelling: str, place: str) -> None:
    if kind == "DateParam" and not _parses(value["value"]):
        raise ValueFaultError(f"{place}: value is not an ISO 8601 date")
    if kind == "MimeAttachment" and not _is_base64(value["content"]):
        raise ValueFaultError(f"{place}: content is not base64")
    if kind == "SdkObject" and type_.lower() not in {"any", value["type"].lower()}:
        raise ValueFaultError(f"{place}: an object of {value['type']} where {type_} is declared")
    if kind == "ArrayParam":
        element = type_.partition("/")[2] or "Any"
        for index, each in enumerate(value["value"]):
            check(each, element, spelling, f"{place}[{index}]")
    if kind == "Properties":
        for index, pair in enumerate(value["property"]):
            _check_member(pair, "KeyValuePair", "key", "value", {}, spelling, f"{place}.property[{index}]")
    if kind == "CompositeType":
        fields = composite_fields(type_) if type_.lower() != "any" else {}
        for index, field in enumerate(value["property"]):
            _check_member(field, "CompositeValue", "id", "property", fields, spelling, f"{place}.property[{index}]")


def _check_member(
    pair: Any, kind: str, name: str, content: str, fields: dict[str, str], spelling: str, place: str
) -> None:
    spelled = pair.get("inputType") if isinstance(pair, dict) else None
    if class_of(str(spelled), spelling) != kind:
        raise ValueFaultError(f"{place}: is not a {kind}")
    check(pair, "Any", spelling, place)
    if fields and pair[name] not in fields:
        raise ValueFaultError(f"{place}: there is no field {pair[name]}")
    check(pair[content], fields.get(pair[name], "Any"), spelling, f"{place}.{content}")


def _parses(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True
