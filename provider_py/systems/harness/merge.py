"""The three-way merge by which a read shows what was changed outside of Terraform, and nothing else.

Comparing the state with what the system shows does not work: it shows some values in a form of its own, such as IDs
for names, or not at all, so every plan would show differences that nobody made. Therefore what the system showed at
the last write or read is kept beside the state, as the *base*. Where the system still shows the same, the state
stands; where it shows something else, somebody changed it, and that is taken over. This goes attribute by attribute
through nested models; lists and maps are compared as a whole.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def snapshot(remote: object) -> bytes:
    """Return the base of a model for the private part of a state."""
    return json.dumps(_plain(remote), ensure_ascii=False).encode()


def merged(state: T, base: bytes, remote: T) -> T:
    """Take from `remote` what is no longer as in the base, and all else from the state.

    Without a base, as in states of other origin, all of `remote` is taken.
    """
    return _merged(state, json.loads(base) if base else None, remote)


def _merged(state: T, base: object, remote: T) -> T:
    if _plain(remote) == base:
        return state
    if not dataclasses.is_dataclass(remote) or isinstance(remote, type) or type(state) is not type(remote):
        return remote
    if not isinstance(base, Mapping):
        return remote
    names = [field.name for field in dataclasses.fields(remote)]
    parts = {name: _merged(getattr(state, name), base.get(name), getattr(remote, name)) for name in names}
    return dataclasses.replace(remote, **parts)


def _plain(value: object) -> object:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
