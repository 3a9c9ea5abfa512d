"""Providers killed while they send an event or create a trigger: neither is done twice, and none is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.cli.sandbox import SandboxProcess
from provider_py.execution.starting import CERTAIN_SECONDS
from provider_py.plugin import attributes
from provider_py.systems.harness.trigger_model import HarnessTriggerAction, HarnessTriggerCondition
from tests.support import host
from tests.support.harness import APPLICATION
from tests.support.host import Plugin, errors, state, warnings
from tests.support.scenarios import inject_fault, sent
from tests.support.systems import LOOKUPS, Match
from tests.support.waiting import wait_until

EVENT = "workflow_nexthink_event"
EVENTS: Match = {"method": "POST", "path": "/trigger"}
TRIGGER = "workflow_harness_trigger"
CREATIONS: Match = {"method": "POST", "body": "createTrigger("}


@contextmanager
def process(environment: Mapping[str, str]) -> Iterator[Plugin]:
    """Run the provider, configured by its environment."""
    with host.started(module="provider_py", environment=environment) as provider:
        provider.configure()
        yield provider


@pytest.fixture
def environment(sandbox: SandboxProcess, tmp_path: Path) -> Mapping[str, str]:
    """Point a provider process at the sandbox and a journal."""
    return {
        **sandbox.environment,
        "WORKFLOW_JOURNAL": str(tmp_path / "journal.sqlite3"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "NO_PROXY": "127.0.0.1",
    }


@pytest.fixture
def event(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the arguments of an event for an execution that waits for one."""
    devices = [{"name": "LAPTOP-01", "uid": None, "collector_uid": None}]
    with process(environment) as provider:
        gate = {"workflow": "#approval_gate", "devices": devices, "wait": False}
        started = state(provider.begin("workflow_nexthink_execution", **gate).result())
        assert provider.shutdown() == 0
    return {"workflow": "#approval_gate", "execution_id": started["execution_ids"][0]}


def every_attribute(model: type, **values: Any) -> Mapping[str, Any]:
    """Return a nested object as Terraform sends it: with nulls."""
    return {**dict.fromkeys(attributes(model)), **values}


NIGHTLY: Mapping[str, Any] = {
    "application_id": APPLICATION,
    "name": "nightly",
    "condition": every_attribute(
        HarnessTriggerCondition, schedule={"cron": "0 0 2 * * ?", "on_new_artifact_only": None}
    ),
    "action": every_attribute(HarnessTriggerAction, workflow_id="bhI2FyPrTpupdzL4QEk0_A"),
}


def create(environment: Mapping[str, str], kind: str, arguments: Mapping[str, Any]) -> pb.ApplyResourceChange.Response:
    """Create in a process of its own that ends in order."""
    with process(environment) as provider:
        answer: pb.ApplyResourceChange.Response = provider.begin(kind, **arguments).result()
        assert provider.shutdown() == 0
    return answer


def kill_while(
    environment: Mapping[str, str], sandbox: SandboxProcess, kind: str, arguments: Mapping[str, Any], request: Match
) -> None:
    """Kill a process that creates as soon as this request has come to the sandbox, before it is answered."""
    system = kind.split("_")[1]
    before = len(sent(sandbox, system, request))
    with process(environment) as provider:
        unanswered = provider.begin(kind, **arguments)
        wait_until(lambda: len(sent(sandbox, system, request)) > before, "request")
        provider.process.kill()
        assert unanswered.exception() is not None


def kill_after_answer(
    environment: Mapping[str, str], kind: str, arguments: Mapping[str, Any]
) -> pb.ApplyResourceChange.Response:
    """Kill a process that has answered a creation."""
    with process(environment) as provider:
        answer: pb.ApplyResourceChange.Response = provider.begin(kind, **arguments).result()
        provider.process.kill()
    return answer


def triggers(sandbox: SandboxProcess) -> Sequence[Mapping[str, Any]]:
    return sent(sandbox, "harness", CREATIONS)


