"""Values on the wire, through the real process: unknown, null, write-only, dynamic, exact, large."""

from __future__ import annotations

import time
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from tfplugin6 import tfplugin6_pb2 as pb

from tests.protocol.things import device, dynamic, thing
from tests.support import host
from tests.support.host import Plugin, tree

UNKNOWN = host.UNKNOWN


def test_creation_plan_has_defaults_and_unknown_results(plugin: Plugin) -> None:
    planned = tree(plugin.plan(None, thing(settings={"timeout": None, "region": "eu", "token": None})).planned_state)
    assert planned["mode"] == "calm"
    assert planned["size"] is None
    assert planned["settings"] == {"timeout": "30s", "region": "eu", "token": None}
    assert planned["id"] == planned["outputs"] == planned["revision"] == UNKNOWN


def test_refined_unknown_is_unknown(plugin: Plugin) -> None:
    refined = msgpack.ExtType(12, b"\x81\x01\xc2")
    planned = plugin.plan(None, thing(tags={"a": refined}, size=refined, payload=refined))
    state = tree(planned.planned_state)
    assert (state["tags"], state["size"], state["payload"]) == ({"a": UNKNOWN}, UNKNOWN, UNKNOWN)


def test_unknown_inputs_stay_unknown_and_are_named(plugin: Plugin) -> None:
    config = thing(
        behaviour="explain", tags={"a": UNKNOWN}, lines=["x", UNKNOWN], devices=[device(UNKNOWN)], payload=UNKNOWN
    )
    answer = plugin.plan(None, config)
    planned = tree(answer.planned_state)
    assert planned["tags"] == {"a": UNKNOWN}
    assert planned["lines"] == ["x", UNKNOWN]
    assert planned["devices"] == [{"name": UNKNOWN, "serial": None, "enabled": True}]
    assert planned["payload"] == UNKNOWN
    assert "unknown ['devices', 'lines', 'payload', 'tags']" in answer.diagnostics[0].detail


def test_write_only_values_reach_create_and_no_state(plugin: Plugin) -> None:
    config = thing(secret="s3cret!", settings={"timeout": None, "region": None, "token": "nested-token"})
    planned = plugin.plan(None, config)
    assert tree(planned.planned_state)["secret"] is None
    created = tree(plugin.apply(None, planned, config).new_state)
    assert created["secret"] is None
    assert created["outputs"][1]["length"] == len("s3cret!")
    assert created["settings"]["token"] == "nested-token"


def test_write_only_values_are_refused_for_an_old_host(plugin: Plugin) -> None:
    (told,) = plugin.validate(thing(secret="s3cret!"), write_only=False).diagnostics
    assert told.severity == pb.Diagnostic.ERROR
    assert told.attribute.steps[0].attribute_name == "secret"
    assert not plugin.validate(thing(), write_only=False).diagnostics
    assert not plugin.validate(thing(secret="s3cret!")).diagnostics


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        (7, 7),
        (-1, -1),
        (2.0, 2),
        ("12", 12),
        (0.5, "0.5"),
        ("0.1", "0.1"),
        ("1E-400", "1E-400"),
        ("3.14159265358979323846264338327950288", "3.14159265358979323846264338327950288"),
        (str(2**70), str(2**70)),
        (2**64 - 1, 2**64 - 1),
    ],
)
def test_numbers_keep_their_last_digit(plugin: Plugin, given: Any, answered: Any) -> None:
    created = tree(plugin.create(thing(ratio=given, payload=dynamic("number", given))).new_state)
    assert created["ratio"] == answered
    assert created["payload"] == dynamic("number", answered)


@pytest.mark.parametrize(
    ("notation", "value"),
    [
        ("string", "x"),
        ("bool", True),
        (["list", "string"], ["a", "b"]),
        (["set", "number"], [1, 2]),
        (["map", "bool"], {"k": True}),
        (["tuple", ["string", "number", "bool"]], ["a", 1, None]),
        (["object", {"a": ["list", ["object", {"b": "number"}]], "n": "dynamic"}], {"a": [{"b": 1}], "n": None}),
        (["object", {"d": "dynamic"}], {"d": dynamic(["list", "string"], ["x"])}),
        (["list", "string"], None),
        (["list", "string"], []),
    ],
)
def test_dynamic_values_keep_their_type(plugin: Plugin, notation: Any, value: Any) -> None:
    config = thing(payload=dynamic(notation, value))
    assert tree(plugin.create(config).new_state)["payload"] == dynamic(notation, value)


def test_partly_unknown_dynamic_values_keep_what_is_known(plugin: Plugin) -> None:
    payload = dynamic(["object", {"a": "string", "b": "number"}], {"a": UNKNOWN, "b": 1})
    assert tree(plugin.plan(None, thing(payload=payload)).planned_state)["payload"] == payload


def test_results_get_the_type_of_their_literal(plugin: Plugin) -> None:
    created = tree(plugin.create(thing(size=2, lines=["x"])).new_state)
    notation = ["object", {"length": "number", "lines": ["tuple", ["string"]], "size": "number"}]
    assert created["outputs"] == dynamic(notation, {"length": 0, "lines": ["x"], "size": 2})


def test_five_megabytes_pass(plugin: Plugin) -> None:
    config = thing(lines=["x" * 1000] * 5000)
    begun = time.monotonic()
    created = plugin.create(config)
    assert len(tree(created.new_state)["lines"]) == 5000
    assert time.monotonic() - begun < 5


def test_plan_of_many_devices_is_quick(plugin: Plugin) -> None:
    config = thing(devices=[device(f"device-{index}", f"serial-{index}") for index in range(25_000)])
    begun = time.monotonic()
    planned = plugin.plan(None, config)
    assert time.monotonic() - begun < 2
    assert len(tree(planned.planned_state)["devices"]) == 25_000
    assert tree(planned.planned_state)["devices"][-1] == device("device-24999", "serial-24999", enabled=True)


def test_json_stands_for_msgpack(plugin: Plugin) -> None:
    answer = plugin.stub.ValidateResourceConfig(
        pb.ValidateResourceConfig.Request(
            type_name="toy_thing", config=pb.DynamicValue(json=b'{"name": "", "payload": {"type": "bool", "value": 1}}')
        )
    )
    assert answer.diagnostics[0].attribute.steps[0].attribute_name == "name"
