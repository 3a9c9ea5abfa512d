"""Devices and users: their identifiers, duplicates among them, and how many fit into one request.

One request takes 10 000 devices and 10 000 users at most, so a larger fleet is split over several. A target must be in
one of them only: a workflow that restarts a service is not meant to run twice on a device, and Nexthink neither rejects
a repeated target nor has a key that makes a request idempotent. Targets are the same only if all identifiers that are
sent are: a device by its name and the same device by its UUID cannot be told from two devices without asking Nexthink,
which has no call for that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, Final, TypeVar

from nexthink_client.constraints import MAX_ITEMS

from provider_py.plugin import Diagnostic, error, model, not_empty, optional, warning
from provider_py.systems.nexthink.config import A_UUID, published

T = TypeVar("T", bound="Device | User")

LIMIT: Final = MAX_ITEMS["ExternalIdsExecutionRequest.devices"]
"""The most devices, and the most users, of one request."""
_IDENTIFIERS: Final = {"devices": "`name` or `collector_uid` or `uid`", "users": "`upn` or `sid` or `uid`"}
_V1_IDENTIFIERS: Final = {"devices": "`collector_uid`", "users": "`sid`"}

_COLLECTOR_UID: Final = published("DeviceData.collectorUid", A_UUID)
_DEVICE_UID: Final = published("DeviceData.uid", A_UUID)
_USER_UID: Final = published("UserData.uid", A_UUID)
_UPN: Final = published("UserData.upn", "a user principal name such as ann@example.com")
_SID: Final = published("UserData.sid", "a security identifier such as S-1-5-21-1004336348-1177238915-682003330-512")


@model
class Device:
    """A device by one or more identifiers. If several devices match, the most recently active one is used."""

    name: Annotated[str | None, optional("Name of the device.", checks=(not_empty,))] = None
    collector_uid: Annotated[str | None, optional("UUID of the Collector on the device.", checks=(_COLLECTOR_UID,))] = (
        None
    )
    uid: Annotated[str | None, optional("Globally unique ID of the device.", checks=(_DEVICE_UID,))] = None

    def identity(self, api_version: str) -> Sequence[str | None]:
        """Return the identifiers that a version of the API takes, in a form to compare: UUIDs in lower case."""
        collector_uid = _lower(self.collector_uid)
        return (collector_uid,) if api_version == "v1" else (self.name, collector_uid, _lower(self.uid))


@model
class User:
    """A user by one or more identifiers. If several users match, the most recently active one is used."""

    upn: Annotated[str | None, optional("User principal name.", checks=(_UPN,))] = None
    sid: Annotated[str | None, optional("Security identifier.", checks=(_SID,))] = None
    uid: Annotated[str | None, optional("Globally unique ID of the user.", checks=(_USER_UID,))] = None

    def identity(self, api_version: str) -> Sequence[str | None]:
        """Return the identifiers that a version of the API takes, in a form to compare: UUIDs in lower case."""
        return (self.sid,) if api_version == "v1" else (self.upn, self.sid, _lower(self.uid))


@dataclass(frozen=True, slots=True)
class Request:
    """One execute call, and the saved query that reports its executions; None if they are not waited for."""

    workflow: str
    api_version: str
    devices: Sequence[Device]
    users: Sequence[User]
    params: Mapping[str, str]
    status_query: str | None = None

    def split(self) -> Sequence[Request]:
        """Spread the targets over as few requests as the limit allows, in their order; none without targets."""
        batches = zip_longest(_batches(self.devices), _batches(self.users), fillvalue=())
        return [dataclasses.replace(self, devices=devices, users=users) for devices, users in batches]


def distinct(targets: Sequence[T], api_version: str) -> Sequence[T]:
    """Return each target once, in the order of first mention."""
    unique: dict[Hashable, T] = {}
    for target in targets:
        unique.setdefault(target.identity(api_version), target)
    return tuple(unique.values())


def count_executions(devices: Sequence[Device], users: Sequence[User], api_version: str) -> int:
    """Return how many executions one request for these targets starts at most; 0 if they need several requests."""
    counts = len(distinct(devices, api_version)), len(distinct(users, api_version))
    return sum(counts) if max(counts) <= LIMIT else 0


def check_identifiers(attribute: str, targets: Sequence[Device | User], api_version: str) -> Iterator[Diagnostic]:
    """Require an identifier of each target that the version of the API takes."""
    for index, target in enumerate(targets):
        if any(target.identity(api_version)):
            continue
        if api_version == "v1":
            problem = f"no {_V1_IDENTIFIERS[attribute]}, the only identifier that version v1 of the API takes"
            advice = 'Specify it, or set api_version = "v2".'
        else:
            problem, advice = "no identifier", f"Specify {_IDENTIFIERS[attribute]}."
        yield error("Missing target identifier", f"`{attribute}[{index}]` has {problem}. {advice}", (attribute, index))


def check_duplicates(attribute: str, targets: Sequence[Device | User], api_version: str) -> Iterator[Diagnostic]:
    """Warn of targets that have the same identifiers as an earlier one."""
    first: dict[Hashable, int] = {}
    duplicates = [
        index for index, target in enumerate(targets) if first.setdefault(target.identity(api_version), index) != index
    ]
    if duplicates:
        more = f" and {len(duplicates) - 1} more repeat" if len(duplicates) > 1 else " repeats"
        yield warning(
            "Duplicate target",
            f"`{attribute}[{duplicates[0]}]`{more} an earlier element. Each target is sent once, so that the workflow "
            "runs once on it. Remove the duplicates, or use distinct().",
            (attribute, duplicates[0]),
        )


def _lower(uuid: str | None) -> str | None:
    return uuid.lower() if uuid else None


def _batches(targets: Sequence[T]) -> Iterable[Sequence[T]]:
    return (targets[start : start + LIMIT] for start in range(0, len(targets), LIMIT))
