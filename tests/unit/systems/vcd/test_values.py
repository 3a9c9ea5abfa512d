from __future__ import annotations

from typing import Any

import pytest
from vcd_client.models import WsParameter

from provider_py.execution import Refused
from provider_py.systems.vcd.execution import is_about_input_types
from provider_py.systems.vcd.types import SHORT_INPUT_TYPES, check_type, with_short_input_types
from provider_py.systems.vcd.values import EncodingError, decode, encode, infer_type, is_same

ENDPOINT = "CompositeType(host:string,port:number):Endpoint"
NESTED = "CompositeType(name:string,at:CompositeType(host:string,port:number):Endpoint,tags:Array/string):Site"


def typed(input_type: str, value: object, **fields: object) -> dict[str, object]:
    return {"inputType": input_type, "value": value, **fields}


def string(value: str) -> dict[str, object]:
    return typed("StringParam", value)


def number(value: float) -> dict[str, object]:
    return typed("NumberParam", value)


def composite(declared: str, **fields: dict[str, object]) -> dict[str, object]:
    parts = [{"inputType": "CompositeValue", "id": name, "property": value} for name, value in fields.items()]
    return {"inputType": "CompositeType", "type": declared, "property": parts}


def properties(**pairs: dict[str, object]) -> dict[str, object]:
    encoded = [{"inputType": "KeyValuePair", "key": key, "value": value} for key, value in pairs.items()]
    return {"inputType": "Properties", "property": encoded}


def through_the_client(wire: object) -> Any:
    """Parse and serialize a value with the generated client, as a request or an answer does."""
    return WsParameter.from_dict({"name": "p", "value": wire}).to_dict().get("value")


@pytest.mark.parametrize(
    ("declared", "value", "wire"),
    [
        ("string", "web-1", string("web-1")),
        ("string", "", string("")),
        ("string", "Grüße; \"quoted\" 'and' 日本", string("Grüße; \"quoted\" 'and' 日本")),
        ("number", 2, number(2)),
        ("number", 2.5, number(2.5)),
        ("number", 0, number(0)),
        ("boolean", True, typed("BooleanParam", True)),
        ("boolean", False, typed("BooleanParam", False)),
        ("Date", "2026-01-31T12:00:00Z", typed("DateParam", "2026-01-31T12:00:00Z")),
        ("Date", "2026-01-31T12:00:00+01:00", typed("DateParam", "2026-01-31T12:00:00+01:00")),
        ("Regexp", "^a.*$", typed("Regex", "^a.*$")),
        ("Array/string", ["a", "b"], typed("ArrayParam", [string("a"), string("b")])),
        ("Array/string", [], typed("ArrayParam", [])),
        ("Array/Array/number", [[1], [2, 3]], typed("ArrayParam", [
            typed("ArrayParam", [number(1)]), typed("ArrayParam", [number(2), number(3)])])),
        ("Properties", {"mode": "strict", "retries": 3}, properties(mode=string("strict"), retries=number(3))),
        ("Properties", {}, properties()),
        (ENDPOINT, {"host": "h", "port": 443}, composite(ENDPOINT, host=string("h"), port=number(443))),
        (NESTED, {"name": "n", "at": {"host": "h"}, "tags": ["a"]}, composite(
            NESTED,
            name=string("n"),
            at=composite("CompositeType(host:string,port:number):Endpoint", host=string("h")),
            tags=typed("ArrayParam", [string("a")]))),
    ],
)  # fmt: skip
def test_values_are_encoded_and_decoded(declared: str, value: object, wire: dict[str, object]) -> None:
    assert encode(value, declared) == wire
    assert through_the_client(wire) == wire
    assert decode(wire) == value


