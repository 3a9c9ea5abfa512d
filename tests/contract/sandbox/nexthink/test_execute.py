from __future__ import annotations

from typing import Any

import httpx2
import pytest

from provider_py.sandbox import World
from provider_py.sandbox.nexthink import directory

V1 = "/api/v1/workflows/execute"
V2 = "/api/v2/workflows/execute"
REPAIR = {"workflowId": "#service_restart_and_repair", "params": {"service": "spooler"}}
LAPTOP = directory().device_by_name["LAPTOP-01"]
ANN = directory().user_by_upn["ann@example.com"]


async def refused(tenant: httpx2.AsyncClient, body: dict[str, Any], url: str = V2) -> tuple[int, str]:
    answer = await tenant.post(url, json=body)
    assert set(answer.json()) == {"code", "details"}
    return answer.status_code, answer.json()["code"]


async def test_v2_starts_one_execution_for_each_target(tenant: httpx2.AsyncClient, world: World) -> None:
    devices = [{"name": "LAPTOP-01"}, {"collectorUid": directory().device_by_name["LAPTOP-02"].collector_uid}]
    users = [{"upn": ANN.upn}, {"sid": directory().user_by_upn["ben@example.com"].sid}]
    answer = await tenant.post(V2, json=REPAIR | {"devices": devices, "users": users})
    assert answer.status_code == 200
    assert len(set(answer.json()["executionsUuids"])) == 4
    assert [run.id for run in world.runs.of("nexthink")] == [answer.json()["requestUuid"]]


async def test_v1_takes_collector_and_security_ids(tenant: httpx2.AsyncClient) -> None:
    answer = await tenant.post(V1, json=REPAIR | {"devices": [LAPTOP.collector_uid], "users": [ANN.sid]})
    assert len(answer.json()["executionsUuids"]) == 2


@pytest.mark.parametrize("id_", ["#reboot_device", "reboot_device"])
async def test_number_sign_of_workflow_id_is_optional(tenant: httpx2.AsyncClient, world: World, id_: str) -> None:
    body = {"workflowId": id_, "devices": [{"uid": LAPTOP.uid}]}
    assert (await tenant.post(V2, json=body)).status_code == 200
    (run,) = world.runs.of("nexthink")
    assert run.target == "#reboot_device"
    assert "reboot_device" in run.names


async def test_duplicate_target_starts_one_execution(tenant: httpx2.AsyncClient) -> None:
    answer = await tenant.post(V2, json=REPAIR | {"devices": [{"name": "LAPTOP-01"}, {"uid": LAPTOP.uid}]})
    assert len(answer.json()["executionsUuids"]) == 1


async def test_device_seen_last_is_used_for_a_duplicate_name() -> None:
    assert directory().device("KIOSK", None, None) == max(
        (device for device in directory().device_by_uid.values() if device.name == "KIOSK"),
        key=lambda device: device.last_seen,
    )


async def test_unknown_targets_are_dropped(tenant: httpx2.AsyncClient) -> None:
    answer = await tenant.post(V2, json=REPAIR | {"devices": [{"name": "LAPTOP-01"}, {"name": "NOBODY"}]})
    assert len(answer.json()["executionsUuids"]) == 1
    assert await refused(tenant, REPAIR | {"devices": [{"name": "NOBODY"}]}) == (400, "NO_TARGET")


async def test_unknown_targets_can_refuse_the_request(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"unknown_targets": "refuse"}})
    body = REPAIR | {"devices": [{"name": "LAPTOP-01"}, {"name": "NOBODY"}]}
    assert await refused(tenant, body) == (400, "UNKNOWN_TARGET")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"workflowId": "#nothing"}, 400, "WORKFLOW_NOT_FOUND"),
        ({"workflowId": "#retired_cleanup"}, 400, "WORKFLOW_INACTIVE"),
        ({"workflowId": "#manual_reinstall"}, 403, "API_TRIGGER_DISABLED"),
        ({"workflowId": "#notify_user"}, 400, "DEVICES_NOT_ALLOWED"),
        (REPAIR | {"params": {}}, 400, "MISSING_PARAMETER"),
        (REPAIR | {"params": {"service": "sshd"}}, 400, "INVALID_PARAMETER"),
        (REPAIR | {"params": {"service": "bits", "force": "yes"}}, 400, "UNKNOWN_PARAMETER"),
        (REPAIR | {"params": {"service": 1}}, 400, "INVALID_REQUEST"),
        (REPAIR | {"devices": [{}]}, 400, "INVALID_REQUEST"),
        (REPAIR | {"devices": [{"collectorUid": "no-uuid"}]}, 400, "INVALID_REQUEST"),
        ({"params": {}}, 400, "INVALID_REQUEST"),
    ],
)
async def test_invalid_execution_request_is_refused(
    tenant: httpx2.AsyncClient, world: World, body: dict[str, Any], status: int, code: str
) -> None:
    assert await refused(tenant, {"devices": [{"name": "LAPTOP-01"}]} | body) == (status, code)
    assert world.runs.of("nexthink") == []


async def test_users_are_refused_by_a_device_workflow(tenant: httpx2.AsyncClient) -> None:
    body = {"workflowId": "#reboot_device", "users": [{"upn": ANN.upn}]}
    assert await refused(tenant, body) == (400, "USERS_NOT_ALLOWED")


async def test_params_check_can_be_disabled(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"params_check": False}})
    body = REPAIR | {"params": {"other": "x"}, "devices": [{"name": "LAPTOP-01"}]}
    assert (await tenant.post(V2, json=body)).status_code == 200


async def test_custom_value_besides_options_is_accepted(tenant: httpx2.AsyncClient) -> None:
    body = {"workflowId": "#install_software", "params": {"package": "vlc", "channel": "nightly"}}
    assert (await tenant.post(V2, json=body | {"devices": [{"name": "LAPTOP-01"}]})).status_code == 200


async def test_request_takes_at_most_ten_thousand_targets(tenant: httpx2.AsyncClient) -> None:
    fleet = [{"name": f"DESK-{number:05}"} for number in range(1, 10_002)]
    assert await refused(tenant, REPAIR | {"devices": fleet}) == (400, "INVALID_REQUEST")
    answer = await tenant.post(V2, json=REPAIR | {"devices": fleet[:-1]})
    assert len(answer.json()["executionsUuids"]) == 10_000


async def test_published_document_requires_both_target_lists(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"strict_published": True}})
    body = REPAIR | {"devices": [{"name": "LAPTOP-01"}]}
    assert await refused(tenant, body) == (400, "INVALID_REQUEST")
    assert (await tenant.post(V2, json=body | {"users": []})).status_code == 200


async def test_body_that_is_not_json_is_refused(tenant: httpx2.AsyncClient) -> None:
    answer = await tenant.post(V2, content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
