"""Values between Terraform and Orchestrator: natural ones on one side, `inputType` objects on the other.

The wire has fourteen kinds of values; which one an Orchestrator type becomes:

    string, number, boolean, Date       StringParam, NumberParam, BooleanParam, DateParam
    SecureString, EncryptedString       the kinds of these names
    Regexp, MimeAttachment              Regex, MimeAttachment
    Array/T, Properties                 ArrayParam, Properties of KeyValuePair
    CompositeType(a:t,...):Name         CompositeType of CompositeValue
    Plugin:Type, ResourceElement, ...   SdkObject

Kinds are written by these names. Servers may spell them string, sdkObject and so on, which is read all the same; see
`spelling.py`.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from provider_py.plugin import quoted
from provider_py.plugin.values import number
from provider_py.systems.vcd import types
from provider_py.systems.vcd.spelling import kind_of

Wire = Mapping[str, Any]

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_SHORT_OFFSET: Final = re.compile(r"([+-]\d\d)(\d\d)$")
_ATTACHMENT: Final = {"name": "name", "mimeType": "mime_type", "content": "content"}
_REFERENCE: Final = {"type": "type", "id": "id", "href": "href", "displayValue": "display_value"}


class Unfit(ValueError):
    """A value cannot be of the declared type; the text says where in it, and what to write."""


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
        return {"inputType": "ArrayParam", "value": _elements(value, kind)}
    if lowered.startswith("compositetype("):
        return _composite(value, kind)
    if lowered in _ENCODERS:
        return _ENCODERS[lowered](value)
    return _sdk_object(value, kind)


def decode(wire: Wire | None) -> object:
    """Decode a value of any kind; an unlisted kind becomes its plain `value`, or the object as it is."""
    if wire is None:
        return None
    decoder = _DECODERS.get(kind_of(wire))
    if decoder is not None:
        return decoder(wire)
    return wire["value"] if "value" in wire else {key: each for key, each in wire.items() if key != "inputType"}


def alike(had: object, wanted: object) -> bool:
    """Whether two decoded values are the same one, though systems complete references and write dates anew."""
    if isinstance(had, list) and isinstance(wanted, list):
        return len(had) == len(wanted) and all(map(alike, had, wanted))
    if isinstance(had, Mapping) and isinstance(wanted, Mapping):
        names = {"type", "id"} if {"type", "id"} <= wanted.keys() <= set(_REFERENCE.values()) else {*had, *wanted}
        return all(alike(had.get(name), wanted.get(name)) for name in names)
    if isinstance(had, str) and isinstance(wanted, str) and _MOMENT.fullmatch(had) and _MOMENT.fullmatch(wanted):
        return _instant(had) == _instant(wanted)
    return had == wanted


def _text(kind: str, **more: Any) -> Callable[[object], Wire]:
    def make(value: object) -> Wire:
        if isinstance(value, list | Mapping):
            raise Unfit(f"{_called(value)} is not a text; write a string")
        return {"inputType": kind, "value": _written(value), **more}

    return make


def _written(value: object) -> str:
    """Write a value as Terraform's own conversion to a string does."""
    if isinstance(value, bool):
        return str(value).lower()
    return format(Decimal(repr(value)), "f") if isinstance(value, float) and math.isfinite(value) else str(value)


def _number(value: object) -> Wire:
    given = value
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise Unfit(f"{quoted(value)} is not a number; write one without quotes, such as 2")
        given = number(value)
        given = float(given) if isinstance(given, Decimal) else given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise Unfit(f"{_called(value)} is not a number; write one such as 2")
    if not _holds(given):
        raise Unfit(f"{quoted(str(value))} is more than Orchestrator's numbers hold exactly; pass it as a string")
    return {"inputType": "NumberParam", "value": given}


def _holds(given: float) -> bool:
    """Whether a 64-bit floating-point number holds this one."""
    try:
        return math.isfinite(given) and float(given) == given
    except OverflowError:
        return False


def _boolean(value: object) -> Wire:
    truth = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(truth, bool):
        shown = quoted(value) if isinstance(value, str) else _called(value)
        raise Unfit(f"{shown} is not a boolean; write true or false")
    return {"inputType": "BooleanParam", "value": truth}


def _date(value: object) -> Wire:
    if not isinstance(value, str):
        raise Unfit(f"{_called(value)} is not a date; write RFC 3339, such as 2026-01-31T12:00:00Z")
    if not _MOMENT.fullmatch(value) or _instant(value) is None:
        raise Unfit(f"{quoted(value)} is not a date with time and zone; write RFC 3339, such as 2026-01-31T12:00:00Z")
    return {"inputType": "DateParam", "value": value}


def _instant(moment: str) -> float | None:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None


