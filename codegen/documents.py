"""JSON and YAML documents as plain values, and ways into them that take any shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

import yaml

from codegen.errors import SpecError
from codegen.sources import read_text

JsonValue: TypeAlias = "JsonObject | list[JsonValue] | str | int | float | bool | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"
"""What JSON can hold. YAML can hold more (dates, numbers as keys), which is passed on as it is."""


def read(root: Path, file: str) -> JsonValue:
    """Read a specification: JSON if its name says so, otherwise YAML."""
    return parse(read_text(root, file), file, is_json=file.endswith(".json"))


def parse(text: str, source: str, *, is_json: bool) -> JsonValue:
    """Parse a text; raise SpecError with the source, the line and the column of a syntax error."""
    try:
        document: JsonValue = json.loads(text) if is_json else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        location = f"line {error.lineno}, column {error.colno}"
        raise SpecError(source, location, f"is not JSON: {error.msg}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        location = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = getattr(error, "problem", None) or getattr(error, "context", None) or error
        raise SpecError(source, location, f"is not YAML: {reason}") from None
    return document


def members(value: JsonValue, *keys: str) -> JsonObject:
    """Return the object at the end of the keys, or an empty one if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def elements(value: JsonValue) -> list[JsonValue]:
    """Return an array, or an empty one if the value is none."""
    return value if isinstance(value, list) else []


def resolve(document: JsonValue, reference: str) -> JsonValue:
    """Return what a reference such as `#/components/schemas/Pet` refers to; None if it leads nowhere."""
    if not reference.startswith("#/"):
        return None
    node = document
    for part in reference[2:].split("/"):
        node = members(node).get(part.replace("~1", "/").replace("~0", "~"))
    return node