@pytest.mark.parametrize(
    ("declared", "value", "wire", "decoded"),
    [
        ("SecureString", "hunter2", typed("SecureString", "hunter2", isPlainText=True), None),
        ("EncryptedString", "x1y2", typed("EncryptedString", "x1y2"), None),
        ("Array/SecureString", ["a"], typed("ArrayParam", [typed("SecureString", "a", isPlainText=True)]), [None]),
        (
            "VC:VirtualMachine",
            "vm-42",
            {"inputType": "SdkObject", "type": "VC:VirtualMachine", "id": "vm-42"},
            {"type": "VC:VirtualMachine", "id": "vm-42"},
        ),
        (
            "VC:VirtualMachine",
            {"id": "vm-42", "type": "VC:Special", "href": "https://vc/vm-42", "display_value": "web"},
            {
                "inputType": "SdkObject",
                "type": "VC:Special",
                "id": "vm-42",
                "href": "https://vc/vm-42",
                "displayValue": "web",
            },
            {"type": "VC:Special", "id": "vm-42", "href": "https://vc/vm-42", "display_value": "web"},
        ),
        (
            "VC:VM",
            {"id": "1", "href": None},
            {"inputType": "SdkObject", "type": "VC:VM", "id": "1"},
            {"type": "VC:VM", "id": "1"},
        ),
        (
            "ResourceElement",
            "r-1",
            {"inputType": "SdkObject", "type": "ResourceElement", "id": "r-1"},
            {"type": "ResourceElement", "id": "r-1"},
        ),
        (
            "MimeAttachment",
            {"name": "a.txt", "mime_type": "text/plain", "content": "aGk="},
            {"inputType": "MimeAttachment", "name": "a.txt", "mimeType": "text/plain", "content": "aGk="},
            {"name": "a.txt", "mime_type": "text/plain", "content": "aGk="},
        ),
        (
            "MimeAttachment",
            {"content": "aGk="},
            {
                "inputType": "MimeAttachment",
                "name": "attachment",
                "mimeType": "application/octet-stream",
                "content": "aGk=",
            },
            {"name": "attachment", "mime_type": "application/octet-stream", "content": "aGk="},
        ),
        ("string", 7, string("7"), "7"),
        ("string", True, string("true"), "true"),
        ("string", 0.0000001, string("0.0000001"), "0.0000001"),
        ("number", "2", number(2), 2),
        ("number", "1e3", number(1000), 1000),
        ("number", 2**60, number(2**60), 2**60),
        ("Properties", {"a": None, "b": 1}, properties(b=number(1)), {"b": 1}),
        (
            "Date",
            "2026-01-31T12:00:00.5+0100",
            typed("DateParam", "2026-01-31T12:00:00.5+0100"),
            "2026-01-31T12:00:00.5+01:00",
        ),
        ("number", "-2.5", number(-2.5), -2.5),
        ("boolean", "true", typed("BooleanParam", True), True),
        ("STRING", "a", string("a"), "a"),
        (" Array/Number ", [1], typed("ArrayParam", [number(1)]), [1]),
        ("Any", "a", string("a"), "a"),
        ("", 1, number(1), 1),
        ("Any", True, typed("BooleanParam", True), True),
        ("Any", {"a": 1}, properties(a=number(1)), {"a": 1}),
        ("Any", ["a", 1], typed("ArrayParam", [string("a"), number(1)]), ["a", 1]),
        ("Array/Any", ["a", 1], typed("ArrayParam", [string("a"), number(1)]), ["a", 1]),
        (ENDPOINT, {"host": "h", "port": None}, composite(ENDPOINT, host=string("h")), {"host": "h"}),
    ],
)
def test_values_are_decoded_in_canonical_form(
    declared: str, value: object, wire: dict[str, object], decoded: object
) -> None:
    assert encode(value, declared) == wire
    assert through_the_client(wire) == wire
    assert decode(wire) == decoded


def test_null_stays_null() -> None:
    assert encode(None, "string") is None
    assert decode(None) is None


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        ("a", "string"),
        (1, "number"),
        (1.5, "number"),
        (True, "boolean"),
        (["a"], "Array/string"),
        ([[1], [2]], "Array/Array/number"),
        (["a", 1], "Array/Any"),
        ([], "Array/Any"),
        ({"a": 1}, "Properties"),
    ],
)
def test_a_type_is_inferred(value: object, declared: str) -> None:
    assert infer_type(value) == declared
    assert encode(value, declared) is not None


