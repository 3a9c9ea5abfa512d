"""Values between Terraform and Orchestrator: natural ones on one side, `inputType` objects on the other.

The wire has fourteen kinds of values; which one an Orchestrator type becomes:

    string, number, boolean, Date       StringParam, NumberParam, BooleanParam, DateParam
    SecureString, EncryptedString       the kinds of these names
    Regexp, MimeAttachment              Regex, MimeAttachment
    Array/T, Properties                 ArrayParam, Properties of KeyValuePair
    CompositeType(a:t,...):Name         CompositeType of CompositeValue
    Plugin:Type                         SdkObject
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

Wire = Mapping[str, Any]


class Unfit(ValueError):
    """A value cannot be of the declared type; the text says which and what to write."""


def infer(value: object) -> str:
    """Return the type a value is taken for where none is declared."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        kinds = {infer(each) for each in value if each is not None}
        return f"Array/{kinds.pop()}" if len(kinds) == 1 else "Array/Any"
    return "Properties" if isinstance(value, Mapping) else "string"


def encode(value: object, declared: str) -> Wire | None:
    """Encode a value as the declared type; None stays unset. Raises Unfit."""
    if value is None:
        return None
    kind = declared.strip()
    lowered = kind.lower()
    if lowered in {"any", ""}:
        return encode(value, infer(value))
    if lowered.startswith("array/"):
        return {"inputType": "ArrayParam", "value": [encode(each, kind[6:]) for each in _list(value, kind)]}
    if lowered.startswith("compositetype("):
        return _composite(value, kind)
    if lowered in _ENCODERS:
        return _ENCODERS[lowered](value)
    if ":" in kind:
        return _sdk_object(value, kind)
    raise Unfit(f"the type {declared!r} is not known; name another in `parameter_types`")


def decode(wire: Wire | None) -> object:
    """Decode a value of any kind; an unlisted kind becomes its plain `value`, or the object as it is."""
    if wire is None:
        return None
    decoder = _DECODERS.get(str(wire.get("inputType")))
    if decoder is not None:
        return decoder(wire)
    return wire["value"] if "value" in wire else {key: each for key, each in wire.items() if key != "inputType"}


def _renamed(wire: Wire, names: Mapping[str, str]) -> object:
    return {ours: wire[theirs] for theirs, ours in names.items() if wire.get(theirs) is not None}


def _text(kind: str, **more: Any) -> Callable[[object], Wire]:
    def make(value: object) -> Wire:
        if isinstance(value, list | Mapping):
            raise Unfit(f"{_called(value)} is not a text; write a string")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return {"inputType": kind, "value": text, **more}

    return make


def _number(value: object) -> Wire:
    if isinstance(value, str):
        try:
            number = float(value) if not re.fullmatch(r"[+-]?\d+", value) else int(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise Unfit(f"{value!r} is not a number; write one without quotes, such as 2")
        value = number
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"{_called(value)} is not a number; write one such as 2")
    return {"inputType": "NumberParam", "value": value}


def _boolean(value: object) -> Wire:
    truth = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(truth, bool):
        raise Unfit(
            f"{value!r} is not a boolean; write true or false"
            if isinstance(value, str)
            else f"{_called(value)} is not a boolean; write true or false"
        )
    return {"inputType": "BooleanParam", "value": truth}


