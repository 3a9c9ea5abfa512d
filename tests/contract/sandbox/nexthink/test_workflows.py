from __future__ import annotations

import httpx2
import pytest

from provider_py.sandbox import World

LIST = "/api/v1/workflows"
DETAILS = "/api/v1/workflows/details"


async def test_unfiltered_list_has_every_workflow(tenant: httpx2.AsyncClient) -> None:
    ids = {workflow["id"] for workflow in (await tenant.get(LIST)).json()}
    assert {"#service_restart_and_repair", "#retired_cleanup", "#manual_reinstall"} <= ids


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"dependency": "DEVICE"}, {"#reboot_device"}),
        ({"dependency": "USER", "triggerMethod": "API"}, {"#notify_user"}),
        ({"dependency": "NONE"}, set()),
        ({"triggerMethod": "SCHEDULER"}, set()),
    ],
)
async def test_filters_narrow_the_list(tenant: httpx2.AsyncClient, filters: dict[str, str], ids: set[str]) -> None:
    assert {workflow["id"] for workflow in (await tenant.get(LIST, params=filters)).json()} == ids


async def test_list_can_be_limited_to_active_workflows(tenant: httpx2.AsyncClient) -> None:
    workflows = (await tenant.get(LIST, params={"fetchOnlyActiveWorkflows": "true"})).json()
    assert workflows
    assert {workflow["status"] for workflow in workflows} == {"ACTIVE"}


async def test_filter_outside_the_document_is_refused(tenant: httpx2.AsyncClient) -> None:
    answer = await tenant.get(LIST, params={"dependency": "ANY"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "details"}


async def test_published_document_requires_both_filters(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"strict_published": True}})
    assert (await tenant.get(LIST)).status_code == 400
    assert (await tenant.get(LIST, params={"dependency": "USER", "triggerMethod": "API"})).status_code == 200


@pytest.mark.parametrize("id_", ["#service_restart_and_repair", "service_restart_and_repair"])
async def test_details_are_one_object(tenant: httpx2.AsyncClient, id_: str) -> None:
    details = (await tenant.get(DETAILS, params={"nqlId": id_})).json()
    assert details["id"] == "#service_restart_and_repair"
    assert details["triggerMethods"]["apiEnabled"] is True
    active = [version for version in details["versions"] if version["status"] == "ACTIVE"]
    assert len(active) == 1
    assert active[0]["parameters"] == [
        {"id": "service", "allowCustomValue": False, "options": ["spooler", "wuauserv", "bits"]}
    ]


async def test_descriptions_may_be_null(tenant: httpx2.AsyncClient) -> None:
    assert (await tenant.get(DETAILS, params={"nqlId": "#reboot_device"})).json()["description"] is None


async def test_details_can_be_an_array_as_published(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"details_shape": "array"}})
    workflows = (await tenant.get(DETAILS, params={"nqlId": "#reboot_device"})).json()
    assert [workflow["id"] for workflow in workflows] == ["#reboot_device"]


async def test_ids_can_lack_their_number_sign(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"id_form": "bare"}})
    assert (await tenant.get(DETAILS, params={"nqlId": "#reboot_device"})).json()["id"] == "reboot_device"


async def test_unknown_workflow_is_an_error(tenant: httpx2.AsyncClient) -> None:
    answer = await tenant.get(DETAILS, params={"nqlId": "#nothing"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "details"}
