"""`workflow_vcd_execution`: starts an Orchestrator workflow through Cloud Director, `POST …/workflows/{id}/executions`.

Destroying it forgets the execution; with `on_destroy = "cancel"` an unfinished one is canceled, without any rollback.

A start cannot be marked: the request has room for the workflow's declared parameters and nothing else, and what an
execution records of its caller is the same for all executions of a user. So a start whose answer was lost is searched
for by what can be compared. Of the executions in the workflow's list it is the one that began since the start was
intended, has the same inputs, and is not known to belong to another run. Times are compared by the server's clock,
which answers give in whole seconds, hence the margins. Several matches are an error: a wrong guess would be worse. For
the same reason equal starts are sent one at a time (`dedup_key`).

Not guaranteed: that the match was not started by someone else, with the same inputs and at the same time.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import vcd_client
from vcd_client import api, models

from provider_py.execution import (
    Execution,
    ExecutionType,
    Phase,
    PollSource,
    Refused,
    Run,
    Started,
    Unanswered,
    Unauthorized,
    readable,
)
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
    required_together,
)
from provider_py.systems.vcd import lookup, preflight, values
from provider_py.systems.vcd.answers import elements, expect
from provider_py.systems.vcd.config import SYSTEM
from provider_py.systems.vcd.connection import CloudDirector
from provider_py.systems.vcd.polling import BATCH, LIST_REQUEST, Detail, ExecutionReader, phase, run_of
from provider_py.systems.vcd.types import check_type, with_short_input_types

CLOCK_SKEW_SECONDS: Final = 300
"""How far the clocks of this machine and of Cloud Director may differ, where answers do not have their date."""
ROUNDING_SECONDS: Final = 5
"""How much older an execution may seem than the intent to start it: dates of answers are in whole seconds."""
_IMPORT_ID: Final = re.compile(rf"(?:{lookup.WORKFLOW_ID})/[0-9A-Za-z_-]+")
_ABOUT_INPUT_TYPES: Final = re.compile(r"was answered 400: .*(inputType|type id)", re.IGNORECASE | re.DOTALL)


@model
class VcdExecution(Execution):
    """A run of an Orchestrator workflow that is published in Cloud Director's service library."""

    workflow: Annotated[
        str | None,
        optional(
            "Name of the workflow's service item. Exactly one of `workflow` and `workflow_id` must be set.",
            replace=True,
            checks=(not_empty,),
        ),
    ] = None
    workflow_id: Annotated[
        str | None,
        optional(
            "ID of the workflow: the URN or UUID of its service item, or its ID in Orchestrator.",
            replace=True,
            checks=(lookup.check_workflow_id,),
        ),
    ] = None
    parameters: Annotated[
        Dynamic,
        optional(
            "Input parameters by name: strings, numbers, booleans, lists and objects, which are encoded as the types "
            "that the workflow declares. Write a date as an RFC 3339 string; a reference to an object as its ID, or as "
            "an object with `id` and optionally `type`, `href` and `display_value`; an attachment as an object with "
            "`content` (Base64) and optionally `name` and `mime_type`. Parameters that are null are omitted.",
            replace=True,
        ),
    ] = None
    parameter_types: Annotated[
        dict[str, str] | None,
        optional(
            "Orchestrator types of parameters, such as `Date` or `Array/VC:VirtualMachine`. Only needed where Cloud "
            "Director declares no type or a wrong one.",
            replace=True,
            element_checks=(check_type,),
        ),
    ] = None
    sensitive_parameters: Annotated[
        Dynamic,
        optional(
            "Input parameters by name whose values are never stored in the plan or state. Requires "
            "`sensitive_parameters_version`, which must be changed for new values to take effect.",
            write_only=True,
        ),
    ] = None
    sensitive_parameters_version: Annotated[
        str | None,
        optional("Version marker for `sensitive_parameters`: change it to run with new values.", replace=True),
    ] = None
    outputs: Annotated[
        Dynamic,
        computed("Output parameters by name, as strings, numbers, booleans, lists and objects. Secrets are null."),
    ] = None
    current_item: Annotated[str | None, computed("Workflow item that the run is at, or was at when it finished.")] = (
        None
    )
    task_url: Annotated[str | None, computed("URL of the run's task in Cloud Director, if it reported one.")] = None
    import_id: Annotated[str | None, computed("ID for `terraform import`: `<workflow id>/<execution id>`.")] = None


