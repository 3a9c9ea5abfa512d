"""The behaviors for what is not established about Cloud Director."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.vcd import WORKFLOWS, access

ONBOARD = f"/cloudapi/workflows/{WORKFLOWS[0].item_id}/executions"
COPY = next(workflow for workflow in WORKFLOWS if workflow.echoes)
CONTEXT = "X-VMWARE-VCLOUD-TENANT-CONTEXT"


def named(input_type: str) -> dict[str, Any]:
    return {"parameters": [{"name": "vmName", "type": "string", "value": {"inputType": input_type, "value": "web-1"}}]}


@pytest.mark.parametrize(
    ("behavior", "input_type", "status"),
    [
        ("class", "StringParam", 201),
        ("class", "string", 400),
        ("any", "StringParam", 201),
        ("any", "string", 201),
        ("short", "StringParam", 400),
        ("short", "string", 201),
    ],
)
async def test_input_type_spelling_follows_the_behavior(
    site: httpx2.AsyncClient, world: World, behavior: str, input_type: str, status: int
) -> None:
    world.behaviors.change({"vcd": {"input_types": behavior}})
    answer = await site.post(ONBOARD, json=named(input_type))
    assert answer.status_code == status
    assert status == 201 or "inputType" in answer.json()["message"]


async def test_short_input_types_are_returned_as_well(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"input_types": "short"}})
    started = (await site.post(ONBOARD, json=named("string"))).json()
    world.advance(10)
    run = (await site.get(f"{ONBOARD}/{started['id']}")).json()
    outputs = {output["name"]: output["value"] for output in run["outputParameters"]}
    assert outputs["addresses"]["inputType"] == "array"
    assert [element["inputType"] for element in outputs["addresses"]["value"]] == ["string", "string"]


async def test_execution_can_lack_its_state(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"execution_state": "absent"}})
    started = (await site.post(ONBOARD, json=named("StringParam"))).json()
    assert "state" not in started
    assert (await site.get(f"{ONBOARD}/{started['id']}/state")).json() == "initializing"


async def test_list_can_be_behind(site: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"vcd": {"list_lag": 5.0}})
    await site.post(ONBOARD, json=named("StringParam"))
    states = []
    for _ in range(5):
        listed = (await site.get(ONBOARD)).json()["executions"]
        states.append([(execution["state"], "endDate" in execution) for execution in listed])
        world.advance(4)
    assert states == [[], [], [("running", False)], [("running", False)], [("completed", True)]]


async def test_echoing_workflow_returns_its_inputs(site: httpx2.AsyncClient, world: World) -> None:
    url = f"/cloudapi/workflows/{COPY.item_id}/executions"
    parameter = {"name": "number", "type": "number", "value": {"inputType": "NumberParam", "value": 2.5}}
    started = (await site.post(url, json={"parameters": [parameter]})).json()
    world.advance(10)
    outputs = (await site.get(f"{url}/{started['id']}")).json()["outputParameters"]
    assert outputs == [parameter | {"scope": "local"}]


async def test_tenant_sees_only_its_own_organization(site: httpx2.AsyncClient) -> None:
    listed = (await site.get("/cloudapi/1.0.0/orgs")).json()["values"]
    assert [org["name"] for org in listed] == [access.ORG]


async def test_provider_sees_every_organization(provider: httpx2.AsyncClient) -> None:
    listed = (await provider.get("/cloudapi/1.0.0/orgs")).json()["values"]
    assert {org["name"] for org in listed} == {*access.TENANTS, access.PROVIDER_ORG}
    filtered = (await provider.get("/cloudapi/1.0.0/orgs", params={"filter": "name==globex"})).json()["values"]
    assert [org["id"] for org in filtered] == [f"{access.ORG_URN}{access.org_id('globex')}"]


@pytest.mark.parametrize(
    ("behavior", "context", "status"),
    [
        ("uuid", access.org_id("globex"), 200),
        ("uuid", f"{access.ORG_URN}{access.org_id('globex')}", 401),
        ("any", f"{access.ORG_URN}{access.org_id('globex')}", 200),
        ("uuid", "globex", 403),
        ("uuid", access.org_id("nobody"), 403),
    ],
)
async def test_provider_acts_in_a_tenant(
    provider: httpx2.AsyncClient, world: World, behavior: str, context: str, status: int
) -> None:
    world.behaviors.change({"vcd": {"tenant_context": behavior}})
    assert (await provider.get("/cloudapi/serviceItem", headers={CONTEXT: context})).status_code == status
    if status == 200:
        seen = await provider.get("/cloudapi/1.0.0/sessions/current", headers={CONTEXT: context})
        assert seen.json()["org"]["name"] == "globex"


@pytest.mark.parametrize(("org", "status"), [(access.ORG, 200), ("globex", 403)])
async def test_tenant_cannot_act_in_another(site: httpx2.AsyncClient, org: str, status: int) -> None:
    answer = await site.get("/cloudapi/serviceItem", headers={CONTEXT: access.org_id(org)})
    assert answer.status_code == status
