"""Runs of the simulated Cloud Director: checked inputs, executions, their states and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from provider_py.sandbox.vcd.access import SYSTEM, Session
from provider_py.sandbox.vcd.encoding import encode, type_of
from provider_py.sandbox.vcd.errors import bad_request
from provider_py.sandbox.vcd.library import Workflow
from provider_py.sandbox.vcd.values import ValueFaultError, check, respelled
from provider_py.sandbox.world import Phase, Run, World

SETTLING: Final = 0.05
"""The share of its time for which a run is still initializing."""
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


@dataclass(slots=True)
class Execution:
    """One run and the task that tracks it."""

    workflow: Workflow
    run: Run
    session: Session
    parameters: list[dict[str, Any]]
    task_id: str


class Executions:
    """All executions of a sandbox."""

    def __init__(self, world: World) -> None:
        """Start with none, and again after each reset."""
        self._world = world
        self._executions: dict[str, Execution] = {}
        world.on_reset(self._executions.clear)

    def start(self, workflow: Workflow, parameters: list[dict[str, Any]], session: Session) -> Execution:
        """Check the parameters and start a run; raises ApiError for what does not fit."""
        switches = self._world.behaviours
        known = check_parameters(
            workflow,
            parameters,
            spelling=switches.text(SYSTEM, "input_types"),
            ignore_unknown=switches.text(SYSTEM, "unknown_parameters") == "ignore",
        )
        names = (workflow.name, workflow.item_uuid, workflow.vro_id)
        run = self._world.runs.start(SYSTEM, workflow.item_id, names, str(uuid4()))
        execution = Execution(workflow, run, session, known, str(uuid4()))
        self._executions[run.id] = execution
        return execution

    def find(self, workflow: Workflow, execution_id: str) -> Execution | None:
        """A workflow's execution, None if there is none or its record is gone."""
        execution = self._executions.get(execution_id)
        known = self._world.runs.get(execution_id) is not None
        return execution if execution is not None and known and execution.workflow == workflow else None

    def of(self, workflow: Workflow) -> list[Execution]:
        """A workflow's executions, oldest first."""
        return [each for each in self._executions.values() if self.find(workflow, each.run.id) is not None]

    def of_task(self, task_id: str) -> Execution | None:
        """The execution a task tracks; tasks outlive the record of the run."""
        return next((each for each in self._executions.values() if each.task_id == task_id), None)

    def state(self, execution: Execution, at: float | None = None) -> str:
        """The state in the vendor's words, or in a script's, now or at another moment."""
        run, now = execution.run, self._world.clock() if at is None else at
        phase = run.phase(now)
        if phase is Phase.HELD:
            return run.hold or "suspended"
        if phase is Phase.FAILED and run.own_word is not None:
            return run.own_word
        if phase is Phase.RUNNING and run.active_seconds(now) < run.seconds * SETTLING:
            return "initializing"
        return _STATES[phase]

    def cancel(self, execution: Execution) -> None:
        """Cancel a run; nothing happens to one that has ended."""
        self._world.runs.cancel(execution.run.id, self._world.clock())

    def forget(self, execution: Execution) -> None:
        """Delete the record of a run that has ended; raises ApiError if it has not."""
        if execution.run.ended_at(self._world.clock()) is None:
            raise bad_request("The execution has not ended.")
        self._world.runs.forget(execution.run.id)

    def listed(self, workflow: Workflow) -> list[dict[str, object]]:
        """A workflow's executions as its list has them, which may be behind."""
        at = self._world.clock() - self._world.behaviours.number(SYSTEM, "list_lag")
        return [self._summary(each, at) for each in self.of(workflow) if each.run.started_at <= at]

    def _summary(self, execution: Execution, at: float) -> dict[str, object]:
        ended = execution.run.ended_at(at)
        return {
            "id": execution.run.id,
            "name": execution.workflow.name,
            "startDate": self._date(execution.run.started_at),
            **({} if ended is None else {"endDate": self._date(ended)}),
            "startedBy": execution.session.user,
            "state": self.state(execution, at),
        }

    def show(self, execution: Execution, href: str) -> dict[str, object]:
        """An execution with its inputs and, once it succeeded, outputs."""
        now = self._world.clock()  # asked once: between two moments the run may end
        phase = execution.run.phase(now)
        shown = self._summary(execution, now) | {
            "currentItemDisplayName": "End" if phase is Phase.SUCCEEDED else STEP,
            "inputParameters": [_masked(parameter) for parameter in execution.parameters],
            "outputParameters": self._outputs(execution, href) if phase is Phase.SUCCEEDED else [],
            "relations": _relations(href, execution),
        }
        if phase is Phase.FAILED:
            shown["contentException"] = execution.run.reason or f"{STEP}: the machine could not be created"
        if self._world.behaviours.text(SYSTEM, "execution_state") == "absent":
            del shown["state"]
        short = self._world.behaviours.text(SYSTEM, "input_types") == "short"
        return {name: respelled(each) for name, each in shown.items()} if short else shown

    def _outputs(self, execution: Execution, href: str) -> list[dict[str, object]]:
        if execution.workflow.echoes:
            return [{**parameter, "scope": "local"} for parameter in execution.parameters]
        declared = {variable.name: variable.type for variable, _ in execution.workflow.outputs}
        values = {variable.name: value for variable, value in execution.workflow.outputs}
        values |= execution.run.outputs or {}
        outputs = [
            _parameter(name, declared.get(name) or type_of(value), value, "local") for name, value in values.items()
        ]
        if self._world.behaviours.flag(SYSTEM, "session_outputs"):
            outputs += _session_outputs(execution.session, href)
        return outputs

    def task(self, execution: Execution, host: str) -> dict[str, object]:
        """The task of an execution."""
        now = self._world.clock()
        run, phase, ended = execution.run, execution.run.phase(now), execution.run.ended_at(now)
        shown: dict[str, object] = {
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
            shown["error"] = {"majorErrorCode": 500, "minorErrorCode": "INTERNAL_SERVER_ERROR", "message": message}
        return shown

    def _date(self, epoch: float) -> str:
        short = self._world.behaviours.text(SYSTEM, "date_form") == "short"
        return legacy_date(epoch) if short else datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")


def legacy_date(epoch: float) -> str:
    """A date whose offset has no colon, as tasks have it."""
    moment = datetime.fromtimestamp(epoch, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0000"


def check_parameters(
    workflow: Workflow, parameters: list[dict[str, Any]], spelling: str, ignore_unknown: bool
) -> list[dict[str, Any]]:
    """The parameters the workflow has; raises ApiError for what does not fit."""
    declared = {variable.name: variable for variable in workflow.inputs}
    known: dict[str, dict[str, Any]] = {}
    for parameter in parameters:
        name = parameter.get("name")
        if name not in declared:
            if ignore_unknown:
                continue
            raise bad_request(f"{workflow.name} has no parameter {name}.")
        if name in known:
            raise bad_request(f"The parameter {name} is given twice.")
        type_ = declared[name].type
        if type_.lower() not in {"any", parameter.get("type", type_).lower()}:
            raise bad_request(f"The parameter {name} is of type {type_}, not {parameter['type']}.")
        if "value" in parameter:
            try:
                check(parameter["value"], type_, spelling, name)
            except ValueFaultError as fault:
                raise bad_request(str(fault)) from None
        known[name] = parameter
    missing = [name for name, each in declared.items() if each.mandatory and "value" not in known.get(name, {})]
    if missing:
        raise bad_request(f"{workflow.name} needs a value for {', '.join(missing)}.")
    return list(known.values())


def _parameter(name: str, type_: str, value: object, scope: str) -> dict[str, object]:
    shown: dict[str, object] = {"name": name, "type": type_, "scope": scope}
    return shown if value is None else shown | {"value": encode(value, type_)}


def _masked(parameter: dict[str, Any]) -> dict[str, Any]:
    value = parameter.get("value")
    if not isinstance(value, dict) or value["inputType"] not in {"SecureString", "secureString"}:
        return parameter
    return parameter | {"value": value | {"value": MASK, "isPlainText": False}}


def _session_outputs(session: Session, href: str) -> list[dict[str, object]]:
    """What Cloud Director adds to every run's context and answers among the outputs, a secret included."""
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


def _relations(href: str, execution: Execution) -> dict[str, object]:
    here = f"{href}/{execution.run.id}"
    links = [
        {"href": href, "rel": "up", "type": "application/json", "name": "executions", "attributes": []},
        {"href": here, "rel": "remove", "type": "application/json", "name": "execution", "attributes": []},
        {"href": f"{here}/state", "rel": "state", "type": "application/json", "name": "state", "attributes": []},
    ]
    return {"total": len(links), "start": 0, "link": links}
