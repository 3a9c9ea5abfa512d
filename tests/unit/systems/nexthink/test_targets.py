from __future__ import annotations

import dataclasses
import time

import pytest

from provider_py.plugin import Decoded, attributes
from provider_py.systems.nexthink.execution import NexthinkExecution, validate
from provider_py.systems.nexthink.targets import LIMIT, Device, Request, User, check_identifiers

UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def fleet(count: int) -> list[Device]:
    return [Device(name=f"DESK-{number:05}") for number in range(count)]


def accounts(count: int) -> list[User]:
    return [User(upn=f"user{number}@example.com") for number in range(count)]


@pytest.mark.parametrize(
    ("devices", "users", "sizes"),
    [
        (1, 0, [(1, 0)]),
        (0, 1, [(0, 1)]),
        (10_000, 10_000, [(10_000, 10_000)]),
        (10_001, 0, [(10_000, 0), (1, 0)]),
        (25_000, 3, [(10_000, 3), (10_000, 0), (5_000, 0)]),
        (3, 10_001, [(3, 10_000), (0, 1)]),
        (0, 0, []),
    ],
)
def test_targets_are_split_into_as_few_requests_as_possible(
    devices: int, users: int, sizes: list[tuple[int, int]]
) -> None:
    whole = Request("#repair", "v2", fleet(devices), accounts(users), {"a": "b"}, "#status")
    requests = whole.split()
    assert [(len(request.devices), len(request.users)) for request in requests] == sizes
    assert [device for request in requests for device in request.devices] == whole.devices
    assert [user for request in requests for user in request.users] == whole.users
    assert all(dataclasses.replace(request, devices=whole.devices, users=whole.users) == whole for request in requests)


def test_limit_is_the_published_one() -> None:
    assert LIMIT == 10_000


def test_large_fleet_is_split_and_checked_quickly() -> None:
    devices = fleet(100_000)
    began = time.process_time()
    assert len(Request("#repair", "v2", devices, (), {}).split()) == 10
    assert list(check_identifiers("devices", devices, "v2")) == []
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("device", "v1", "v2"),
    [
        (Device(name="LAPTOP-01"), False, True),
        (Device(uid=UUID), False, True),
        (Device(collector_uid=UUID), True, True),
        (Device(name="LAPTOP-01", collector_uid=UUID), True, True),
        (Device(), False, False),
    ],
)
def test_identifiers_of_a_device(device: Device, v1: bool, v2: bool) -> None:
    for version, valid in (("v1", v1), ("v2", v2)):
        diagnostics = check_identifiers("devices", [Device(collector_uid=UUID), device], version)
        assert [diagnostic.path for diagnostic in diagnostics] == ([] if valid else [("devices", 1)])


@pytest.mark.parametrize(
    ("user", "v1", "v2"),
    [
        (User(upn="ann@example.com"), False, True),
        (User(uid=UUID), False, True),
        (User(sid="S-1-5-21-1"), True, True),
        (User(), False, False),
    ],
)
def test_identifiers_of_a_user(user: User, v1: bool, v2: bool) -> None:
    for version, valid in (("v1", v1), ("v2", v2)):
        diagnostics = check_identifiers("users", [user], version)
        assert [diagnostic.path for diagnostic in diagnostics] == ([] if valid else [("users", 0)])


def test_missing_identifier_message_lists_the_identifiers() -> None:
    (v1,) = check_identifiers("devices", [Device(name="LAPTOP-01")], "v1")
    assert v1.detail == (
        "`devices[0]` has no `collector_uid`, the only identifier that version v1 of the API takes. Specify it, or set "
        'api_version = "v2".'
    )
    (v2,) = check_identifiers("devices", [Device()], "v2")
    assert v2.detail == "`devices[0]` has no identifier. Specify `name` or `collector_uid` or `uid`."


@pytest.mark.parametrize(
    ("cls", "attribute", "valid", "invalid"),
    [
        (Device, "collector_uid", UUID, "LAPTOP-01"),
        (Device, "uid", UUID.upper(), f"{UUID}\n"),
        (Device, "name", "LAPTOP-01", " "),
        (User, "sid", "S-1-5-21-1004336348-1177238915-682003330-512", "S-1"),
        (User, "upn", "ann@example.com", "ann"),
        (User, "uid", UUID, UUID[1:]),
    ],
)
def test_identifiers_are_checked_by_the_published_pattern(cls: type, attribute: str, valid: str, invalid: str) -> None:
    (check,) = attributes(cls)[attribute].checks
    assert check(valid) is None
    assert str(check(invalid)).startswith("Must ")


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        (Decoded(NexthinkExecution(workflow="#a", devices=fleet(1))), []),
        (Decoded(NexthinkExecution(workflow="#a", users=accounts(1))), []),
        (Decoded(NexthinkExecution(workflow="#a")), [("devices",)]),
        (Decoded(NexthinkExecution(workflow="#a", devices=[], users=[])), [("devices",)]),
        (Decoded(NexthinkExecution(workflow="#a"), frozenset({"users"})), []),
        (Decoded(NexthinkExecution(workflow="#a", devices=[Device()])), [("devices", 0)]),
        (Decoded(NexthinkExecution(workflow="#a", devices=[Device()]), frozenset({"devices"})), []),
        (
            Decoded(NexthinkExecution(workflow="#a", devices=fleet(1), on_destroy="cancel")),
            [("on_destroy",)],
        ),
        (Decoded(None), []),
    ],
)
def test_arguments_are_validated_together(
    config: Decoded[NexthinkExecution], paths: list[tuple[str | int, ...]]
) -> None:
    assert [diagnostic.path for diagnostic in validate(config)] == paths
