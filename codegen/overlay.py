"""OpenAPI Overlay 1.0, applied strictly: an action that changes nothing is an error.

Overlays are corrections with reasons. One whose target is gone has been overtaken by the vendor, and somebody should
know. Objects merge, arrays are appended to, other values are replaced where the update names them in an object.
"""

from __future__ import annotations

import copy
from collections.abc import MutableMapping, MutableSequence
from typing import Any

import jsonpath

from codegen.errors import SpecError


def apply(document: Any, overlay: Any, file: str) -> Any:
    """Return a corrected copy of the document; `file` names the overlay in errors."""
    actions = overlay.get("actions") if isinstance(overlay, dict) else None
    if not isinstance(actions, list) or not str(overlay.get("overlay", "")).startswith("1.0"):
        raise SpecError(file, "", "is not an OpenAPI Overlay 1.0 with a list of actions")
    corrected = copy.deepcopy(document)
    for index, action in enumerate(actions):
        _apply(corrected, action, file, f"actions[{index}]")
    return corrected


def _apply(document: Any, action: Any, file: str, location: str) -> None:
    if not isinstance(action, dict) or not isinstance(action.get("target"), str):
        raise SpecError(file, location, "an action needs a target, a JSONPath")
    if ("update" in action) == (action.get("remove") is True):
        raise SpecError(file, location, "an action needs either an update or remove: true")
    for match in _matches(document, action["target"], file, location):
        if "update" in action:
            _update(match, action["update"], file, location)
        else:
            _remove(match, file, location)


def _matches(document: Any, target: str, file: str, location: str) -> list[jsonpath.JSONPathMatch]:
    try:
        found = list(jsonpath.finditer(target, document))
    except jsonpath.JSONPathError as error:
        message = str(error).splitlines()[0]
        raise SpecError(file, f"{location}.target", f"{target} is not a JSONPath: {message}") from None
    if not found:
        raise SpecError(file, f"{location}.target", f"{target} matches nothing; has the specification changed?")
    # From the last element of a list to the first: removing one shifts those behind it. No place twice.
    return sorted({match.path: match for match in found}.values(), key=_index, reverse=True)


def _update(match: jsonpath.JSONPathMatch, update: Any, file: str, location: str) -> None:
    value = match.obj
    if isinstance(value, MutableMapping) and isinstance(update, MutableMapping):
        _merge(value, update)
    elif isinstance(value, MutableSequence):
        value.append(copy.deepcopy(update))
    else:
        kinds = f"a {type(update).__name__} at a {type(value).__name__}"
        reason = f"cannot update {match.path} with {kinds}; aim at the object that holds it"
        raise SpecError(file, location, reason)


def _merge(target: MutableMapping[str, Any], update: MutableMapping[str, Any]) -> None:
    for key, value in update.items():
        present = target.get(key)
        if isinstance(present, MutableMapping) and isinstance(value, MutableMapping):
            _merge(present, value)
        elif isinstance(present, MutableSequence) and isinstance(value, MutableSequence):
            present.extend(copy.deepcopy(value))
        else:
            target[key] = copy.deepcopy(value)


def _remove(match: jsonpath.JSONPathMatch, file: str, location: str) -> None:
    parent = match.parent.obj if match.parent else None
    if isinstance(parent, MutableMapping):
        del parent[match.parts[-1]]
    elif isinstance(parent, MutableSequence):
        del parent[_index(match)]
    else:
        raise SpecError(file, f"{location}.target", "the whole document cannot be removed")


def _index(match: jsonpath.JSONPathMatch) -> int:
    last = match.parts[-1] if match.parts else -1
    return last if isinstance(last, int) else -1
