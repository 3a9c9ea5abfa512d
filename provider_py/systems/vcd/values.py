"""Values between Terraform and Orchestrator: ordinary ones on one side, objects with an `inputType` on the other.

A value alone does not say how it has to be written: "vm-42" may be a string, the ID of a machine or a secret, and
Orchestrator does not convert. So a value is encoded by its declared type, which the presentation or the configuration
names, and only without one by what it looks like. Which `inputType` an Orchestrator type becomes:

    string, number, boolean, Date       StringParam, NumberParam, BooleanParam, DateParam
    SecureString, EncryptedString       the same
    Regexp, MimeAttachment              Regex, MimeAttachment
    Array/T, Properties                 ArrayParam, Properties of KeyValuePair
    CompositeType(a:t,...):Name         CompositeType of CompositeValue
    Plugin:Type, ResourceElement, ...   SdkObject

Decoding goes by `inputType` alone, in either spelling (see `types.py`). It is not the inverse of encoding: secrets are
dropped, since outputs are stored in the state, and what has an unknown `inputType` is passed on as it is.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from provider_py.plugin import quoted
from provider_py.plugin.values import number
from provider_py.systems.vcd.types import composite_fields, full_input_type

Wire: TypeAlias = Mapping[str, Any]
"""A value as JSON has it, an object with an `inputType`."""

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_SHORT_OFFSET: Final = re.compile(r"([+-]\d\d)(\d\d)$")
_ATTACHMENT: Final = {"name": "name", "mimeType": "mime_type", "content": "content"}
_REFERENCE: Final = {"type": "type", "id": "id", "href": "href", "displayValue": "display_value"}


class EncodingError(ValueError):
    """A value is not of the declared type; the message says where in it, and what to write."""


def infer_type(value: object) -> str:
    """Return the type to encode a value as where none is declared."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        types = {infer_type(element) for element in value if element is not None}
        return f"Array/{types.pop()}" if len(types) == 1 else "Array/Any"
    return "Properties" if isinstance(value, Mapping) else "string"


def encode(value: object, declared: str) -> Wire | None:
    """Encode a value as the declared type; None stays None. Raises EncodingError."""
    if value is None:
        return None
    type_ = declared.strip()
    lowered = type_.lower()
    if lowered in {"any", ""}:
        return encode(value, infer_type(value))
    if lowered.startswith("array/"):
        return {"inputType": "ArrayParam", "value": _encode_elements(value, type_)}
    if lowered.startswith("compositetype("):
        return _encode_composite(value, type_)
    if lowered in _ENCODERS:
        return _ENCODERS[lowered](value)
    return _encode_reference(value, type_)


def decode(wire: Wire | None) -> object:
    """Decode a value; with an unknown `inputType` it becomes its plain `value`, or the object as it is."""
    if wire is None:
        return None
    decoder = _DECODERS.get(full_input_type(str(wire.get("inputType"))))
    if decoder is not None:
        return decoder(wire)
    return wire["value"] if "value" in wire else {key: part for key, part in wire.items() if key != "inputType"}


def is_same(actual: object, expected: object) -> bool:
    """Whether two decoded values are the same, though Orchestrator completes references and rewrites dates."""
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(is_same, actual, expected))
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        is_reference = {"type", "id"} <= expected.keys() <= set(_REFERENCE.values())
        names = {"type", "id"} if is_reference else {*actual, *expected}
        return all(is_same(actual.get(name), expected.get(name)) for name in names)
    if isinstance(actual, str) and isinstance(expected, str) and _DATE.fullmatch(actual) and _DATE.fullmatch(expected):
        return _timestamp(actual) == _timestamp(expected)
    return actual == expected


def _string_encoder(input_type: str, **properties: object) -> Callable[[object], Wire]:
    def encode_string(value: object) -> Wire:
        if isinstance(value, list | Mapping):
            raise EncodingError(f'{_kind(value)} is not a string; write one such as "web-1"')
        return {"inputType": input_type, "value": _to_string(value), **properties}

    return encode_string


