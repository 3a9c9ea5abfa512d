"""The objects of the simulated Nexthink tenant: workflows, devices and users."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import NAMESPACE_URL, uuid5

FLEET_SIZE: Final = 25_000
"""Number of devices DESK-00001, DESK-00002 …, more than one request may target."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a workflow; None for options means free text."""

    id: str
    options: tuple[str, ...] | None = None
    allow_custom_value: bool = True

    def takes(self, value: str) -> bool:
        """Whether the parameter accepts this value."""
        return self.allow_custom_value or self.options is None or value in self.options


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow, reduced to its active version."""

    id: str
    name: str
    description: str | None = None
    active: bool = True
    api_enabled: bool = True
    has_device: bool = True
    has_user: bool = True
    parameters: tuple[Parameter, ...] = ()
    waits_for_event: bool = False
    outcome: str = "Done"

    @property
    def uuid(self) -> str:
        """The identifier the trigger call needs."""
        return _uuid("workflow", self.id)

    @property
    def bare_id(self) -> str:
        """The id without its number sign."""
        return self.id.removeprefix("#")

    @property
    def dependency(self) -> str:
        """What it runs on, as the filter of the list spells it."""
        spelled = {(True, True): "USER_AND_DEVICE", (True, False): "DEVICE", (False, True): "USER"}
        return spelled.get((self.has_device, self.has_user), "NONE")


@dataclass(frozen=True, slots=True)
class Device:
    """A device; of several with the same name, the one seen last is used."""

    name: str
    last_seen: int = 0

    @property
    def collector_uid(self) -> str:
        """The identifier of its Collector."""
        return _uuid("collector", f"{self.name}/{self.last_seen}")

    @property
    def uid(self) -> str:
        """The globally unique identifier."""
        return _uuid("device", f"{self.name}/{self.last_seen}")


@dataclass(frozen=True, slots=True)
class User:
    """A user."""

    upn: str
    sid: str

    @property
    def uid(self) -> str:
        """The globally unique identifier."""
        return _uuid("user", self.upn)


def _uuid(type_: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"nexthink-sandbox/{type_}/{name}"))


WORKFLOWS: Final = (
    Workflow(
        "#service_restart_and_repair",
        "Service restart and repair",
        "Restarts a service and repairs what keeps it from starting.",
        parameters=(Parameter("service", ("spooler", "wuauserv", "bits"), allow_custom_value=False),),
        outcome="Service restarted",
    ),
    Workflow("#retired_cleanup", "Retired clean-up", "Superseded.", active=False),
    Workflow("#manual_reinstall", "Manual reinstall", "Started from the console only.", api_enabled=False),
    Workflow("#reboot_device", "Reboot device", has_user=False, outcome="Device rebooted"),
    Workflow("#notify_user", "Notify user", "Sends a message.", has_device=False, outcome="User notified"),
    Workflow(
        "#install_software",
        "Install software",
        "Installs a package.",
        parameters=(Parameter("package"), Parameter("channel", ("stable", "beta"))),
        outcome="Package installed",
    ),
    Workflow(
        "#approval_gate",
        "Approval gate",
        "Waits until another system approves.",
        waits_for_event=True,
        outcome="Approved",
    ),
)

USERS: Final = (
    User("ann@example.com", "S-1-5-21-1004336348-1177238915-682003330-1001"),
    User("ben@example.com", "S-1-5-21-1004336348-1177238915-682003330-1002"),
    User("cleo@example.com", "S-1-5-21-1004336348-1177238915-682003330-1003"),
)

_NAMED = (
    *(Device(f"LAPTOP-{number:02}", 1) for number in range(1, 6)),
    Device("KIOSK", 1),
    Device("KIOSK", 2),
)


class Directory:
    """Devices and users by any of their identifiers."""

    def __init__(self) -> None:
        """Index everything; of equal names, the later entry (seen more recently) wins."""
        devices = (*_NAMED, *(Device(f"DESK-{number:05}") for number in range(1, FLEET_SIZE + 1)))
        self.device_by_name = {device.name: device for device in devices}
        self.device_by_collector = {device.collector_uid: device for device in devices}
        self.device_by_uid = {device.uid: device for device in devices}
        self.user_by_upn = {user.upn: user for user in USERS}
        self.user_by_sid = {user.sid: user for user in USERS}
        self.user_by_uid = {user.uid: user for user in USERS}

    def device(self, name: str | None, uid: str | None, collector_uid: str | None) -> Device | None:
        """The device with the most specific of these identifiers."""
        if collector_uid is not None:
            return self.device_by_collector.get(collector_uid.lower())
        return self.device_by_uid.get(uid.lower()) if uid is not None else self.device_by_name.get(name or "")

    def user(self, upn: str | None, uid: str | None, sid: str | None) -> User | None:
        """The user with the most specific of these identifiers."""
        if sid is not None:
            return self.user_by_sid.get(sid)
        return self.user_by_uid.get(uid.lower()) if uid is not None else self.user_by_upn.get((upn or "").lower())


@cache
def directory() -> Directory:
    """The directory, built once: it is large and never changes."""
    return Directory()


def workflow(name: str) -> Workflow | None:
    """The workflow with that id, which may lack its number sign."""
    return next((known for known in WORKFLOWS if known.bare_id == name.removeprefix("#")), None)
