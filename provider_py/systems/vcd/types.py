"""Names of types: Orchestrator's own, as presentations and `parameter_types` have them, and `inputType` on the wire.

An `inputType` has two spellings: the name of its schema, and a short one that the vendor's schema helper lists. Which
of them a server accepts is documented nowhere. Values are written with the schemas' names, the better supported guess,
and read with either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from provider_py.execution import did_you_mean
from provider_py.plugin import quoted

PLAIN: Final = (
    "string",
    "number",
    "boolean",
    "Date",
    "SecureString",
    "EncryptedString",
    "Regexp",
    "MimeAttachment",
    "Properties",
    "Any",
)
"""The types with a value of their own; every other name is the type of a reference to an object."""
OBJECTS: Final = (
    "ConfigurationElement",
    "LdapGroup",
    "LdapUser",
    "Path",
    "ResourceElement",
    "Workflow",
    "WorkflowToken",
)
"""Types of references that Orchestrator has without a plug-in; those of plug-ins are written `Plugin:Type`."""
SHORT_INPUT_TYPES: Final = {
    "StringParam": "string",
    "NumberParam": "number",
    "BooleanParam": "boolean",
    "DateParam": "date",
    "SecureString": "secureString",
    "EncryptedString": "encryptedString",
    "Regex": "regex",
    "MimeAttachment": "mimeAttachment",
    "SdkObject": "sdkObject",
    "ArrayParam": "array",
    "Properties": "properties",
    "KeyValuePair": "keyValuePair",
    "CompositeType": "composite",
    "CompositeValue": "compositeValue",
}
_KNOWN: Final = {name.lower() for name in (*PLAIN, *OBJECTS, "Regex")}
_PLUGIN_TYPE: Final = re.compile(r"[\w.-]+:[\w.-]+")
_FULL_INPUT_TYPES: Final = {short: full for full, short in SHORT_INPUT_TYPES.items()}


def check_type(declared: str) -> str | None:
    """Check that a string names a type of Orchestrator."""
    name = declared.strip()
    if name.lower().startswith("array/"):
        return check_type(name[len("array/") :])
    if name.lower().startswith("compositetype("):
        fields = composite_fields(name)
        if not fields:
            return f"{quoted(declared)} names no fields; write CompositeType(host:string,port:number):Endpoint"
        return next((problem for field in fields.values() if (problem := check_type(field))), None)
    if _PLUGIN_TYPE.fullmatch(name) or name.lower() in _KNOWN:
        return None
    hint = did_you_mean(name, (*PLAIN, *OBJECTS), cutoff=0.6)
    return (
        f"{quoted(declared)} is not a type of Orchestrator.{hint} Write {', '.join(PLAIN)}, Array/… of one of them, or "
        "Plugin:Type"
    )


def composite_fields(declared: str) -> Mapping[str, str]:
    """Return the fields of CompositeType(a:t,b:u):Name and their types; none if it is written otherwise."""
    end = declared.rfind(")")
    if end < 0:
        return {}
    fields = (part.partition(":") for part in _split(declared[declared.index("(") + 1 : end]))
    return {name.strip(): type_.strip() for name, _, type_ in fields if name.strip() and type_.strip()}


def full_input_type(spelling: str) -> str:
    """Return an `inputType` by the name of its schema, whichever spelling it has."""
    return _FULL_INPUT_TYPES.get(spelling, spelling)


def with_short_input_types(wire: object) -> object:
    """Return a value of the wire with every `inputType` in its short spelling."""
    if isinstance(wire, list):
        return [with_short_input_types(element) for element in wire]
    if not isinstance(wire, Mapping):
        return wire
    return {
        key: SHORT_INPUT_TYPES.get(value, value) if key == "inputType" else with_short_input_types(value)
        for key, value in wire.items()
    }


def _split(inner: str) -> list[str]:
    """Split at commas that are not inside a nested composite type."""
    depth, start, parts = 0, 0, []
    for position, letter in enumerate(f"{inner},"):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(inner[start:position])
            start = position + 1
    return parts