def _to_string(value: object) -> str:
    """Convert a value as Terraform converts it to a string."""
    if isinstance(value, bool):
        return str(value).lower()
    return format(Decimal(repr(value)), "f") if isinstance(value, float) and math.isfinite(value) else str(value)


def _encode_number(value: object) -> Wire:
    converted = value
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise EncodingError(f"{quoted(value)} is not a number; write one without quotes, such as 2")
        converted = number(value)
        converted = float(converted) if isinstance(converted, Decimal) else converted
    if isinstance(converted, bool) or not isinstance(converted, int | float):
        raise EncodingError(f"{_kind(value)} is not a number; write one such as 2")
    if not _is_exact(converted):
        raise EncodingError(f"{quoted(str(value))} is more than Orchestrator's numbers hold exactly; write a string")
    return {"inputType": "NumberParam", "value": converted}


def _is_exact(value: float) -> bool:
    """Whether a 64-bit floating-point number, which Orchestrator uses, holds this one."""
    try:
        return math.isfinite(value) and float(value) == value
    except OverflowError:
        return False


def _encode_boolean(value: object) -> Wire:
    truth = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(truth, bool):
        shown = quoted(value) if isinstance(value, str) else _kind(value)
        raise EncodingError(f"{shown} is not a boolean; write true or false")
    return {"inputType": "BooleanParam", "value": truth}


def _encode_date(value: object) -> Wire:
    hint = "write RFC 3339, such as 2026-01-31T12:00:00Z"
    if not isinstance(value, str):
        raise EncodingError(f"{_kind(value)} is not a date; {hint}")
    if not _DATE.fullmatch(value) or _timestamp(value) is None:
        raise EncodingError(f"{quoted(value)} is not a date with time and zone; {hint}")
    return {"inputType": "DateParam", "value": value}


def _timestamp(date: str) -> float | None:
    try:
        return datetime.fromisoformat(date).timestamp()
    except ValueError:
        return None


def _encode_properties(value: object) -> Wire:
    if not isinstance(value, Mapping):
        raise EncodingError(f'{_kind(value)} is not of type Properties; write an object such as {{ key = "value" }}')
    pairs = [
        {"inputType": "KeyValuePair", "key": key, "value": _encode_part(f".{key}", part, "Any")}
        for key, part in value.items()
        if part is not None
    ]
    return {"inputType": "Properties", "property": pairs}


def _encode_attachment(value: object) -> Wire:
    example = '{ name = "a.txt", mime_type = "text/plain", content = base64encode("text") }'
    if not isinstance(value, Mapping) or not isinstance(value.get("content"), str):
        raise EncodingError(f"{_kind(value)} is not a MimeAttachment; write an object such as {example}")
    _refuse_unknown_fields(value, _ATTACHMENT.values(), "A MimeAttachment")
    try:
        base64.b64decode(value["content"], validate=True)
    except (binascii.Error, ValueError):
        raise EncodingError("its `content` is not Base64; write base64encode(...) or filebase64(...)") from None
    return {
        "inputType": "MimeAttachment",
        "name": _to_string(value.get("name") or "attachment"),
        "mimeType": _to_string(value.get("mime_type") or "application/octet-stream"),
        "content": value["content"],
    }


def _encode_reference(value: object, declared: str) -> Wire:
    fields = {"id": value} if isinstance(value, str) else value
    if not isinstance(fields, Mapping) or not isinstance(fields.get("id"), str) or not fields["id"]:
        raise EncodingError(f"{_kind(value)} is not a reference to a {declared}; write its ID as a string")
    _refuse_unknown_fields(fields, _REFERENCE.values(), f"A reference to a {declared}")
    fields = {"type": declared, **{name: field for name, field in fields.items() if field is not None}}
    return {
        "inputType": "SdkObject",
        **{theirs: _to_string(fields[ours]) for theirs, ours in _REFERENCE.items() if ours in fields},
    }


