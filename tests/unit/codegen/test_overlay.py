"""Overlays change what they aim at, and fail when they aim at nothing."""

from __future__ import annotations

import pytest

from codegen import overlay
from codegen.documents import JsonObject, JsonValue
from codegen.errors import SpecError


def apply(document: JsonValue, *actions: JsonValue) -> JsonValue:
    return overlay.apply(document, {"overlay": "1.0.0", "actions": list(actions)}, "overlay.yaml")


def test_update_merges_objects_and_replaces_values() -> None:
    document: JsonObject = {"info": {"title": "Pets", "contact": {"name": "Ann", "url": "u"}}}
    corrected = apply(document, {"target": "$.info", "update": {"title": "Dogs", "contact": {"name": "Bob"}}})
    assert corrected == {"info": {"title": "Dogs", "contact": {"name": "Bob", "url": "u"}}}


def test_apply_does_not_change_its_input() -> None:
    document: JsonObject = {"info": {"title": "Pets"}, "tags": [{"name": "a"}]}
    apply(document, {"target": "$.info", "update": {"title": "Dogs"}}, {"target": "$.tags[0]", "remove": True})
    assert document == {"info": {"title": "Pets"}, "tags": [{"name": "a"}]}


def test_update_appends_to_an_array() -> None:
    assert apply({"tags": ["a"]}, {"target": "$.tags", "update": "b"}) == {"tags": ["a", "b"]}


def test_update_joins_arrays_inside_objects() -> None:
    assert apply({"x": {"tags": ["a"]}}, {"target": "$.x", "update": {"tags": ["b"]}}) == {"x": {"tags": ["a", "b"]}}


def test_every_match_gets_its_own_copy() -> None:
    corrected = apply(
        {"a": {}, "b": {}},
        {"target": "$.*", "update": {"list": [1]}},
        {"target": "$.a", "update": {"list": [2]}},
    )
    assert corrected == {"a": {"list": [1, 2]}, "b": {"list": [1]}}


def test_remove_deletes_all_matches_in_an_array() -> None:
    parameters: list[JsonValue] = [{"name": "x"}, {"name": "keep"}, {"name": "x"}]
    corrected = apply({"p": parameters}, {"target": "$.p[?@.name == 'x']", "remove": True})
    assert corrected == {"p": [{"name": "keep"}]}


def test_remove_deletes_by_index_not_by_value() -> None:
    assert apply({"p": ["a", "b", "a"]}, {"target": "$.p[0]", "remove": True}) == {"p": ["b", "a"]}


def test_remove_deletes_a_member() -> None:
    assert apply({"a": {"b": 1, "c": 2}}, {"target": "$.a.b", "remove": True}) == {"a": {"c": 2}}


def test_actions_see_the_effects_of_earlier_ones() -> None:
    corrected = apply({}, {"target": "$", "update": {"a": {}}}, {"target": "$.a", "update": {"b": 1}})
    assert corrected == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"target": "$.nowhere", "remove": True}, "actions[0].target: $.nowhere matches nothing"),
        ({"target": "$.[", "remove": True}, "is not a JSONPath"),
        ({"update": {}}, "an action needs a target"),
        ({"target": "$.a"}, "either an update or remove"),
        ({"target": "$.a", "update": {}, "remove": True}, "either an update or remove"),
        ({"target": "$.a", "update": {}}, "aim at the object that holds it"),
        ({"target": "$", "remove": True}, "the whole document cannot be removed"),
    ],
)
def test_an_impossible_action_is_reported_with_its_place(action: JsonObject, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        apply({"a": 1}, action)
    assert str(raised.value).startswith("overlay.yaml: actions[0]")
    assert message in str(raised.value)


@pytest.mark.parametrize("document", [None, [], {"overlay": "1.0.0"}, {"overlay": "2.0.0", "actions": []}])
def test_a_document_that_is_not_an_overlay_is_rejected(document: JsonValue) -> None:
    with pytest.raises(SpecError, match=r"is not an OpenAPI Overlay 1\.0"):
        overlay.apply({}, document, "overlay.yaml")
