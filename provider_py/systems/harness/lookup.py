"""Names to IDs: applications, workflows, pipelines and services.

Harness searches by exact name and answers nothing useful for a wrong one, so the names that do exist are listed for the
message. It answers a missing pipeline with null and a missing workflow with an error; both are Missing here. A look-up
by ID ignores the application, which `own_entity` therefore checks with a request of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import harness_client as gql

from provider_py.execution import Missing, Refused, unknown_name
from provider_py.plugin import Diagnostic, DiagnosticError, Path, error
from provider_py.systems.harness.config import SYSTEM
from provider_py.systems.harness.connection import Harness

PAGE: Final = 100
"""The maximum that Harness returns at once, whatever limit is requested."""

Kind: TypeAlias = Literal["workflow", "pipeline"]
Response = TypeVar("Response")
Node = TypeVar("Node")
Node_co = TypeVar("Node_co", covariant=True)


class InApplication(Protocol):
    """A configuration that names an application in one of the two ways."""

    @property
    def application(self) -> str | None: ...
    @property
    def application_id(self) -> str | None: ...


class EntityRef(NamedTuple):
    """How a configuration names a workflow or pipeline."""

    kind: Kind
    value: str
    by_name: bool = False

    @property
    def attribute(self) -> str:
        """The attribute that holds the value."""
        return self.kind if self.by_name else f"{self.kind}_id"


class Variable(NamedTuple):
    """A variable as Harness declares it; `allowed` is empty where any value is accepted."""

    name: str
    type: str
    required: bool = False
    fixed: bool = False
    default: str | None = None
    allowed: Sequence[str] = ()
    multiple: bool = False


class Entity(NamedTuple):
    """A workflow or pipeline, which Harness' API calls by this common name."""

    kind: Kind
    id: str
    name: str
    variables: Sequence[Variable]
    description: str | None = None

    @property
    def execution_type(self) -> gql.ExecutionType:
        """The kind in the API's word."""
        return gql.ExecutionType(self.kind.upper())


class Identity(NamedTuple):
    """What all things in Harness have."""

    id: str
    name: str
    description: str | None


class Named(Protocol):
    """What Harness answers about nearly everything."""

    name: str | None


class _Record(Named, Protocol):
    id: str | None
    description: str | None


class _PageInfo(Protocol):
    has_more: bool | None


class _Page(Protocol[Node_co]):
    @property
    def nodes(self) -> Sequence[Node_co | None] | None: ...
    @property
    def page_info(self) -> _PageInfo | None: ...


async def paged(
    harness: Harness,
    operation: str,
    request: Callable[..., Awaitable[Response]],
    page_of: Callable[[Response], _Page[Node] | None],
    maximum: int | None = None,
) -> list[Node]:
    """Collect the nodes of all pages, or the first `maximum`; `request` takes `limit` and `offset`."""
    nodes: list[Node | None] = []
    while maximum is None or len(nodes) < maximum:
        limit = PAGE if maximum is None else min(PAGE, maximum - len(nodes))
        page = page_of(await harness.ask(operation, request(limit=limit, offset=len(nodes))))
        received = (page.nodes if page else None) or ()
        nodes.extend(received)
        if page is None or not received or page.page_info is None or not page.page_info.has_more:
            break
    return [node for node in nodes if node is not None]


def equals(identifier: str) -> gql.IdFilter:
    """Return the condition that an ID is this one."""
    return gql.IdFilter(operator=gql.IdOperator.EQUALS, values=[identifier])


async def application_id(harness: Harness, config: InApplication) -> str:
    """Return the ID of the configured application; raises DiagnosticError for an unknown name. IDs are not checked."""
    if config.application is None:
        return config.application_id or ""
    return (await application(harness, config)).id


async def application(harness: Harness, config: InApplication) -> Identity:
    """Look up the configured application; raises DiagnosticError if it does not exist."""
    name, identifier = config.application, config.application_id or ""
    if name is None:
        try:
            return await harness.lookups.get(("application id", identifier), lambda: _application(harness, identifier))
        except Missing as fault:
            raise DiagnosticError(unknown_name("Harness application", identifier, (), "application_id")) from fault
    try:
        return await harness.lookups.get(("application", name), lambda: _application_by_name(harness, name))
    except Missing as fault:
        names = await harness.lookups.get(("applications",), lambda: _application_names(harness))
        raise DiagnosticError(unknown_name("Harness application", name, names, "application")) from fault


def entity_ref(
    workflow: str | None = None,
    workflow_id: str | None = None,
    pipeline: str | None = None,
    pipeline_id: str | None = None,
) -> EntityRef | None:
    """Return the reference that is configured; at most one is."""
    if workflow is not None:
        return EntityRef("workflow", workflow, by_name=True)
    if workflow_id is not None:
        return EntityRef("workflow", workflow_id)
    if pipeline is not None:
        return EntityRef("pipeline", pipeline, by_name=True)
    return None if pipeline_id is None else EntityRef("pipeline", pipeline_id)


async def entity(harness: Harness, within: str, ref: EntityRef | None) -> Entity:
    """Look up a workflow or pipeline with its variables; raises DiagnosticError if it does not exist.

    An ID is found whatever application it belongs to.
    """
    if ref is None:
        raise Refused(SYSTEM, "neither a workflow nor a pipeline is specified")
    try:
        return await harness.lookups.get(("entity", within, ref), lambda: _entity(harness, within, ref))
    except Missing as fault:
        names: Sequence[str] = ()
        if ref.by_name:
            names = await harness.lookups.get((ref.kind, within), lambda: _entity_names(harness, within, ref.kind))
        raise DiagnosticError(unknown_name(f"Harness {ref.kind}", ref.value, names, ref.attribute)) from fault


