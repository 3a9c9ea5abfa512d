from __future__ import annotations

from typing import Any

import pytest
from nexthink_client.models import Workflow

from provider_py.plugin import Severity
from provider_py.systems.nexthink.execution import NexthinkExecution
from provider_py.systems.nexthink.preflight import check
from provider_py.systems.nexthink.targets import Device, User


def workflow(triggers: dict[str, Any] | None = None, version: dict[str, Any] | None = None, **changed: Any) -> Workflow:
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
    return Workflow.from_dict(described | changed)


def config(**arguments: Any) -> NexthinkExecution:
    targets: dict[str, Any] = {"devices": [Device(name="D")], "users": [User(upn="a@example.com")]}
    return NexthinkExecution(workflow="#repair", **(targets | arguments))


@pytest.mark.parametrize(
    ("described", "given"),
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
def test_what_can_be_run(described: Workflow, given: NexthinkExecution) -> None:
    assert list(check(described, given, frozenset())) == []


@pytest.mark.parametrize(
    ("described", "given", "path", "words"),
    [
        (workflow(status="INACTIVE"), config(), ("workflow",), "INACTIVE. Activate it"),
        (workflow(triggers={"apiEnabled": False}), config(), ("workflow",), "trigger method API"),
        (workflow(version={"valid": False}), config(), ("workflow",), "Correct it in Nexthink"),
        (workflow(version={"hasDevice": False}), config(), ("devices",), "Remove `devices`"),
        (workflow(version={"hasUser": False}), config(), ("users",), "Remove `users`"),
        (workflow(), config(params={"servcie": "bits"}), ("params", "servcie"), "Did you mean 'service'?"),
        (workflow(), config(params={"zzz": "1"}), ("params", "zzz"), "are: service, channel, note."),
        (workflow(), config(params={"service": "dns"}), ("params", "service"), "Write one of: spooler, bits."),
        (workflow(version={"parameters": []}), config(params={"a": "b"}), ("params", "a"), "are: none."),
    ],
)
def test_what_cannot_be_run(described: Workflow, given: NexthinkExecution, path: tuple[str, ...], words: str) -> None:
    (said,) = check(described, given, frozenset())
    assert said.severity is Severity.ERROR
    assert said.path == path
    assert words in said.detail


def test_every_finding_is_told_at_once() -> None:
    described = workflow(status="INACTIVE", triggers={"apiEnabled": False})
    given = config(params={"service": "dns", "a": "b"})
    assert [said.path[-1] for said in check(described, given, frozenset())] == ["workflow", "workflow", "service", "a"]


def test_nothing_is_concluded_from_params_that_are_not_known() -> None:
    given = config(params={"service": "dns"})
    assert list(check(workflow(), given, frozenset({"params"}))) == []
