"""OpenAPI documents are merged without loss and validated before anything is generated from them."""

from __future__ import annotations

import copy

import pytest

from codegen import openapi
from codegen.documents import JsonObject, JsonValue, members
from codegen.errors import SpecError

PATHS: JsonObject = {"/pets": {"get": {"operationId": "list", "responses": {"200": {"description": "All."}}}}}
DOCUMENT: JsonObject = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "paths": PATHS,
}


def test_merge_joins_equal_parts_and_adds_new_ones() -> None:
    second = copy.deepcopy(DOCUMENT)
    second["paths"] = {"/dogs": {"get": {"operationId": "dogs", "responses": {}}}}
    merged = openapi.merge({"a.json": DOCUMENT, "b.json": second})
    assert list(members(merged["paths"])) == ["/pets", "/dogs"]
    assert merged["info"] == DOCUMENT["info"]


def test_merge_does_not_change_its_inputs() -> None:
    first: JsonObject = {"paths": {"/a": {}}}
    second: JsonObject = {"paths": {"/b": {}}}
    openapi.merge({"a.json": first, "b.json": second})
    assert first == {"paths": {"/a": {}}}


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            {"paths": {"/pets": {"get": {"operationId": "other"}}}},
            "b.json: $.paths./pets.get.operationId: differs from the documents merged before it",
        ),
        ({"info": "text"}, "b.json: $.info: differs from the documents merged before it"),
    ],
)
def test_merge_rejects_a_conflict_with_its_file_and_place(second: JsonValue, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        openapi.merge({"a.json": DOCUMENT, "b.json": second})
    assert str(raised.value) == message


def test_a_valid_document_is_accepted() -> None:
    openapi.validate(DOCUMENT, "pets.json")


def change(**parts: JsonValue) -> JsonObject:
    return {**copy.deepcopy(DOCUMENT), **parts}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (change(openapi="2.0"), "$.openapi: is not an OpenAPI 3.0 or 3.1 document"),
        ([], "$.openapi: is not an OpenAPI 3.0 or 3.1 document"),
        (change(info={"title": "Pets"}), "$.info: 'version' is a required property"),
        (change(components={"schemas": {"A": {"$ref": "#/components/schemas/B"}}}), "schemas/B refers to nothing"),
        (change(components={"schemas": {"A": {"$ref": "other.yaml#/A"}}}), "other.yaml#/A refers to nothing"),
        (change(paths={"/pets": PATHS["/pets"], "/dogs": PATHS["/pets"]}), "list"),
    ],
)  # fmt: skip
def test_an_invalid_document_is_rejected_in_one_line(document: JsonValue, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        openapi.validate(document, "pets.json")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
