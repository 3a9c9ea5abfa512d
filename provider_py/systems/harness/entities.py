"""Applications, workflows, pipelines and services by name or id. Imported on first use for the generated client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from harness_client import (
    ExecutionFilter,
    IdFilter,
    IdOperator,
    PipelineFilter,
    ServiceFilter,
    VariableDetails,
    WorkflowFilter,
)

from provider_py.execution.errors import Missing, Refused
from provider_py.execution.messages import unknown_name
from provider_py.plugin import Diagnostic, DiagnosticError, Path, error
from provider_py.systems.harness.settings import SYSTEM
from provider_py.systems.harness.variables import Entity, Variable

if TYPE_CHECKING:
    from provider_py.systems.harness.service import HarnessService
    from provider_py.systems.harness.system import Harness

PAGE: Final = 100
"""The most that Harness returns at once, whatever is asked for."""


class InApplication(Protocol):
    """A configuration that names an application in one of the two ways."""

    @property
    def application(self) -> str | None:
        """The name."""

    @property
    def application_id(self) -> str | None:
        """The id."""


@dataclass(frozen=True, slots=True)
class Named:
    """A thing of Harness."""

    id: str
    name: str
    description: str | None = None


async def every(ask: Callable[[int, int], Awaitable[Any]], most: int | None = None) -> list[Any]:
    """Collect the nodes of all pages, or the first so many; `ask` takes a page's size and its offset."""
    found: list[Any] = []
    while most is None or len(found) < most:
        size = PAGE if most is None else min(PAGE, most - len(found))
        page = await ask(size, len(found))
        nodes = list((page.nodes if page else None) or ())
        found.extend(nodes)
        if not nodes or page.page_info is None or not page.page_info.has_more:
            break
    return [node for node in found if node is not None]


def equals(identifier: str) -> IdFilter:
    """Write the condition that an id is this one."""
    return IdFilter(operator=IdOperator.EQUALS, values=[identifier])


async def application_id(harness: Harness, config: InApplication) -> str:
    """Return the id of the configured application; raises DiagnosticError if there is none of that name."""
    return config.application_id or "" if config.application is None else (await application(harness, config)).id


async def application(harness: Harness, config: InApplication) -> Named:
    """Look up the configured application; raises DiagnosticError if there is none."""
    name, identifier = config.application, config.application_id or ""
    try:
        if name is None:
            return await harness.lookups.get(("application id", identifier), lambda: _application(harness, identifier))
        return await harness.lookups.get(("application", name), lambda: _application_by_name(harness, name))
    except Missing as fault:
        known = () if name is None else await harness.lookups.get(("applications",), lambda: _applications(harness))
        wanted, attribute = (identifier, "application_id") if name is None else (name, "application")
        raise DiagnosticError(unknown_name("Harness application", wanted, known, attribute)) from fault


async def entity(harness: Harness, config: Any, within: str) -> Entity:
    """Return the configured workflow or pipeline with its variables; raises DiagnosticError if there is none."""
    for kind in ("workflow", "pipeline"):
        for by, field in (("name", kind), ("id", f"{kind}_id")):
            wanted = getattr(config, field, None)
            if wanted is not None:
                return await _entity(harness, within, kind, by, wanted, field)
    raise Refused(SYSTEM, "neither a workflow nor a pipeline is named")


async def _entity(harness: Harness, within: str, kind: str, by: str, wanted: str, field: str) -> Entity:
    asks = {
        ("workflow", "name"): lambda: _workflow_by_name(harness, within, wanted),
        ("workflow", "id"): lambda: _workflow(harness, wanted),
        ("pipeline", "name"): lambda: _pipeline_by_name(harness, within, wanted),
        ("pipeline", "id"): lambda: _pipeline(harness, wanted),
    }
    try:
        found = await harness.lookups.get((kind, by, within, wanted), asks[kind, by])
    except Missing as fault:
        known: Sequence[str] = ()
        if by == "name":
            known = await harness.lookups.get((f"{kind}s", within), lambda: _entity_names(harness, within, kind))
        raise DiagnosticError(unknown_name(f"Harness {kind}", wanted, known, field)) from fault
    return found


async def own_entity(harness: Harness, config: Any, within: str) -> Entity:
    """Return the configured workflow or pipeline; raises DiagnosticError if it is of another application."""
    found = await entity(harness, config, within)
    kind = found.kind.lower()
    if getattr(config, f"{kind}_id") is None or await belongs(harness, within, kind, found.id):
        return found
    raise DiagnosticError(elsewhere(kind, found.id))


def elsewhere(kind: str, identifier: str, path: Path = ()) -> Diagnostic:
    """Tell that an id is of nothing in the application."""
    return error(
        f"The application has no {kind} with the id {identifier!r}",
        f"Check `{kind}_id` and the application: the {kind} may belong to another one.",
        path or (f"{kind}_id",),
    )


async def belongs(harness: Harness, within: str, kind: str, identifier: str) -> bool:
    """Tell whether a workflow or pipeline is one of the application's."""
    condition = {"application": equals(within), kind: equals(identifier)}
    async with harness.asking(f"{kind}s"):
        if kind == "workflow":
            workflows = await harness.client.workflows(limit=1, filters=[WorkflowFilter.model_validate(condition)])
            return bool(_names(workflows.workflows.nodes if workflows.workflows else ()))
        pipelines = await harness.client.pipelines(limit=1, filters=[PipelineFilter.model_validate(condition)])
        return bool(_names(pipelines.pipelines.nodes if pipelines.pipelines else ()))


