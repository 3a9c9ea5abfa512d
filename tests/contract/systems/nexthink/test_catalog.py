"""Workflows as data sources, against the simulated tenant."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import DiagnosticError
from provider_py.sandbox.nexthink.tenant import WORKFLOWS
from provider_py.systems.nexthink import workflow, workflows
from provider_py.systems.nexthink.workflow import NexthinkWorkflow
from provider_py.systems.nexthink.workflows import NexthinkWorkflows
from tests.support.nexthink import Bench


async def one(tenant: Bench, name: str) -> NexthinkWorkflow:
    return await workflow.read(tenant.nexthink, NexthinkWorkflow(workflow=name))


async def listed(tenant: Bench, **filters: Any) -> list[str]:
    found = await workflows.read(tenant.nexthink, NexthinkWorkflows(**filters))
    return [str(each.id) for each in found.workflows or []]


def lists(tenant: Bench) -> list[dict[str, str]]:
    """Return the queries of the lists that were asked for."""
    return [each.query for each in tenant.asked("/api/v1/workflows")]


@pytest.mark.parametrize("name", ["#install_software", "install_software"])
@pytest.mark.parametrize("shape", ["array", "object"])
async def test_a_workflow_with_and_without_its_sign(tenant: Bench, name: str, shape: str) -> None:
    tenant.world.behaviors.change({"nexthink": {"details_shape": shape}})
    found = await one(tenant, name)
    assert (found.workflow, found.id, found.name, found.status) == (
        name,
        "#install_software",
        "Install software",
        "ACTIVE",
    )
    (asked,) = tenant.asked("/details")
    assert asked.query == {"nqlId": name}
    assert found.updated_at == "2025-06-02T08:15:30+00:00"
    assert found.trigger_methods is not None
    assert (found.trigger_methods.api, found.trigger_methods.scheduler, found.trigger_methods.event) == (
        True,
        False,
        None,
    )
    assert [(each.version, each.status) for each in found.versions or []] == [
        (1, "INACTIVE"),
        (2, "ACTIVE"),
        (3, "DRAFT"),
    ]
    active = (found.versions or [])[1]
    assert (active.has_device, active.has_user, active.valid) == (True, True, True)
    assert [(each.id, each.allow_custom_value, each.options) for each in active.parameters or []] == [
        ("package", True, None),
        ("channel", True, ["stable", "beta"]),
    ]


async def test_what_nexthink_leaves_out_is_null(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"id_form": "bare"}})
    found = await one(tenant, "#reboot_device")
    assert (found.id, found.description) == ("reboot_device", None)


async def test_a_workflow_that_is_not_there(tenant: Bench) -> None:
    with pytest.raises(DiagnosticError, match="#nothing") as caught:
        await one(tenant, "#nothing")
    assert caught.value.diagnostics[0].path == ("workflow",)


async def test_all_workflows_take_one_call(tenant: Bench) -> None:
    assert await listed(tenant) == [each.id for each in WORKFLOWS]
    assert lists(tenant) == [{}]


async def test_a_tenant_that_demands_filters_is_asked_for_each_pair(tenant: Bench) -> None:
    tenant.world.behaviors.change({"nexthink": {"strict_published": True}})
    assert sorted(await listed(tenant)) == sorted(each.id for each in WORKFLOWS)
    asked = lists(tenant)
    assert len(asked) == 17
    assert len({(each.get("dependency"), each.get("triggerMethod")) for each in asked}) == 17


async def test_both_filters_take_one_call(tenant: Bench) -> None:
    assert await listed(tenant, dependency="DEVICE", trigger_method="API", active_only=True) == ["#reboot_device"]
    assert lists(tenant) == [{"dependency": "DEVICE", "triggerMethod": "API", "fetchOnlyActiveWorkflows": "true"}]


async def test_one_filter_is_joined_by_each_value_of_the_other(tenant: Bench) -> None:
    assert await listed(tenant, dependency="USER") == ["#notify_user"]
    assert sorted(each["triggerMethod"] for each in lists(tenant)) == ["API", "MANUAL", "MANUAL_MULTIPLE", "SCHEDULER"]
    assert "#manual_reinstall" not in await listed(tenant, trigger_method="API")


async def test_inactive_workflows_can_be_left_out(tenant: Bench) -> None:
    assert "#retired_cleanup" in await listed(tenant)
    assert "#retired_cleanup" not in await listed(tenant, active_only=True)
