"""Executions over time: checked inputs, then everything derived from the run and the clock.

An execution is visible in four places that need not agree: itself, its state, its workflow's list (which may be behind)
and its task, which outlives the record. Each is computed at a moment rather than stored; `show` reads the clock once,
since a run that ends between two reads would be answered half running and half completed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypedDict
from uuid import uuid4

from provider_py.sandbox.vcd.access import Session
from provider_py.sandbox.vcd.behaviors import SYSTEM
from provider_py.sandbox.vcd.encoding import encode, type_of
from provider_py.sandbox.vcd.errors import bad_request
from provider_py.sandbox.vcd.library import Workflow
from provider_py.sandbox.vcd.values import InvalidValueError, check, shortened
from provider_py.sandbox.wire import JsonObject
from provider_py.sandbox.world import Phase, Run, World

INITIALIZING: Final = 0.05
"""The share of a run's duration for which it is still initializing."""
STEP: Final = "Create machine"
MASK: Final = "******"

_STATES: Final = {
    Phase.QUEUED: "initializing",
    Phase.RUNNING: "running",
    Phase.SUCCEEDED: "completed",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "canceled",
}
_TASK_STATES: Final = {
    Phase.QUEUED: "queued",
    Phase.RUNNING: "running",
    Phase.HELD: "running",
    Phase.SUCCEEDED: "success",
    Phase.FAILED: "error",
    Phase.CANCELLED: "canceled",
}


class Parameter(TypedDict, total=False):
    """An input of a start, or an output."""

    name: str
    type: str
    scope: str
    value: JsonObject


@dataclass(slots=True)
class Execution:
    """One run, and the task that tracks it."""

    workflow: Workflow
    run: Run
    session: Session
    parameters: list[Parameter]
    task_id: str


class Executions:
    """All executions of a sandbox."""

    def __init__(self, world: World) -> None:
        """Start with none; a reset removes all."""
        self._world = world
        self._executions: dict[str, Execution] = {}
        world.on_reset(self._executions.clear)

    def start(self, workflow: Workflow, parameters: list[Parameter], session: Session) -> Execution:
        """Check the parameters and start a run; raises ApiError if a parameter is invalid."""
        behaviors = self._world.behaviors
        accepted = check_parameters(
            workflow,
            parameters,
            spelling=behaviors.text(SYSTEM, "input_types"),
            ignore_unknown=behaviors.text(SYSTEM, "unknown_parameters") == "ignore",
        )
        names = (workflow.name, workflow.item_uuid, workflow.vro_id)
        run = self._world.runs.start(SYSTEM, workflow.item_id, names, str(uuid4()))
        execution = Execution(workflow, run, session, accepted, str(uuid4()))
        self._executions[run.id] = execution
        return execution

    def find(self, workflow: Workflow, execution_id: str) -> Execution | None:
        """A workflow's execution; None if there is none or its record has been deleted."""
        execution = self._executions.get(execution_id)
        has_record = self._world.runs.get(execution_id) is not None
        return execution if execution is not None and has_record and execution.workflow == workflow else None

    def of(self, workflow: Workflow) -> list[Execution]:
        """A workflow's executions, oldest first."""
        return [execution for key in self._executions if (execution := self.find(workflow, key)) is not None]

    def of_task(self, task_id: str) -> Execution | None:
        """The execution a task tracks; tasks outlive the record of the execution."""
        return next((item for item in self._executions.values() if item.task_id == task_id), None)

    def state(self, execution: Execution, at: float | None = None) -> str:
        """The vendor's state, or the one a script sets, now or at another moment."""
        run, now = execution.run, self._world.clock() if at is None else at
        phase = run.phase(now)
        if phase is Phase.HELD:
            return run.hold or "suspended"
        if phase is Phase.FAILED and run.vendor_status is not None:
            return run.vendor_status
        if phase is Phase.RUNNING and run.active_seconds(now) < run.seconds * INITIALIZING:
            return "initializing"
        return _STATES[phase]

    def cancel(self, execution: Execution) -> None:
        """Cancel a run; one that has ended is left alone."""
        self._world.runs.cancel(execution.run.id, self._world.clock())

    def forget(self, execution: Execution) -> None:
        """Delete the record of a run; raises ApiError if it has not ended."""
        if execution.run.ended_at(self._world.clock()) is None:
            raise bad_request("The execution has not ended.")
        self._world.runs.forget(execution.run.id)

    def listed(self, workflow: Workflow) -> list[JsonObject]:
        """A workflow's executions in its list, which may be behind."""
        at = self._world.clock() - self._world.behaviors.number(SYSTEM, "list_lag")
        return [self._summary(item, at) for item in self.of(workflow) if item.run.started_at <= at]

    def _summary(self, execution: Execution, at: float) -> JsonObject:
        ended = execution.run.ended_at(at)
        return {
            "id": execution.run.id,
            "name": execution.workflow.name,
            "startDate": self._date(execution.run.started_at),
            **({} if ended is None else {"endDate": self._date(ended)}),
            "startedBy": execution.session.user,
            "state": self.state(execution, at),
        }

    def show(self, execution: Execution, href: str) -> JsonObject:
        """An execution with its inputs and, once it has succeeded, its outputs."""
        now = self._world.clock()
        phase = execution.run.phase(now)
        view = self._summary(execution, now) | {
            "currentItemDisplayName": "End" if phase is Phase.SUCCEEDED else STEP,
            "inputParameters": [_masked(parameter) for parameter in execution.parameters],
            "outputParameters": self._outputs(execution, href) if phase is Phase.SUCCEEDED else [],
            "relations": _relations(href, execution),
        }
        if phase is Phase.FAILED:
            view["contentException"] = execution.run.reason or f"{STEP}: the machine could not be created"
        if self._world.behaviors.text(SYSTEM, "execution_state") == "absent":
            del view["state"]
        short = self._world.behaviors.text(SYSTEM, "input_types") == "short"
        return {name: shortened(member) for name, member in view.items()} if short else view

    def _outputs(self, execution: Execution, href: str) -> list[JsonObject]:
        if execution.workflow.echoes:
            return [{**parameter, "scope": "local"} for parameter in execution.parameters]
        declared = {variable.name: variable.type for variable, _ in execution.workflow.outputs}
        values = {variable.name: value for variable, value in execution.workflow.outputs}
        values |= execution.run.outputs or {}
        outputs = [
            _parameter(name, declared.get(name) or type_of(value), value, "local") for name, value in values.items()
        ]
        if self._world.behaviors.flag(SYSTEM, "session_outputs"):
            outputs += _session_outputs(execution.session, href)
        return outputs

    def task(self, execution: Execution, host: str) -> JsonObject:
        """The task of an execution."""
        now = self._world.clock()
        run, phase, ended = execution.run, execution.run.phase(now), execution.run.ended_at(now)
        view: JsonObject = {
            "href": f"{host}/api/task/{execution.task_id}",
            "id": f"urn:vcloud:task:{execution.task_id}",
            "name": "task",
            "status": _TASK_STATES[phase],
            "operation": f"Executing service {execution.workflow.name}({execution.workflow.item_uuid})",
            "operationName": "executeService",
            "startTime": legacy_date(run.started_at),
            "endTime": None if ended is None else legacy_date(ended),
            "expiryTime": legacy_date(run.started_at + 90 * 24 * 3600),
            "cancelRequested": run.cancelled_at is not None,
            "progress": None,
            "details": None,
            "owner": {"id": execution.workflow.item_id, "name": execution.workflow.name},
        }
        if phase is Phase.FAILED:
            message = run.reason or "The workflow failed."
            view["error"] = {"majorErrorCode": 500, "minorErrorCode": "INTERNAL_SERVER_ERROR", "message": message}
        return view

    def _date(self, epoch: float) -> str:
        short = self._world.behaviors.text(SYSTEM, "date_form") == "short"
        return legacy_date(epoch) if short else datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")


