"""`workflow_vcd_execution`: starts an Orchestrator workflow through Cloud Director, `POST …/workflows/{id}/executions`.

Destroying it forgets the execution; with `on_destroy = "cancel"` an unfinished one is cancelled, without any roll-back.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from provider_py.execution.errors import SystemFault, Unauthorized
from provider_py.execution.launcher import Started
from provider_py.execution.poller import PollSource
from provider_py.execution.registry_types import ExecutionType
from provider_py.execution.run import Execution, Phase, Run
from provider_py.plugin import (
    Decoded,
    Diagnostic,
    Dynamic,
    computed,
    error,
    exactly_one,
    model,
    not_empty,
    optional,
    pattern,
    required_together,
)
from provider_py.systems.vcd import types
from provider_py.systems.vcd.settings import SYSTEM
from provider_py.systems.vcd.system import CloudDirector

if TYPE_CHECKING:
    from provider_py.systems.vcd.looking import Watch
    from provider_py.systems.vcd.preparing import Request

PHASES: Final = {
    "completed": Phase.SUCCEEDED,
    "failed": Phase.FAILED,
    "canceled": Phase.FAILED,
    "cancelled": Phase.FAILED,
    "waiting": Phase.HELD,
    "suspended": Phase.HELD,
}
"""By the state's letters alone: its spelling differs between versions in case, hyphens and underscores."""

BATCH: Final = 500
"""How many executions are looked at together: those of one workflow need one request."""
WORKFLOW_ID: Final = r"urn:vcloud:serviceItem:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Za-z_-]{1,128}"
"""A service item's URN or UUID, or an id of Orchestrator, which is a UUID or, for its own workflows, another text."""
_IMPORT_ID: Final = re.compile(rf"(?:{WORKFLOW_ID})/[0-9A-Za-z_-]+")
workflow_id_form: Final = pattern(
    WORKFLOW_ID, "the id of a service item (URN or UUID) or of Orchestrator, or name the workflow with `workflow`"
)


@model
class VcdExecution(Execution):
    """A run of an Orchestrator workflow that is published in Cloud Director's service library."""

    workflow: Annotated[
        str | None, optional("Name of the workflow's service item, exact.", replace=True, checks=(not_empty,))
    ] = None
    workflow_id: Annotated[
        str | None,
        optional(
            "Id of the workflow, in place of its name: of the service item (URN or UUID) or of Orchestrator.",
            replace=True,
            checks=(workflow_id_form,),
        ),
    ] = None
    parameters: Annotated[
        Dynamic,
        optional(
            "Input parameters by name, as natural values: text, numbers, booleans, lists and objects. They are encoded "
            "by the types that the workflow declares. A date is RFC 3339 text, a reference to an object its id or an "
            "object with `id`, `type`, an attachment an object with `name`, `mime_type` and Base64 `content`. What is "
            "null is left out.",
            replace=True,
        ),
    ] = None
    parameter_types: Annotated[
        dict[str, str] | None,
        optional(
            "Orchestrator types of parameters, such as `Date` or `Array/VC:VirtualMachine`, where Cloud Director does "
            "not declare them or declares them wrongly.",
            replace=True,
            element_checks=(types.fault,),
        ),
    ] = None
    sensitive_parameters: Annotated[
        Dynamic,
        optional(
            "Input parameters that are never stored. Change `sensitive_parameters_version` to run with changed ones.",
            write_only=True,
        ),
    ] = None
    sensitive_parameters_version: Annotated[
        str | None,
        optional(
            "A text that stands for the content of `sensitive_parameters`; a change starts a new run.", replace=True
        ),
    ] = None
    outputs: Annotated[Dynamic, computed("Output parameters by name, as natural values. Secret ones are null.")] = None
    current_item: Annotated[str | None, computed("The step of the workflow at which the run is or was.")] = None
    task_url: Annotated[str | None, computed("Address of Cloud Director's task for the run, if it named one.")] = None
    import_id: Annotated[str | None, computed("What `terraform import` takes: `<workflow id>/<execution id>`.")] = None


