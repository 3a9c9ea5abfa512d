"""OpenAPI Overlay 1.0, applied strictly: an action that changes nothing is an error.

Overlays are corrections with reasons. When the target of one is gone, the vendor has overtaken it, and somebody should
know. Objects merge, arrays are appended to; any other value is replaced through an update of the object that holds it.
"""

from __future__ import annotations

import copy
from typing import cast

import jsonpath

from codegen.documents import JsonObject, JsonValue, members
from codegen.errors import SpecError


def apply(document: JsonValue, overlay: JsonValue, file: str) -> JsonValue:
    """Return a corrected copy of the document; `file` names the overlay in errors."""
    actions = members(overlay).get("actions")
    if not isinstance(actions, list) or not str(members(overlay).get("overlay", "")).startswith("1.0"):
        raise SpecError(file, "", "is not an OpenAPI Overlay 1.0 with a list of actions")
    corrected = copy.deepcopy(document)
    for index, action in enumerate(actions):
        _apply(corrected, action, file, f"actions[{index}]")
    return corrected


def _apply(document: JsonValue, action: JsonValue, file: str, location: str) -> None:
    target = action.get("target") if isinstance(action, dict) else None
    if not isinstance(action, dict) or not isinstance(target, str):
        raise SpecError(file, location, "an action needs a target, a JSONPath")
    if ("update" in action) == (action.get("remove") is True):
        raise SpecError(file, location, "an action needs either an update or remove: true")
    for match in _matches(document, target, file, location):
        if "update" in action:
            _update(match, action["update"], file, location)
        else:
            _remove(match, file, location)


def _matches(document: JsonValue, target: str, file: str, location: str) -> list[jsonpath.JSONPathMatch]:
    try:
        matches = {match.path: match for match in jsonpath.finditer(target, cast("JsonObject", document))}
    except jsonpath.JSONPathError as error:
        message = str(error).splitlines()[0]
        raise SpecError(file, f"{location}.target", f"{target} is not a JSONPath: {message}") from None
    if not matches:
        raise SpecError(file, f"{location}.target", f"{target} matches nothing; has the specification changed?")
    # Elements of a list from the last to the first: removing one shifts those behind it.
    return sorted(matches.values(), key=_index, reverse=True)


def _update(match: jsonpath.JSONPathMatch, update: JsonValue, file: str, location: str) -> None:
    value = match.obj
    if isinstance(value, dict) and isinstance(update, dict):
        _merge(value, update)
    elif isinstance(value, list):
        value.append(copy.deepcopy(update))
    else:
        types = f"a {type(update).__name__} at a {type(value).__name__}"
        reason = f"cannot update {match.path} with {types}; aim at the object that holds it"
        raise SpecError(file, location, reason)


def _merge(target: JsonObject, update: JsonObject) -> None:
    for key, value in update.items():
        present = target.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(copy.deepcopy(value))
        else:
            target[key] = copy.deepcopy(value)


def _remove(match: jsonpath.JSONPathMatch, file: str, location: str) -> None:
    parent = match.parent.obj if match.parent else None
    if isinstance(parent, dict):
        del parent[match.parts[-1]]
    elif isinstance(parent, list):
        del parent[_index(match)]
    else:
        raise SpecError(file, f"{location}.target", "the whole document cannot be removed")


def _index(match: jsonpath.JSONPathMatch) -> int:
    last = match.parts[-1] if match.parts else -1
    return last if isinstance(last, int) else -1
