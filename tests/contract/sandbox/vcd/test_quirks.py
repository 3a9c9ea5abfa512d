"""The behaviours for what is not established about Cloud Director."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox.vcd import access
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.sandbox.world import World

ONBOARD = f"/cloudapi/workflows/{WORKFLOWS[0].item_id}/executions"
COPY = next(workflow for workflow in WORKFLOWS if workflow.echoes)
CONTEXT = "X-VMWARE-VCLOUD-TENANT-CONTEXT"


def named(kind: str) -> dict[str, Any]:
    return {"parameters": [{"name": "vmName", "type": "string", "value": {"inputType": kind, "value": "web-1"}}]}


@pytest.fixture
async def provider(anonymous: httpx2.AsyncClient) -> httpx2.AsyncClient:
    form = {"grant_type": "refresh_token", "refresh_token": access.PROVIDER_API_TOKEN}
    answer = await anonymous.post("/oauth/provider/token", data=form)
    anonymous.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return anonymous


@pytest.mark.parametrize(
    ("behaviour", "kind", "status"),
    [
        ("class", "StringParam", 201),
        ("class", "string", 400),
        ("any", "StringParam", 201),
        ("any", "string", 201),
        ("short", "StringParam", 400),
        ("short", "string", 201),
    ],
)
async def test_spellings_of_input_types(
    site: httpx2.AsyncClient, world: World, behaviour: str, kind: str, status: int
) -> None:
    world.behaviors.change({"vcd": {"input_types": behaviour}})
    answer = await site.post(ONBOARD, json=named(kind))
    assert answer.status_code == status
    assert status == 201 or "inputType" in answer.json()["message"]


async def test_short_spellings_are_answered_too(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"input_types": "short"}})
    started = (await site.post(ONBOARD, json=named("string"))).json()
    world.advance(10)
    run = (await site.get(f"{ONBOARD}/{started['id']}")).json()
    outputs = {each["name"]: each["value"] for each in run["outputParameters"]}
    assert outputs["addresses"]["inputType"] == "array"
    assert [each["inputType"] for each in outputs["addresses"]["value"]] == ["string", "string"]


async def test_an_execution_without_its_state(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"execution_state": "absent"}})
    started = (await site.post(ONBOARD, json=named("StringParam"))).json()
    assert "state" not in started
    assert (await site.get(f"{ONBOARD}/{started['id']}/state")).json() == "initializing"


async def test_a_list_that_is_behind(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"list_lag": 5.0}})
    await site.post(ONBOARD, json=named("StringParam"))
    states = []
    for _ in range(5):
        listed = (await site.get(ONBOARD)).json()["executions"]
        states.append([(each["state"], "endDate" in each) for each in listed])
        world.advance(4)
    assert states == [[], [], [("running", False)], [("running", False)], [("completed", True)]]


async def test_a_workflow_that_answers_what_it_is_given(site: httpx2.AsyncClient, world: World) -> None:
    url = f"/cloudapi/workflows/{COPY.item_id}/executions"
    parameter = {"name": "number", "type": "number", "value": {"inputType": "NumberParam", "value": 2.5}}
    started = (await site.post(url, json={"parameters": [parameter]})).json()
    world.advance(10)
    outputs = (await site.get(f"{url}/{started['id']}")).json()["outputParameters"]
    assert outputs == [parameter | {"scope": "local"}]


async def test_who_sees_which_organizations(site: httpx2.AsyncClient) -> None:
    listed = (await site.get("/cloudapi/1.0.0/orgs")).json()["values"]
    assert [each["name"] for each in listed] == [access.ORG]


async def test_the_provider_sees_every_organization(provider: httpx2.AsyncClient) -> None:
    listed = (await provider.get("/cloudapi/1.0.0/orgs")).json()["values"]
    assert {each["name"] for each in listed} == {*access.TENANTS, access.PROVIDER_ORG}
    found = (await provider.get("/cloudapi/1.0.0/orgs", params={"filter": "name==globex"})).json()["values"]
    assert [each["id"] for each in found] == [f"{access.ORG_URN}{access.org_id('globex')}"]


@pytest.mark.parametrize(
    ("behaviour", "context", "status"),
    [
        ("uuid", access.org_id("globex"), 200),
        ("uuid", f"{access.ORG_URN}{access.org_id('globex')}", 401),
        ("any", f"{access.ORG_URN}{access.org_id('globex')}", 200),
        ("uuid", "globex", 403),
        ("uuid", access.org_id("nobody"), 403),
    ],
)
async def test_the_provider_acts_in_a_tenant(
    provider: httpx2.AsyncClient, world: World, behaviour: str, context: str, status: int
) -> None:
    world.behaviors.change({"vcd": {"tenant_context": behaviour}})
    assert (await provider.get("/cloudapi/serviceItem", headers={CONTEXT: context})).status_code == status
    if status == 200:
        seen = await provider.get("/cloudapi/1.0.0/sessions/current", headers={CONTEXT: context})
        assert seen.json()["org"]["name"] == "globex"


@pytest.mark.parametrize(("org", "status"), [(access.ORG, 200), ("globex", 403)])
async def test_a_tenant_acts_in_no_other(site: httpx2.AsyncClient, org: str, status: int) -> None:
    answer = await site.get("/cloudapi/serviceItem", headers={CONTEXT: access.org_id(org)})
    assert answer.status_code == status
