from __future__ import annotations

from typing import Any

import pytest
from vcd_client.models import WsParameter

from provider_py.systems.vcd.values import Unfit, decode, encode, infer

ENDPOINT = "CompositeType(host:string,port:number):Endpoint"
NESTED = "CompositeType(name:string,at:CompositeType(host:string,port:number):Endpoint,tags:Array/string):Site"


def kind(name: str, value: object, **more: object) -> dict[str, object]:
    return {"inputType": name, "value": value, **more}


def text(value: str) -> dict[str, object]:
    return kind("StringParam", value)


def number(value: float) -> dict[str, object]:
    return kind("NumberParam", value)


def composite(declared: str, **fields: dict[str, object]) -> dict[str, object]:
    parts = [{"inputType": "CompositeValue", "id": name, "property": value} for name, value in fields.items()]
    return {"inputType": "CompositeType", "type": declared, "property": parts}


def properties(**pairs: dict[str, object]) -> dict[str, object]:
    written = [{"inputType": "KeyValuePair", "key": key, "value": value} for key, value in pairs.items()]
    return {"inputType": "Properties", "property": written}


def through_the_client(wire: object) -> Any:
    """Take the generated client's way in and out, as a request or an answer does."""
    return WsParameter.from_dict({"name": "p", "value": wire}).to_dict().get("value")


@pytest.mark.parametrize(
    ("declared", "value", "wire"),
    [
        ("string", "web-1", text("web-1")),
        ("string", "", text("")),
        ("string", "Grüße; \"quoted\" 'and' 日本", text("Grüße; \"quoted\" 'and' 日本")),
        ("number", 2, number(2)),
        ("number", 2.5, number(2.5)),
        ("number", 0, number(0)),
        ("boolean", True, kind("BooleanParam", True)),
        ("boolean", False, kind("BooleanParam", False)),
        ("Date", "2026-01-31T12:00:00Z", kind("DateParam", "2026-01-31T12:00:00Z")),
        ("Date", "2026-01-31T12:00:00+01:00", kind("DateParam", "2026-01-31T12:00:00+01:00")),
        ("Regexp", "^a.*$", kind("Regex", "^a.*$")),
        ("Array/string", ["a", "b"], kind("ArrayParam", [text("a"), text("b")])),
        ("Array/string", [], kind("ArrayParam", [])),
        ("Array/Array/number", [[1], [2, 3]], kind("ArrayParam", [
            kind("ArrayParam", [number(1)]), kind("ArrayParam", [number(2), number(3)])])),
        ("Properties", {"mode": "strict", "retries": 3}, properties(mode=text("strict"), retries=number(3))),
        ("Properties", {}, properties()),
        (ENDPOINT, {"host": "h", "port": 443}, composite(ENDPOINT, host=text("h"), port=number(443))),
        (NESTED, {"name": "n", "at": {"host": "h"}, "tags": ["a"]}, composite(
            NESTED,
            name=text("n"),
            at=composite("CompositeType(host:string,port:number):Endpoint", host=text("h")),
            tags=kind("ArrayParam", [text("a")]))),
    ],
)  # fmt: skip
def test_values_go_out_and_come_back(declared: str, value: object, wire: dict[str, object]) -> None:
    assert encode(value, declared) == wire
    assert through_the_client(wire) == wire
    assert decode(wire) == value


