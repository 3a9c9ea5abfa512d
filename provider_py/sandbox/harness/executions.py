"""Executions as they are read: status words, stages, approvals, all derived from the run and the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from provider_py.sandbox.harness.catalog import Application, Artifact, Environment, Pipeline, Stage, Variable, Workflow
from provider_py.sandbox.harness.filters import Connection, page
from provider_py.sandbox.runs import Phase, Run

_SHOWN = {
    "ABORTING": "ABORTED",
    "DISCONTINUING": "RUNNING",
    "NEW": "QUEUED",
    "PAUSING": "PAUSED",
    "PREPARING": None,
    "SCHEDULED": "QUEUED",
    "STARTING": "QUEUED",
}
"""Internal words GraphQL shows as another one; the rest, unknown ones included, it shows as they are."""


def shown_status(internal: str) -> str | None:
    """The status GraphQL shows for an internal one."""
    return _SHOWN.get(internal, internal)


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The key a request was made with."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ByApiKey:
    """The cause of an execution that was started over the API."""

    api_key: ApiKey
    graphql_type: ClassVar[str] = "ExecutedByAPIKey"
    using: str = "GRAPHQL_API"


@dataclass(frozen=True, slots=True)
class AlongPipeline:
    """The cause of a workflow execution inside a pipeline."""

    execution: PipelineExecution
    graphql_type: ClassVar[str] = "ExecutedAlongPipeline"


@dataclass(slots=True)
class WorkflowExecution:
    """A run of a workflow, on its own or, with a `stage`, as a member of a pipeline execution."""

    graphql_type: ClassVar[str] = "WorkflowExecution"
    id: str
    application: Application
    run: Run
    workflow: Workflow
    cause: ByApiKey | AlongPipeline
    environment: Environment | None = None
    input_variables: Sequence[NamedValue] = ()
    artifacts: Sequence[Artifact] = ()
    notes: str | None = None
    starting_word: str = "QUEUED"
    pipeline_execution: PipelineExecution | None = None
    stage_number: int = 0
    tags: tuple[object, ...] = ()
    rollback_artifacts: tuple[Artifact, ...] = ()
    manifests: tuple[object, ...] = ()

    @property
    def target(self) -> Workflow:
        """What is run."""
        return self.workflow

    @property
    def outcomes(self) -> Connection:
        """Nothing: the sandbox deploys nowhere."""
        return page([], 100, 0)

    def internal_status(self, now: float) -> str:
        """The server's own word."""
        if self.pipeline_execution is not None:
            return self.pipeline_execution.stage_status(self.stage_number, now)
        return run_status(self.run, now, self.starting_word)

    def url_path(self) -> str:
        """Its page, after the account."""
        environment = self.environment.id if self.environment else "null"
        return f"app/{self.application.id}/env/{environment}/executions/{self.id}/details"

    failing_words: ClassVar[frozenset[str]] = frozenset({"FAILED"})


