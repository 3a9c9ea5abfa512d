from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.vcd import WORKFLOWS

ITEMS = "/cloudapi/serviceItem"
ONBOARD = WORKFLOWS[0]


async def items(site: httpx2.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await site.get(ITEMS, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_item_is_found_by_name(site: httpx2.AsyncClient) -> None:
    (item,) = (await items(site, filter="name==Onboard tenant"))["values"]
    assert (item["id"], item["vroWorkflowId"]) == (ONBOARD.item_id, ONBOARD.vro_id)
    assert item["serviceItemType"] == "VroWorkflowServiceItem"


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("name==Onboard%20tenant", 1),
        ("name==Onboard*", 1),
        ("name==Rotate keys", 2),
        ("name==Rotate keys;serviceName==Backup services", 1),
        ("name==onboard tenant", 0),
        (f"vroWorkflowId=={ONBOARD.vro_id}", 1),
    ],
)
async def test_filters_select_items(site: httpx2.AsyncClient, expression: str, count: int) -> None:
    assert (await items(site, filter=expression))["resultTotal"] == count


@pytest.mark.parametrize("expression", ["name", "colour==red", "name==a,b"])
async def test_invalid_filter_is_refused(site: httpx2.AsyncClient, expression: str) -> None:
    answer = await site.get(ITEMS, params={"filter": expression})
    assert (answer.status_code, answer.json()["minorErrorCode"]) == (400, "BAD_REQUEST")


async def test_next_page_links_lead_through_the_list(site: httpx2.AsyncClient) -> None:
    seen: list[str] = []
    url: httpx2.URL | str | None = f"{ITEMS}?pageSize=50"
    while url is not None:
        answer = await site.get(url)
        seen += [item["id"] for item in answer.json()["values"]]
        following = answer.links.get("nextPage")
        url = None if following is None else following["url"]
    assert seen == [workflow.item_id for workflow in WORKFLOWS]


async def test_page_has_25_items_unless_asked(site: httpx2.AsyncClient) -> None:
    body = await items(site)
    assert (len(body["values"]), body["page"], body["pageSize"]) == (25, 1, 25)
    assert body["pageCount"] == -(-len(WORKFLOWS) // 25)


@pytest.mark.parametrize("query", [{"pageSize": "129"}, {"page": "0"}, {"pageSize": "many"}])
async def test_invalid_page_is_refused(site: httpx2.AsyncClient, query: dict[str, str]) -> None:
    assert (await site.get(ITEMS, params=query)).status_code == 400


async def test_items_can_be_sorted(site: httpx2.AsyncClient) -> None:
    names = [item["name"] for item in (await items(site, sortDesc="name", pageSize="3"))["values"]]
    assert names == ["Rotate keys", "Rotate keys", "Restricted maintenance"]


async def test_item_is_found_by_id(site: httpx2.AsyncClient) -> None:
    assert (await site.get(f"{ITEMS}/{ONBOARD.item_id}")).json()["name"] == "Onboard tenant"
    assert (await site.get(f"{ITEMS}/urn:vcloud:serviceItem:0")).status_code == 404


async def test_presentation_has_parameters_and_constraints(site: httpx2.AsyncClient) -> None:
    body = (await site.get(f"/cloudapi/workflows/{ONBOARD.item_id}/presentation")).json()
    assert {parameter["name"]: parameter["type"] for parameter in body["inputParameters"]} == {
        "vmName": "string",
        "size": "number",
        "notify": "boolean",
        "tags": "Array/string",
    }
    assert [parameter["name"] for parameter in body["outputParameters"]] == ["vmId", "ready", "addresses"]
    fields = body["steps"][0]["elements"][0]["fields"]
    mandatory = [field["id"] for field in fields if {"constraintType": "Mandatory"} in field["constraints"]]
    assert mandatory == ["vmName"]


async def test_presentation_of_workflow_without_parameters_is_empty(site: httpx2.AsyncClient) -> None:
    workflow = next(known for known in WORKFLOWS if known.name == "Refresh inventory")
    body = (await site.get(f"/cloudapi/workflows/{workflow.item_id}/presentation")).json()
    assert (body["inputParameters"], body["steps"]) == ([], [])


async def test_presentation_can_omit_types(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"presentation": "untyped"}})
    body = (await site.get(f"/cloudapi/workflows/{ONBOARD.item_id}/presentation")).json()
    assert all("type" not in parameter for parameter in body["inputParameters"])


async def test_presentation_can_be_absent(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"presentation": "absent"}})
    assert (await site.get(f"/cloudapi/workflows/{ONBOARD.item_id}/presentation")).status_code == 404


async def test_missing_item_can_be_forbidden(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"missing": "403"}})
    answer = await site.get(f"{ITEMS}/urn:vcloud:serviceItem:0")
    assert (answer.status_code, answer.json()["minorErrorCode"]) == (403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN")