def _properties(value: object) -> Wire:
    if not isinstance(value, Mapping):
        raise Unfit(f'{_called(value)} is not of type Properties; write an object such as {{ key = "value" }}')
    pairs = [
        {"inputType": "KeyValuePair", "key": key, "value": _at(f".{key}", each, "Any")}
        for key, each in value.items()
        if each is not None
    ]
    return {"inputType": "Properties", "property": pairs}


def _attachment(value: object) -> Wire:
    form = '{ name = "a.txt", mime_type = "text/plain", content = base64encode("text") }'
    if not isinstance(value, Mapping) or not isinstance(value.get("content"), str):
        raise Unfit(f"{_called(value)} is not a MimeAttachment; write an object such as {form}")
    _only(value, _ATTACHMENT.values(), "A MimeAttachment")
    try:
        base64.b64decode(value["content"], validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("its `content` is not Base64; write content = base64encode(...) or filebase64(...)") from None
    return {
        "inputType": "MimeAttachment",
        "name": _written(value.get("name") or "attachment"),
        "mimeType": _written(value.get("mime_type") or "application/octet-stream"),
        "content": value["content"],
    }


def _sdk_object(value: object, declared: str) -> Wire:
    given = {"id": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("id"), str) or not given["id"]:
        raise Unfit(f"{_called(value)} is not a reference to a {declared}; write its id as a string")
    _only(given, _REFERENCE.values(), f"A reference to a {declared}")
    named = {"type": declared, **{name: each for name, each in given.items() if each is not None}}
    return {
        "inputType": "SdkObject",
        **{theirs: _written(named[ours]) for theirs, ours in _REFERENCE.items() if ours in named},
    }


def _composite(value: object, declared: str) -> Wire:
    fields = types.composite_fields(declared)
    if not fields:
        raise Unfit(f"the type {quoted(declared)} names no fields; name another in `parameter_types`")
    if not isinstance(value, Mapping):
        raise Unfit(f"{_called(value)} is not of type {declared}; write an object with {', '.join(fields)}")
    _only(value, fields, declared)
    parts = [
        {"inputType": "CompositeValue", "id": name, "property": _at(f".{name}", value.get(name), kind)}
        for name, kind in fields.items()
        if value.get(name) is not None
    ]
    return {"inputType": "CompositeType", "type": declared, "property": parts}


def _elements(value: object, declared: str) -> list[Wire]:
    if not isinstance(value, list):
        raise Unfit(f'{_called(value)} is not of type {declared}; write a list such as ["a", "b"]')
    wires = [_at(f"[{place}]", each, declared[len("array/") :]) for place, each in enumerate(value)]
    for place, wire in enumerate(wires):
        if wire is None:
            raise Unfit(f"[{place}] is null, which a list cannot hold; leave the element out")
    return [wire for wire in wires if wire is not None]


def _at(place: str, value: object, declared: str) -> Wire | None:
    """Encode a part of a value; what is wrong with it is told with its place."""
    try:
        return encode(value, declared)
    except Unfit as misfit:
        text = str(misfit)
        raise Unfit(f"{place}{text}" if text.startswith(("[", ".")) else f"{place}: {text}") from None


def _only(value: Mapping[str, object], names: Any, what: str) -> None:
    surplus = [key for key in value if key not in names]
    if surplus:
        raise Unfit(f"{what} has no field {quoted(surplus[0])}; its fields are {', '.join(names)}")


def _called(value: object) -> str:
    return {str: "a text", bool: "a boolean", list: "a list", dict: "an object"}.get(type(value), "a number")


def _renamed(wire: Wire, names: Mapping[str, str]) -> object:
    return {ours: wire[theirs] for theirs, ours in names.items() if wire.get(theirs) is not None}


def _moment(wire: Wire) -> object:
    """Return a date as Terraform's functions take it: its offset has a colon."""
    moment = wire.get("value")
    return _SHORT_OFFSET.sub(r"\1:\2", moment) if isinstance(moment, str) and _MOMENT.fullmatch(moment) else moment


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
    "DateParam": _moment,
    "ArrayParam": lambda wire: [decode(each) for each in wire.get("value") or ()],
    "Properties": lambda wire: {str(each.get("key")): decode(each.get("value")) for each in wire.get("property") or ()},
    "KeyValuePair": lambda wire: {str(wire.get("key")): decode(wire.get("value"))},
    "CompositeType": lambda wire: {
        str(each.get("id")): decode(each.get("property")) for each in wire.get("property") or ()
    },
    "CompositeValue": lambda wire: {str(wire.get("id")): decode(wire.get("property"))},
    "SdkObject": lambda wire: _renamed(wire, _REFERENCE),
    "MimeAttachment": lambda wire: _renamed(wire, _ATTACHMENT),
    # A secret has no place in a state.
    "SecureString": lambda _: None,
    "EncryptedString": lambda _: None,
}