def validate(config: Decoded[VcdExecution]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    yield from exactly_one(config, ("workflow", "workflow_id"), meaning="workflow")
    yield from required_together(config, ("sensitive_parameters_version", "sensitive_parameters"))
    if config.model is None:
        return
    for name in ("parameters", "sensitive_parameters"):
        value = getattr(config.model, name)
        if value is not None and not isinstance(value, Mapping):
            yield error(
                f"`{name}` is not an object",
                f'Write the parameters by name, for example {name} = {{ vmName = "web-1", size = 2 }}.',
                (name,),
            )
    both = _names(config.model.parameters) & _names(config.model.sensitive_parameters)
    if both:
        yield error(
            f"Parameter {min(both)!r} is given twice",
            "Keep it either in `parameters` or in `sensitive_parameters`.",
            ("sensitive_parameters",),
        )


def _names(value: object) -> set[str]:
    return set(value) if isinstance(value, Mapping) else set()


def phase(status: str | None) -> Phase:
    """Return what a status means."""
    return PHASES.get("".join(filter(str.isalpha, (status or "").lower())), Phase.ACTIVE)


@dataclass(frozen=True, slots=True)
class Detail:
    """What only a Cloud Director execution has."""

    workflow_id: str
    outputs: Mapping[str, object] | None = None
    current_item: str | None = None
    task_url: str | None = None


class VcdLauncher:
    """Starts executions and reads them back; what needs the generated client is imported on first use."""

    system = SYSTEM

    def __init__(self, director: CloudDirector) -> None:
        """Work on a connection."""
        self._director = director
        self._tasks: dict[str, str] = {}
        self.source: PollSource[str, Run[Detail]] = PollSource(self._look, BATCH)

    @functools.cached_property
    def _watch(self) -> Watch:
        from provider_py.systems.vcd.looking import Watch

        return Watch(self._director)

    async def prepare(self, config: VcdExecution, unknown: frozenset[str]) -> Sequence[Request]:
        """Find the workflow, check the parameters against its presentation and encode them."""
        from provider_py.systems.vcd import preparing

        if unknown & {"workflow", "workflow_id"}:
            return ()
        return await preparing.prepare(self._director, config, unknown)

    def dedup_key(self, part: Request) -> str:
        """Executions of one workflow with the same inputs are alike: there is no room for a mark."""
        return repr((part.workflow_id, [parameter.to_dict() for parameter in part.parameters]))

    async def start(self, part: Request, token: str) -> Started[Detail]:
        """Send the start, once."""
        from provider_py.systems.vcd import calls

        try:
            run = await calls.start(self._director, part)
        except calls.Unnamed as fault:
            self._tracked(token, fault.task)
            raise
        self._tracked(run.id, run.detail.task_url)
        return Started(run)

    async def search(self, part: Request, token: str, since: float, taken: frozenset[str]) -> Run[Detail] | None:
        """Find the execution among those of the workflow, by its time and its inputs: nothing else tells them apart."""
        from provider_py.systems.vcd import calls

        run = await calls.search(self._director, part, since, taken)
        if run is not None:
            self._tracked(run.id, self._tasks.get(token))
        return run

    def _tracked(self, start: str, task: str | None) -> None:
        """Keep the task of a start, or of its run: only the start's answer names it."""
        if task is not None:
            self._tasks[start] = task

    def key(self, part: Request, run: Run[Detail]) -> str:
        """An execution is found by its workflow and its id."""
        return f"{part.workflow_id}/{run.id}"

    def results(self, state: VcdExecution, runs: Sequence[Run[Detail]]) -> VcdExecution:
        """Add outputs and whereabouts."""
        run = runs[0]
        return dataclasses.replace(
            state,
            outputs=run.detail.outputs,
            current_item=run.detail.current_item or state.current_item,
            task_url=self._tasks.get(run.id) or state.task_url,
            import_id=f"{run.detail.workflow_id}/{run.id}",
        )

    async def cancel(self, state: VcdExecution) -> None:
        """Cancel; actions that the run has started are neither stopped nor undone."""
        from provider_py.systems.vcd import calls

        key = state.import_id or ""
        try:
            await calls.cancel(self._director, key)
        except Unauthorized as fault:  # what is gone may be answered like what is forbidden
            if (await self._watch.look([key])).get(key) is not None:
                raise fault from None

    def adopt(self, identifier: str, run: Run[Detail]) -> VcdExecution:
        """Name what the imported execution ran."""
        return VcdExecution(workflow_id=run.detail.workflow_id)

    async def _look(self, keys: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
        return await self._watch.look(keys)


KIND: Final = ExecutionType(
    name="vcd_execution",
    title="Cloud Director execution",
    system="vcd",
    model=VcdExecution,
    description="Runs an Orchestrator workflow through VMware Cloud Director, once, and waits for its end.",
    phase=phase,
    keys=lambda state: (state.import_id,) if state.import_id else (),
    import_form="<workflow id>/<execution id>",
    import_key=lambda identifier: identifier if _IMPORT_ID.fullmatch(identifier) else None,
    validate=validate,
    launcher=VcdLauncher,
)
