"""Mistakes, each as Terraform would bring it: an error on its attribute, nothing sent that starts a run."""

from __future__ import annotations

from typing import Any

import pytest

from provider_py.execution.errors import SystemFault
from provider_py.plugin import Decoded, Diagnostic, DiagnosticError, format_path
from provider_py.plugin.validation import validate_config
from provider_py.plugin.values import Typed
from provider_py.sandbox.vcd.library import WORKFLOWS
from provider_py.systems.vcd import workflow, workflows
from provider_py.systems.vcd.execution import KIND
from tests.contract.systems.vcd.conftest import Life

COPY, ONBOARD = "Copy values", "Onboard tenant"
RIGHT: dict[str, Any] = {"workflow": ONBOARD, "parameters": {"vmName": "web-1"}}
LONG = "x" * 20_000


def copied(name: str, value: object, **more: Any) -> dict[str, Any]:
    return {"workflow": COPY, "parameters": {name: value}, **more}


@pytest.mark.parametrize(
    ("arguments", "path", "words"),
    [
        ({"workflow": "Onboard Tenant"}, "workflow", "'Onboard tenant'"),
        ({"workflow": "onboard"}, "workflow", "Unknown Cloud Director workflow 'onboard'"),
        ({"workflow": "Onboard*"}, "workflow", "'Onboard*'"),
        ({"workflow": "*"}, "workflow", "'*'"),
        ({"workflow": "日本語"}, "workflow", "'日本語'"),
        ({"workflow": "a,b;name==Onboard tenant"}, "workflow", "Unknown"),
        ({"workflow": "../../sessions/current?x=1#y"}, "workflow", "Unknown"),
        ({"workflow": LONG}, "workflow", "Unknown"),
        ({"workflow": "Rotate keys"}, "workflow", "There are 2 workflows named"),
        ({"workflow": "Restricted maintenance"}, "workflow", "may not run"),
        ({"workflow_id": "00000000-0000-4000-8000-000000000000"}, "workflow_id", "There is no"),
        (
            {"workflow_id": "urn:vcloud:serviceItem:00000000-0000-4000-8000-000000000000"},
            "workflow_id",
            "There is no",
        ),
        ({"workflow_id": ONBOARD.replace(" ", "_")}, "workflow_id", "There is no"),
        (RIGHT | {"parameters": {"vmName": "w", "siez": 2}}, "parameters", "Did you mean 'size'?"),
        (RIGHT | {"parameters": {"vmName": "w", "SIZE": 2}}, "parameters", "has no parameter 'SIZE'"),
        (RIGHT | {"parameters": {"vmName": "w", "größe": 2}}, "parameters", "'größe'"),
        (RIGHT | {"parameters": {"vmName": "w", LONG: 2}}, "parameters", "has no parameter"),
        (RIGHT | {"parameters": {"vmName": "w", "_vcd_sessionToken": "t"}}, "parameters", "Cloud Director's own"),
        (RIGHT | {"parameters": {}}, "parameters", "needs a value for: vmName"),
        (RIGHT | {"parameters": None}, "parameters", "needs a value for: vmName"),
        (RIGHT | {"parameters": {"vmName": None}}, "parameters", "needs a value for: vmName"),
        (RIGHT | {"parameters": {"vmName": ["web-1"]}}, "parameters", "vmName: a list is not a text"),
        (copied("number", "two"), "parameters", 'number: "two" is not a number'),
        (copied("number", {}), "parameters", "an object is not a number"),
        (copied("number", 2**53 + 1), "parameters", "more than Orchestrator's numbers hold"),
        (copied("flag", "yes"), "parameters", "write true or false"),
        (copied("moment", "2026-01-31"), "parameters", "write RFC 3339"),
        (copied("file", "a.txt"), "parameters", "is not a MimeAttachment"),
        (copied("file", {"content": "ä"}), "parameters", "is not Base64"),
        (copied("vm", ""), "parameters", "write its id"),
        (copied("list", "a"), "parameters", "write a list"),
        (copied("list", ["a", None]), "parameters", "list[1] is null"),
        (copied("machines", ["vm-1", 2]), "parameters", "machines[1]: a number is not a reference"),
        (copied("options", ["a"]), "parameters", "is not of type Properties"),
        (copied("endpoint", {"host": "h", "prot": 1}), "parameters", 'has no field "prot"'),
        (copied("endpoints", [{"port": "x"}]), "parameters", 'endpoints[0].port: "x" is not a number'),
        (copied("text", "a", parameter_types={"txet": "string"}), 'parameter_types["txet"]', "not given"),
        (copied("text", "a", parameter_types={"text": "number"}), "parameters", '"a" is not a number'),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_cloud_director_knows_better_is_told_at_the_plan(
    life: Life, arguments: dict[str, Any], path: str, words: str
) -> None:
    said = (await life.plan(**arguments)).diagnostics
    assert [format_path(each.path) for each in said] == [path]
    assert words in f"{said[0].summary}\n{said[0].detail}"
    with pytest.raises(DiagnosticError):
        await life.create(**arguments)
    assert life.asked("POST", "/executions") == []


async def test_every_mistake_is_told_at_once(life: Life) -> None:
    said = (await life.plan(workflow=ONBOARD, parameters={"size": "big", "nmae": 1, "tags": "a"})).diagnostics
    assert [each.summary for each in said] == [
        "Workflow 'Onboard tenant' has no parameter 'nmae'",
        "Workflow 'Onboard tenant' needs a value for: vmName",
        "Parameter 'size' does not fit its type number",
        "Parameter 'tags' does not fit its type Array/string",
    ]


async def test_a_secret_that_does_not_fit_is_not_shown(life: Life) -> None:
    said = (await life.plan(workflow=COPY, sensitive_parameters={"number": "hunter2"})).diagnostics
    assert [format_path(each.path) for each in said] == ["sensitive_parameters"]
    assert "hunter2" not in f"{said[0].summary}{said[0].detail}"


@pytest.mark.parametrize("unknown", ["parameters", "parameter_types", "sensitive_parameters"])
async def test_what_is_not_known_yet_is_no_mistake(life: Life, unknown: str) -> None:
    assert (await life.plan([unknown], workflow=ONBOARD)).diagnostics == ()
    said = (await life.plan([unknown], workflow="No such")).diagnostics
    assert [each.path for each in said] == [("workflow",)]


@pytest.mark.parametrize("unknown", ["workflow", "workflow_id"])
async def test_a_workflow_that_is_not_known_yet_is_not_looked_up(life: Life, unknown: str) -> None:
    assert (await life.plan([unknown], parameters={"a": 1})).diagnostics == ()
    assert life.world.requests == []


async def test_a_server_that_knows_a_mistake_says_it_in_its_words(life: Life) -> None:
    life.behave(presentation="absent")
    answer = await life.create(workflow=ONBOARD, parameters={"vmNmae": "w"})
    assert answer.state is None
    assert "has no parameter vmNmae" in answer.diagnostics[0].detail


class Offline:
    """What Terraform's validation asks: the checks of single attributes, and those of several together."""

    def __init__(self, model: type[Any], validate: Any) -> None:
        self.model = model
        self._validate = validate

    def validate(self, config: Decoded[Any]) -> Any:
        """Validate attributes together."""
        return self._validate(config)


def offline(kind: Any, **given: object) -> list[Diagnostic]:
    """Validate a configuration as `terraform validate` does."""
    return list(validate_config(Offline(kind.model, kind.validate), given))


def dynamic(value: object, notation: str = '"string"') -> Typed:
    return Typed(notation, value)


@pytest.mark.parametrize(
    ("given", "path"),
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
def test_what_needs_no_server_is_told_by_validate(given: dict[str, Any], path: str) -> None:
    said = offline(KIND, **given)
    assert path in {format_path(each.path) for each in said}
    assert all(each.detail for each in said)


@pytest.mark.parametrize(
    "identifier",
    [each for item in WORKFLOWS[:2] for each in (item.item_id, item.item_uuid, item.vro_id)]
    + ["BD80808080808080808080808080808080808080012345", "C0FFEE"],
)
def test_every_form_of_id_is_taken(identifier: str) -> None:
    assert offline(KIND, workflow_id=identifier) == []
    assert KIND.import_key(f"{identifier}/e-1") == f"{identifier}/e-1"


@pytest.mark.parametrize(
    "identifier", ["", "/", "w", "w/", "/e", "w/e/f", "w e/f", "urn:vcloud:vm:1/e", "w/é", "w/e\n", "w/../e", "w/e?x"]
)
async def test_a_wrong_import_id_is_told(life: Life, identifier: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        await life.resource.import_state(identifier)
    assert "<workflow id>/<execution id>" in caught.value.diagnostics[0].detail
    assert life.world.requests == []


@pytest.mark.parametrize("missing", ["404", "403"])
@pytest.mark.parametrize("identifier", ["w/e", f"{WORKFLOWS[0].item_id}/e", f"{WORKFLOWS[0].vro_id}/e"])
async def test_what_is_not_there_is_not_imported(life: Life, missing: str, identifier: str) -> None:
    life.behave(missing=missing)
    with pytest.raises(DiagnosticError):
        await life.resource.import_state(identifier)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({}, "workflow"),
        ({"workflow": "a", "workflow_id": "b"}, "workflow_id"),
        ({"workflow": ""}, "workflow"),
        ({"workflow_id": "a b"}, "workflow_id"),
    ],
)
def test_a_look_up_needs_one_name_or_id(given: dict[str, Any], path: str) -> None:
    assert [format_path(each.path) for each in offline(workflow.KIND, **given)] == [path]


@pytest.mark.parametrize("given", [{"name": ""}, {"service_name": " "}])
def test_an_empty_filter_is_a_mistake(given: dict[str, Any]) -> None:
    assert [format_path(each.path) for each in offline(workflows.KIND, **given)] == list(given)


async def test_a_look_up_of_nothing_is_told(life: Life) -> None:
    with pytest.raises(DiagnosticError, match="Unknown Cloud Director workflow 'No such'"):
        await workflow.read(life.director, workflow.VcdWorkflow(workflow="No such"))
    listed = await workflows.read(life.director, workflows.VcdWorkflows(name="No such*"))
    assert listed.workflows == []


async def test_a_look_up_that_is_forbidden_is_told(life: Life) -> None:
    life.behave(missing="403")
    with pytest.raises((DiagnosticError, SystemFault)):
        await workflow.read(life.director, workflow.VcdWorkflow(workflow_id="no-such"))
