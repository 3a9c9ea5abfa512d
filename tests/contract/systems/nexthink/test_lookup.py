"""Workflows and lists of them as data sources, against the simulated tenant."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import DiagnosticError
from provider_py.sandbox.nexthink import WORKFLOWS
from provider_py.systems.nexthink import workflow, workflows
from provider_py.systems.nexthink.workflow import NexthinkWorkflow
from provider_py.systems.nexthink.workflows import NexthinkWorkflows
from tests.support.site import Process


async def read(process: Process, name: str) -> NexthinkWorkflow:
    return await workflow.read(process.connection("nexthink"), NexthinkWorkflow(workflow=name))


async def list_ids(process: Process, **filters: Any) -> list[str]:
    state = await workflows.read(process.connection("nexthink"), NexthinkWorkflows(**filters))
    return [str(details.id) for details in state.workflows or []]


def queries(process: Process) -> list[dict[str, str]]:
    """Return the queries of the list requests."""
    return [request.query for request in process.site.received("/api/v1/workflows")]


@pytest.mark.parametrize("name", ["#install_software", "install_software"])
@pytest.mark.parametrize("shape", ["array", "object"])
async def test_workflow_is_found_with_and_without_number_sign(process: Process, name: str, shape: str) -> None:
    process.site.set_behaviors("nexthink", details_shape=shape)
    state = await read(process, name)
    assert (state.workflow, state.id, state.name, state.status) == (
        name,
        "#install_software",
        "Install software",
        "ACTIVE",
    )
    (request,) = process.site.received("/details")
    assert request.query == {"nqlId": name}
    assert state.updated_at == "2025-06-02T08:15:30+00:00"
    assert state.trigger_methods is not None
    assert (state.trigger_methods.api, state.trigger_methods.scheduler, state.trigger_methods.event) == (
        True,
        False,
        None,
    )
    assert [(version.version, version.status) for version in state.versions or []] == [
        (1, "INACTIVE"),
        (2, "ACTIVE"),
        (3, "DRAFT"),
    ]
    active = (state.versions or [])[1]
    assert (active.has_device, active.has_user, active.valid) == (True, True, True)
    assert [(param.id, param.allow_custom_value, param.options) for param in active.parameters or []] == [
        ("package", True, None),
        ("channel", True, ["stable", "beta"]),
    ]


async def test_omitted_fields_are_null(process: Process) -> None:
    process.site.set_behaviors("nexthink", id_form="bare")
    state = await read(process, "#reboot_device")
    assert (state.id, state.description) == ("reboot_device", None)


async def test_unknown_workflow_is_reported(process: Process) -> None:
    with pytest.raises(DiagnosticError, match="#nothing") as caught:
        await read(process, "#nothing")
    assert caught.value.diagnostics[0].path == ("workflow",)


async def test_list_without_filters_takes_one_request(process: Process) -> None:
    assert await list_ids(process) == [workflow.id for workflow in WORKFLOWS]
    assert queries(process) == [{}]


async def test_each_pair_is_requested_if_filters_are_required(process: Process) -> None:
    process.site.set_behaviors("nexthink", strict_published=True)
    assert sorted(await list_ids(process)) == sorted(workflow.id for workflow in WORKFLOWS)
    assert len(queries(process)) == 17
    assert len({(query.get("dependency"), query.get("triggerMethod")) for query in queries(process)}) == 17


async def test_both_filters_take_one_request(process: Process) -> None:
    assert await list_ids(process, dependency="DEVICE", trigger_method="API", active_only=True) == ["#reboot_device"]
    assert queries(process) == [{"dependency": "DEVICE", "triggerMethod": "API", "fetchOnlyActiveWorkflows": "true"}]


async def test_one_filter_is_combined_with_each_value_of_the_other(process: Process) -> None:
    assert await list_ids(process, dependency="USER") == ["#notify_user"]
    assert sorted(query["triggerMethod"] for query in queries(process)) == [
        "API",
        "MANUAL",
        "MANUAL_MULTIPLE",
        "SCHEDULER",
    ]
    assert "#manual_reinstall" not in await list_ids(process, trigger_method="API")


async def test_active_only_excludes_inactive_workflows(process: Process) -> None:
    assert "#retired_cleanup" in await list_ids(process)
    assert "#retired_cleanup" not in await list_ids(process, active_only=True)
