"""What a plan reports about a Cloud Director execution before anything is started, and what a start sends."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.execution import SystemFault
from provider_py.plugin import Diagnostic, DiagnosticError, Severity, format_path
from provider_py.plugin.validation import validate_config
from provider_py.plugin.values import Typed
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.systems.vcd import execution, workflow, workflows
from provider_py.systems.vcd.execution import VcdExecution
from tests.support.site import Process
from tests.support.systems import texts

COPY, ONBOARD = "Copy values", "Onboard tenant"
ONBOARD_ITEM = next(item for item in WORKFLOWS if item.name == ONBOARD)
ROTATE_IDS = [item.item_id for item in WORKFLOWS if item.name == "Rotate keys"]
VALID: dict[str, Any] = {"workflow": ONBOARD, "parameters": {"vmName": "web-1"}}
ALL_PARAMETERS = {"vmName": "web-1", "size": 2, "notify": True, "tags": ["a"]}
LONG = "x" * 20_000


def onboard(**parameters: Any) -> dict[str, Any]:
    return VALID | {"parameters": VALID["parameters"] | parameters}


def copy(name: str, value: object, **arguments: Any) -> dict[str, Any]:
    return {"workflow": COPY, "parameters": {name: value}, **arguments}


def endpoint(**parameters: Any) -> dict[str, Any]:
    return {
        "workflow": "Configure endpoint",
        "parameters": {"vm": "vm-42", **parameters},
        "sensitive_parameters": {"password": "hunter2-secret"},
        "sensitive_parameters_version": "1",
    }


EVERY_TYPE = endpoint(
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
    "arguments",
    [
        VALID,
        onboard(size=2, notify=True, tags=["a", "b"]),
        onboard(size="2", notify="true", tags=[]),
        onboard(size=None),
        VALID | {"workflow": None, "workflow_id": ONBOARD_ITEM.item_id},
        VALID | {"workflow": None, "workflow_id": ONBOARD_ITEM.item_uuid},
        VALID | {"workflow": None, "workflow_id": ONBOARD_ITEM.vro_id},
        {"workflow": ONBOARD, "sensitive_parameters": {"vmName": "web-1"}, "sensitive_parameters_version": "1"},
        {"workflow": "Report 130"},
        {"workflow": "Refresh inventory"},
        EVERY_TYPE,
    ],
)
async def test_a_valid_configuration_passes_the_plan_and_starts(process: Process, arguments: dict[str, Any]) -> None:
    assert await process.plan(VcdExecution(**arguments)) == ()
    assert process.site.runs("vcd") == []
    state = await process.created(VcdExecution(**arguments, wait=False))
    assert process.site.runs("vcd")[0].id == state.id


@pytest.mark.parametrize(
    ("arguments", "path", "words"),
    [
        ({"workflow": "Onbord tenant"}, "workflow", ["'Onbord tenant'", "'Onboard tenant'"]),
        ({"workflow": "Onboard Tenant"}, "workflow", ["'Onboard tenant'"]),
        ({"workflow": "onboard tenant"}, "workflow", ["'Onboard tenant'"]),
        ({"workflow": "onboard"}, "workflow", ["Unknown Cloud Director workflow 'onboard'"]),
        ({"workflow": "Onboard*"}, "workflow", ["'Onboard*'"]),
        ({"workflow": "*"}, "workflow", ["'*'"]),
        ({"workflow": "日本語"}, "workflow", ["'日本語'"]),
        ({"workflow": "a,b;name==Onboard tenant"}, "workflow", ["Unknown"]),
        ({"workflow": "../../sessions/current?x=1#y"}, "workflow", ["Unknown"]),
        ({"workflow": LONG}, "workflow", ["Unknown"]),
        ({"workflow": "Rotate keys"}, "workflow", ["Ambiguous", "2 workflows", *ROTATE_IDS]),
        ({"workflow": "Restricted maintenance"}, "workflow", ["may not run the workflow 'Restricted maintenance'"]),
        ({"workflow_id": "w-1"}, "workflow_id", ["Unknown Cloud Director workflow 'w-1'", "published"]),
        ({"workflow_id": "00000000-0000-4000-8000-000000000000"}, "workflow_id", ["Unknown Cloud Director workflow"]),
        (
            {"workflow_id": "urn:vcloud:serviceItem:00000000-0000-4000-8000-000000000000"},
            "workflow_id",
            ["Unknown Cloud Director workflow"],
        ),
        ({"workflow_id": ONBOARD.replace(" ", "_")}, "workflow_id", ["Unknown Cloud Director workflow"]),
        (onboard(siez=2), "parameters", ["Did you mean 'size'?"]),
        (onboard(szie=2), "parameters", ["'szie'", "Did you mean 'size'?", "notify, size, tags, vmName"]),
        (onboard(SIZE=2), "parameters", ["has no parameter 'SIZE'"]),
        (onboard(größe=2), "parameters", ["'größe'"]),
        (onboard(**{LONG: 2}), "parameters", ["has no parameter"]),
        (onboard(_vcd_sessionToken="t"), "parameters", ["Cloud Director's own"]),
        (VALID | {"parameters": {}}, "parameters", ["needs a value for: vmName"]),
        (VALID | {"parameters": None}, "parameters", ["needs a value for: vmName"]),
        (VALID | {"parameters": {"vmName": None}}, "parameters", ["needs a value for: vmName"]),
        (VALID | {"parameters": {"vmName": ["web-1"]}}, "parameters", ["vmName: a list is not a string"]),
        (onboard(size="two"), "parameters", ["'size'", "of type number", '"two" is not a number']),
        (onboard(tags="a"), "parameters", ["'tags'", "write a list"]),
        (endpoint(start="tomorrow"), "parameters", ["'start'", "Date", "RFC 3339"]),
        (endpoint(endpoint={"hots": "h"}), "parameters", ['has no field "hots"']),
        (copy("number", "two"), "parameters", ['number: "two" is not a number']),
        (copy("number", {}), "parameters", ["an object is not a number"]),
        (copy("number", 2**53 + 1), "parameters", ["more than Orchestrator's numbers hold"]),
        (copy("flag", "yes"), "parameters", ["write true or false"]),
        (copy("moment", "2026-01-31"), "parameters", ["write RFC 3339"]),
        (copy("file", "a.txt"), "parameters", ["is not a MimeAttachment"]),
        (copy("file", {"content": "ä"}), "parameters", ["is not Base64"]),
        (copy("vm", ""), "parameters", ["write its ID"]),
        (copy("list", "a"), "parameters", ["write a list"]),
        (copy("list", ["a", None]), "parameters", ["list[1] is null"]),
        (copy("machines", ["vm-1", 2]), "parameters", ["machines[1]: a number is not a reference"]),
        (copy("options", ["a"]), "parameters", ["is not of type Properties"]),
        (copy("endpoint", {"host": "h", "prot": 1}), "parameters", ['has no field "prot"']),
        (copy("endpoints", [{"port": "x"}]), "parameters", ['endpoints[0].port: "x" is not a number']),
        (copy("text", "a", parameter_types={"txet": "string"}), 'parameter_types["txet"]', ["is not set"]),
        (copy("text", "a", parameter_types={"text": "number"}), "parameters", ['"a" is not a number']),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_an_invalid_configuration_is_reported_on_its_attribute(
    process: Process, arguments: dict[str, Any], path: str, words: list[str]
) -> None:
    problems = await process.plan(VcdExecution(**arguments))
    assert [(format_path(problem.path), problem.severity) for problem in problems] == [(path, Severity.ERROR)]
    for expected in words:
        assert expected in texts(problems)
    result = await process.create(VcdExecution(**arguments))
    assert result.state is None
    assert {problem.severity for problem in result.diagnostics} == {Severity.ERROR}
    assert process.site.received("/executions", "POST") == []
    assert process.site.runs("vcd") == []


async def test_all_problems_are_reported_at_once(process: Process) -> None:
    problems = await process.plan(VcdExecution(workflow=ONBOARD, parameters={"size": "big", "nmae": 1, "tags": "a"}))
    assert [problem.summary for problem in problems] == [
        "Unknown workflow parameter 'nmae'",
        "Missing required workflow parameter",
        "Invalid value of workflow parameter 'size', of type number",
        "Invalid value of workflow parameter 'tags', of type Array/string",
    ]


@pytest.mark.parametrize(("arguments", "name"), [({"workflow": COPY}, "number"), (VALID, "size")])
async def test_an_invalid_secret_is_not_shown(process: Process, arguments: dict[str, Any], name: str) -> None:
    secret: dict[str, Any] = {"sensitive_parameters": {name: "hunter2"}, "sensitive_parameters_version": "1"}
    (problem,) = await process.plan(VcdExecution(**arguments, **secret))
    assert problem.severity is Severity.ERROR
    assert format_path(problem.path) == "sensitive_parameters"
    assert f"'{name}'" in problem.summary
    assert "hunter2" not in texts([problem])


@pytest.mark.parametrize("unknown", ["parameters", "parameter_types", "sensitive_parameters"])
async def test_unknown_parameters_are_not_checked(process: Process, unknown: str) -> None:
    assert await process.plan(VcdExecution(workflow=ONBOARD), unknown) == ()
    problems = await process.plan(VcdExecution(workflow="No such"), unknown)
    assert [problem.path for problem in problems] == [("workflow",)]


@pytest.mark.parametrize("unknown", ["workflow", "workflow_id"])
async def test_an_unknown_workflow_is_not_looked_up(process: Process, unknown: str) -> None:
    assert await process.plan(VcdExecution(parameters={"a": 1}), unknown) == ()
    assert process.site.requests == []


@pytest.mark.parametrize("name", ["O'Brien's", 'say "hi"', "a;b", "a,b", "a==b", "(x)", "Größe 1", "日本", "%41", "*"])
async def test_a_name_with_special_characters_is_not_put_into_a_filter(process: Process, name: str) -> None:
    (problem,) = await process.plan(VcdExecution(workflow=name))
    assert (problem.path, problem.severity) == (("workflow",), Severity.ERROR)
    lists = process.site.received("/cloudapi/serviceItem", "GET")
    assert all(request.status == 200 for request in process.site.requests)
    assert lists
    assert not set(";,()*%'\"") & set("".join(request.query.get("filter") or "" for request in lists))


async def test_an_error_of_the_server_is_quoted(process: Process) -> None:
    process.site.set_behaviors("vcd", presentation="absent")
    result = await process.create(VcdExecution(workflow=ONBOARD, parameters={"vmNmae": "w"}))
    assert result.state is None
    assert "has no parameter vmNmae" in result.diagnostics[0].detail


async def test_parameters_are_sent_with_their_declared_types(process: Process) -> None:
    await process.created(VcdExecution(workflow=ONBOARD, parameters=ALL_PARAMETERS, wait=False))
    (start,) = process.site.received("/executions", "POST")
    tag = {"inputType": "StringParam", "value": "a"}
    assert start.body == {
        "parameters": [
            {"name": name, "type": type_, "scope": "local", "value": {"inputType": input_type, "value": value}}
            for name, type_, input_type, value in (
                ("vmName", "string", "StringParam", "web-1"),
                ("size", "number", "NumberParam", 2),
                ("notify", "boolean", "BooleanParam", True),
                ("tags", "Array/string", "ArrayParam", [tag]),
            )
        ]
    }


@pytest.mark.parametrize("presentation", ["untyped", "full"])
@pytest.mark.parametrize(
    "arguments",
    [
        {"workflow": ONBOARD, "parameters": ALL_PARAMETERS},
        endpoint(start="2026-01-31T12:00:00Z")
        | {"parameter_types": {"vm": "VC:VirtualMachine", "start": "Date", "password": "SecureString"}},
    ],
    ids=["inferred", "configured"],
)
async def test_undeclared_types_are_inferred_or_configured(
    process: Process, presentation: str, arguments: dict[str, Any]
) -> None:
    process.site.set_behaviors("vcd", presentation=presentation)
    assert await process.plan(VcdExecution(**arguments)) == ()
    state = await process.created(VcdExecution(**arguments, wait=False))
    assert [run.id for run in process.site.runs("vcd")] == [state.id]


def validate_offline(type_: Any, **configuration: object) -> list[Diagnostic]:
    """Check a configuration as `terraform validate` does."""
    return list(validate_config(type_, configuration))


def dynamic(value: object, notation: str = '"string"') -> Typed:
    return Typed(notation, value)


@pytest.mark.parametrize(
    ("configuration", "path"),
    [
        ({}, "workflow"),
        ({"workflow": ""}, "workflow"),
        ({"workflow": " \t"}, "workflow"),
        ({"workflow": "a", "workflow_id": "b"}, "workflow_id"),
        ({"workflow_id": ""}, "workflow_id"),
        ({"workflow_id": ONBOARD}, "workflow_id"),
        ({"workflow_id": "urn:vcloud:serviceItem:"}, "workflow_id"),
        ({"workflow_id": "urn:vcloud:serviceItem:not-a-uuid"}, "workflow_id"),
        ({"workflow_id": "urn:vcloud:catalogItem:00000000-0000-4000-8000-000000000000"}, "workflow_id"),
        ({"workflow_id": "URN:VCLOUD:SERVICEITEM:00000000-0000-4000-8000-000000000000"}, "workflow_id"),
        ({"workflow_id": "a/b"}, "workflow_id"),
        ({"workflow_id": "../sessions"}, "workflow_id"),
        ({"workflow_id": "größe"}, "workflow_id"),
        ({"workflow_id": "x" * 129}, "workflow_id"),
        ({"workflow_id": "https://vcd.example.com/cloudapi/workflows/w"}, "workflow_id"),
        ({"workflow": "a", "parameters": dynamic("text")}, "parameters"),
        ({"workflow": "a", "parameters": dynamic(True, '"bool"')}, "parameters"),
        ({"workflow": "a", "parameters": dynamic(["a"], '["tuple",["string"]]')}, "parameters"),
        ({"workflow": "a", "parameter_types": {"a": "Strnig"}}, 'parameter_types["a"]'),
        ({"workflow": "a", "parameter_types": {"a": ""}}, 'parameter_types["a"]'),
        ({"workflow": "a", "parameter_types": {"a": None}}, 'parameter_types["a"]'),
        ({"workflow": "a", "parameter_types": {"a": "CompositeType(a)"}}, 'parameter_types["a"]'),
        ({"workflow": "a", "sensitive_parameters_version": "1"}, "sensitive_parameters"),
        ({"workflow": "a", "on_failure": "ignore"}, "on_failure"),
        ({"workflow": "a", "on_destroy": "delete"}, "on_destroy"),
        ({"workflow": "a", "poll_interval": "5"}, "poll_interval"),
        ({"workflow": "a", "timeouts": {"create": "soon"}}, "timeouts.create"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_execution_is_reported_offline(configuration: dict[str, Any], path: str) -> None:
    problems = validate_offline(execution.TYPE, **configuration)
    assert path in {format_path(problem.path) for problem in problems}
    assert all(problem.detail for problem in problems)


@pytest.mark.parametrize(
    "identifier",
    [identifier for item in WORKFLOWS[:2] for identifier in (item.item_id, item.item_uuid, item.vro_id)]
    + ["BD80808080808080808080808080808080808080012345", "C0FFEE"],
)
def test_every_form_of_workflow_id_is_valid(identifier: str) -> None:
    assert validate_offline(execution.TYPE, workflow_id=identifier) == []
    assert execution.TYPE.import_key(f"{identifier}/e-1") == f"{identifier}/e-1"


@pytest.mark.parametrize(
    "identifier", ["", "/", "w", "w/", "/e", "w/e/f", "w e/f", "urn:vcloud:vm:1/e", "w/é", "w/e\n", "w/../e", "w/e?x"]
)
async def test_a_malformed_import_id_is_reported(process: Process, identifier: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        await process.execution("vcd").import_state(identifier)
    assert "<workflow id>/<execution id>" in caught.value.diagnostics[0].detail
    assert process.site.requests == []


@pytest.mark.parametrize("missing", ["404", "403"])
@pytest.mark.parametrize("identifier", ["w/e", f"{WORKFLOWS[0].item_id}/e", f"{WORKFLOWS[0].vro_id}/e"])
async def test_an_execution_that_does_not_exist_is_not_imported(
    process: Process, missing: str, identifier: str
) -> None:
    process.site.set_behaviors("vcd", missing=missing)
    with pytest.raises(DiagnosticError):
        await process.execution("vcd").import_state(identifier)


@pytest.mark.parametrize(
    ("configuration", "path"),
    [
        ({}, "workflow"),
        ({"workflow": "a", "workflow_id": "b"}, "workflow_id"),
        ({"workflow": ""}, "workflow"),
        ({"workflow_id": "a b"}, "workflow_id"),
    ],
)
def test_a_lookup_requires_one_name_or_id(configuration: dict[str, Any], path: str) -> None:
    problems = validate_offline(workflow.TYPE, **configuration)
    assert [format_path(problem.path) for problem in problems] == [path]


@pytest.mark.parametrize("configuration", [{"name": ""}, {"service_name": " "}])
def test_an_empty_filter_is_invalid(configuration: dict[str, Any]) -> None:
    problems = validate_offline(workflows.TYPE, **configuration)
    assert [format_path(problem.path) for problem in problems] == list(configuration)


async def test_a_lookup_that_finds_nothing_is_reported(process: Process) -> None:
    with pytest.raises(DiagnosticError, match="Unknown Cloud Director workflow 'No such'"):
        await workflow.read(process.connection("vcd"), workflow.VcdWorkflow(workflow="No such"))
    listed = await workflows.read(process.connection("vcd"), workflows.VcdWorkflows(name="No such*"))
    assert listed.workflows == []


async def test_a_forbidden_lookup_is_reported(process: Process) -> None:
    process.site.set_behaviors("vcd", missing="403")
    with pytest.raises((DiagnosticError, SystemFault)):
        await workflow.read(process.connection("vcd"), workflow.VcdWorkflow(workflow_id="no-such"))
