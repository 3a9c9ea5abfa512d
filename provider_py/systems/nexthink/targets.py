"""Devices and users: how they are named, and how many fit into one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeVar

from nexthink_client.constraints import MAX_ITEMS, PATTERNS

from provider_py.plugin.checks import not_empty, pattern
from provider_py.plugin.diagnostics import Diagnostic, error
from provider_py.plugin.schema import model, optional

T = TypeVar("T")

LIMIT: Final = MAX_ITEMS["ExternalIdsExecutionRequest.devices"]
"""The most devices, and the most users, of one request."""

_A_UUID: Final = "a UUID such as 3fa85f64-5717-4562-b3fc-2c963f66afa6"
_COLLECTOR_UID: Final = pattern(PATTERNS["DeviceData.collectorUid"], _A_UUID)
_DEVICE_UID: Final = pattern(PATTERNS["DeviceData.uid"], _A_UUID)
_USER_UID: Final = pattern(PATTERNS["UserData.uid"], _A_UUID)
_UPN: Final = pattern(PATTERNS["UserData.upn"], "a user principal name such as ann@example.com")
_SID: Final = pattern(
    PATTERNS["UserData.sid"], "a security identifier such as S-1-5-21-1004336348-1177238915-682003330-512"
)


@model
class Device:
    """A device, named in one or several ways; of several that match, the most recently active one is meant."""

    name: str | None = optional("Name of the device.", checks=(not_empty,))
    collector_uid: str | None = optional("UUID of the device's Collector.", checks=(_COLLECTOR_UID,))
    uid: str | None = optional("Globally unique id of the device.", checks=(_DEVICE_UID,))


@model
class User:
    """A user, named in one or several ways; of several that match, the most recently active one is meant."""

    upn: str | None = optional("User principal name.", checks=(_UPN,))
    sid: str | None = optional("Security identifier.", checks=(_SID,))
    uid: str | None = optional("Globally unique id of the user.", checks=(_USER_UID,))


@dataclass(frozen=True, slots=True)
class Request:
    """What one call of `execute` is asked for, and the query that is to report on it if not the provider's."""

    workflow: str
    api_version: str
    devices: Sequence[Device]
    users: Sequence[User]
    params: Mapping[str, str]
    status_query: str | None = None


def split(
    workflow: str,
    api_version: str,
    devices: Sequence[Device],
    users: Sequence[User],
    params: Mapping[str, str],
    status_query: str | None = None,
) -> Sequence[Request]:
    """Spread the targets over as few requests as the limit allows, in their order."""
    shares = zip_longest(_shares(devices), _shares(users), fillvalue=())
    return tuple(Request(workflow, api_version, some, others, params, status_query) for some, others in shares)


def check_targets(
    devices: Sequence[Device] | None, users: Sequence[User] | None, api_version: str
) -> Iterable[Diagnostic]:
    """Judge how each target is named: version 1 of the API takes Collector UUIDs and SIDs only."""
    ways = {
        "devices": ("collector_uid",) if api_version == "v1" else ("name", "collector_uid", "uid"),
        "users": ("sid",) if api_version == "v1" else ("upn", "sid", "uid"),
    }
    for attribute, targets in (("devices", devices), ("users", users)):
        allowed = ways[attribute]
        for index, target in enumerate(targets or ()):
            if not any(getattr(target, way) for way in allowed):
                yield error(
                    f"A target of `{attribute}` is not named",
                    f"Give it {' or '.join(f'`{way}`' for way in allowed)}"
                    f"{', the only way of naming one in version v1 of the API' if api_version == 'v1' else ''}.",
                    (attribute, index),
                )


def _shares(targets: Sequence[T]) -> Iterable[Sequence[T]]:
    return (targets[start : start + LIMIT] for start in range(0, len(targets), LIMIT))
