"""Who may call, where the calls go, and what is said where they may not."""

from __future__ import annotations

import pytest

from provider_py.execution.errors import SystemFault
from provider_py.plugin import DiagnosticError
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.settings import NexthinkSettings
from provider_py.systems.nexthink.workflow import NexthinkWorkflow, read
from provider_py.systems.nexthink.workflows import NexthinkWorkflows
from provider_py.systems.nexthink.workflows import read as read_all
from tests.support.nexthink import Bench, laptops, planned

RUN = NexthinkExecution(workflow="#reboot_device", devices=laptops())


@pytest.mark.parametrize(("switch", "permission"), [("workflows_right", "Workflows API"), ("nql_right", "NQL API")])
async def test_a_missing_permission_is_named_before_anything_starts(
    tenant: Bench, switch: str, permission: str
) -> None:
    tenant.world.behaviors.change({"nexthink": {switch: False}})
    (said,) = (await planned(tenant.executions(), RUN)).diagnostics
    assert f"the permission {permission}" in said.detail
    assert "403" in said.detail
    with pytest.raises(DiagnosticError, match="Nothing was started"):
        await tenant.executions().create(RUN, b"")
    assert tenant.asked("/workflows/execute") == []


async def test_a_missing_permission_of_a_look_up(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"workflows_right": False}})
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read(tenant.nexthink, NexthinkWorkflow(workflow="#reboot_device"))
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read_all(tenant.nexthink, NexthinkWorkflows())
    assert len(tenant.asked("/api/v1/workflows")) == 1  # a missing permission is no reason to ask in another way


async def test_a_refusal_without_a_body_names_the_permission_too(tenant: Bench) -> None:
    tenant.world.faults.add(Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=403, body=""))
    with pytest.raises(SystemFault, match="the permission Workflows API"):
        await read(tenant.nexthink, NexthinkWorkflow(workflow="#reboot_device"))


async def test_a_401_without_a_body_names_the_settings(tenant: Bench) -> None:
    tenant.world.faults.add(
        Fault("nexthink", FaultKind.STATUS, Match(path="/details"), status=401, body="", times=None)
    )
    with pytest.raises(SystemFault, match="401") as caught:
        await read(tenant.nexthink, NexthinkWorkflow(workflow="#reboot_device"))
    assert "nexthink.client_secret" in caught.value.advice
    assert len(tenant.asked("/oauth2/default/v1/token")) == 2  # renewed once


async def test_a_wrong_secret_is_told_without_it(tenant: Bench) -> None:
    tenant.process(client_secret="s3cret-that-is-wrong")
    (said,) = (await planned(tenant.executions(), RUN)).diagnostics
    assert "nexthink.client_secret" in said.detail
    assert "s3cret" not in said.detail


async def test_a_token_that_ran_out_is_renewed_unseen(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"token_seconds": 30}})
    tenant.world.behaviors.change({"nexthink": {"row_lag_seconds": 60}})
    assert (await tenant.run(workflow="#reboot_device", devices=laptops())).status == "success"
    assert len(tenant.asked("/oauth2/default/v1/token")) > 1


@pytest.mark.parametrize("region", ["us", "eu", "pac", "meta"])
def test_addresses_are_made_of_instance_and_region(region: str) -> None:
    settings = NexthinkSettings(instance="acme", region=region)
    assert settings.api_address == f"https://acme.api.{region}.nexthink.cloud"
    assert settings.token_address == f"https://acme-login.{region}.nexthink.cloud/oauth2/default/v1/token"


def test_addresses_may_be_given() -> None:
    settings = NexthinkSettings(
        instance="acme", region="eu", api_url="https://a.example/x/", token_url="https://t.example/t"
    )
    assert (settings.api_address, settings.token_address) == ("https://a.example/x", "https://t.example/t")


async def test_one_address_does_not_make_up_for_the_other(tenant: Bench) -> None:
    with pytest.raises(DiagnosticError) as caught:
        tenant.process(token_url=None)
    assert {"NEXTHINK_INSTANCE", "NEXTHINK_REGION"} <= {
        word.rstrip(".") for said in caught.value.diagnostics for word in said.detail.split()
    }
