"""The data sources: one workflow with its parameters, and the list of workflows."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.sandbox.vcd.library import REPORTS, WORKFLOWS
from provider_py.systems.vcd import workflow, workflows
from provider_py.systems.vcd.workflow import VcdWorkflow
from provider_py.systems.vcd.workflows import VcdWorkflows
from tests.contract.systems.vcd.conftest import Life

ONBOARD, CONFIGURE = WORKFLOWS[:2]


async def found(life: Life, **arguments: Any) -> VcdWorkflow:
    return await workflow.read(life.director, VcdWorkflow(**arguments))


async def listed(life: Life, **arguments: Any) -> list[str | None]:
    answer = await workflows.read(life.director, VcdWorkflows(**arguments))
    return [each.name for each in answer.workflows or []]


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
async def test_a_workflow_by_name_and_every_id(life: Life, strict: str, arguments: dict[str, str]) -> None:
    life.behave(workflow_ids=strict)
    answer = await found(life, **arguments)
    assert (answer.id, answer.name, answer.orchestrator_id) == (ONBOARD.item_id, ONBOARD.name, ONBOARD.vro_id)
    assert (answer.service_name, answer.can_execute) == (ONBOARD.service, True)
    assert answer.description == ONBOARD.description
    assert [(each.name, each.type, each.mandatory) for each in answer.parameters or []] == [
        ("vmName", "string", True),
        ("size", "number", False),
        ("notify", "boolean", False),
        ("tags", "Array/string", False),
    ]
    assert [(each.name, each.type) for each in answer.outputs or []] == [
        ("vmId", "string"),
        ("ready", "boolean"),
        ("addresses", "Array/string"),
    ]
    assert {name: getattr(answer, name) for name in ("workflow", "workflow_id")} == {
        "workflow": None,
        "workflow_id": None,
        **arguments,
    }


@pytest.mark.parametrize("presentation", ["untyped", "absent"])
async def test_a_presentation_that_is_silent(life: Life, presentation: str) -> None:
    life.behave(presentation=presentation)
    answer = await found(life, workflow=CONFIGURE.name)
    assert (answer.parameters is None) is (presentation == "absent")
    assert answer.id == CONFIGURE.item_id


async def test_the_list_is_read_to_its_end_and_sorted(life: Life) -> None:
    names = await listed(life)
    assert names == sorted(each.name for each in WORKFLOWS)
    assert len(names) > REPORTS


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"name": "Onboard tenant"}, ["Onboard tenant"]),
        ({"name": "Rotate *"}, ["Rotate keys", "Rotate keys"]),
        ({"name": "*keys", "service_name": "Backup services"}, ["Rotate keys"]),
        ({"name": "Report ??1"}, []),
        ({"name": "[O]nboard*"}, []),
        ({"service_name": "backup services"}, []),
    ],
)
async def test_filters(life: Life, arguments: dict[str, str], wanted: list[str]) -> None:
    assert await listed(life, **arguments) == wanted


async def test_what_may_not_be_run_is_listed_as_such(life: Life) -> None:
    answer = await workflows.read(life.director, VcdWorkflows(name="Restricted*"))
    assert [each.can_execute for each in answer.workflows or []] == [False]


async def test_look_ups_are_asked_once(life: Life) -> None:
    for _ in range(3):
        await found(life, workflow=ONBOARD.name)
    assert len(life.asked("GET", "/serviceItem")) == 1
    assert len(life.asked("GET", "/presentation")) == 1
