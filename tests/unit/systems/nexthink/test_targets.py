from __future__ import annotations

import time

import pytest

from provider_py.plugin import Decoded, attributes
from provider_py.systems.nexthink.execution import NexthinkExecution, validate
from provider_py.systems.nexthink.targets import LIMIT, Device, User, check_targets, split

UUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def fleet(count: int) -> list[Device]:
    return [Device(name=f"DESK-{number:05}") for number in range(count)]


def people(count: int) -> list[User]:
    return [User(upn=f"user{number}@example.com") for number in range(count)]


@pytest.mark.parametrize(
    ("devices", "users", "shares"),
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
def test_targets_are_spread_over_as_few_requests_as_possible(
    devices: int, users: int, shares: list[tuple[int, int]]
) -> None:
    given_devices, given_users = fleet(devices), people(users)
    requests = split("#repair", "v2", given_devices, given_users, {"a": "b"})
    assert [(len(each.devices), len(each.users)) for each in requests] == shares
    assert [device for each in requests for device in each.devices] == given_devices
    assert [user for each in requests for user in each.users] == given_users
    assert {(each.workflow, each.api_version, each.params["a"]) for each in requests} <= {("#repair", "v2", "b")}


def test_the_limit_is_the_published_one() -> None:
    assert LIMIT == 10_000


def test_spreading_and_checking_a_large_fleet_is_quick() -> None:
    devices = fleet(100_000)
    began = time.perf_counter()
    assert len(split("#repair", "v2", devices, (), {})) == 10
    assert list(check_targets(devices, None, "v2")) == []
    assert time.perf_counter() - began < 1


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
def test_how_a_device_may_be_named(device: Device, v1: bool, v2: bool) -> None:
    for version, fits in (("v1", v1), ("v2", v2)):
        said = list(check_targets([Device(collector_uid=UUID), device], None, version))
        assert [each.path for each in said] == ([] if fits else [("devices", 1)])


@pytest.mark.parametrize(
    ("user", "v1", "v2"),
    [
        (User(upn="ann@example.com"), False, True),
        (User(uid=UUID), False, True),
        (User(sid="S-1-5-21-1"), True, True),
        (User(), False, False),
    ],
)
def test_how_a_user_may_be_named(user: User, v1: bool, v2: bool) -> None:
    for version, fits in (("v1", v1), ("v2", v2)):
        said = list(check_targets(None, [user], version))
        assert [each.path for each in said] == ([] if fits else [("users", 0)])


def test_the_message_says_how_to_name_a_target() -> None:
    (old,) = check_targets([Device(name="LAPTOP-01")], None, "v1")
    assert "Give it `collector_uid`, the only way" in old.detail
    (new,) = check_targets([Device()], None, "v2")
    assert new.detail == "Give it `name` or `collector_uid` or `uid`."


@pytest.mark.parametrize(
    ("cls", "attribute", "good", "bad"),
    [
        (Device, "collector_uid", UUID, "LAPTOP-01"),
        (Device, "uid", UUID.upper(), f"{UUID}\n"),
        (Device, "name", "LAPTOP-01", " "),
        (User, "sid", "S-1-5-21-1004336348-1177238915-682003330-512", "S-1"),
        (User, "upn", "ann@example.com", "ann"),
        (User, "uid", UUID, UUID[1:]),
    ],
)
def test_names_have_the_published_form(cls: type, attribute: str, good: str, bad: str) -> None:
    (check,) = attributes(cls)[attribute].checks
    assert check(good) is None
    assert "write" in str(check(bad))


@pytest.mark.parametrize(
    ("config", "paths"),
    [
        (Decoded(NexthinkExecution(workflow="#a", devices=fleet(1))), []),
        (Decoded(NexthinkExecution(workflow="#a", users=people(1))), []),
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
def test_arguments_are_judged_together(config: Decoded[NexthinkExecution], paths: list[tuple[str | int, ...]]) -> None:
    assert [said.path for said in validate(config)] == paths