async def own_entity(harness: Harness, within: str, ref: EntityRef | None) -> Entity:
    """Look up a workflow or pipeline; raises DiagnosticError if it belongs to another application."""
    target = await entity(harness, within, ref)
    if ref is None or ref.by_name or await belongs(harness, within, ref.kind, target.id):
        return target
    raise DiagnosticError(foreign_id(ref.kind, target.id))


def foreign_id(kind: str, identifier: str, path: Path = ()) -> Diagnostic:
    """Report an ID that exists at most in another application."""
    return error(
        f"Unknown {kind} ID {identifier!r} in the application",
        f"Check `{kind}_id` and the application: the {kind} may belong to another one.",
        path or (f"{kind}_id",),
    )


async def belongs(harness: Harness, within: str, kind: Kind, identifier: str) -> bool:
    """Return whether a workflow or pipeline belongs to the application."""
    client, owner, wanted = harness.client, equals(within), equals(identifier)
    if kind == "workflow":
        workflow = gql.WorkflowFilter(application=owner, workflow=wanted)
        workflows = (await harness.ask("workflows", client.workflows(limit=1, filters=[workflow]))).workflows
        return workflows is not None and any(workflows.nodes or ())
    pipeline = gql.PipelineFilter(application=owner, pipeline=wanted)
    pipelines = (await harness.ask("pipelines", client.pipelines(limit=1, filters=[pipeline]))).pipelines
    return pipelines is not None and any(pipelines.nodes or ())


async def service_id(harness: Harness, within: str, *, name: str | None, identifier: str | None) -> str:
    """Return the ID of a service by either; raises DiagnosticError if the application has no such service."""
    services = await harness.lookups.get(("services", within), lambda: _services(harness, within))
    if identifier is not None:
        if any(service.id == identifier for service in services):
            return identifier
        raise DiagnosticError(foreign_id("service", identifier))
    for service in services:
        if service.name == name and service.id:
            return service.id
    raise DiagnosticError(unknown_name("Harness service", name or "", _names(services), "service"))


async def _services(harness: Harness, within: str) -> list[gql.ServiceNamesServicesNodes]:
    request = partial(harness.client.service_names, filters=[gql.ServiceFilter(application=equals(within))])
    return await paged(harness, "services", request, lambda answer: answer.services)


async def _application_by_name(harness: Harness, name: str) -> Identity:
    answer = await harness.ask("applicationByName", harness.client.application_by_name(name=name))
    return _identity(answer.application_by_name, "application")


async def _application(harness: Harness, identifier: str) -> Identity:
    answer = await harness.ask("application", harness.client.application(application_id=identifier))
    return _identity(answer.application, "application")


async def _application_names(harness: Harness) -> Sequence[str]:
    return _names(await paged(harness, "applications", harness.client.applications, lambda answer: answer.applications))


async def _entity_names(harness: Harness, within: str, kind: Kind) -> Sequence[str]:
    client, owner = harness.client, equals(within)
    if kind == "workflow":
        workflows = partial(client.workflows, filters=[gql.WorkflowFilter(application=owner)])
        return _names(await paged(harness, "workflows", workflows, lambda answer: answer.workflows))
    pipelines = partial(client.pipelines, filters=[gql.PipelineFilter(application=owner)])
    return _names(await paged(harness, "pipelines", pipelines, lambda answer: answer.pipelines))


async def _entity(harness: Harness, within: str, ref: EntityRef) -> Entity:
    client = harness.client
    if ref.kind == "workflow":
        workflow: gql.WorkflowWorkflow | gql.WorkflowByNameWorkflowByName | None
        if ref.by_name:
            workflow_by_name = client.workflow_by_name(workflow_name=ref.value, application_id=within)
            workflow = (await harness.ask("workflowByName", workflow_by_name)).workflow_by_name
        else:
            workflow = (await harness.ask("workflow", client.workflow(workflow_id=ref.value))).workflow
        return _as_entity(ref.kind, workflow, workflow.workflow_variables if workflow else None)
    pipeline: gql.PipelinePipeline | gql.PipelineByNamePipelineByName | None
    if ref.by_name:
        pipeline_by_name = client.pipeline_by_name(pipeline_name=ref.value, application_id=within)
        pipeline = (await harness.ask("pipelineByName", pipeline_by_name)).pipeline_by_name
    else:
        pipeline = (await harness.ask("pipeline", client.pipeline(pipeline_id=ref.value))).pipeline
    return _as_entity(ref.kind, pipeline, pipeline.pipeline_variables if pipeline else None)


def _as_entity(kind: Kind, record: _Record | None, declared: Iterable[gql.VariableDetails | None] | None) -> Entity:
    identity = _identity(record, kind)
    variables = tuple(
        Variable(
            name=variable.name,
            type=variable.type_ or "",
            required=bool(variable.required),
            fixed=bool(variable.fixed),
            default=variable.default_value,
            allowed=tuple(value for value in variable.allowed_values or () if value is not None),
            multiple=bool(variable.allow_multiple_values),
        )
        for variable in declared or ()
        if variable is not None and variable.name is not None
    )
    return Entity(kind, identity.id, identity.name, variables, identity.description)


def _identity(record: _Record | None, subject: str) -> Identity:
    if record is None or not record.id:
        raise Missing(SYSTEM, f"there is no such {subject}")
    return Identity(record.id, record.name or record.id, record.description or None)


def _names(records: Iterable[Named]) -> Sequence[str]:
    return [str(record.name) for record in records]