def _date(value: object) -> Wire:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Unfit(f"{value!r} is not a date; write RFC 3339, such as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise Unfit(f"{value!r} names no time zone; write RFC 3339, such as 2026-01-31T12:00:00Z")
    return {"inputType": "DateParam", "value": str(value)}


def _properties(value: object) -> Wire:
    if not isinstance(value, Mapping):
        raise Unfit(f'{_called(value)} is not of type Properties; write an object such as {{ key = "value" }}')
    pairs = [{"inputType": "KeyValuePair", "key": key, "value": encode(each, "Any")} for key, each in value.items()]
    return {"inputType": "Properties", "property": pairs}


def _attachment(value: object) -> Wire:
    if not isinstance(value, Mapping) or not isinstance(value.get("content"), str):
        raise Unfit(
            'a MimeAttachment is an object such as { name = "a.txt", mime_type = "text/plain", content = base64 }'
        )
    return {
        "inputType": "MimeAttachment",
        "name": str(value.get("name", "attachment")),
        "mimeType": str(value.get("mime_type", "application/octet-stream")),
        "content": value["content"],
    }


def _sdk_object(value: object, declared: str) -> Wire:
    if isinstance(value, str):
        return {"inputType": "SdkObject", "type": declared, "id": value}
    if isinstance(value, Mapping) and isinstance(value.get("id"), str):
        reference = {"inputType": "SdkObject", "type": str(value.get("type", declared)), "id": value["id"]}
        return {**reference, **({"href": str(value["href"])} if value.get("href") else {})}
    raise Unfit(f"{_called(value)} is not a reference to a {declared}; write its id as a string")


def _composite(value: object, declared: str) -> Wire:
    fields = dict(_composite_fields(declared))
    if not isinstance(value, Mapping):
        raise Unfit(f"{_called(value)} is not of type {declared}; write an object with {', '.join(fields)}")
    surplus = [key for key in value if key not in fields]
    if surplus:
        raise Unfit(f"{declared} has no field {surplus[0]!r}; its fields are {', '.join(fields)}")
    parts = [
        {"inputType": "CompositeValue", "id": name, "property": encode(value.get(name), kind)}
        for name, kind in fields.items()
        if value.get(name) is not None
    ]
    return {"inputType": "CompositeType", "type": declared, "property": parts}


def _composite_fields(declared: str) -> list[tuple[str, str]]:
    """Split the fields at commas that are not inside a nested composite type."""
    inner, depth, start, parts = declared[declared.index("(") + 1 : declared.rindex(")")], 0, 0, []
    for place, letter in enumerate(f"{inner},"):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(inner[start:place])
            start = place + 1
    return [(name.strip(), kind.strip()) for name, _, kind in (part.partition(":") for part in parts) if name.strip()]


def _list(value: object, declared: str) -> list[object]:
    if not isinstance(value, list):
        raise Unfit(f'{_called(value)} is not of type {declared}; write a list such as ["a", "b"]')
    return value


def _called(value: object) -> str:
    return {str: "a text", bool: "a boolean", list: "a list", dict: "an object"}.get(type(value), "a number")


_ENCODERS: Final[Mapping[str, Callable[[object], Wire]]] = {
    "string": _text("StringParam"),
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "securestring": _text("SecureString", isPlainText=True),
    "encryptedstring": _text("EncryptedString"),
    "regexp": _text("Regex"),
    "regex": _text("Regex"),
    "mimeattachment": _attachment,
    "properties": _properties,
}

_DECODERS: Final[Mapping[str, Callable[[Wire], object]]] = {
    "ArrayParam": lambda wire: [decode(each) for each in wire.get("value") or ()],
    "Properties": lambda wire: {str(each.get("key")): decode(each.get("value")) for each in wire.get("property") or ()},
    "KeyValuePair": lambda wire: {str(wire.get("key")): decode(wire.get("value"))},
    "CompositeType": lambda wire: {
        str(each.get("id")): decode(each.get("property")) for each in wire.get("property") or ()
    },
    "CompositeValue": lambda wire: {str(wire.get("id")): decode(wire.get("property"))},
    "SdkObject": lambda wire: _renamed(
        wire, {"type": "type", "id": "id", "href": "href", "displayValue": "display_value"}
    ),
    "MimeAttachment": lambda wire: _renamed(wire, {"name": "name", "mimeType": "mime_type", "content": "content"}),
    # A secret has no place in a state.
    "SecureString": lambda _: None,
    "EncryptedString": lambda _: None,
}
