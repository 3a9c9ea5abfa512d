"""Devices and users: how they are named, and how many fit into one request."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, Final, TypeVar

from nexthink_client.constraints import MAX_ITEMS, PATTERNS

from provider_py.plugin import Check, Diagnostic, error, model, not_empty, optional, pattern, warning

T = TypeVar("T", bound="Device | User")

LIMIT: Final = MAX_ITEMS["ExternalIdsExecutionRequest.devices"]
"""The most devices, and the most users, of one request."""

A_UUID: Final = "a UUID such as 3fa85f64-5717-4562-b3fc-2c963f66afa6"


def published(place: str, hint: str) -> Check:
    """Make a check by a pattern of the specification, in which a digit is one of 0 to 9."""
    return pattern(f"(?a:{PATTERNS[place]})", hint)


_COLLECTOR_UID: Final = published("DeviceData.collectorUid", A_UUID)
_DEVICE_UID: Final = published("DeviceData.uid", A_UUID)
_USER_UID: Final = published("UserData.uid", A_UUID)
_UPN: Final = published("UserData.upn", "a user principal name such as ann@example.com")
_SID: Final = published("UserData.sid", "a security identifier such as S-1-5-21-1004336348-1177238915-682003330-512")


@model
class Device:
    """A device, named in one or several ways; of several that match, the most recently active one is meant."""

    name: Annotated[str | None, optional("Name of the device.", checks=(not_empty,))] = None
    collector_uid: Annotated[str | None, optional("UUID of the device's Collector.", checks=(_COLLECTOR_UID,))] = None
    uid: Annotated[str | None, optional("Globally unique id of the device.", checks=(_DEVICE_UID,))] = None

    def identity(self, api_version: str) -> Hashable:
        """Return what is sent, in the one form of names that differ in the case of a UUID only."""
        collector_uid = (self.collector_uid or "").lower()
        return collector_uid if api_version == "v1" else (self.name, collector_uid, (self.uid or "").lower())


@model
class User:
    """A user, named in one or several ways; of several that match, the most recently active one is meant."""

    upn: Annotated[str | None, optional("User principal name.", checks=(_UPN,))] = None
    sid: Annotated[str | None, optional("Security identifier.", checks=(_SID,))] = None
    uid: Annotated[str | None, optional("Globally unique id of the user.", checks=(_USER_UID,))] = None

    def identity(self, api_version: str) -> Hashable:
        """Return what is sent, in the one form of names that differ in the case of a UUID only."""
        return self.sid if api_version == "v1" else (self.upn, self.sid, (self.uid or "").lower())


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
    """Validate how each target is named: version 1 of the API takes Collector UUIDs and SIDs only."""
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


def distinct(targets: Sequence[T], api_version: str) -> Sequence[T]:
    """Return each target once, in the order of first mention: a workflow must not run twice on one of them."""
    found: dict[Hashable, T] = {}
    for target in targets:
        found.setdefault(target.identity(api_version), target)
    return tuple(found.values())


def count(devices: Sequence[Device], users: Sequence[User], api_version: str) -> int:
    """Return how many executions one request for all of them may start; 0 if they are several requests."""
    targets = distinct(devices, api_version), distinct(users, api_version)
    return sum(map(len, targets)) if max(map(len, targets)) <= LIMIT else 0


def repeated(devices: Sequence[Device] | None, users: Sequence[User] | None, api_version: str) -> Iterable[Diagnostic]:
    """Warn of targets that are named more than once in the same way."""
    given: Mapping[str, Sequence[Device | User]] = {"devices": devices or (), "users": users or ()}
    for attribute, targets in given.items():
        first: dict[Hashable, int] = {}
        again = [
            index
            for index, target in enumerate(targets)
            if first.setdefault(target.identity(api_version), index) != index
        ]
        if again:
            more = f" and {len(again) - 1} more" if len(again) > 1 else ""
            yield warning(
                f"A target of `{attribute}` is given more than once",
                f"{attribute}[{again[0]}]{more} repeat an earlier element. Each target is sent once, because the "
                "workflow is meant to run once on each. Remove what repeats, or use distinct().",
                (attribute, again[0]),
            )


def _shares(targets: Sequence[T]) -> Iterable[Sequence[T]]:
    return (targets[start : start + LIMIT] for start in range(0, len(targets), LIMIT))
