"""Which parameter values a start takes."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.vcd import ENDPOINT_TYPE, WORKFLOWS

CONFIGURE = WORKFLOWS[1]
URL = f"/cloudapi/workflows/{CONFIGURE.item_id}/executions"
ONBOARD_URL = f"/cloudapi/workflows/{WORKFLOWS[0].item_id}/executions"
VM = {"inputType": "SdkObject", "type": "VC:VirtualMachine", "id": "vcenter,id:vm-42"}
SECRET = {"inputType": "SecureString", "value": "s3cret", "isPlainText": True}
TEXT = {"inputType": "StringParam", "value": "x"}
NEEDED: dict[str, Any] = {"password": SECRET, "vm": VM}


def pair(value: object, input_type: str = "KeyValuePair") -> dict[str, object]:
    return {"inputType": "Properties", "property": [{"inputType": input_type, "key": "k", "value": value}]}


def composite(field: str, value: object) -> dict[str, object]:
    content = [{"inputType": "CompositeValue", "id": field, "property": value}]
    return {"inputType": "CompositeType", "type": ENDPOINT_TYPE, "property": content}


def number(value: object) -> dict[str, object]:
    return {"inputType": "NumberParam", "value": value}


async def post(site: httpx2.AsyncClient, values: dict[str, Any]) -> httpx2.Response:
    parameters = [{"name": name, "value": value} for name, value in values.items()]
    return await site.post(URL, json={"parameters": parameters})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", {"inputType": "DateParam", "value": "2026-01-01T00:00:00.000+00:00"}),
        ("start", {"inputType": "DateParam", "value": "2026-01-01T00:00:00Z"}),
        ("options", pair(TEXT)),
        ("options", pair(pair(number(1)))),
        ("manifest", {"inputType": "MimeAttachment", "name": "a", "mimeType": "text/plain", "content": "YQ=="}),
        ("endpoint", composite("port", number(443))),
        ("pattern", {"inputType": "Regex", "value": "^a$"}),
        ("licence", {"inputType": "EncryptedString", "value": "abc"}),
        ("ports", {"inputType": "ArrayParam", "value": [number(1), number(2.5)]}),
        ("hint", TEXT),
        ("hint", {"inputType": "BooleanParam", "value": True}),
        ("hint", composite("anything", TEXT)),
    ],
)
async def test_value_of_the_declared_type_is_accepted(site: httpx2.AsyncClient, name: str, value: object) -> None:
    answer = await post(site, NEEDED | {name: value})
    assert answer.status_code == 201, answer.text
    inputs = {parameter["name"]: parameter["value"] for parameter in answer.json()["inputParameters"]}
    assert inputs[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", TEXT),
        ("start", {"inputType": "DateParam", "value": "tomorrow"}),
        ("options", pair(TEXT, input_type="StringParam")),
        ("options", pair({"inputType": "Blob"})),
        ("manifest", {"inputType": "MimeAttachment", "name": "a", "mimeType": "text/plain", "content": "?"}),
        ("endpoint", composite("colour", TEXT)),
        ("endpoint", composite("port", TEXT)),
        ("ports", {"inputType": "ArrayParam", "value": [TEXT]}),
        ("ports", number(1)),
        ("ports", {"inputType": "ArrayParam", "value": [number(True)]}),
        ("vm", {"inputType": "SdkObject", "type": "VC:Datastore", "id": "1"}),
        ("vm", {"inputType": "SdkObject", "type": "VC:VirtualMachine"}),
        ("hint", {"inputType": "Blob", "value": 1}),
        ("hint", {"value": 1}),
        ("hint", {"string": {"value": "x"}}),
    ],
)
async def test_value_of_another_type_is_refused(
    site: httpx2.AsyncClient, world: World, name: str, value: object
) -> None:
    answer = await post(site, NEEDED | {name: value})
    assert (answer.status_code, answer.json()["minorErrorCode"]) == (400, "BAD_REQUEST")
    assert world.runs.of("vcd") == []


async def test_secrets_are_not_returned(site: httpx2.AsyncClient) -> None:
    answer = await post(site, NEEDED)
    assert answer.status_code == 201
    assert "s3cret" not in answer.text


@pytest.mark.parametrize("missing", ["password", "vm"])
async def test_mandatory_parameters_are_required(site: httpx2.AsyncClient, missing: str) -> None:
    answer = await post(site, {name: value for name, value in NEEDED.items() if name != missing})
    assert answer.status_code == 400
    assert missing in answer.json()["message"]


async def test_optional_parameter_may_have_no_value(site: httpx2.AsyncClient) -> None:
    name = {"name": "vmName", "value": TEXT}
    body = {"parameters": [name, {"name": "size", "type": "number"}]}
    assert (await site.post(ONBOARD_URL, json=body)).status_code == 201


async def test_unknown_parameters_can_be_ignored(site: httpx2.AsyncClient, world: World) -> None:
    assert (await post(site, NEEDED | {"colour": TEXT})).status_code == 400
    world.behaviors.change({"vcd": {"unknown_parameters": "ignore"}})
    answer = await post(site, NEEDED | {"colour": TEXT})
    assert {parameter["name"] for parameter in answer.json()["inputParameters"]} == {"password", "vm"}


async def test_duplicate_parameter_is_refused(site: httpx2.AsyncClient) -> None:
    name = {"name": "vmName", "value": TEXT}
    assert (await site.post(ONBOARD_URL, json={"parameters": [name, name]})).status_code == 400


async def test_parameter_type_must_match_the_declared_type(site: httpx2.AsyncClient) -> None:
    name = {"name": "vmName", "value": TEXT}
    for type_, status in (("String", 201), ("number", 400)):
        answer = await site.post(ONBOARD_URL, json={"parameters": [name | {"type": type_}]})
        assert answer.status_code == status


async def test_short_input_types_are_accepted_only_when_enabled(site: httpx2.AsyncClient, world: World) -> None:
    tags = {"inputType": "array", "value": [{"inputType": "string", "value": "a"}]}
    body = {"parameters": [{"name": "vmName", "value": TEXT}, {"name": "tags", "value": tags}]}
    assert (await site.post(ONBOARD_URL, json=body)).status_code == 400
    world.behaviors.change({"vcd": {"input_types": "any"}})
    assert (await site.post(ONBOARD_URL, json=body)).status_code == 201