@pytest.mark.parametrize("after", [True, False], ids=["after it arrived", "before it arrived"])
def test_an_event_of_a_killed_process_is_not_sent_again(
    environment: Mapping[str, str], sandbox: SandboxProcess, event: Mapping[str, Any], after: bool
) -> None:
    inject_fault(sandbox, "nexthink", EVENTS, "delay" if after else "silence", after=after, seconds=60)
    kill_while(environment, sandbox, EVENT, event, EVENTS)
    (error,) = errors(create(environment, EVENT, event))
    assert error.startswith("Unknown whether the event arrived\n")
    assert event["execution_id"] in error
    assert "an earlier apply sent the event and received no answer" in error
    assert len(sent(sandbox, "nexthink", EVENTS)) == 1


def test_an_event_of_a_process_killed_before_it_was_sent_is_sent(
    environment: Mapping[str, str], sandbox: SandboxProcess, event: Mapping[str, Any]
) -> None:
    with process({**environment, "WORKFLOW_PREFLIGHT": "false"}) as provider:
        inject_fault(sandbox, "nexthink", LOOKUPS["nexthink"], "delay", seconds=60)
        sandbox.forget_requests()
        unanswered = provider.begin(EVENT, **event)
        wait_until(lambda: bool(sent(sandbox, "nexthink", LOOKUPS["nexthink"])), "look-up")
        provider.process.kill()
        assert unanswered.exception() is not None
    answer = create(environment, EVENT, event)
    assert warnings(answer) == []
    assert state(answer)["id"]
    assert len(sent(sandbox, "nexthink", EVENTS)) == 1


def test_an_event_of_a_process_killed_after_its_answer_is_taken_once(
    environment: Mapping[str, str], sandbox: SandboxProcess, event: Mapping[str, Any]
) -> None:
    first = kill_after_answer(environment, EVENT, event)
    second = create(environment, EVENT, event)
    (warning,) = warnings(second)
    assert warning.startswith(f"Resumed event {state(first)['event_id']} of an earlier apply\n")
    assert state(second) == state(first)
    assert len(sent(sandbox, "nexthink", EVENTS)) == 1
    (error,) = errors(create(environment, EVENT, event))
    assert "EXECUTION_NOT_WAITING" in error, "the event that was taken answers no further create"


def test_an_event_that_the_state_holds_is_not_taken(
    environment: Mapping[str, str], sandbox: SandboxProcess, event: Mapping[str, Any]
) -> None:
    first = kill_after_answer(environment, EVENT, event)
    with process(environment) as provider:
        provider.refresh(EVENT, first)
        assert provider.shutdown() == 0
    assert "EXECUTION_NOT_WAITING" in errors(create(environment, EVENT, event))[0]
    assert len(sent(sandbox, "nexthink", EVENTS)) == 2


def test_a_trigger_of_a_killed_process_is_found(environment: Mapping[str, str], sandbox: SandboxProcess) -> None:
    inject_fault(sandbox, "harness", CREATIONS, "delay", after=True, seconds=60)
    kill_while(environment, sandbox, TRIGGER, NIGHTLY, CREATIONS)
    answer = create(environment, TRIGGER, NIGHTLY)
    (warning,) = warnings(answer)
    assert warning.startswith(f"Resumed trigger {state(answer)['id']} of an earlier apply\n")
    assert len(triggers(sandbox)) == 1


@pytest.mark.prove  # it is searched for in real time
def test_a_trigger_of_a_process_killed_before_it_was_created_is_created_when_that_is_certain(
    environment: Mapping[str, str], sandbox: SandboxProcess
) -> None:
    inject_fault(sandbox, "harness", CREATIONS, "silence", seconds=60)
    kill_while(environment, sandbox, TRIGGER, NIGHTLY, CREATIONS)
    began = time.monotonic()
    assert errors(create(environment, TRIGGER, NIGHTLY)) == []
    assert time.monotonic() - began >= CERTAIN_SECONDS
    assert len(triggers(sandbox)) == 1


def test_a_trigger_of_a_process_killed_after_its_answer_is_taken(
    environment: Mapping[str, str], sandbox: SandboxProcess
) -> None:
    first = kill_after_answer(environment, TRIGGER, NIGHTLY)
    second = create(environment, TRIGGER, NIGHTLY)
    assert len(warnings(second)) == 1
    assert state(second) == state(first)
    assert len(triggers(sandbox)) == 1
