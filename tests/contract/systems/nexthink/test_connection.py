"""The connection: addresses, tokens, and what is reported if access is denied."""

from __future__ import annotations

import pytest

from provider_py.execution import SystemFault
from provider_py.plugin import DiagnosticError
from provider_py.sandbox import Fault, FaultKind, Match
from provider_py.systems.nexthink.config import NexthinkSettings
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.workflow import NexthinkWorkflow, read
from provider_py.systems.nexthink.workflows import NexthinkWorkflows
from provider_py.systems.nexthink.workflows import read as read_all
from tests.support.nexthink import Bench, laptops, planned

RUN = NexthinkExecution(workflow="#reboot_device", devices=laptops())


@pytest.mark.parametrize(("switch", "permission"), [("workflows_right", "Workflows API"), ("nql_right", "NQL API")])
async def test_missing_permission_is_reported_before_anything_starts(
    tenant: Bench, switch: str, permission: str
) -> None:
    tenant.world.behaviors.change({"nexthink": {switch: False}})
    (diagnostic,) = (await planned(tenant.executions(), RUN)).diagnostics
    assert f"the permission {permission}" in diagnostic.detail
    assert "403" in diagnostic.detail
    with pytest.raises(DiagnosticError, match="Nothing was started"):
        await tenant.executions().create(RUN, b"")
    assert tenant.requests("/workflows/execute") == []


async def test_missing_permission_is_reported_by_data_sources(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"workflows_right": False}})
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read(tenant.nexthink, NexthinkWorkflow(workflow="#reboot_device"))
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read_all(tenant.nexthink, NexthinkWorkflows())
    assert len(tenant.requests("/api/v1/workflows")) == 1  # a missing permission is no reason to try filters


async def test_403_without_a_body_names_the_permission(tenant: Bench) -> None:
    tenant.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=403, body=""))
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read(tenant.nexthink, NexthinkWorkflow(workflow="#reboot_device"))


async def test_401_without_a_body_names_the_settings(tenant: Bench) -> None:
    tenant.world.faults.add(
        Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=401, body="", times=None)
    )
    with pytest.raises(SystemFault, match="401") as caught:
        await read(tenant.nexthink, NexthinkWorkflow(workflow="#reboot_device"))
    assert "nexthink.client_secret" in caught.value.advice
    assert len(tenant.requests("/oauth2/default/v1/token")) == 2  # renewed once


async def test_invalid_secret_is_reported_without_its_value(tenant: Bench) -> None:
    tenant.process(client_secret="s3cret-that-is-wrong")
    (diagnostic,) = (await planned(tenant.executions(), RUN)).diagnostics
    assert "nexthink.client_secret" in diagnostic.detail
    assert "s3cret" not in diagnostic.detail


async def test_expired_token_is_renewed(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"token_seconds": 30}})
    tenant.world.behaviors.change({"nexthink": {"row_lag_seconds": 60}})
    assert (await tenant.run(workflow="#reboot_device", devices=laptops())).status == "success"
    assert len(tenant.requests("/oauth2/default/v1/token")) > 1


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


async def test_api_url_alone_does_not_replace_instance_and_region(tenant: Bench) -> None:
    with pytest.raises(DiagnosticError) as caught:
        tenant.process(token_url=None)
    assert {"NEXTHINK_INSTANCE", "NEXTHINK_REGION"} <= {
        word.rstrip(".") for diagnostic in caught.value.diagnostics for word in diagnostic.detail.split()
    }
