"""Applying a plan that differs from the configuration, as `ignore_changes` makes it: Terraform ignores at plan only."""

from __future__ import annotations

from tests.protocol.things import device, dynamic, thing
from tests.support.host import Plugin, tree

PLANNED = thing(
    name="a",
    mode="wild",
    size=1,
    ratio=0.5,
    enabled=True,
    tags={"color": "red"},
    lines=["x"],
    devices=[device("d", "s", enabled=False)],
    settings={"timeout": "1m", "region": "eu", "token": "t"},
    payload=dynamic(["list", "string"], ["p"]),
    password="p",
    secret_version=1,
)
CONFIGURED = thing(
    name="b",
    mode="calm",
    size=2,
    ratio=1.5,
    enabled=False,
    tags={"color": "blue"},
    lines=["y", "z"],
    devices=[device("e")],
    settings={"timeout": None, "region": None, "token": None},
    payload=dynamic(["tuple", ["string"]], ["q"]),
    password="q",
    secret="four",
    secret_version=2,
)


def test_a_creation_applies_the_plan(plugin: Plugin) -> None:
    planned = plugin.plan(None, PLANNED)
    state = tree(plugin.apply(None, planned, CONFIGURED).new_state)
    outputs = state.pop("outputs")
    expected = {**tree(planned.planned_state), "id": "id-a", "revision": 0}
    expected.pop("outputs")
    assert state == expected
    assert outputs[1] == {"size": 1, "length": len("four"), "lines": ["x"]}


def test_an_update_applies_the_plan(plugin: Plugin) -> None:
    prior = tree(plugin.create(PLANNED).new_state)
    planned = plugin.plan(prior, {**PLANNED, "size": 7})
    state = tree(plugin.apply(prior, planned, CONFIGURED).new_state)
    assert state == {**prior, "size": 7, "revision": 1}
