"""Execution requests over time: one run of the world is one request, with an execution per target.

A request is started as a whole but ends per target, so the run supplies the clock and each execution deviates from it:
a script fails the first `failed_executions` of a request (its outputs carry the number), and an event releases one
execution that waits while the others, and with them the run, stay on hold until all have been triggered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from provider_py.sandbox.nexthink.behaviors import SYSTEM
from provider_py.sandbox.nexthink.tenant import Device, User, Workflow
from provider_py.sandbox.wire import JsonObject
from provider_py.sandbox.world import Phase, Run, World

WAITING: Final = "in_progress"
"""The status of an execution that waits for an event, the same as of one that runs."""

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
    """Parameters of the event it waited for."""


@dataclass(slots=True)
class ExecutionRequest:
    """What one execute call started."""

    workflow: Workflow
    run: Run
    executions: list[Execution]


class Executions:
    """All requests of a sandbox."""

    def __init__(self, world: World) -> None:
        """Start with none; a reset removes all."""
        self._world = world
        self._requests: dict[str, ExecutionRequest] = {}
        world.on_reset(self._requests.clear)

    def start(self, workflow: Workflow, targets: list[Device | User]) -> ExecutionRequest:
        """Start one execution per target."""
        names = (workflow.bare_id, workflow.name, workflow.uuid)
        run = self._world.runs.start(SYSTEM, workflow.id, names, str(uuid4()))
        if workflow.waits_for_event and run.hold is None:
            run.hold = WAITING
        request = ExecutionRequest(workflow, run, [Execution(str(uuid4()), target) for target in targets])
        self._requests[run.id] = request
        return request

    def get(self, request_id: str) -> ExecutionRequest | None:
        """The request with that id; None if there is none or its record has been purged."""
        has_record = self._world.runs.get(request_id) is not None
        return self._requests.get(request_id) if has_record else None

    def of_execution(self, execution_id: str) -> tuple[ExecutionRequest, Execution] | None:
        """The execution with that id, after its request; None if there is none."""
        for request in self._requests.values():
            for execution in request.executions:
                if execution.id == execution_id:
                    return request, execution
        return None

    def trigger(self, request: ExecutionRequest, execution: Execution, parameters: dict[str, str]) -> bool:
        """Continue a waiting execution; False if it does not wait."""
        now = self._world.clock()
        if request.run.phase(now) is not Phase.HELD or execution.triggered_at is not None:
            return False
        execution.triggered_at = now
        execution.parameters = parameters
        if all(other.triggered_at is not None for other in request.executions):
            request.run.release(now)
        return True

    def rows(self, request_id: str, utc: bool, lag: float, limit: int | None) -> list[JsonObject]:
        """The rows of the status query at this moment, all of them if there is no limit."""
        request = self.get(request_id)
        now = self._world.clock()
        if request is None or now < request.run.started_at + lag:
            return []
        failed = (request.run.outputs or {}).get("failed_executions", 0)
        count = failed if isinstance(failed, int) else 0
        executions = request.executions[:limit]
        return [_row(request, execution, now, utc, index < count) for index, execution in enumerate(executions)]


def _row(request: ExecutionRequest, execution: Execution, now: float, utc: bool, fails: bool) -> JsonObject:
    run = request.run
    status = _status(run, execution, now, fails)
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


def _status(run: Run, execution: Execution, now: float, fails: bool) -> str:
    phase = run.phase(now)
    if phase is Phase.HELD and execution.triggered_at is None:
        return run.hold or WAITING
    if execution.triggered_at is not None and run.ended_at(now) is None:
        phase = Phase.RUNNING if now < execution.triggered_at + run.seconds else Phase.SUCCEEDED
    if phase is Phase.SUCCEEDED and fails:
        return "failure"
    if phase in {Phase.SUCCEEDED, Phase.FAILED} and run.vendor_status is not None:
        return run.vendor_status
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
    """A time as NQL answers it: without a zone, unless the request asks for UTC."""
    text = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}Z" if utc else text
