"""OpenAPI documents are merged without loss and judged before they are generated from."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from codegen import openapi
from codegen.errors import SpecError

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "paths": {"/pets": {"get": {"operationId": "list", "responses": {"200": {"description": "All."}}}}},
}


def test_merge_unites_what_is_equal_and_adds_what_is_new() -> None:
    second = copy.deepcopy(DOCUMENT)
    second["paths"] = {"/dogs": {"get": {"operationId": "dogs", "responses": {}}}}
    merged = openapi.merge({"a.json": DOCUMENT, "b.json": second})
    assert list(merged["paths"]) == ["/pets", "/dogs"]
    assert merged["info"] == DOCUMENT["info"]


def test_merge_leaves_its_documents_alone() -> None:
    first: dict[str, Any] = {"paths": {"/a": {}}}
    second: dict[str, Any] = {"paths": {"/b": {}}}
    openapi.merge({"a.json": first, "b.json": second})
    assert first == {"paths": {"/a": {}}}


def test_merge_refuses_a_conflict_with_its_file_and_place() -> None:
    second = copy.deepcopy(DOCUMENT)
    second["paths"]["/pets"]["get"]["operationId"] = "other"
    with pytest.raises(SpecError) as raised:
        openapi.merge({"a.json": DOCUMENT, "b.json": second})
    assert str(raised.value) == "b.json: $.paths./pets.get.operationId: differs from the documents merged before it"


def test_merge_refuses_an_object_against_a_value() -> None:
    with pytest.raises(SpecError, match=r"b\.json: \$\.info"):
        openapi.merge({"a.json": DOCUMENT, "b.json": {"info": "text"}})


def test_a_good_document_is_valid() -> None:
    openapi.validate(DOCUMENT, "pets.json")


def change(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), **parts}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (change(openapi="2.0"), "$.openapi: is not an OpenAPI 3.0 or 3.1 document"),
        ([], "$.openapi: is not an OpenAPI 3.0 or 3.1 document"),
        (change(info={"title": "Pets"}), "$.info: 'version' is a required property"),
        (change(components={"schemas": {"A": {"$ref": "#/components/schemas/B"}}}), "schemas/B refers to nothing"),
        (change(components={"schemas": {"A": {"$ref": "other.yaml#/A"}}}), "other.yaml#/A refers to nothing"),
    ],
)  # fmt: skip
def test_a_faulty_document_is_refused_on_one_line(document: Any, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        openapi.validate(document, "pets.json")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_two_operations_of_one_id_are_refused() -> None:
    paths = {**DOCUMENT["paths"], "/dogs": DOCUMENT["paths"]["/pets"]}
    with pytest.raises(SpecError, match="list"):
        openapi.validate(change(paths=paths), "pets.json")