@pytest.mark.parametrize(
    ("declared", "value", "wire", "back"),
    [
        ("SecureString", "hunter2", kind("SecureString", "hunter2", isPlainText=True), None),
        ("EncryptedString", "x1y2", kind("EncryptedString", "x1y2"), None),
        ("Array/SecureString", ["a"], kind("ArrayParam", [kind("SecureString", "a", isPlainText=True)]), [None]),
        (
            "VC:VirtualMachine",
            "vm-42",
            {"inputType": "SdkObject", "type": "VC:VirtualMachine", "id": "vm-42"},
            {"type": "VC:VirtualMachine", "id": "vm-42"},
        ),
        (
            "VC:VirtualMachine",
            {"id": "vm-42", "type": "VC:Special", "href": "https://vc/vm-42", "display_value": "web"},
            {"inputType": "SdkObject", "type": "VC:Special", "id": "vm-42", "href": "https://vc/vm-42"},
            {"type": "VC:Special", "id": "vm-42", "href": "https://vc/vm-42"},
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
        ("string", 7, text("7"), "7"),
        ("string", True, text("true"), "true"),
        ("number", "2", number(2), 2),
        ("number", "-2.5", number(-2.5), -2.5),
        ("boolean", "true", kind("BooleanParam", True), True),
        ("STRING", "a", text("a"), "a"),
        (" Array/Number ", [1], kind("ArrayParam", [number(1)]), [1]),
        ("Any", "a", text("a"), "a"),
        ("", 1, number(1), 1),
        ("Any", True, kind("BooleanParam", True), True),
        ("Any", {"a": 1}, properties(a=number(1)), {"a": 1}),
        ("Any", ["a", 1], kind("ArrayParam", [text("a"), number(1)]), ["a", 1]),
        ("Array/Any", ["a", 1], kind("ArrayParam", [text("a"), number(1)]), ["a", 1]),
        (ENDPOINT, {"host": "h", "port": None}, composite(ENDPOINT, host=text("h")), {"host": "h"}),
    ],
)
def test_values_that_come_back_in_another_form(
    declared: str, value: object, wire: dict[str, object], back: object
) -> None:
    assert encode(value, declared) == wire
    assert through_the_client(wire) == wire
    assert decode(wire) == back


def test_nothing_stays_nothing() -> None:
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
        ([1, None, 2], "Array/number"),
        (["a", 1], "Array/Any"),
        ([], "Array/Any"),
        ({"a": 1}, "Properties"),
    ],
)
def test_the_type_a_value_is_taken_for(value: object, declared: str) -> None:
    assert infer(value) == declared
    assert encode(value, declared) is not None


@pytest.mark.parametrize(
    ("declared", "value", "words"),
    [
        ("string", ["a"], "a list is not a text; write a string"),
        ("string", {"a": 1}, "an object is not a text"),
        ("number", "two", "'two' is not a number"),
        ("number", True, "a boolean is not a number"),
        ("number", [1], "a list is not a number"),
        ("number", "nan", "'nan' is not a number"),
        ("number", "inf", "'inf' is not a number"),
        ("boolean", "yes", "'yes' is not a boolean; write true or false"),
        ("boolean", 1, "a number is not a boolean; write true or false"),
        ("boolean", ["a"], "a list is not a boolean"),
        ("Date", "tomorrow", "'tomorrow' is not a date; write RFC 3339"),
        ("Date", "2026-01-31T12:00:00", "names no time zone"),
        ("Date", "2026-01-31", "names no time zone"),
        ("Date", 5, "is not a date"),
        ("Array/string", "a", 'a text is not of type Array/string; write a list such as ["a", "b"]'),
        ("Array/number", ["a"], "'a' is not a number"),
        ("Properties", "a", "a text is not of type Properties; write an object"),
        ("Properties", ["a"], "a list is not of type Properties"),
        ("MimeAttachment", "a.txt", "a MimeAttachment is an object such as"),
        ("MimeAttachment", {"name": "a.txt"}, "a MimeAttachment is an object such as"),
        ("VC:VirtualMachine", 5, "a number is not a reference to a VC:VirtualMachine; write its id"),
        ("VC:VirtualMachine", {"name": "web"}, "an object is not a reference"),
        (ENDPOINT, "h:443", "write an object with host, port"),
        (ENDPOINT, {"hots": "h"}, "has no field 'hots'; its fields are host, port"),
        (ENDPOINT, {"port": "https"}, "'https' is not a number"),
        ("Strnig", "a", "the type 'Strnig' is not known; name another in `parameter_types`"),
    ],
)
def test_a_value_that_cannot_be_of_its_type_is_told(declared: str, value: object, words: str) -> None:
    with pytest.raises(Unfit) as caught:
        encode(value, declared)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ({"inputType": "KeyValuePair", "key": "a", "value": text("b")}, {"a": "b"}),
        ({"inputType": "CompositeValue", "id": "a", "property": number(1)}, {"a": 1}),
        ({"inputType": "SdkObject", "type": "T", "id": "1", "displayValue": "one"}, {
            "type": "T", "id": "1", "display_value": "one"}),
        ({"inputType": "ArrayParam"}, []),
        ({"inputType": "Properties", "property": None}, {}),
        ({"inputType": "StringParam", "value": None}, None),
        ({"inputType": "KindOfTomorrow", "value": 7}, 7),
        ({"inputType": "KindOfTomorrow", "a": 1}, {"a": 1}),
        ({"value": "no kind"}, "no kind"),
    ],
)  # fmt: skip
def test_whatever_a_system_answers_is_read(wire: dict[str, object], value: object) -> None:
    assert decode(wire) == value
