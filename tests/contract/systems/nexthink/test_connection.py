"""The connection: addresses, tokens, and what is reported if access is denied."""

from __future__ import annotations

import pytest

from provider_py.execution import SystemFault
from provider_py.sandbox import Fault, FaultKind, Match
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.workflow import NexthinkWorkflow, read
from provider_py.systems.nexthink.workflows import NexthinkWorkflows
from provider_py.systems.nexthink.workflows import read as read_all
from tests.support.nexthink import laptops
from tests.support.site import Process, only

RUN = NexthinkExecution(workflow="#reboot_device", devices=laptops())


@pytest.mark.parametrize(
    ("switch", "permission", "denial"),
    [("workflows_right", "Workflows API", "403"), ("nql_right", "NQL API", "no permission for NQL")],
)
async def test_missing_permission_is_reported_before_anything_starts(
    process: Process, switch: str, permission: str, denial: str
) -> None:
    process.site.set_behaviors("nexthink", **{switch: False})
    (diagnostic,) = await process.plan(RUN)
    assert f"the permission {permission}" in diagnostic.detail
    assert "403" in diagnostic.detail
    result = await process.create(RUN)
    text = only(result.diagnostics)
    assert "Nothing was started" in text
    assert denial in text
    assert result.state is None
    assert process.site.received("/workflows/execute") == []
    assert process.site.runs() == []


async def test_missing_permission_is_reported_by_data_sources(process: Process) -> None:
    process.site.set_behaviors("nexthink", workflows_right=False)
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read(process.connection("nexthink"), NexthinkWorkflow(workflow="#reboot_device"))
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read_all(process.connection("nexthink"), NexthinkWorkflows())
    assert len(process.site.received("/api/v1/workflows")) == 1  # a missing permission is no reason to try filters


async def test_403_without_a_body_names_the_permission(process: Process) -> None:
    process.site.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=403, body=""))
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read(process.connection("nexthink"), NexthinkWorkflow(workflow="#reboot_device"))


async def test_401_without_a_body_names_the_settings(process: Process) -> None:
    process.site.world.faults.add(
        Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=401, body="", times=None)
    )
    with pytest.raises(SystemFault, match="401") as caught:
        await read(process.connection("nexthink"), NexthinkWorkflow(workflow="#reboot_device"))
    assert "nexthink.client_secret" in caught.value.advice
    assert len(process.site.received("/oauth2/default/v1/token")) == 2  # renewed once


@pytest.mark.parametrize("region", ["us", "eu", "pac", "meta"])
def test_urls_are_derived_from_instance_and_region(region: str) -> None:
    settings = NexthinkSettings(instance="acme", region=region, client_id="id", client_secret="secret").complete()
    assert settings.api_url == f"https://acme.api.{region}.nexthink.cloud"
    assert settings.token_url == f"https://acme-login.{region}.nexthink.cloud/oauth2/default/v1/token"
    assert settings.request_timeout == 60
    assert "secret" not in repr(settings).replace("client_secret", "")


def test_configured_urls_override_instance_and_region() -> None:
    settings = NexthinkSettings(
        instance="acme",
        region="eu",
        client_id="id",
        client_secret="secret",
        api_url="https://a.example/x/",
        token_url="https://t.example/t",
    ).complete()
    assert (settings.api_url, settings.token_url) == ("https://a.example/x", "https://t.example/t")