@dataclass(slots=True)
class PipelineExecution:
    """A run of a pipeline; its stages share the run's time, approvals and runtime inputs hold it."""

    graphql_type: ClassVar[str] = "PipelineExecution"
    failing_words: ClassVar[frozenset[str]] = frozenset({"FAILED", "REJECTED"})
    id: str
    application: Application
    run: Run
    pipeline: Pipeline
    cause: ByApiKey
    input_variables: Sequence[NamedValue] = ()
    artifacts: Sequence[Artifact] = ()
    notes: str | None = None
    starting_word: str = "QUEUED"
    members: dict[int, WorkflowExecution] = field(default_factory=dict)
    halts: list[int] = field(default_factory=list)
    """Numbers of the stages it still has to halt at, in order."""
    halting_at: int | None = None
    """The stage the run's hold is meant for."""
    is_rejected: bool = False
    tags: tuple[object, ...] = ()

    @property
    def target(self) -> Pipeline:
        """What is run."""
        return self.pipeline

    def url_path(self) -> str:
        """Its page, after the account."""
        return f"app/{self.application.id}/pipeline-execution/{self.id}/workflow-execution/undefined/details"

    def internal_status(self, now: float) -> str:
        """The server's own word."""
        return run_status(self.run, now, self.starting_word)

    def settle(self) -> None:
        """Have the run held at the next stage that needs somebody, unless it is held or over."""
        if self.run.hold is not None or self.is_rejected:
            return
        if self.halts and self.halting_at == self.halts[0]:
            self.halts.pop(0)
        if self.halts:
            self.halting_at = self.halts[0]
            self.run.hold = "PAUSED"
            begun = self.run.started_at + self.run.queue_seconds + self.run.paused
            self.run.hold_at = begun + self._offset(self.halting_at)

    def go_on(self, now: float) -> None:
        """Leave the stage it is held at."""
        self.run.release(now)
        self.settle()

    def reject(self, now: float) -> None:
        """End at the stage it is held at."""
        self.is_rejected = True
        self.run.ending = "REJECTED"
        self.run.finish(now)

    def halted_stage(self, now: float) -> int | None:
        """The number of the stage it is held at, if it is."""
        is_held = self.run.phase(now) is Phase.HELD and self.run.hold == "PAUSED"
        return self.halting_at if is_held else None

    def _offset(self, number: int) -> float:
        working = [stage.workflow is not None for stage in self.pipeline.stages]
        return self.run.seconds * sum(working[:number]) / max(1, sum(working))

    def stage_status(self, number: int, now: float) -> str:
        """The internal status of a stage."""
        own = self.internal_status(now)
        active = self.run.active_seconds(now)
        halt = self.halts[0] if self.halts else len(self.pipeline.stages)
        if own == "SUCCESS":
            return own
        if number > halt or active < self._offset(number) or self.run.phase(now) is Phase.QUEUED:
            return "QUEUED"
        if number == halt:
            return own if self.halted_stage(now) == number or self.run.ended_at(now) is not None else "QUEUED"
        is_approval = self.pipeline.stages[number].workflow is None
        is_last = number == len(self.pipeline.stages) - 1
        return "SUCCESS" if is_approval or (active >= self._offset(number + 1) and not is_last) else own


Execution = WorkflowExecution | PipelineExecution


def run_status(run: Run, now: float, starting_word: str) -> str:
    """The server's own word for a run."""
    phase = run.phase(now)
    if phase is Phase.HELD and run.hold is not None:
        return run.hold if run.cancelled_at is None else "DISCONTINUING"
    words = {
        Phase.QUEUED: starting_word,
        Phase.RUNNING: "RUNNING" if run.cancelled_at is None else "DISCONTINUING",
        Phase.SUCCEEDED: "SUCCESS",
        Phase.FAILED: run.own_word or "FAILED",
        Phase.CANCELLED: "ABORTED",
    }
    return words[phase]


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage of a pipeline execution as it is read at a moment."""

    graphql_type: str
    pipeline_stage_element_id: str
    pipeline_stage_name: str
    pipeline_step_name: str
    status: str | None
    workflow_execution_id: str | None = None
    runtime_input_variables: Sequence[Variable] | None = None
    input_variables: Sequence[NamedValue] = ()
    approval_step_type: str = "USER_GROUP"


def stage_views(execution: PipelineExecution, now: float) -> list[StageView]:
    """The stages at that moment."""
    return [_stage_view(execution, number, stage, now) for number, stage in enumerate(execution.pipeline.stages)]


def _stage_view(execution: PipelineExecution, number: int, stage: Stage, now: float) -> StageView:
    internal = execution.stage_status(number, now)
    member = execution.members.get(number)
    has_begun = internal != "QUEUED"
    return StageView(
        "WorkflowStageExecution" if stage.workflow else "ApprovalStageExecution",
        stage.element_id,
        stage.name,
        stage.step_name,
        shown_status(internal),
        member.id if member and has_begun else None,
        stage.runtime_variables if stage.runtime_variables and internal == "PAUSED" else None,
        execution.input_variables if has_begun else (),
    )