def validate(config: Decoded[VcdExecution]) -> Iterable[Diagnostic]:
    """Validate attributes against each other, offline."""
    yield from exactly_one(config, ("workflow", "workflow_id"), meaning="workflow")
    yield from required_together(config, ("sensitive_parameters_version", "sensitive_parameters"))
    if config.model is None:
        return
    for name in ("parameters", "sensitive_parameters"):
        value = getattr(config.model, name)
        if value is not None and not isinstance(value, Mapping):
            yield error(
                f"Invalid value of `{name}`",
                f'It must be an object of parameters by name, such as {name} = {{ vmName = "web-1", size = 2 }}.',
                (name,),
            )
    duplicates = _mapping(config.model.parameters).keys() & _mapping(config.model.sensitive_parameters).keys()
    if duplicates:
        yield error(
            f"Duplicate workflow parameter {min(duplicates)!r}",
            "It is in both `parameters` and `sensitive_parameters`. Keep it in one of them.",
            ("sensitive_parameters",),
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What one start sends."""

    workflow_id: str
    inputs: Sequence[preflight.Input]


class VcdLauncher:
    """Starts executions, searches for them and cancels them."""

    system = SYSTEM

    def __init__(self, director: CloudDirector) -> None:
        self._director = director
        self._reader = ExecutionReader(director)
        self._tasks: dict[str, str] = {}
        self.source: PollSource[str, Run[Detail]] = PollSource(self._reader.poll, BATCH)

    async def prepare(self, config: VcdExecution, unknown: frozenset[str]) -> Sequence[Request]:
        """Find the workflow, check the parameters against its presentation and encode them."""
        if unknown & {"workflow", "workflow_id"}:
            return ()
        workflow = config.workflow or str(config.workflow_id)
        item, form = await lookup.find_workflow(self._director, config.workflow, config.workflow_id)
        preflight.check_permission(item, workflow, "workflow" if config.workflow else "workflow_id")
        if unknown & {"parameters", "parameter_types", "sensitive_parameters"}:
            return ()
        arguments = {
            name: preflight.Argument(attribute, value)
            for attribute in ("parameters", "sensitive_parameters")
            for name, value in _mapping(getattr(config, attribute)).items()
        }
        inputs = preflight.encode_arguments(workflow, form, arguments, config.parameter_types or {})
        return (Request(item.id, inputs),)

    def dedup_key(self, part: Request) -> str:
        """Executions of one workflow with the same inputs cannot be told apart."""
        return repr(part)

    async def start(self, part: Request, token: str) -> Started[Detail]:
        """Send the start, once; raises Unanswered where the answer does not say which execution it began.

        The answer is an execution (201) or nothing (202), and one of two headers may name a task or the execution.
        """
        with readable(SYSTEM, "the start"):
            answer = await _send_start(self._director, part)
            location = str(answer.headers.get("location", ""))
            task = _task(str(answer.headers.get("x-vmware-vcloud-task-location", ""))) or _task(location)
            run = self._named_run(part.workflow_id, answer.parsed, location)
        if task is not None:  # only this answer names it: it is kept for the run, or for the search for the run
            self._tasks[token if run is None else run.id] = task
        if run is None:
            suffix = f" (its task is {task})" if task else ""
            raise Unanswered(SYSTEM, f"the start was accepted without naming the execution{suffix}")
        return Started(run)

    def _named_run(self, workflow: str, answered: object, location: str) -> Run[Detail] | None:
        if isinstance(answered, models.WsWorkflowExecution) and answered.id:
            return run_of(self._director, workflow, answered)
        named = re.search(r"/executions/([^/?#]+)", location)
        return Run(named[1], "initializing", Phase.ACTIVE, Detail(workflow)) if named else None

    def now(self) -> float:
        """Return the time by Cloud Director's clock."""
        return self._director.system_time()

    async def search(self, part: Request, token: str, since: float, taken: frozenset[str]) -> Run[Detail] | None:
        """Find the execution among those of the workflow, by its time and its inputs."""
        matches = await self._candidates(part, since, taken)
        if len(matches) > 1:
            identifiers = ", ".join(run.id for run in matches)
            raise Unanswered(SYSTEM, f"several executions could be the one that was started: {identifiers}")
        if matches and token in self._tasks:
            self._tasks[matches[0].id] = self._tasks[token]
        return matches[0] if matches else None

    async def _candidates(self, request: Request, since: float, taken: frozenset[str]) -> Sequence[Run[Detail]]:
        """Return the executions that could be the one of a start, which the list alone does not tell."""
        workflow = request.workflow_id
        with readable(SYSTEM, LIST_REQUEST):
            answer = await api.workflows.get_all_workflow_executions.asyncio_detailed(
                workflow, client=self._director.client
            )
            listed = elements(expect(answer.parsed, models.PresentationExecutionsList, LIST_REQUEST).executions)
            earliest = since - (ROUNDING_SECONDS if "date" in answer.headers else CLOCK_SKEW_SECONDS)
            young = [
                str(execution.id)
                for execution in listed
                if not isinstance(execution.start_date, str)
                or datetime.fromisoformat(execution.start_date).timestamp() >= earliest
            ]
            unknown = [identifier for identifier in young if f"{workflow}/{identifier}" not in taken]
            executions = await self._reader.read_all(workflow, unknown)
            return [
                run_of(self._director, workflow, execution)
                for execution in executions
                if _has_inputs(execution, request)
            ]

    def unread(self, key: str) -> Run[Detail]:
        """Return an execution by its key alone."""
        workflow, _, identifier = key.rpartition("/")
        return Run(identifier, "initializing", Phase.ACTIVE, Detail(workflow))

    def key(self, part: Request, run: Run[Detail]) -> str:
        """Return the key of an execution: its workflow's ID and its own."""
        return f"{part.workflow_id}/{run.id}"

    def results(self, state: VcdExecution, runs: Sequence[Run[Detail]]) -> VcdExecution:
        """Add what only Cloud Director's executions have."""
        run = runs[0]
        return dataclasses.replace(
            state,
            outputs=run.detail.outputs,
            current_item=run.detail.current_item or state.current_item,
            task_url=self._tasks.get(run.id) or state.task_url,
            import_id=f"{run.detail.workflow_id}/{run.id}",
        )

    async def cancel(self, state: VcdExecution) -> None:
        """Cancel the execution. Actions that it has started are neither stopped nor undone."""
        for key in _keys(state):
            workflow, _, identifier = key.rpartition("/")
            try:
                await api.workflows.cancel_workflow_execution.asyncio_detailed(
                    workflow, identifier, client=self._director.client
                )
            except Unauthorized as fault:  # 403 may also mean that it does not exist
                if key in await self._reader.poll([key]):
                    raise fault from None

    def adopt(self, identifier: str, run: Run[Detail]) -> VcdExecution:
        """Return the arguments that an imported execution can be known to have had."""
        return VcdExecution(workflow_id=run.detail.workflow_id)


def _task(url: str) -> str | None:
    return url if "/api/task/" in url else None


async def _send_start(director: CloudDirector, request: Request) -> vcd_client.types.Response[object]:
    """Send the start, again with the other spelling of `inputType` if the first is refused: that started nothing."""
    try:
        return await _send(director, request, short=director.short_input_types)
    except Refused as fault:
        if director.short_input_types or not is_about_input_types(fault):
            raise
        refusal = fault
    try:
        answer = await _send(director, request, short=True)
    except Refused as fault:
        raise refusal if is_about_input_types(fault) else fault from None
    director.short_input_types = True
    return answer


def is_about_input_types(fault: Refused) -> bool:
    """Whether a server answered 400 because it does not know the spelling of an `inputType`."""
    return _ABOUT_INPUT_TYPES.search(fault.reason) is not None


async def _send(director: CloudDirector, request: Request, *, short: bool) -> vcd_client.types.Response[object]:
    parameters = [
        models.WsParameter.from_dict(
            {
                "name": sent.name,
                "type": sent.type,
                "scope": "local",
                "value": with_short_input_types(sent.value) if short else sent.value,
            }
        )
        for sent in request.inputs
    ]
    answer: vcd_client.types.Response[object] = await api.workflows.start_workflow_execution.asyncio_detailed(
        request.workflow_id, client=director.client, body=models.ExecutionContext(parameters=parameters)
    )
    return answer


def _has_inputs(execution: models.WsWorkflowExecution, request: Request) -> bool:
    """Whether an execution has the inputs of a request; secrets, which are not returned, match anything."""
    actual = {
        str(parameter.name): values.decode(parameter.to_dict().get("value"))
        for parameter in elements(execution.input_parameters)
    }
    expected = {sent.name: values.decode(sent.value) for sent in request.inputs}
    return all(value is None or values.is_same(actual.get(name), value) for name, value in expected.items())


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _keys(state: VcdExecution) -> Sequence[str]:
    return (state.import_id,) if state.import_id else ()


TYPE: Final = ExecutionType(
    name="vcd_execution",
    title="Cloud Director execution",
    system="vcd",
    model=VcdExecution,
    description="Runs an Orchestrator workflow once, through VMware Cloud Director, and waits for it to finish.",
    phase=phase,
    keys=_keys,
    import_form="<workflow id>/<execution id>",
    import_key=lambda identifier: identifier if _IMPORT_ID.fullmatch(identifier) else None,
    workflow=lambda state: state.workflow or state.workflow_id,
    validate=validate,
    launcher=VcdLauncher,
)
