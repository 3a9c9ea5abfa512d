"""Executions as they are read: status, stages, approvals; all derived from the run and the clock.

A pipeline has one run, and its stages share the run's time: those that run a workflow take equal parts of it, approvals
take none. A stage that waits for somebody is a hold of the run, and the run knows only one at a time; `settle` sets the
hold for the next such stage, and is called whenever the execution is read, since what removes a hold (an approval, the
REST call, the control API) need not know about pipelines. Statuses exist twice: the server's internal ones, which REST
and filters use, and those GraphQL shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from provider_py.sandbox.harness.catalog import (
    Application,
    Artifact,
    Environment,
    GraphQLObject,
    Pipeline,
    Stage,
    Workflow,
)
from provider_py.sandbox.harness.filters import Connection, page
from provider_py.sandbox.harness.inputs import NamedValue
from provider_py.sandbox.runs import Phase, Run

_GRAPHQL_STATUS = {
    "ABORTING": "ABORTED",
    "DISCONTINUING": "RUNNING",
    "NEW": "QUEUED",
    "PAUSING": "PAUSED",
    "PREPARING": None,
    "SCHEDULED": "QUEUED",
    "STARTING": "QUEUED",
}
"""Internal statuses that GraphQL shows as another one; the others, unknown ones included, it shows unchanged."""


def graphql_status(internal: str) -> str | None:
    """The status GraphQL shows for an internal one."""
    return _GRAPHQL_STATUS.get(internal, internal)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The API key a request was made with."""

    id: str
    name: str


@dataclass(slots=True)
class WorkflowExecution:
    """A run of a workflow, on its own or, with a `stage`, as a member of a pipeline execution."""

    graphql_type: ClassVar[str] = "WorkflowExecution"
    id: str
    application: Application
    run: Run
    workflow: Workflow
    cause: GraphQLObject
    environment: Environment | None = None
    input_variables: Sequence[NamedValue] = ()
    artifacts: Sequence[Artifact] = ()
    notes: str | None = None
    starting_status: str = "QUEUED"
    pipeline_execution: PipelineExecution | None = None
    stage_number: int = 0
    tags: tuple[object, ...] = ()
    rollback_artifacts: tuple[Artifact, ...] = ()
    manifests: tuple[object, ...] = ()

    @property
    def target(self) -> Workflow:
        """What it runs."""
        return self.workflow

    @property
    def outcomes(self) -> Connection:
        """Always empty: the sandbox deploys nothing."""
        return page([], 100, 0)

    def internal_status(self, now: float) -> str:
        """The server's internal status."""
        if self.pipeline_execution is not None:
            return self.pipeline_execution.stage_status(self.stage_number, now)
        return run_status(self.run, now, self.starting_status)

    def url_path(self) -> str:
        """Path of its page below the account's."""
        environment = self.environment.id if self.environment else "null"
        return f"app/{self.application.id}/env/{environment}/executions/{self.id}/details"

    failed_statuses: ClassVar[frozenset[str]] = frozenset({"FAILED"})


