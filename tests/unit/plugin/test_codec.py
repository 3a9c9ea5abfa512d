"""Wire forms, trees and models."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any

import msgpack  # type: ignore[import-untyped]
import pytest

from provider_py.plugin import Dynamic, computed, model, optional, required
from provider_py.plugin.models import decoded, dump
from provider_py.plugin.values import UNKNOWN, Typed, from_float, number, wholly_known
from provider_py.rpc.codec import decode_json, decode_msgpack, encode_msgpack

MSGPACK_TIMESTAMP = -1


@model
class Part:
    """A nested object."""

    name: Annotated[str, required("Name.")]
    size: Annotated[int | None, optional("Size.")] = None
    note: Annotated[str | None, computed("Note.")] = None


@model
class Whole:
    """One attribute of each kind."""

    name: Annotated[str, required("Name.")]
    count: Annotated[int | None, optional("Count.")] = None
    ratio: Annotated[float | None, optional("Ratio.")] = None
    flag: Annotated[bool, optional("Flag.")] = True
    words: Annotated[list[str] | None, optional("Words.")] = None
    counts: Annotated[dict[str, int] | None, optional("Counts.")] = None
    part: Annotated[Part | None, optional("Part.")] = None
    parts: Annotated[list[Part] | None, optional("Parts.")] = None
    named: Annotated[dict[str, Part] | None, optional("Named parts.")] = None
    anything: Annotated[Dynamic, optional("Anything.")] = None
    secret: Annotated[str | None, optional("Secret.", write_only=True)] = None
    id: Annotated[str | None, computed("Id.")] = None


def block(**values: Any) -> dict[str, Any]:
    """Return a block with nulls for what is not given."""
    names = ("name", "count", "ratio", "flag", "words", "counts", "part", "parts", "named", "anything", "secret", "id")
    return {**dict.fromkeys(names), "name": "n", **values}


def part(name: Any = "p", size: Any = None, note: Any = None) -> dict[str, Any]:
    """Return a nested object."""
    return {"name": name, "size": size, "note": note}


def test_every_extension_code_is_unknown() -> None:
    for code in range(-128, 128):
        if code != MSGPACK_TIMESTAMP:
            raw = msgpack.packb(block(count=0)).replace(
                msgpack.packb("count") + b"\0",
                msgpack.packb("count") + b"\xc7\x02" + code.to_bytes(1, signed=True) + b"ab",
            )
            assert decode_msgpack(Whole, raw)["count"] is UNKNOWN


def test_null_is_not_unknown() -> None:
    assert decode_msgpack(Whole, msgpack.packb(None)) is None
    assert decode_msgpack(Whole, b"") is None
    assert decode_msgpack(Whole, msgpack.packb(block()))["words"] is None
    assert encode_msgpack({"a": None, "b": UNKNOWN}) == msgpack.packb({"a": None, "b": msgpack.ExtType(0, b"\0")})


@pytest.mark.parametrize(
    ("given", "form"),
    [
        (1, 1),
        (1.0, 1),
        ("1", 1),
        ("1.50", Decimal("1.5")),
        (0.5, Decimal("0.5")),
        ("1e3", 1000),
        (str(2**80), 2**80),
        ("1e999999", Decimal("1e999999")),
    ],
)
def test_numbers_have_one_form(given: Any, form: Any) -> None:
    assert number(given) == form
    assert type(number(given)) is type(form)


def test_floats_mean_what_they_print() -> None:
    assert from_float(0.1) == Decimal("0.1")
    assert from_float(2.0) == 2
    assert msgpack.unpackb(encode_msgpack({"a": from_float(0.1), "b": 2**70})) == {"a": "0.1", "b": str(2**70)}


def test_model_of_a_full_block() -> None:
    tree = decode_msgpack(
        Whole,
        msgpack.packb(
            block(
                count="3",
                ratio="0.25",
                flag=False,
                words=["a"],
                counts={"k": 2},
                part=part(size=1),
                parts=[part("q")],
                named={"z": part("r")},
                anything=[b'["object",{"n":"number","t":["tuple",["number"]]}]', {"n": "1.5", "t": [1]}],
                secret="s",
                id="i",
            )
        ),
    )
    whole = Whole(
        name="n",
        count=3,
        ratio=0.25,
        flag=False,
        words=["a"],
        counts={"k": 2},
        part=Part(name="p", size=1),
        parts=[Part(name="q")],
        named={"z": Part(name="r")},
        anything={"n": 1.5, "t": [1]},
        secret="s",
        id="i",
    )
    assert decoded(Whole, tree).model == whole
    assert decoded(Whole, tree).unknown == frozenset()
    assert dump(Whole, whole) == {**tree, "secret": None}


@pytest.mark.parametrize(
    ("given", "attribute", "value"),
    [
        ({"count": UNKNOWN}, "count", None),
        ({"flag": UNKNOWN}, "flag", None),
        ({"words": UNKNOWN}, "words", None),
        ({"words": ["a", UNKNOWN]}, "words", None),
        ({"counts": {"k": UNKNOWN}}, "counts", None),
        ({"part": part(size=UNKNOWN)}, "part", Part(name="p")),
        ({"part": part(name=UNKNOWN)}, "part", None),
        ({"parts": [part(), part(name=UNKNOWN)]}, "parts", None),
        ({"parts": [part(), part(size=UNKNOWN)]}, "parts", [Part(name="p"), Part(name="p")]),
        ({"named": {"z": UNKNOWN}}, "named", None),
        ({"anything": UNKNOWN}, "anything", None),
        ({"anything": Typed('["list","string"]', ["a", UNKNOWN])}, "anything", None),
        ({"anything": Typed('"string"', UNKNOWN)}, "anything", None),
    ],
)
def test_unknown_values_are_none_and_named(given: dict[str, Any], attribute: str, value: object) -> None:
    config = decoded(Whole, block(**given))
    assert config.unknown == {attribute}
    assert config.model is not None
    assert getattr(config.model, attribute) == value


def test_a_model_without_its_required_attribute_is_none() -> None:
    config = decoded(Whole, block(name=UNKNOWN, count=1))
    assert config.model is None
    assert config.unknown == {"name"}


def test_results_are_not_counted_as_unknown() -> None:
    config = decoded(Whole, block(id=UNKNOWN))
    assert config.unknown == frozenset()
    assert config.model is not None
    assert config.model.id is None


@pytest.mark.parametrize(
    ("value", "type_json"),
    [
        ("x", '"string"'),
        (True, '"bool"'),
        (1, '"number"'),
        (1.5, '"number"'),
        ([], '["tuple",[]]'),
        ({}, '["object",{}]'),
        ([1, "a", None], '["tuple",["number","string","dynamic"]]'),
        ({"b": [True], "a": None}, '["object",{"a":"dynamic","b":["tuple",["bool"]]}]'),
    ],
)
def test_dynamic_values_both_ways(value: object, type_json: str) -> None:
    tree = dump(Whole, Whole(name="n", anything=value))
    assert tree["anything"].type == type_json
    again = decode_msgpack(Whole, encode_msgpack(tree))
    assert again == tree
    config = decoded(Whole, again).model
    assert config is not None
    assert config.anything == value


def test_dynamic_null_has_no_type() -> None:
    assert dump(Whole, Whole(name="n", anything=None))["anything"] is None


def test_what_json_cannot_hold_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="has no Terraform type"):
        dump(Whole, Whole(name="n", anything=object()))


def test_state_json_is_fitted_to_the_model() -> None:
    stored = {
        "name": "n",
        "ratio": 1.5,
        "old": 1,
        "part": {"name": "p", "old": 1},
        "anything": {"type": ["map", "number"], "value": {"k": 1.5}},
    }
    tree = decode_json(Whole, json.dumps(stored).encode())
    assert tree == block(ratio=Decimal("1.5"), part=part(), anything=Typed('["map","number"]', {"k": Decimal("1.5")}))
    assert decode_json(Whole, b"null") is None


@pytest.mark.parametrize(
    "raw", ["{", "[]", '{"name": 1}', '{"words": {}}', '{"part": []}', '{"anything": {"type": "x"}}']
)
def test_state_json_that_does_not_fit(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_json(Whole, raw.encode())


def test_wholly_known() -> None:
    assert wholly_known({"a": [1, {"b": Typed('"string"', "x")}]})
    assert not wholly_known({"a": [1, {"b": Typed('["list","string"]', [UNKNOWN])}]})
    assert not wholly_known(UNKNOWN)