async def service_id(harness: Harness, within: str, config: HarnessService) -> str:
    """Return the id of the configured service; raises DiagnosticError if the application has no such service."""
    services = await harness.lookups.get(("services", within), lambda: _services(harness, within))
    if config.service_id is not None:
        if any(each.id == config.service_id for each in services):
            return config.service_id
        raise DiagnosticError(elsewhere("service", config.service_id))
    name = config.service or ""
    for each in services:
        if each.name == name and each.id:
            return str(each.id)
    raise DiagnosticError(unknown_name("Harness service", name, _names(services), "service"))


async def executions(harness: Harness, within: Mapping[str, Any], most: int) -> Sequence[Any]:
    """List the newest executions that meet the conditions."""
    condition = ExecutionFilter.model_validate(within)

    async def page(limit: int, offset: int) -> Any:
        async with harness.asking("executions"):
            return (await harness.client.listed_executions(limit=limit, offset=offset, filters=[condition])).executions

    return await every(page, most)


async def _services(harness: Harness, within: str) -> Sequence[Any]:
    async def page(limit: int, offset: int) -> Any:
        filters: list[ServiceFilter | None] = [ServiceFilter(application=equals(within))]
        async with harness.asking("services"):
            return (await harness.client.service_names(filters=filters, limit=limit, offset=offset)).services

    return await every(page)


async def _application_by_name(harness: Harness, name: str) -> Named:
    async with harness.asking("applicationByName"):
        return _named((await harness.client.application_by_name(name=name)).application_by_name, "application")


async def _application(harness: Harness, identifier: str) -> Named:
    async with harness.asking("application"):
        return _named((await harness.client.application(application_id=identifier)).application, "application")


async def _applications(harness: Harness) -> Sequence[str]:
    async def page(limit: int, offset: int) -> Any:
        async with harness.asking("applications"):
            return (await harness.client.applications(limit=limit, offset=offset)).applications

    return _names(await every(page))


async def _entity_names(harness: Harness, within: str, kind: str) -> Sequence[str]:
    workflows: list[WorkflowFilter | None] = [WorkflowFilter(application=equals(within))]
    pipelines: list[PipelineFilter | None] = [PipelineFilter(application=equals(within))]

    async def page(limit: int, offset: int) -> Any:
        client = harness.client
        async with harness.asking(f"{kind}s"):
            if kind == "workflow":
                return (await client.workflows(limit=limit, offset=offset, filters=workflows)).workflows
            return (await client.pipelines(limit=limit, offset=offset, filters=pipelines)).pipelines

    return _names(await every(page))


async def _workflow_by_name(harness: Harness, within: str, name: str) -> Entity:
    async with harness.asking("workflowByName"):
        found = (await harness.client.workflow_by_name(workflow_name=name, application_id=within)).workflow_by_name
    return _runnable("WORKFLOW", _named(found, "workflow"), found.workflow_variables if found else ())


async def _workflow(harness: Harness, identifier: str) -> Entity:
    async with harness.asking("workflow"):
        found = (await harness.client.workflow(workflow_id=identifier)).workflow
    return _runnable("WORKFLOW", _named(found, "workflow"), found.workflow_variables if found else ())


async def _pipeline_by_name(harness: Harness, within: str, name: str) -> Entity:
    async with harness.asking("pipelineByName"):
        found = (await harness.client.pipeline_by_name(pipeline_name=name, application_id=within)).pipeline_by_name
    return _runnable("PIPELINE", _named(found, "pipeline"), found.pipeline_variables if found else ())


async def _pipeline(harness: Harness, identifier: str) -> Entity:
    async with harness.asking("pipeline"):
        found = (await harness.client.pipeline(pipeline_id=identifier)).pipeline
    return _runnable("PIPELINE", _named(found, "pipeline"), found.pipeline_variables if found else ())


def _runnable(kind: str, named: Named, declared: Iterable[VariableDetails | None] | None) -> Entity:
    return Entity(kind, named.id, named.name, _variables(declared), named.description)


def _variables(declared: Iterable[VariableDetails | None] | None) -> Sequence[Variable]:
    return tuple(
        Variable(
            name=each.name,
            type=each.type_ or "",
            required=bool(each.required),
            fixed=bool(each.fixed),
            default=each.default_value,
            allowed=tuple(value for value in each.allowed_values or () if value is not None),
            several=bool(each.allow_multiple_values),
        )
        for each in declared or ()
        if each is not None and each.name is not None
    )


def _named(found: Any, what: str) -> Named:
    """Harness answers a missing pipeline with null, a missing workflow with an error; both are Missing here."""
    if found is None or not found.id:
        raise Missing(SYSTEM, f"there is no such {what}")
    return Named(str(found.id), str(found.name or found.id), found.description or None)


def _names(nodes: Iterable[Any] | None) -> Sequence[str]:
    return [str(node.name) for node in nodes or () if node is not None]