@pytest.mark.parametrize(
    ("declared", "value", "words"),
    [
        ("string", ["a"], "a list is not a string; write one such as"),
        ("string", {"a": 1}, "an object is not a string"),
        ("number", "two", '"two" is not a number'),
        ("number", True, "a boolean is not a number"),
        ("number", [1], "a list is not a number"),
        ("number", "nan", '"nan" is not a number'),
        ("number", "inf", '"inf" is not a number'),
        ("boolean", "yes", '"yes" is not a boolean; write true or false'),
        ("boolean", 1, "a number is not a boolean; write true or false"),
        ("boolean", ["a"], "a list is not a boolean"),
        ("Date", "tomorrow", '"tomorrow" is not a date with time and zone; write RFC 3339'),
        ("Date", "2026-01-31T12:00:00", "is not a date with time and zone"),
        ("Date", "2026-01-31", "is not a date with time and zone"),
        ("Date", 5, "is not a date"),
        ("Array/string", "a", 'a string is not of type Array/string; write a list such as ["a", "b"]'),
        ("Array/number", ["a"], '"a" is not a number'),
        ("Properties", "a", "a string is not of type Properties; write an object"),
        ("Properties", ["a"], "a list is not of type Properties"),
        ("MimeAttachment", "a.txt", "a string is not a MimeAttachment; write an object such as"),
        ("MimeAttachment", {"name": "a.txt"}, "an object is not a MimeAttachment; write an object"),
        ("VC:VirtualMachine", 5, "a number is not a reference to a VC:VirtualMachine; write its ID"),
        ("VC:VirtualMachine", {"name": "web"}, "an object is not a reference"),
        (ENDPOINT, "h:443", "write an object with host, port"),
        (ENDPOINT, {"hots": "h"}, 'has no field "hots"; its fields are host, port'),
        (ENDPOINT, {"port": "https"}, '"https" is not a number'),
        ("number", "1_000", '"1_000" is not a number'),
        ("number", " 2", '" 2" is not a number'),
        ("number", "\u0663", "is not a number"),
        ("number", "9" * 5000, "more than Orchestrator's numbers hold exactly"),
        ("number", "1e999999999", "more than Orchestrator's numbers hold exactly"),
        ("number", 2**53 + 1, '9007199254740993" is more than'),
        ("number", 10**400, "more than Orchestrator's numbers hold exactly"),
        ("number", float("inf"), "more than Orchestrator's numbers hold exactly"),
        ("Date", "2026-02-30T12:00:00Z", "is not a date with time and zone"),
        ("Date", "2026-W05-6T12:00:00Z", "is not a date with time and zone"),
        ("Date", "20260131T120000Z", "is not a date with time and zone"),
        ("Array/string", ["a", None], "[1] is null, which a list cannot hold"),
        ("Array/Array/number", [[1], [2, "x"]], '[1][1]: "x" is not a number'),
        ("Array/" + ENDPOINT, [{"host": "h"}, {"port": True}], "[1].port: a boolean is not a number"),
        ("Properties", {"a": {"b": [1, None]}}, ".a.b[1] is null"),
        (ENDPOINT, {"port": "https"}, '.port: "https" is not a number'),
        ("CompositeType(", {"a": 1}, "names no fields"),
        ("CompositeType():Empty", {}, "names no fields"),
        ("MimeAttachment", {"content": "not Base64!"}, "its `content` is not Base64"),
        ("MimeAttachment", {"content": "ü"}, "its `content` is not Base64"),
        ("MimeAttachment", {"content": "", "mimeType": "text/plain"}, 'has no field "mimeType"; its fields are name'),
        ("VC:VirtualMachine", "", "a string is not a reference"),
        ("VC:VirtualMachine", {"id": ""}, "an object is not a reference"),
        ("VC:VirtualMachine", {"id": "1", "nmae": "x"}, 'has no field "nmae"'),
        ("Strnig", 5, "a number is not a reference to a Strnig"),
    ],
)
def test_a_value_of_another_type_is_reported(declared: str, value: object, words: str) -> None:
    with pytest.raises(EncodingError) as caught:
        encode(value, declared)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ({"inputType": "KeyValuePair", "key": "a", "value": string("b")}, {"a": "b"}),
        ({"inputType": "CompositeValue", "id": "a", "property": number(1)}, {"a": 1}),
        ({"inputType": "SdkObject", "type": "T", "id": "1", "displayValue": "one"}, {
            "type": "T", "id": "1", "display_value": "one"}),
        ({"inputType": "ArrayParam"}, []),
        ({"inputType": "Properties", "property": None}, {}),
        ({"inputType": "StringParam", "value": None}, None),
        ({"inputType": "DateParam", "value": "2024-04-03T17:19:14.894+0300"}, "2024-04-03T17:19:14.894+03:00"),
        ({"inputType": "DateParam", "value": "some day"}, "some day"),
        ({"inputType": "DateParam"}, None),
        ({"inputType": "FutureType", "value": 7}, 7),
        ({"inputType": "FutureType", "a": 1}, {"a": 1}),
        ({"value": "no input type"}, "no input type"),
    ],
)  # fmt: skip
def test_unexpected_answers_are_decoded(wire: dict[str, object], value: object) -> None:
    assert decode(wire) == value


