"""Exports of the saved query: in progress, complete, truncated, failed; and the store for their files."""

from __future__ import annotations

import csv
import gzip
import io

import httpx2
import pytest

from provider_py.sandbox import World

QUERY = "#workflow_request_status"
EXPORT = "/api/v1/nql/export"
EXECUTE = "/api/v2/nql/execute"


async def started(tenant: httpx2.AsyncClient, devices: int) -> str:
    targets = [{"name": f"DESK-{number:05}"} for number in range(1, devices + 1)]
    body = {"workflowId": "#reboot_device", "devices": targets}
    request: str = (await tenant.post("/api/v2/workflows/execute", json=body)).json()["requestUuid"]
    return request


async def exported(tenant: httpx2.AsyncClient, request: str, **more: str) -> str:
    body = {"queryId": QUERY, "parameters": {"request_id": request}, **more}
    answer = await tenant.post(EXPORT, json=body)
    assert answer.status_code == 200
    identifier: str = answer.json()["exportId"]
    return identifier


async def status(tenant: httpx2.AsyncClient, export: str) -> httpx2.Response:
    return await tenant.get(f"/api/v1/nql/status/{export}")


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


async def test_export_reports_progress_until_complete(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"export_seconds": 10}})
    request = await started(tenant, 1500)
    world.advance(60)
    export = await exported(tenant, request)
    seen = []
    for _ in range(3):
        seen.append((await status(tenant, export)).json()["status"])
        world.advance(5)
    assert seen == ["SUBMITTED", "IN_PROGRESS", "COMPLETED"]
    address = (await status(tenant, export)).json()["resultsFileUrl"]
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        exported_rows = rows((await stranger.get(address)).content)
    assert len(exported_rows) == 1500
    assert {row["status"] for row in exported_rows} == {"success"}
    assert {row["request_id"] for row in exported_rows} == {request}


async def test_export_contains_the_rows_at_the_time_of_the_request(tenant: httpx2.AsyncClient, world: World) -> None:
    export = await exported(tenant, await started(tenant, 2))
    world.advance(60)
    address = (await status(tenant, export)).json()["resultsFileUrl"]
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        assert rows((await stranger.get(address)).content) == []  # rows lag behind


async def test_file_can_be_compressed(tenant: httpx2.AsyncClient, world: World) -> None:
    request = await started(tenant, 2)
    world.advance(60)
    export = await exported(tenant, request, compression="GZIP")
    world.advance(1)
    address = (await status(tenant, export)).json()["resultsFileUrl"]
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        assert len(rows(gzip.decompress((await stranger.get(address)).content))) == 2


async def test_license_can_truncate_a_file(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"export_limit": 3}})
    request = await started(tenant, 5)
    world.advance(60)
    export = await exported(tenant, request)
    world.advance(1)
    answer = await status(tenant, export)
    assert (answer.status_code, answer.json()["status"]) == (206, "COMPLETED")
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        assert len(rows((await stranger.get(answer.json()["resultsFileUrl"])).content)) == 3


async def test_export_may_fail(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"export_error": "too many rows"}})
    export = await exported(tenant, "any")
    world.advance(1)
    assert (await status(tenant, export)).json() == {"status": "ERROR", "errorDescription": "too many rows"}


async def test_signed_address_is_valid_for_15_minutes_and_without_token(
    tenant: httpx2.AsyncClient, world: World
) -> None:
    export = await exported(tenant, await started(tenant, 1))
    world.advance(1)
    address = (await status(tenant, export)).json()["resultsFileUrl"]
    assert (await tenant.get(address)).status_code == 400
    async with httpx2.AsyncClient(trust_env=False) as stranger:
        assert (await stranger.get(address)).status_code == 200
        assert (await stranger.get(address.partition("?")[0])).status_code == 403
        world.advance(901)
        assert (await stranger.get(address)).status_code == 403


@pytest.mark.parametrize("url", [EXPORT, EXECUTE])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"queryId": "#nothing"}, 404, 100),
        ({"queryId": QUERY}, 400, 200),
        ({"queryId": "No Query"}, 400, 200),
    ],
)
async def test_nql_error_is_returned(
    tenant: httpx2.AsyncClient, url: str, body: dict[str, object], status: int, code: int
) -> None:
    answer = await tenant.post(url, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"message", "code", "source"}


async def test_unknown_compression_is_refused(tenant: httpx2.AsyncClient) -> None:
    body = {"queryId": QUERY, "parameters": {"request_id": "x"}, "compression": "ZIP"}
    answer = await tenant.post(EXPORT, json=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"message", "code", "source"}


async def test_unknown_export_is_not_found(tenant: httpx2.AsyncClient) -> None:
    assert (await status(tenant, "nothing")).status_code == 404


async def test_missing_nql_permission_is_reported(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"nql_right": False}})
    for url in (EXECUTE, EXPORT):
        assert (await tenant.post(url, json={"queryId": QUERY})).status_code == 403
    assert (await status(tenant, "any")).status_code == 403


async def test_missing_workflows_permission_is_reported(tenant: httpx2.AsyncClient, world: World) -> None:
    world.behaviors.change({"nexthink": {"workflows_right": False}})
    answer = await tenant.get("/api/v1/workflows/details", params={"nqlId": "#reboot_device"})
    assert (answer.status_code, set(answer.json())) == (403, {"code", "details"})


async def test_exports_are_lost_at_reset(tenant: httpx2.AsyncClient, world: World) -> None:
    export = await exported(tenant, await started(tenant, 1))
    world.reset()
    assert (await status(tenant, export)).status_code == 401  # as are tokens