def _encode_composite(value: object, declared: str) -> Wire:
    fields = composite_fields(declared)
    if not fields:
        raise EncodingError(f"the type {quoted(declared)} names no fields; declare another in `parameter_types`")
    if not isinstance(value, Mapping):
        raise EncodingError(f"{_kind(value)} is not of type {declared}; write an object with {', '.join(fields)}")
    _refuse_unknown_fields(value, fields, declared)
    parts = [
        {"inputType": "CompositeValue", "id": name, "property": _encode_part(f".{name}", value[name], type_)}
        for name, type_ in fields.items()
        if value.get(name) is not None
    ]
    return {"inputType": "CompositeType", "type": declared, "property": parts}


def _encode_elements(value: object, declared: str) -> list[Wire]:
    if not isinstance(value, list):
        raise EncodingError(f'{_kind(value)} is not of type {declared}; write a list such as ["a", "b"]')
    wires = [_encode_part(f"[{index}]", element, declared[len("array/") :]) for index, element in enumerate(value)]
    for index, wire in enumerate(wires):
        if wire is None:
            raise EncodingError(f"[{index}] is null, which a list cannot hold; leave the element out")
    return [wire for wire in wires if wire is not None]


def _encode_part(place: str, value: object, declared: str) -> Wire | None:
    """Encode a part of a value; its place comes first in the message of an EncodingError."""
    try:
        return encode(value, declared)
    except EncodingError as problem:
        text = str(problem)
        raise EncodingError(f"{place}{text}" if text.startswith(("[", ".")) else f"{place}: {text}") from None


def _refuse_unknown_fields(value: Mapping[str, object], names: Collection[str], subject: str) -> None:
    unknown = [name for name in value if name not in names]
    if unknown:
        raise EncodingError(f"{subject} has no field {quoted(unknown[0])}; its fields are {', '.join(names)}")


def _kind(value: object) -> str:
    return {str: "a string", bool: "a boolean", list: "a list", dict: "an object"}.get(type(value), "a number")


def _decode_fields(wire: Wire, names: Mapping[str, str]) -> object:
    return {ours: wire[theirs] for theirs, ours in names.items() if wire.get(theirs) is not None}


def _decode_date(wire: Wire) -> object:
    """Return a date in the form that Terraform's functions accept: its offset has a colon."""
    date = wire.get("value")
    return _SHORT_OFFSET.sub(r"\1:\2", date) if isinstance(date, str) and _DATE.fullmatch(date) else date


_ENCODERS: Final[Mapping[str, Callable[[object], Wire]]] = {
    "string": _string_encoder("StringParam"),
    "number": _encode_number,
    "boolean": _encode_boolean,
    "date": _encode_date,
    "securestring": _string_encoder("SecureString", isPlainText=True),
    "encryptedstring": _string_encoder("EncryptedString"),
    "regexp": _string_encoder("Regex"),
    "regex": _string_encoder("Regex"),
    "mimeattachment": _encode_attachment,
    "properties": _encode_properties,
}

_DECODERS: Final[Mapping[str, Callable[[Wire], object]]] = {
    "DateParam": _decode_date,
    "ArrayParam": lambda wire: [decode(element) for element in wire.get("value") or ()],
    "Properties": lambda wire: {str(pair.get("key")): decode(pair.get("value")) for pair in wire.get("property") or ()},
    "KeyValuePair": lambda wire: {str(wire.get("key")): decode(wire.get("value"))},
    "CompositeType": lambda wire: {
        str(part.get("id")): decode(part.get("property")) for part in wire.get("property") or ()
    },
    "CompositeValue": lambda wire: {str(wire.get("id")): decode(wire.get("property"))},
    "SdkObject": lambda wire: _decode_fields(wire, _REFERENCE),
    "MimeAttachment": lambda wire: _decode_fields(wire, _ATTACHMENT),
    "SecureString": lambda _: None,
    "EncryptedString": lambda _: None,
}