EVERY_INPUT_TYPE: tuple[tuple[str, object], ...] = (
    ("string", "a"),
    ("number", 1.5),
    ("boolean", True),
    ("Date", "2026-01-31T12:00:00Z"),
    ("SecureString", "s"),
    ("EncryptedString", "e"),
    ("Regexp", "^a$"),
    ("MimeAttachment", {"name": "a", "mime_type": "b/c", "content": ""}),
    ("VC:VirtualMachine", {"type": "VC:VirtualMachine", "id": "vm-1"}),
    ("Array/Properties", [{"inputType": "a key like any other"}]),
    (NESTED, {"at": {"port": 1}}),
)


def input_types_in(wire: object) -> set[str]:
    if isinstance(wire, list):
        return set().union(*map(input_types_in, wire))
    if not isinstance(wire, dict):
        return set()
    return {str(wire["inputType"])}.union(*map(input_types_in, wire.values())) if "inputType" in wire else set()


def test_the_examples_have_all_fourteen_input_types() -> None:
    assert input_types_in([encode(value, declared) for declared, value in EVERY_INPUT_TYPE]) == set(SHORT_INPUT_TYPES)
    assert len(SHORT_INPUT_TYPES) == 14


@pytest.mark.parametrize(("declared", "value"), EVERY_INPUT_TYPE)
def test_short_input_types_are_decoded(declared: str, value: object) -> None:
    wire = encode(value, declared)
    short = with_short_input_types(wire)
    assert input_types_in(short) <= set(SHORT_INPUT_TYPES.values())
    assert decode(through_the_client(short)) == decode(wire)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("POST h/executions was answered 400: [ id ] vmName: unknown inputType StringParam", True),
        ("POST h/executions was answered 400: Could not resolve type id 'StringParam' as a subtype of", True),
        ("POST h/executions was answered 400: vmName is missing", False),
        ("POST h/executions was answered 403: no right to inputType", False),
        ("POST h400/executions was answered 400", False),
    ],
)
def test_refusals_of_input_types_are_recognized(reason: str, expected: bool) -> None:
    assert is_about_input_types(Refused("Cloud Director", reason)) is expected


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (2.0, 2, True),
        (["a"], ["a", "b"], False),
        ([1, 2], [1, 2], True),
        ("2026-01-31T13:00:00.000+01:00", "2026-01-31T12:00:00Z", True),
        ("2026-01-31T13:00:00Z", "2026-01-31T12:00:00Z", False),
        ({"type": "T", "id": "1", "href": "h"}, {"type": "T", "id": "1"}, True),
        ({"type": "T", "id": "2"}, {"type": "T", "id": "1"}, False),
        ({"a": 1, "b": None}, {"a": 1}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        (None, "a", False),
    ],
)
def test_equivalent_values_are_the_same(actual: object, expected: object, same: bool) -> None:
    assert is_same(actual, expected) is same


@pytest.mark.parametrize(
    "declared",
    [
        "string", "Date", "regexp", "Regex", "Any", "VC:VirtualMachine", "REST:RESTHost", "ResourceElement",
        "Array/string", "array/Array/VC:VM", "Properties", ENDPOINT, NESTED, f"Array/{NESTED}",
    ],
)  # fmt: skip
def test_types_of_orchestrator_are_valid(declared: str) -> None:
    assert check_type(declared) is None


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("Strnig", "Did you mean 'string'"),
        ("Numbr", "Did you mean 'number'"),
        ("Propertees", "Did you mean 'Properties'"),
        ("securestrng", "is not a type of Orchestrator"),
        ("", '"" is not a type of Orchestrator'),
        ("Array/", '"" is not a type of Orchestrator'),
        ("list(string)", "Did you mean"),
        ("VC:", "is not a type"),
        ("CompositeType(a)", "names no fields"),
        ("CompositeType(a:b):C", '"b" is not a type of Orchestrator'),
        ("日本", "Write string, number, boolean, Date"),
        ("x" * 500, "…"),
    ],
)
def test_other_types_are_reported(declared: str, words: str) -> None:
    problem = check_type(declared)
    assert problem is not None
    assert words in problem
    assert len(problem) < 400
