"""The calls behind an execution, in and out of the generated client's types. Imported on first use."""

from __future__ import annotations

import asyncio
import difflib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from vcd_client.api.service_library import query_service_items
from vcd_client.api.workflows import (
    cancel_workflow_execution,
    get_all_workflow_executions,
    get_workflow_execution,
    get_workflow_presentation,
    start_workflow_execution,
)
from vcd_client.models import (
    ExecutionContext,
    Presentation,
    PresentationElement,
    PresentationExecutionsList,
    ServiceItems,
    WsParameter,
    WsWorkflowExecution,
)
from vcd_client.types import UNSET, Unset

from provider_py.execution.errors import Missing, SystemFault, Unanswered, Unauthorized
from provider_py.execution.run import Phase, Run
from provider_py.execution.system import readable, unknown_name
from provider_py.plugin.diagnostics import Diagnostic, DiagnosticError, error
from provider_py.systems.vcd import values
from provider_py.systems.vcd.execution import Detail, VcdExecution, phase
from provider_py.systems.vcd.settings import SYSTEM
from provider_py.systems.vcd.system import CloudDirector

log = logging.getLogger(__name__)

CLOCK_SKEW_SECONDS: Final = 300
"""How far the clocks of this machine and of Cloud Director may be apart, where an answer does not tell its time."""
AGE_SECONDS: Final = 5
"""How much older an execution may be than the intent to start it: answers tell their time in whole seconds."""
PAGE: Final = 128
"""The most service items of one page."""
_PLAIN_NAME: Final = re.compile(r"[\w .@-]+")
"""Names that need no quoting in a FIQL filter; for others the whole library is read."""
_HELD: Final = {
    "waiting": "It waits for a person's answer, which Cloud Director's API cannot give: answer in Orchestrator.",
    "suspended": "It is suspended: resume it in Orchestrator.",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What one start is asked for."""

    workflow_id: str
    parameters: Sequence[WsParameter]


@dataclass(frozen=True, slots=True)
class _Declared:
    types: Mapping[str, str]
    mandatory: frozenset[str]


async def prepare(director: CloudDirector, config: VcdExecution, unknown: frozenset[str]) -> Sequence[Request]:
    """Find the workflow and encode the parameters; raises DiagnosticError with every finding."""
    identifier = await _workflow_id(director, config)
    declared = await _declared(director, config, identifier)
    if unknown & {"parameters", "parameter_types", "sensitive_parameters"}:
        return ()
    given = {
        name: (attribute, value)
        for attribute in ("parameters", "sensitive_parameters")
        for name, value in _object(getattr(config, attribute)).items()
    }
    findings: list[Diagnostic] = list(_misnamed(config, declared, given))
    encoded: list[WsParameter] = []
    for name, (attribute, value) in given.items():
        types = {**(declared.types if declared else {}), **(config.parameter_types or {})}
        kind = types.get(name) or values.infer(value)
        try:
            encoded.append(_parameter(name, value, kind))
        except values.Unfit as misfit:
            reason = f": {misfit}" if attribute == "parameters" else ""
            findings.append(
                error(f"Parameter {name!r} does not fit its type {kind}", f"Correct it{reason}.", (attribute,))
            )
    if findings:
        raise DiagnosticError(*findings)
    return (Request(identifier, encoded),)


async def _workflow_id(director: CloudDirector, config: VcdExecution) -> str:
    if config.workflow is None:
        return config.workflow_id or ""
    name = config.workflow
    found = await director.lookups.get(("items", name), lambda: _items_named(director, name))
    if not found:
        known = await director.lookups.get(("items",), lambda: _items(director, None))
        raise DiagnosticError(unknown_name("Cloud Director workflow", name, known.values(), "workflow"))
    if len(found) > 1:
        raise DiagnosticError(
            error(
                f"There are {len(found)} workflows named {name!r}",
                f"Set `workflow_id` instead of `workflow`, to one of: {', '.join(found)}.",
                ("workflow",),
            )
        )
    return next(iter(found))


async def _items_named(director: CloudDirector, name: str) -> Mapping[str, str]:
    listed = await _items(director, f"name=={name}" if _PLAIN_NAME.fullmatch(name) else None)
    return {identifier: each for identifier, each in listed.items() if each == name}


async def _items(director: CloudDirector, fiql: str | None) -> Mapping[str, str]:
    """Return names by id, page by page."""
    names: dict[str, str] = {}
    page, total = 1, 1
    with readable(SYSTEM, "the list of service items"):
        while (page - 1) * PAGE < total:
            answer = await query_service_items.asyncio(
                client=director.client, filter_=UNSET if fiql is None else fiql, page=page, page_size=PAGE
            )
            if not isinstance(answer, ServiceItems):
                raise Unanswered(SYSTEM, "the list of service items was answered without items")
            items = answer.values or []
            names |= {str(item.id): str(item.name) for item in items}
            total = answer.result_total or len(names)
            page = page + 1 if items else total + 2
    return names


async def _declared(director: CloudDirector, config: VcdExecution, identifier: str) -> _Declared | None:
    """Return what the presentation declares; None where Cloud Director gives none and types are taken from values."""
    try:
        presentation = await director.lookups.get(
            ("presentation", identifier), lambda: _presentation(director, identifier)
        )
    except Missing as fault:
        attribute = "workflow" if config.workflow else "workflow_id"
        told = error(
            f"There is no Cloud Director workflow {config.workflow or identifier!r}",
            f"Check `{attribute}`, and that the workflow is published to these credentials. ({fault.reason})",
            (attribute,),
        )
        raise DiagnosticError(told) from fault
    parameters = _each(presentation.input_parameters)
    if not parameters and not _each(presentation.steps):
        return None
    types = {str(each.name): each.type_ if isinstance(each.type_, str) else "" for each in parameters}
    return _Declared(types, frozenset(_mandatory(_each(presentation.steps))) & types.keys())


async def _presentation(director: CloudDirector, identifier: str) -> Presentation:
    with readable(SYSTEM, "the workflow's presentation"):
        answer = await get_workflow_presentation.asyncio(identifier, client=director.client)
    if not isinstance(answer, Presentation):
        raise Unanswered(SYSTEM, "the workflow's presentation was answered without content")
    return answer


def _mandatory(elements: Iterable[PresentationElement]) -> Iterator[str]:
    for element in elements:
        if any(constraint.constraint_type == "Mandatory" for constraint in _each(element.constraints)):
            yield str(element.id)
        yield from _mandatory(_each(element.elements))
        yield from _mandatory(_each(element.fields))


def _misnamed(
    config: VcdExecution, declared: _Declared | None, given: Mapping[str, tuple[str, object]]
) -> Iterator[Diagnostic]:
    if declared is None:
        return
    workflow = repr(config.workflow or config.workflow_id)
    known = ", ".join(declared.types) or "none"
    for name, (attribute, _) in given.items():
        if name not in declared.types:
            near = difflib.get_close_matches(name, declared.types, n=1, cutoff=0.5)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            yield error(
                f"Workflow {workflow} has no parameter {name!r}",
                f"Its parameters are: {known}.{meant}",
                (attribute,),
            )
    missing = sorted(name for name in declared.mandatory if given.get(name, ("", None))[1] is None)
    if missing:
        yield error(
            f"Workflow {workflow} needs a value for: {', '.join(missing)}",
            "These parameters are mandatory. Add them to `parameters`.",
            ("parameters",),
        )


def _parameter(name: str, value: object, declared: str) -> WsParameter:
    wire = {"name": name, "type": declared, "scope": "local", "value": values.encode(value, declared)}
    return WsParameter.from_dict({key: each for key, each in wire.items() if each is not None})


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _each(listed: list[Any] | None | Unset) -> list[Any]:
    return listed if isinstance(listed, list) else []


async def start(director: CloudDirector, request: Request) -> Run[Detail]:
    """Send the start, once.

    The answer is an execution (201); versions differ in whether a header names a task or the execution, and 202 with a
    header alone is borne.
    """
    with readable(SYSTEM, "the start"):
        context = ExecutionContext(parameters=list(request.parameters))
        answer = await start_workflow_execution.asyncio_detailed(
            request.workflow_id, client=director.client, body=context
        )
        headers = answer.headers
        location = str(headers.get("location", ""))
        task = next(
            (
                each
                for each in (str(headers.get("x-vmware-vcloud-task-location", "")), location)
                if "/api/task/" in each
            ),
            None,
        )
        execution = answer.parsed
        if isinstance(execution, WsWorkflowExecution) and execution.id:
            return _run(director, request.workflow_id, execution, task)
        named = re.search(r"/executions/([^/?#]+)", location)
        if named:
            return Run(named[1], "initializing", Phase.ACTIVE, Detail(request.workflow_id, task_url=task))
    raise Unanswered(
        SYSTEM,
        f"the start was accepted without naming the execution{f' (its task is {task})' if task else ''}",
    )


async def search(director: CloudDirector, request: Request, since: float, taken: frozenset[str]) -> Run[Detail] | None:
    """Find the execution of an unanswered start: begun since then, with the same inputs, and not known otherwise."""
    with readable(SYSTEM, "the list of executions"):
        answer = await get_all_workflow_executions.asyncio_detailed(request.workflow_id, client=director.client)
        listed = answer.parsed
        if not isinstance(listed, PresentationExecutionsList):
            raise Unanswered(SYSTEM, "the list of executions was answered without content")
        earliest = _earliest(answer.headers.get("date"), since, director.runtime.clock.time())
        recent = [
            f"{request.workflow_id}/{each.id}"
            for each in _each(listed.executions)
            if not isinstance(each.start_date, str) or _epoch(each.start_date) >= earliest
        ]
        candidates = [key for key in recent if key not in taken]
        found = [run for key in candidates if (run := await _same(director, key, request)) is not None]
    if len(found) > 1:
        named = ", ".join(run.id for run in found)
        raise Unanswered(SYSTEM, f"several executions could be the one that was started: {named}")
    return found[0] if found else None


async def _same(director: CloudDirector, key: str, request: Request) -> Run[Detail] | None:
    workflow, _, identifier = key.rpartition("/")
    execution = await get_workflow_execution.asyncio(workflow, identifier, client=director.client)
    if not isinstance(execution, WsWorkflowExecution):
        return None
    had = {str(each.name): each.to_dict().get("value") for each in _each(execution.input_parameters)}
    for parameter in request.parameters:
        wanted = parameter.to_dict().get("value")
        secret = isinstance(wanted, dict) and wanted.get("inputType") in {"SecureString", "EncryptedString"}
        if not secret and values.decode(had.get(str(parameter.name))) != values.decode(wanted):
            return None
    return _run(director, workflow, execution, None)


def _earliest(answered: str | None, since: float, now: float) -> float:
    """Return when a start that was intended at `since` can have begun, by Cloud Director's clock."""
    try:
        theirs = parsedate_to_datetime(answered or "").timestamp()
    except ValueError:
        return since - CLOCK_SKEW_SECONDS
    return theirs - (now - since) - AGE_SECONDS


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def look(director: CloudDirector, keys: Sequence[str]) -> Mapping[str, Run[Detail] | SystemFault]:
    """Look at executions; those there is no record of are left out."""
    looks = await asyncio.gather(*(_look(director, key) for key in keys))
    return {key: seen for key, seen in zip(keys, looks, strict=True) if seen is not None}


async def _look(director: CloudDirector, key: str) -> Run[Detail] | SystemFault | None:
    workflow, _, identifier = key.rpartition("/")
    try:
        with readable(SYSTEM, "the execution"):
            answer = await get_workflow_execution.asyncio(workflow, identifier, client=director.client)
            if not isinstance(answer, WsWorkflowExecution):
                raise Unanswered(SYSTEM, "the execution was answered without content")
            return _run(director, workflow, answer, None)
    except Missing:
        return None
    except Unauthorized as fault:
        return None if await _unlisted(director, workflow, identifier) else fault
    except SystemFault as fault:
        return fault


async def _unlisted(director: CloudDirector, workflow: str, identifier: str) -> bool:
    """Tell whether an execution that may not be seen is not there: Cloud Director answers both with 403."""
    try:
        with readable(SYSTEM, "the list of executions"):
            listed = await get_all_workflow_executions.asyncio(workflow, client=director.client)
            return isinstance(listed, PresentationExecutionsList) and identifier not in {
                each.id for each in _each(listed.executions)
            }
    except SystemFault:
        return False


async def cancel(director: CloudDirector, key: str) -> None:
    """Cancel an execution."""
    workflow, _, identifier = key.rpartition("/")
    await cancel_workflow_execution.asyncio_detailed(workflow, identifier, client=director.client)


def _run(director: CloudDirector, workflow: str, execution: WsWorkflowExecution, task: str | None) -> Run[Detail]:
    status = execution.state or None
    outputs = {
        str(each.name): values.decode(each.to_dict().get("value"))
        for each in _each(execution.output_parameters)
        if each.scope != "token" and not str(each.name).startswith(("_vcd_", "_vdc_"))
    }
    address = f"{director.settings.address}/cloudapi/workflows/{workflow}/executions/{execution.id}"
    return Run(
        id=str(execution.id),
        status=status,
        phase=phase(status),
        detail=Detail(workflow, outputs, execution.current_item_display_name or None, task),
        message=execution.content_exception or _HELD.get((status or "").lower()),
        url=address,
        started_at=_rfc3339(execution.start_date),
        ended_at=_rfc3339(execution.end_date),
    )


def _rfc3339(date: object) -> str | None:
    """Rewrite a date of Cloud Director, whose offset comes with or without a colon."""
    try:
        moment = datetime.fromisoformat(str(date))
    except ValueError:
        return None
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return known.isoformat(timespec="milliseconds").replace("+00:00", "Z")
