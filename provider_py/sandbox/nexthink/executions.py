"""What becomes of execution requests: one run of the world is one request, with an execution for each target."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from provider_py.sandbox.nexthink.tenant import Device, User, Workflow
from provider_py.sandbox.world import Phase, Run, World

SYSTEM: Final = "nexthink"
WAITING: Final = "in_progress"
"""The status of an execution that waits for an event, as of any other that goes on."""

_STATUS: Final = {
    Phase.QUEUED: "in_progress",
    Phase.RUNNING: "in_progress",
    Phase.SUCCEEDED: "success",
    Phase.FAILED: "failure",
    Phase.CANCELLED: "cancelled",
}
_OUTCOME: Final = {"success": "action_taken", "failure": "failed", "cancelled": "other", "expired": "other"}


@dataclass(slots=True)
class Execution:
    """One execution: a workflow on one device or user."""

    id: str
    target: Device | User
    triggered_at: float | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    """What the event brought for which it waited."""


@dataclass(slots=True)
class ExecutionRequest:
    """What one execute call started."""

    workflow: Workflow
    run: Run
    executions: list[Execution]


class Executions:
    """All requests of a sandbox."""

    def __init__(self, world: World) -> None:
        """Start with none, and again after each reset."""
        self._world = world
        self._requests: dict[str, ExecutionRequest] = {}
        world.on_reset(self._requests.clear)

    def start(self, workflow: Workflow, targets: list[Device | User]) -> ExecutionRequest:
        """Start an execution for each target."""
        names = (workflow.bare_id, workflow.name, workflow.uuid)
        run = self._world.runs.start(SYSTEM, workflow.id, names, str(uuid4()))
        if workflow.waits_for_event and run.hold is None:
            run.hold = WAITING
        request = ExecutionRequest(workflow, run, [Execution(str(uuid4()), target) for target in targets])
        self._requests[run.id] = request
        return request

    def get(self, request_id: str) -> ExecutionRequest | None:
        """The request of that id, None if there is none or its record is purged."""
        known = self._world.runs.get(request_id) is not None
        return self._requests.get(request_id) if known else None

    def of_execution(self, execution_id: str) -> tuple[ExecutionRequest, Execution] | None:
        """The request an execution belongs to, and the execution."""
        for request in self._requests.values():
            for execution in request.executions:
                if execution.id == execution_id:
                    return request, execution
        return None

    def trigger(self, request: ExecutionRequest, execution: Execution, parameters: dict[str, str]) -> bool:
        """Let a waiting execution go on; False if it does not wait."""
        now = self._world.clock()
        if request.run.phase(now) is not Phase.HELD or execution.triggered_at is not None:
            return False
        execution.triggered_at = now
        execution.parameters = parameters
        if all(each.triggered_at is not None for each in request.executions):
            request.run.release(now)
        return True

    def rows(self, request_id: str, utc: bool, lag: float, limit: int | None) -> list[dict[str, object]]:
        """The first rows the status query finds by now, all of them without a limit."""
        request = self.get(request_id)
        now = self._world.clock()
        if request is None or now < request.run.started_at + lag:
            return []
        failing = request.run.outputs.get("failed_executions", 0) if request.run.outputs else 0
        doomed = failing if isinstance(failing, int) else 0
        executions = request.executions[:limit]
        return [_row(request, execution, now, utc, index < doomed) for index, execution in enumerate(executions)]


def _row(request: ExecutionRequest, execution: Execution, now: float, utc: bool, doomed: bool) -> dict[str, object]:
    run = request.run
    status = _status(run, execution, now, doomed)
    target = execution.target
    return {
        "execution_id": execution.id,
        "request_id": run.id,
        "request_time": iso_time(run.started_at, utc),
        "workflow.nql_id": request.workflow.id,
        "status": status,
        "status_details": _details(run, execution, now, status),
        "outcome": _OUTCOME.get(status),
        "outcome_details": request.workflow.outcome if status == "success" else None,
        "trigger_method": "api",
        "device.name": target.name if isinstance(target, Device) else None,
    }


def _status(run: Run, execution: Execution, now: float, doomed: bool) -> str:
    phase = run.phase(now)
    if phase is Phase.HELD and execution.triggered_at is None:
        return run.hold or WAITING
    if execution.triggered_at is not None and run.ended_at(now) is None:
        phase = Phase.RUNNING if now < execution.triggered_at + run.seconds else Phase.SUCCEEDED
    if phase is Phase.SUCCEEDED and doomed:
        return "failure"
    if phase in {Phase.SUCCEEDED, Phase.FAILED} and run.own_word is not None:
        return run.own_word
    if phase is Phase.SUCCEEDED and run.ending != "success":
        return "failure"
    return _STATUS[phase]


def _details(run: Run, execution: Execution, now: float, status: str) -> str | None:
    if status == "failure":
        return run.reason or "A step failed."
    if run.phase(now) is Phase.HELD and execution.triggered_at is None:
        return "Waiting for an event."
    return run.reason or None if status not in {"success", "in_progress"} else None


def iso_time(epoch: float, utc: bool) -> str:
    """A time as NQL answers it: without a zone, unless times in UTC are asked for."""
    text = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}Z" if utc else text
