"""Resolvers that look up what the account defines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.artifact_sources import TYPES
from provider_py.sandbox.harness.catalog import (
    Application,
    Artifact,
    ArtifactSource,
    Environment,
    InfrastructureDefinition,
    Pipeline,
    Service,
    Workflow,
)
from provider_py.sandbox.harness.filters import Connection, page
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.selection import Filters, meets

ItemT = TypeVar("ItemT")


def _list(
    call: Call,
    items: Sequence[ItemT],
    shown: Callable[[ItemT], Mapping[str, object]],
    filters: Filters,
    limit: int,
    offset: int | None,
) -> Connection:
    """A page of the items that meet every filter."""
    chosen = [item for item in items if meets(call, shown(item), filters)]
    return page(chosen, limit, offset)


def _application(_: object, call: Call, *, application_id: str) -> Application:
    return call.account.application(application_id)


def _application_by_name(_: object, call: Call, *, name: str) -> Application:
    for application in call.account.applications:
        if application.name == name:
            return application
    raise invalid("Application does not exist")


def _applications(
    _: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None
) -> Connection:
    return _list(call, call.account.applications, lambda item: {"application": item.id}, filters, limit, offset)


def _all_workflows(call: Call) -> list[tuple[Application, Workflow]]:
    return [(app, workflow) for app in call.account.applications for workflow in app.workflows]


def _workflow(_: object, call: Call, *, workflow_id: str) -> Workflow:
    for _app, workflow in _all_workflows(call):
        if workflow.id == workflow_id:
            return workflow
    raise invalid("Workflow does not exist")


def _workflow_by_name(_: object, call: Call, *, workflow_name: str, application_id: str) -> Workflow:
    if not workflow_name.strip():
        raise invalid("Empty Workflow name")
    if not application_id.strip():
        raise invalid("Empty Application Id")
    for app, workflow in _all_workflows(call):
        if app.id == application_id and workflow.name == workflow_name:
            return workflow
    raise invalid("Workflow does not exist")


def _workflows(_: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
    def shown(row: tuple[Application, Workflow]) -> dict[str, object]:
        app, item = row
        kind = item.orchestration_workflow_type
        return {"application": app.id, "workflow": item.id, "orchestration_workflow_type": kind}

    chosen = [row[1] for row in _all_workflows(call) if meets(call, shown(row), filters)]
    return page(chosen, limit, offset)


def _all_pipelines(call: Call) -> list[tuple[Application, Pipeline]]:
    return [(app, pipeline) for app in call.account.applications for pipeline in app.pipelines]


def _pipeline(_: object, call: Call, *, pipeline_id: str) -> Pipeline | None:
    return next((item for _app, item in _all_pipelines(call) if item.id == pipeline_id), None)


def _pipeline_by_name(_: object, call: Call, *, pipeline_name: str, application_id: str) -> Pipeline | None:
    if not pipeline_name.strip():
        raise invalid("Empty Pipeline name")
    if not application_id.strip():
        raise invalid("Empty Application Id")
    rows = _all_pipelines(call)
    return next((item for app, item in rows if app.id == application_id and item.name == pipeline_name), None)


def _pipelines(_: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
    rows = _all_pipelines(call)
    chosen = [item for app, item in rows if meets(call, {"application": app.id, "pipeline": item.id}, filters)]
    return page(chosen, limit, offset)


def _service(_: object, call: Call, *, service_id: str) -> Service | None:
    return next((service for _app, service in call.account.services() if service.id == service_id), None)


def _services(_: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
    def shown(row: tuple[Application, Service]) -> dict[str, object]:
        app, item = row
        return {"application": app.id, "service": item.id, "deployment_type": item.deployment_type}

    chosen = [row[1] for row in call.account.services() if meets(call, shown(row), filters)]
    return page(chosen, limit, offset)


def _environment(_: object, call: Call, *, environment_id: str) -> Environment | None:
    return next((item for item in call.account.environments() if item.id == environment_id), None)


def _environments(
    _: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None
) -> Connection:
    def shown(item: Environment) -> dict[str, object]:
        return {"application": item.application.id, "environment": item.id, "environment_type": item.type}

    return _list(call, call.account.environments(), shown, filters, limit, offset)


def _infrastructure(_: object, call: Call, *, infrastructure_id: str) -> InfrastructureDefinition:
    for definition in call.account.infrastructure_definitions():
        if definition.id == infrastructure_id:
            return definition
    raise invalid("Infrastructure does not exist")


def _infrastructure_by_name(
    _: object, call: Call, *, infrastructure_name: str, environment_id: str
) -> InfrastructureDefinition:
    for definition in call.account.infrastructure_definitions():
        if definition.environment.id == environment_id and definition.name == infrastructure_name:
            return definition
    raise invalid("Infrastructure does not exist")


def _infrastructures(
    _: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None
) -> Connection:
    return _infrastructure_page(call, call.account.infrastructure_definitions(), filters, limit, offset)


def _infrastructure_page(
    call: Call, items: Sequence[InfrastructureDefinition], filters: Filters, limit: int, offset: int | None
) -> Connection:
    def shown(item: InfrastructureDefinition) -> dict[str, object]:
        # The filter takes KUBERNETES where the field shows Kubernetes.
        kind = item.deployment_type.upper()
        return {"environment": item.environment.id, "infrastructure_definition": item.id, "deployment_type": kind}

    return _list(call, items, shown, filters, limit, offset)


def _artifact(_: object, call: Call, *, artifact_id: str) -> Artifact | None:
    return next((item for item in call.account.artifacts() if item.id == artifact_id), None)


def _artifacts(_: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
    def shown(item: Artifact) -> dict[str, object]:
        source = item.artifact_source
        return {"artifact": item.id, "artifact_source": source.id, "artifact_stream_type": source.graphql_type}

    return _list(call, call.account.artifacts(), shown, filters, limit, offset)


def _part(attribute: str) -> Callable[..., Connection]:
    def resolve(source: Application, _: Call, *, limit: int, offset: int | None = None) -> Connection:
        return page(getattr(source, attribute), limit, offset)

    return resolve


def _definitions_of(
    source: Environment, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None
) -> Connection:
    return _infrastructure_page(call, source.infrastructure_definitions, filters, limit, offset)


def _artifacts_of(source: ArtifactSource, _: Call, *, limit: int, offset: int | None = None) -> Connection:
    return page(source.artifacts, limit, offset)


RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.application": _application,
    "Query.applicationByName": _application_by_name,
    "Query.applications": _applications,
    "Query.workflow": _workflow,
    "Query.workflowByName": _workflow_by_name,
    "Query.workflows": _workflows,
    "Query.pipeline": _pipeline,
    "Query.pipelineByName": _pipeline_by_name,
    "Query.pipelines": _pipelines,
    "Query.service": _service,
    "Query.services": _services,
    "Query.environment": _environment,
    "Query.environments": _environments,
    "Query.infrastructureDefinition": _infrastructure,
    "Query.infrastructureDefinitionByName": _infrastructure_by_name,
    "Query.infrastructureDefinitions": _infrastructures,
    "Query.artifact": _artifact,
    "Query.artifacts": _artifacts,
    "Application.services": _part("services"),
    "Application.workflows": _part("workflows"),
    "Application.pipelines": _part("pipelines"),
    "Application.environments": _part("environments"),
    "Environment.infrastructureDefinitions": _definitions_of,
    **{f"{kind}.artifacts": _artifacts_of for kind in TYPES},
}
