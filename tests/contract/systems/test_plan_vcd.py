"""What a plan finds about a Cloud Director execution before anything is started, and what a start is sent."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.plugin import Severity
from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.systems.vcd.execution import VcdExecution
from tests.contract.systems.driving import Driver, driving, only, simple

ONBOARD = next(each for each in WORKFLOWS if each.name == "Onboard tenant")
ROTATE = [each for each in WORKFLOWS if each.name == "Rotate keys"]


def onboard(**arguments: Any) -> VcdExecution:
    named = {"workflow": "Onboard tenant", "parameters": {"vmName": "web-1"}}
    return VcdExecution(**(named | arguments))


def endpoint(**parameters: Any) -> VcdExecution:
    needed = {"vm": "vm-42"} | parameters
    return VcdExecution(
        workflow="Configure endpoint",
        parameters=needed,
        sensitive_parameters={"password": "hunter2-secret"},
        sensitive_parameters_version="1",
    )


EVERYTHING = endpoint(
    start="2026-01-31T12:00:00Z",
    options={"mode": "strict", "retries": 3},
    manifest={"name": "a.txt", "mime_type": "text/plain", "content": "aGk="},
    endpoint={"host": "h", "port": 443},
    pattern="^a.*$",
    licence="x1y2",
    ports=[80, 443],
    hint="any",
)


@pytest.mark.parametrize(
    "config",
    [
        onboard(),
        onboard(parameters={"vmName": "web-1", "size": 2, "notify": True, "tags": ["a", "b"]}),
        onboard(parameters={"vmName": "web-1", "size": "2", "notify": "true", "tags": []}),
        onboard(parameters={"vmName": "web-1", "size": None}),
        onboard(workflow=None, workflow_id=ONBOARD.item_id),
        onboard(workflow=None, workflow_id=ONBOARD.item_uuid),
        onboard(workflow=None, workflow_id=ONBOARD.vro_id),
        onboard(parameters=None, sensitive_parameters={"vmName": "web-1"}, sensitive_parameters_version="1"),
        simple("vcd", workflow="Report 130"),
        simple("vcd"),
        EVERYTHING,
    ],
)
async def test_what_can_be_started_is_found_good_and_starts(driver: Driver, config: VcdExecution) -> None:
    assert await driver.plan(config) == ()
    assert driver.runs() == []
    state = await driver.started(config)
    assert driver.runs()[0].id == state.id


@pytest.mark.parametrize(
    ("config", "path", "words"),
    [
        (onboard(workflow="Onbord tenant"), ("workflow",), ["'Onbord tenant'", "'Onboard tenant'"]),
        (onboard(workflow="onboard tenant"), ("workflow",), ["'Onboard tenant'"]),
        (onboard(workflow=None, workflow_id="w-1"), ("workflow_id",), ["'w-1'", "published"]),
        (simple("vcd", workflow="Rotate keys"), ("workflow",), ["2 workflows", *(each.item_id for each in ROTATE)]),
        (onboard(parameters={}), ("parameters",), ["needs a value for: vmName"]),
        (onboard(parameters={"vmName": None}), ("parameters",), ["needs a value for: vmName"]),
        (
            onboard(parameters={"vmName": "web-1", "szie": 2}),
            ("parameters",),
            ["'szie'", "Did you mean 'size'?", "notify, size, tags, vmName"],
        ),
        (
            onboard(parameters={"vmName": "web-1", "size": "two"}),
            ("parameters",),
            ["'size'", "number", '"two" is not a number'],
        ),
        (onboard(parameters={"vmName": "web-1", "tags": "a"}), ("parameters",), ["'tags'", "write a list"]),
        (endpoint(start="tomorrow"), ("parameters",), ["'start'", "Date", "RFC 3339"]),
        (endpoint(endpoint={"hots": "h"}), ("parameters",), ['has no field "hots"']),
    ],
)
async def test_what_cannot_be_started_is_told_at_its_attribute(
    driver: Driver, config: VcdExecution, path: tuple[str, ...], words: list[str]
) -> None:
    said = await driver.plan(config)
    text = only(said, Severity.ERROR)
    assert said[0].path == path
    for word in words:
        assert word in text
    assert driver.runs() == []
    assert driver.starts("vcd") == []


async def test_every_finding_is_told_at_once(driver: Driver) -> None:
    said = await driver.plan(onboard(parameters={"size": "two", "nonsense": 1}))
    assert len(said) == 3


async def test_a_sensitive_value_is_not_echoed(driver: Driver) -> None:
    config = onboard(sensitive_parameters={"size": "hunter2-secret"}, sensitive_parameters_version="1")
    said = await driver.plan(config)
    text = only(said, Severity.ERROR)
    assert said[0].path == ("sensitive_parameters",)
    assert "'size'" in text
    assert "hunter2-secret" not in text


async def test_nothing_is_concluded_from_parameters_that_are_not_known_yet(driver: Driver) -> None:
    assert await driver.plan(onboard(parameters=None), "parameters") == ()
    assert await driver.plan(onboard(workflow=None), "workflow") == ()


async def test_parameters_are_sent_with_the_declared_types(driver: Driver) -> None:
    await driver.started(onboard(parameters={"vmName": "web-1", "size": 2, "notify": True, "tags": ["a"]}))
    (start,) = driver.starts("vcd")
    assert start.body == {
        "parameters": [
            {
                "name": "vmName",
                "type": "string",
                "scope": "local",
                "value": {"inputType": "StringParam", "value": "web-1"},
            },
            {"name": "size", "type": "number", "scope": "local", "value": {"inputType": "NumberParam", "value": 2}},
            {
                "name": "notify",
                "type": "boolean",
                "scope": "local",
                "value": {"inputType": "BooleanParam", "value": True},
            },
            {
                "name": "tags",
                "type": "Array/string",
                "scope": "local",
                "value": {"inputType": "ArrayParam", "value": [{"inputType": "StringParam", "value": "a"}]},
            },
        ]
    }


@pytest.mark.parametrize("presentation", ["untyped", "full"])
async def test_types_are_taken_from_values_where_cloud_director_is_silent(driver: Driver, presentation: str) -> None:
    driver.sandbox.world.behaviors.change({"vcd": {"presentation": presentation}})
    config = onboard(parameters={"vmName": "web-1", "size": 2, "notify": True, "tags": ["a"]})
    assert await driver.plan(config) == ()
    state = await driver.started(config)
    assert driver.runs()[0].id == state.id


async def test_types_may_be_named_where_cloud_director_is_silent(driver: Driver) -> None:
    driver.sandbox.world.behaviors.change({"vcd": {"presentation": "untyped"}})
    config = VcdExecution(
        workflow="Configure endpoint",
        parameters={"vm": "vm-42", "start": "2026-01-31T12:00:00Z"},
        parameter_types={"vm": "VC:VirtualMachine", "start": "Date", "password": "SecureString"},
        sensitive_parameters={"password": "hunter2"},
        sensitive_parameters_version="1",
    )
    assert await driver.plan(config) == ()
    await driver.started(config)
    assert len(driver.runs()) == 1


@pytest.mark.parametrize("name", ["O'Brien's", 'say "hi"', "a;b", "a,b", "a==b", "(x)", "Größe 1", "日本", "%41", "*"])
async def test_a_name_in_any_letters_is_looked_up(driver: Driver, name: str) -> None:
    said = await driver.plan(simple("vcd", workflow=name))
    only(said, Severity.ERROR)
    assert said[0].path == ("workflow",)
    asked = [each.query.get("filter") for each in driver.requests if each.path == "/cloudapi/serviceItem"]
    assert all(each.status == 200 for each in driver.requests)
    assert asked
    for unsafe in ";,()*%'\"":
        assert not any(unsafe in (each or "") for each in asked)


async def test_a_version_that_the_server_does_not_speak_is_told(
    served: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCD_API_VERSION", "99.0")
    async with driving(served) as driver:
        text = only(await driver.plan(simple("vcd")), Severity.ERROR)
        assert "vcd.api_version" in text
        assert "37.2" in text


@pytest.mark.parametrize("answer", ["plain", "location_task", "task_header", "location_execution"])
async def test_however_a_start_is_answered_the_run_is_found(driver: Driver, answer: str) -> None:
    driver.sandbox.world.behaviors.change({"vcd": {"start_answer": answer}})
    applied = await driver.create(simple("vcd"))
    assert applied.state.status == "completed"
    assert bool(applied.state.task_url) is (answer in {"location_task", "task_header"})


@pytest.mark.parametrize("behaviours", [{"missing": "403"}, {"date_form": "short"}, {"session_outputs": False}])
async def test_other_habits_of_the_server_make_no_difference(driver: Driver, behaviours: dict[str, object]) -> None:
    driver.sandbox.world.behaviors.change({"vcd": behaviours})
    answer = await driver.create(onboard())
    assert list(answer.diagnostics) == []
    assert set(answer.state.outputs) == {"vmId", "ready", "addresses"}
    assert answer.state.ended_at.endswith("Z")


async def test_a_workflow_that_may_not_be_run_is_told(driver: Driver) -> None:
    answer = await driver.create(simple("vcd", workflow="Restricted maintenance"))
    text = only(answer.diagnostics, Severity.ERROR)
    assert "may not run the workflow 'Restricted maintenance'" in text
    assert answer.state is None
    assert driver.runs() == []
