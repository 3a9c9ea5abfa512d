"""Every operation of the registry that contacts a system; those that are left out contact none."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pytest

from provider_py.plugin import Change, Decoded, Diagnostic, DiagnosticError
from provider_py.provider import DATA_SOURCES
from provider_py.systems.harness.trigger_model import (
    HarnessSchedule,
    HarnessTrigger,
    HarnessTriggerAction,
    HarnessTriggerCondition,
)
from provider_py.systems.nexthink.event import NexthinkEvent
from tests.support.harness import APPLICATION, WORKFLOW
from tests.support.site import Process, simple
from tests.support.systems import CANCELLABLE, SYSTEMS

UUID: Final = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
TRIGGER: Final = HarnessTrigger(
    application_id=APPLICATION,
    name="nightly",
    condition=HarnessTriggerCondition(schedule=HarnessSchedule(cron="0 0 2 * * ?")),
    action=HarnessTriggerAction(workflow_id="bhI2FyPrTpupdzL4QEk0_A"),
)
EVENT: Final = NexthinkEvent(execution_id=UUID, workflow="#approval_gate")
DEPLOY: Final = {"application": "Test App", "workflow": WORKFLOW}
LOOK_UPS: Final[Mapping[str, Mapping[str, Any]]] = {
    "harness_application": {"application": "Test App"},
    "harness_workflow": DEPLOY,
    "harness_pipeline": {"application": "Test App", "pipeline": "any"},
    "harness_service": {"application": "Test App", "service": "any"},
    "harness_execution_inputs": DEPLOY,
    "harness_executions": DEPLOY,
    "nexthink_workflow": {"workflow": "#approval_gate"},
    "nexthink_workflows": {},
    "vcd_workflow": {"workflow": "Refresh inventory"},
    "vcd_workflows": {},
}

Operation: TypeAlias = Callable[[Process, Any], Awaitable[Any]]
"""Takes the process and the state of an open run, or None."""


@dataclass(frozen=True)
class Row:
    """An operation of the registry."""

    type: str
    name: str
    call: Operation
    stored: bool = False
    """Whether it is about a run that is there already."""

    @property
    def keeps_answer(self) -> bool:
        """Whether what it sends first names what it makes."""
        return (self.type, self.name) == ("harness_trigger", "create")

    @property
    def system(self) -> str:
        """The system that it contacts."""
        return self.type.partition("_")[0]


def plan(config: Any) -> Operation:
    return lambda process, _: process._for(config).plan(Change(None, Decoded(config), frozenset(attributes(config))))


def attributes(config: Any) -> Sequence[str]:
    return [field.name for field in dataclasses.fields(config)]


def create(config: Any) -> Operation:
    return lambda process, _: process._for(config).create(config, b"")


def look_up(name: str) -> Operation:
    model = next(type_.model for type_ in DATA_SOURCES if type_.name == name)
    return lambda process, _: process.look_up(model(**LOOK_UPS[name]))


def rows_of_runs(system: str) -> Iterator[Row]:
    name = f"{system}_execution"
    yield Row(name, "plan", plan(simple(system)))
    yield Row(name, "create", create(simple(system)))
    yield Row(name, "read", lambda process, state: process.resource(name).read(state, b""), stored=True)
    yield Row(name, "update", lambda process, state: process.resource(name).update(state, state, b""), stored=True)
    imported = {"harness": "an-id", "nexthink": f"#reboot_device/{UUID}", "vcd": f"{UUID}/{UUID}"}[system]
    yield Row(name, "import", lambda process, _: process.resource(name).import_state(imported))
    if system in CANCELLABLE:
        cancelling = {"on_destroy": "cancel"}
        yield Row(
            name,
            "delete",
            lambda process, state: process.resource(name).delete(dataclasses.replace(state, **cancelling), b""),
            stored=True,
        )


def rows_of_triggers() -> Iterator[Row]:
    name, stored = "harness_trigger", dataclasses.replace(TRIGGER, id="a-trigger")
    yield Row(name, "plan", plan(TRIGGER))
    yield Row(name, "create", create(TRIGGER))
    yield Row(name, "read", lambda process, _: process.resource(name).read(stored, b""))
    yield Row(name, "update", lambda process, _: process.resource(name).update(stored, stored, b""))
    yield Row(name, "delete", lambda process, _: process.resource(name).delete(stored, b""))
    yield Row(name, "import", lambda process, _: process.resource(name).import_state(f"{APPLICATION}/a-trigger"))


ROWS: Final = (
    *(row for system in SYSTEMS for row in rows_of_runs(system)),
    *rows_of_triggers(),
    Row("nexthink_event", "plan", plan(EVENT)),
    Row("nexthink_event", "create", create(EVENT)),
    *(Row(name, "look-up", look_up(name)) for name in LOOK_UPS),
)


def every_operation(fits: Callable[[Row], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Parametrize a test's `row` with the operations that fit."""
    return pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.type} {row.name}") for row in ROWS if fits(row)])


async def outcome(call: Awaitable[Any]) -> Sequence[Diagnostic]:
    try:
        result = await call
    except DiagnosticError as fault:
        return fault.diagnostics
    return tuple(getattr(result, "diagnostics", ()))
