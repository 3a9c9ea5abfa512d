"""Configurations of the toy provider, complete as Terraform sends them."""

from __future__ import annotations

import json
from typing import Any, Final

THING: Final = {
    "name": "a",
    "mode": None,
    "size": None,
    "ratio": None,
    "enabled": None,
    "tags": None,
    "lines": None,
    "devices": None,
    "settings": None,
    "payload": None,
    "password": None,
    "secret": None,
    "secret_version": None,
    "behaviour": None,
    "id": None,
    "outputs": None,
    "revision": None,
}
"""A configuration of the toy's `thing` with nothing but a name."""


def thing(**values: Any) -> dict[str, Any]:
    """Return a configuration of the toy's `thing`."""
    return {**THING, **values}


def device(name: Any, serial: Any = None, enabled: Any = None) -> dict[str, Any]:
    """Return an element of the thing's `devices`."""
    return {"name": name, "serial": serial, "enabled": enabled}


def dynamic(notation: Any, value: Any) -> list[Any]:
    """Return the wire form of a dynamic value."""
    return [json.dumps(notation, separators=(",", ":")).encode(), value]