def legacy_date(epoch: float) -> str:
    """A date whose UTC offset has no colon, as in tasks."""
    moment = datetime.fromtimestamp(epoch, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"


def check_parameters(
    workflow: Workflow, parameters: list[Parameter], spelling: str, ignore_unknown: bool
) -> list[Parameter]:
    """The parameters that the workflow declares; raises ApiError for the first that is invalid."""
    declared = {variable.name: variable for variable in workflow.inputs}
    accepted: dict[str, Parameter] = {}
    for parameter in parameters:
        name = parameter.get("name", "")
        if name not in declared:
            if ignore_unknown:
                continue
            raise bad_request(f"{workflow.name} has no parameter {name}.")
        if name in accepted:
            raise bad_request(f"The parameter {name} occurs twice.")
        type_ = declared[name].type
        if type_.lower() not in {"any", parameter.get("type", type_).lower()}:
            raise bad_request(f"The parameter {name} is of type {type_}, not {parameter['type']}.")
        if "value" in parameter:
            try:
                check(parameter["value"], type_, spelling, name)
            except InvalidValueError as error:
                raise bad_request(str(error)) from None
        accepted[name] = parameter
    missing = [
        name for name, variable in declared.items() if variable.mandatory and "value" not in accepted.get(name, {})
    ]
    if missing:
        raise bad_request(f"{workflow.name} needs a value for {', '.join(missing)}.")
    return list(accepted.values())


def _parameter(name: str, type_: str, value: object, scope: str) -> JsonObject:
    parameter: JsonObject = {"name": name, "type": type_, "scope": scope}
    return parameter if value is None else parameter | {"value": encode(value, type_)}


def _masked(parameter: Parameter) -> JsonObject:
    value = parameter.get("value", {})
    if value.get("inputType") not in {"SecureString", "secureString"}:
        return dict(parameter)
    return {**parameter, "value": value | {"value": MASK, "isPlainText": False}}


def _session_outputs(session: Session, href: str) -> list[JsonObject]:
    """What Cloud Director adds to every run's context and returns among the outputs, a secret included."""
    values = {
        "_vcd_orgName": session.org,
        "_vcd_orgId": session.org_id,
        "_vcd_userName": session.user,
        "_vcd_isAdmin": "false",
        "_vcd_sessionToken": session.token,
        "_vcd_apiEndpoint": f"{href.partition('/cloudapi')[0]}/api",
        "_vdc_isAdmin": "false",
        "_vdc_userName": session.user,
    }
    return [_parameter(name, "string", value, "token") for name, value in values.items()]


def _relations(href: str, execution: Execution) -> JsonObject:
    here = f"{href}/{execution.run.id}"
    links = [
        {"href": href, "rel": "up", "type": "application/json", "name": "executions", "attributes": []},
        {"href": here, "rel": "remove", "type": "application/json", "name": "execution", "attributes": []},
        {"href": f"{here}/state", "rel": "state", "type": "application/json", "name": "state", "attributes": []},
    ]
    return {"total": len(links), "start": 0, "link": links}
