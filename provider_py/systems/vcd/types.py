"""Orchestrator's names of types, as presentations declare them and as `parameter_types` gives them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Final

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
"""The types that stand for a value of their own; every other name is one of references to objects."""
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
_PLUGIN: Final = re.compile(r"[\w.-]+:[\w.-]+")


def fault(declared: str) -> str | None:
    """Say what is wrong with a type that a configuration names, None if nothing is."""
    kind = declared.strip()
    if kind.lower().startswith("array/"):
        return fault(kind[len("array/") :])
    if kind.lower().startswith("compositetype("):
        fields = composite_fields(kind)
        if not fields:
            return f"{quoted(declared)} names no fields; write CompositeType(host:string,port:number):Endpoint"
        return next((wrong for each in fields.values() if (wrong := fault(each))), None)
    known = (*PLAIN, *OBJECTS)
    if _PLUGIN.fullmatch(kind) or kind.lower() in {each.lower() for each in (*known, "Regex")}:
        return None
    near = difflib.get_close_matches(kind, known, n=1, cutoff=0.6)
    meant = f"did you mean {quoted(near[0])}?" if near else f"write {', '.join(PLAIN)}, Array/… of one or Plugin:Type"
    return f"{quoted(declared)} is no type of Orchestrator; {meant}"


def composite_fields(declared: str) -> Mapping[str, str]:
    """Return the fields of CompositeType(a:t,b:u):Name and their types; none if it is written otherwise."""
    end = declared.rfind(")")
    if end < 0:
        return {}
    fields = (part.partition(":") for part in _parts(declared[declared.index("(") + 1 : end]))
    return {name.strip(): kind.strip() for name, _, kind in fields if name.strip() and kind.strip()}


def _parts(inner: str) -> list[str]:
    """Split at commas that are not inside a nested composite type."""
    depth, start, parts = 0, 0, []
    for place, letter in enumerate(f"{inner},"):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(inner[start:place])
            start = place + 1
    return parts
