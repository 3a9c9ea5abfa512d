"""Parameter values: fourteen classes told apart by `inputType`, each for certain Orchestrator types."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final

from provider_py.sandbox.wire import JsonObject

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
"""The required members of each class, with their Python types."""

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
"""The other spelling of `inputType`, which may be the one on the wire."""
_SHORTENED: Final = {name: short for short, name in SHORT_NAMES.items()}

_CLASSES: Final = {name.lower(): class_ for name, class_ in SHORT_NAMES.items()} | {"regexp": "Regex"}


class InvalidValueError(Exception):
    """A value that does not match its type; the message names its place."""


def class_name(input_type: str, spelling: str) -> str:
    """The class of an `inputType`: "class" and "short" allow one spelling each, "any" both."""
    if spelling == "class":
        return input_type
    return SHORT_NAMES.get(input_type, input_type if spelling == "any" else "")


def shortened(value: object) -> object:
    """A value with every `inputType` in its short spelling."""
    if isinstance(value, list):
        return [shortened(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _SHORTENED.get(member, member) if key == "inputType" else shortened(member)
        for key, member in value.items()
    }


def class_for(type_: str) -> str | None:
    """The class of the values of an Orchestrator type; None for any."""
    lower = type_.lower()
    if lower == "any":
        return None
    if lower.startswith("array/"):
        return "ArrayParam"
    if lower.startswith("compositetype("):
        return "CompositeType"
    return _CLASSES.get(lower, "SdkObject")


def element_type(type_: str) -> str:
    """The type of an array's elements."""
    return type_.partition("/")[2] or "Any"


def composite_fields(type_: str) -> dict[str, str]:
    """The fields of CompositeType(a:t,b:u):Name and their types."""
    inner = type_[type_.index("(") + 1 : type_.rindex(")")]
    return dict(field.split(":", 1) for field in inner.split(",") if field)


def check(value: object, type_: str, spelling: str, place: str) -> None:
    """Raise InvalidValueError unless the value is one of that Orchestrator type."""
    if not isinstance(value, dict) or not isinstance(value.get("inputType"), str):
        raise InvalidValueError(f"{place}: inputType is missing")
    class_ = class_name(value["inputType"], spelling)
    if class_ not in MEMBERS:
        raise InvalidValueError(f"{place}: unknown inputType {value['inputType']}")
    expected = class_for(type_)
    if expected is not None and class_ != expected:
        raise InvalidValueError(f"{place}: {class_} where {type_} takes {expected}")
    for name, python_type in MEMBERS[class_].items():
        member = value.get(name)
        if not isinstance(member, python_type) or (class_ == "NumberParam" and isinstance(member, bool)):
            raise InvalidValueError(f"{place}: {name} of {class_} is missing or of another type")
    _check_members(value, class_, type_, spelling, place)


def _check_members(value: JsonObject, class_: str, type_: str, spelling: str, place: str) -> None:
    match class_, value:
        case "DateParam", {"value": str(text)} if not _is_date(text):
            raise InvalidValueError(f"{place}: value is not an ISO 8601 date")
        case "MimeAttachment", {"content": str(text)} if not _is_base64(text):
            raise InvalidValueError(f"{place}: content is not base64")
        case "SdkObject", {"type": str(own_type)} if type_.lower() not in {"any", own_type.lower()}:
            raise InvalidValueError(f"{place}: an object of {own_type} where {type_} is declared")
        case "ArrayParam", {"value": list(elements)}:
            for index, element in enumerate(elements):
                check(element, element_type(type_), spelling, f"{place}[{index}]")
        case "Properties", {"property": list(pairs)}:
            for index, pair in enumerate(pairs):
                _check_pair(pair, "KeyValuePair", ("key", "value"), {}, spelling, f"{place}.property[{index}]")
        case "CompositeType", {"property": list(pairs)}:
            fields = composite_fields(type_) if type_.lower() != "any" else {}
            for index, pair in enumerate(pairs):
                _check_pair(pair, "CompositeValue", ("id", "property"), fields, spelling, f"{place}.property[{index}]")


def _check_pair(
    pair: object, class_: str, members: tuple[str, str], fields: dict[str, str], spelling: str, place: str
) -> None:
    """Check a name and its value, whose members are called differently in the two classes of pairs."""
    if not isinstance(pair, dict) or class_name(str(pair.get("inputType")), spelling) != class_:
        raise InvalidValueError(f"{place}: is not a {class_}")
    check(pair, "Any", spelling, place)
    name, content = (pair[member] for member in members)
    if fields and name not in fields:
        raise InvalidValueError(f"{place}: there is no field {name}")
    check(content, fields.get(name, "Any"), spelling, f"{place}.{members[1]}")


def _is_date(text: str) -> bool:
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
