from __future__ import annotations

from typing import Any

import pytest
from nexthink_client.models import Workflow

from provider_py.plugin import Diagnostic, Severity
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.preflight import check_workflow
from provider_py.systems.nexthink.targets import Device, User


def workflow(triggers: dict[str, Any] | None = None, version: dict[str, Any] | None = None, **fields: Any) -> Workflow:
    active = {
        "version": 2,
        "status": "ACTIVE",
        "valid": True,
        "hasDevice": True,
        "hasUser": True,
        "parameters": [
            {"id": "service", "allowCustomValue": False, "options": ["spooler", "bits"]},
            {"id": "channel", "allowCustomValue": True, "options": ["stable"]},
            {"id": "note", "allowCustomValue": False, "options": None},
        ],
    }
    draft = {"version": 3, "status": "DRAFT", "valid": False, "hasDevice": False, "hasUser": False, "parameters": []}
    described = {
        "id": "#repair",
        "uuid": "5f7a0b4e-0000-4000-8000-000000000000",
        "name": "Repair",
        "status": "ACTIVE",
        "triggerMethods": {"apiEnabled": True} if triggers is None else triggers,
        "versions": [draft, active | (version or {})],
    }
    return Workflow.from_dict(described | fields)


def config(**arguments: Any) -> NexthinkExecution:
    targets: dict[str, Any] = {"devices": [Device(name="D")], "users": [User(upn="a@example.com")]}
    return NexthinkExecution(workflow="#repair", **(targets | arguments))


def check(workflow: Workflow, config: NexthinkExecution, *unknown: str) -> list[Diagnostic]:
    targets = {"devices": config.devices, "users": config.users}
    return list(check_workflow(workflow, config.workflow, targets, config.params or {}, frozenset(unknown)))


@pytest.mark.parametrize(
    ("described", "config"),
    [
        (workflow(), config()),
        (workflow(), config(params={"service": "bits", "channel": "nightly", "note": "any"})),
        (workflow(version={"hasUser": False}), config(users=None)),
        (workflow(version={"hasUser": False}), config(users=[])),
        (workflow(triggers={}), config()),
        (workflow(versions=[]), config(params={"unheard": "of"})),
        (Workflow.from_dict({**workflow().to_dict(), "versions": [{"version": 1, "status": "ACTIVE"}]}), config()),
    ],
)
def test_runnable_workflow_passes(described: Workflow, config: NexthinkExecution) -> None:
    assert check(described, config) == []


@pytest.mark.parametrize(
    ("described", "config", "path", "words"),
    [
        (workflow(status="INACTIVE"), config(), ("workflow",), "INACTIVE. Activate it"),
        (workflow(triggers={"apiEnabled": False}), config(), ("workflow",), "trigger method API"),
        (workflow(version={"valid": False}), config(), ("workflow",), "Correct it in Nexthink"),
        (workflow(version={"hasDevice": False}), config(), ("devices",), "Remove `devices`"),
        (workflow(version={"hasUser": False}), config(), ("users",), "Remove `users`"),
        (workflow(), config(params={"servcie": "bits"}), ("params", "servcie"), "Did you mean 'service'?"),
        (workflow(), config(params={"zzz": "1"}), ("params", "zzz"), "are: service, channel, note."),
        (workflow(), config(params={"service": "dns"}), ("params", "service"), "Must be one of: spooler, bits."),
        (workflow(version={"parameters": []}), config(params={"a": "b"}), ("params", "a"), "are: none."),
    ],
)
def test_problem_is_reported_on_its_attribute(
    described: Workflow, config: NexthinkExecution, path: tuple[str, ...], words: str
) -> None:
    (diagnostic,) = check(described, config)
    assert diagnostic.severity is Severity.ERROR
    assert diagnostic.path == path
    assert words in diagnostic.detail


def test_all_problems_are_reported_at_once() -> None:
    described = workflow(status="INACTIVE", triggers={"apiEnabled": False})
    diagnostics = check(described, config(params={"service": "dns", "a": "b"}))
    assert [diagnostic.path[-1] for diagnostic in diagnostics] == ["workflow", "workflow", "service", "a"]


def test_unknown_params_are_not_checked() -> None:
    assert check(workflow(), config(params={"service": "dns"}), "params") == []
