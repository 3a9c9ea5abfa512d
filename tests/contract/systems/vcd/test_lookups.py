"""The data sources: one workflow with its parameters, and the list of workflows."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.sandbox.vcd.library import REPORTS, WORKFLOWS
from provider_py.systems.vcd import workflow, workflows
from provider_py.systems.vcd.workflow import VcdWorkflow
from provider_py.systems.vcd.workflows import VcdWorkflows
from tests.support.site import Process

ONBOARD, CONFIGURE = WORKFLOWS[:2]


async def look_up(process: Process, **arguments: Any) -> VcdWorkflow:
    return await workflow.read(process.connection("vcd"), VcdWorkflow(**arguments))


async def list_names(process: Process, **arguments: Any) -> list[str | None]:
    listed = await workflows.read(process.connection("vcd"), VcdWorkflows(**arguments))
    return [workflow.name for workflow in listed.workflows or []]


@pytest.mark.parametrize("strict", ["any", "urn"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"workflow": ONBOARD.name},
        {"workflow_id": ONBOARD.item_id},
        {"workflow_id": ONBOARD.item_uuid},
        {"workflow_id": ONBOARD.vro_id},
    ],
    ids=["name", "urn", "uuid", "orchestrator"],
)
async def test_a_workflow_is_looked_up_by_name_and_by_every_id(
    process: Process, strict: str, arguments: dict[str, str]
) -> None:
    process.site.set_behaviors("vcd", workflow_ids=strict)
    result = await look_up(process, **arguments)
    assert (result.id, result.name, result.orchestrator_id) == (ONBOARD.item_id, ONBOARD.name, ONBOARD.vro_id)
    assert (result.service_name, result.can_execute) == (ONBOARD.service, True)
    assert result.description == ONBOARD.description
    assert [(parameter.name, parameter.type, parameter.mandatory) for parameter in result.parameters or []] == [
        ("vmName", "string", True),
        ("size", "number", False),
        ("notify", "boolean", False),
        ("tags", "Array/string", False),
    ]
    assert [(output.name, output.type) for output in result.outputs or []] == [
        ("vmId", "string"),
        ("ready", "boolean"),
        ("addresses", "Array/string"),
    ]
    assert {name: getattr(result, name) for name in ("workflow", "workflow_id")} == {
        "workflow": None,
        "workflow_id": None,
        **arguments,
    }


@pytest.mark.parametrize("presentation", ["untyped", "absent"])
async def test_an_incomplete_presentation_leaves_parameters_null(process: Process, presentation: str) -> None:
    process.site.set_behaviors("vcd", presentation=presentation)
    result = await look_up(process, workflow=CONFIGURE.name)
    assert (result.parameters is None) is (presentation == "absent")
    assert result.id == CONFIGURE.item_id


async def test_all_pages_are_listed_and_sorted(process: Process) -> None:
    names = await list_names(process)
    assert names == sorted(item.name for item in WORKFLOWS)
    assert len(names) > REPORTS


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"name": "Onboard tenant"}, ["Onboard tenant"]),
        ({"name": "Rotate *"}, ["Rotate keys", "Rotate keys"]),
        ({"name": "*keys", "service_name": "Backup services"}, ["Rotate keys"]),
        ({"name": "Report ??1"}, []),
        ({"name": "[O]nboard*"}, []),
        ({"service_name": "backup services"}, []),
    ],
)
async def test_filters_select_workflows(process: Process, arguments: dict[str, str], expected: list[str]) -> None:
    assert await list_names(process, **arguments) == expected


async def test_a_restricted_workflow_is_listed_as_not_executable(process: Process) -> None:
    listed = await workflows.read(process.connection("vcd"), VcdWorkflows(name="Restricted*"))
    assert [workflow.can_execute for workflow in listed.workflows or []] == [False]


async def test_lookups_are_requested_once(process: Process) -> None:
    for _ in range(3):
        await look_up(process, workflow=ONBOARD.name)
    assert len(process.site.received("/serviceItem", "GET")) == 1
    assert len(process.site.received("/presentation", "GET")) == 1