@dataclass(slots=True)
class PipelineExecution:
    """A run of a pipeline; its stages share the run's time, approvals and runtime inputs hold it."""

    graphql_type: ClassVar[str] = "PipelineExecution"
    failed_statuses: ClassVar[frozenset[str]] = frozenset({"FAILED", "REJECTED"})
    id: str
    application: Application
    run: Run
    pipeline: Pipeline
    cause: GraphQLObject
    input_variables: Sequence[NamedValue] = ()
    artifacts: Sequence[Artifact] = ()
    notes: str | None = None
    starting_status: str = "QUEUED"
    members: dict[int, WorkflowExecution] = field(default_factory=dict)
    halts: list[int] = field(default_factory=list)
    """Indexes of the stages it still has to halt at, in order."""
    halting_at: int | None = None
    """Index of the stage the run's hold is for."""
    is_rejected: bool = False
    tags: tuple[object, ...] = ()

    @property
    def target(self) -> Pipeline:
        """What it runs."""
        return self.pipeline

    def url_path(self) -> str:
        """Path of its page below the account's."""
        return f"app/{self.application.id}/pipeline-execution/{self.id}/workflow-execution/undefined/details"

    def internal_status(self, now: float) -> str:
        """The server's internal status."""
        return run_status(self.run, now, self.starting_status)

    def settle(self) -> None:
        """Hold the run at the next stage that waits for somebody, unless it is held or rejected."""
        if self.run.hold is not None or self.is_rejected:
            return
        if self.halts and self.halting_at == self.halts[0]:
            self.halts.pop(0)
        if self.halts:
            self.halting_at = self.halts[0]
            self.run.hold = "PAUSED"
            started = self.run.started_at + self.run.queue_seconds + self.run.paused
            self.run.hold_at = started + self._offset(self.halting_at)

    def proceed(self, now: float) -> None:
        """Continue after the stage it is held at."""
        self.run.release(now)
        self.settle()

    def reject(self, now: float) -> None:
        """End at the stage it is held at."""
        self.is_rejected = True
        self.run.ending = "REJECTED"
        self.run.finish(now)

    def halted_stage(self, now: float) -> Stage | None:
        """The stage it is held at, if any; `halting_at` is its index."""
        is_held = self.run.phase(now) is Phase.HELD and self.run.hold == "PAUSED"
        return self.pipeline.stages[self.halting_at] if is_held and self.halting_at is not None else None

    def _offset(self, number: int) -> float:
        working = [stage.workflow is not None for stage in self.pipeline.stages]
        return self.run.seconds * sum(working[:number]) / max(1, sum(working))

    def stage_status(self, number: int, now: float) -> str:
        """The internal status of a stage."""
        status = self.internal_status(now)
        active = self.run.active_seconds(now)
        halt = self.halts[0] if self.halts else len(self.pipeline.stages)
        if status == "SUCCESS":
            return status
        if number > halt or active < self._offset(number) or self.run.phase(now) is Phase.QUEUED:
            return "QUEUED"
        if number == halt:
            is_reached = self.halted_stage(now) is not None or self.run.ended_at(now) is not None
            return status if is_reached else "QUEUED"
        is_approval = self.pipeline.stages[number].workflow is None
        is_last = number == len(self.pipeline.stages) - 1
        return "SUCCESS" if is_approval or (active >= self._offset(number + 1) and not is_last) else status


Execution = WorkflowExecution | PipelineExecution


def run_status(run: Run, now: float, starting_status: str) -> str:
    """The server's internal status of a run."""
    phase = run.phase(now)
    if phase is Phase.HELD and run.hold is not None:
        return run.hold if run.cancelled_at is None else "DISCONTINUING"
    statuses = {
        Phase.QUEUED: starting_status,
        Phase.RUNNING: "RUNNING" if run.cancelled_at is None else "DISCONTINUING",
        Phase.SUCCEEDED: "SUCCESS",
        Phase.FAILED: run.vendor_status or "FAILED",
        Phase.CANCELLED: "ABORTED",
    }
    return statuses[phase]


def stage_views(execution: PipelineExecution, now: float) -> list[GraphQLObject]:
    """The stages at that moment."""
    return [_stage_view(execution, number, stage, now) for number, stage in enumerate(execution.pipeline.stages)]


def _stage_view(execution: PipelineExecution, number: int, stage: Stage, now: float) -> GraphQLObject:
    internal = execution.stage_status(number, now)
    member = execution.members.get(number)
    has_started = internal != "QUEUED"
    return GraphQLObject(
        "WorkflowStageExecution" if stage.workflow else "ApprovalStageExecution",
        pipeline_stage_element_id=stage.element_id,
        pipeline_stage_name=stage.name,
        pipeline_step_name=stage.step_name,
        status=graphql_status(internal),
        workflow_execution_id=member.id if member and has_started else None,
        runtime_input_variables=stage.runtime_variables if stage.runtime_variables and internal == "PAUSED" else None,
        input_variables=execution.input_variables if has_started else [],
        approval_step_type="USER_GROUP",
    )
