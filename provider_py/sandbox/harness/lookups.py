"""Resolvers that look up what the account defines.

What does not exist is an error for some types and null for others, as on the server.
"""

from __future__ import annotations

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.artifact_sources import TYPES
from provider_py.sandbox.harness.catalog import (
    Application,
    Artifact,
    Environment,
    InfrastructureDefinition,
    Pipeline,
    Service,
    Workflow,
)
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.filters import Connection, Filters, Keys, meets, page
from provider_py.sandbox.harness.resolvers import Resolver, by_id, listing, part


def _application(_: object, call: Call, *, application_id: str) -> Application:
    return call.account.application(application_id)


def _application_by_name(_: object, call: Call, *, name: str) -> Application:
    for application in call.account.applications:
        if application.name == name:
            return application
    raise invalid("Application does not exist")


def _all_workflows(call: Call) -> list[tuple[Application, Workflow]]:
    return [(app, workflow) for app in call.account.applications for workflow in app.workflows]


def _require(label: str, name: str, application_id: str) -> None:
    if not name.strip():
        raise invalid(f"Empty {label} name")
    if not application_id.strip():
        raise invalid("Empty Application Id")


def _workflow_by_name(_: object, call: Call, *, workflow_name: str, application_id: str) -> Workflow:
    _require("Workflow", workflow_name, application_id)
    for app, workflow in _all_workflows(call):
        if app.id == application_id and workflow.name == workflow_name:
            return workflow
    raise invalid("Workflow does not exist")


def _workflow_keys(row: tuple[Application, Workflow]) -> Keys:
    app, workflow = row
    type_ = workflow.orchestration_workflow_type
    return {"application": app.id, "workflow": workflow.id, "orchestration_workflow_type": type_}


def _all_pipelines(call: Call) -> list[tuple[Application, Pipeline]]:
    return [(app, pipeline) for app in call.account.applications for pipeline in app.pipelines]


def _pipeline_by_name(_: object, call: Call, *, pipeline_name: str, application_id: str) -> Pipeline | None:
    _require("Pipeline", pipeline_name, application_id)
    pipelines = [pipeline for app, pipeline in _all_pipelines(call) if app.id == application_id]
    return next((pipeline for pipeline in pipelines if pipeline.name == pipeline_name), None)


def _service_keys(row: tuple[Application, Service]) -> Keys:
    app, service = row
    return {"application": app.id, "service": service.id, "deployment_type": service.deployment_type}


def _environment_keys(environment: Environment) -> Keys:
    return {
        "application": environment.application.id,
        "environment": environment.id,
        "environment_type": environment.type,
    }


def _infrastructure_by_name(
    _: object, call: Call, *, infrastructure_name: str, environment_id: str
) -> InfrastructureDefinition:
    for definition in call.account.infrastructure_definitions():
        if definition.environment.id == environment_id and definition.name == infrastructure_name:
            return definition
    raise invalid("Infrastructure does not exist")


def _infrastructure_keys(definition: InfrastructureDefinition) -> Keys:
    return {
        "environment": definition.environment.id,
        "infrastructure_definition": definition.id,
        # The filter takes KUBERNETES where the field shows Kubernetes.
        "deployment_type": definition.deployment_type.upper(),
    }


def _definitions_of(
    environment: Environment, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None
) -> Connection:
    definitions = environment.infrastructure_definitions
    return page(
        [item for item in definitions if meets(call.account.tags, _infrastructure_keys(item), filters)], limit, offset
    )


def _artifact_keys(artifact: Artifact) -> Keys:
    source = artifact.artifact_source
    return {"artifact": artifact.id, "artifact_source": source.id, "artifact_stream_type": source.graphql_type}


RESOLVERS: dict[str, Resolver] = {
    "Query.application": _application,
    "Query.applicationByName": _application_by_name,
    "Query.applications": listing(lambda call: call.account.applications, lambda app: {"application": app.id}),
    "Query.workflow": by_id(lambda call: [row[1] for row in _all_workflows(call)], "Workflow does not exist"),
    "Query.workflowByName": _workflow_by_name,
    "Query.workflows": listing(_all_workflows, _workflow_keys, lambda row: row[1]),
    "Query.pipeline": by_id(lambda call: [row[1] for row in _all_pipelines(call)]),
    "Query.pipelineByName": _pipeline_by_name,
    "Query.pipelines": listing(
        _all_pipelines, lambda row: {"application": row[0].id, "pipeline": row[1].id}, lambda row: row[1]
    ),
    "Query.service": by_id(lambda call: [row[1] for row in call.account.services()]),
    "Query.services": listing(lambda call: call.account.services(), _service_keys, lambda row: row[1]),
    "Query.environment": by_id(lambda call: call.account.environments()),
    "Query.environments": listing(lambda call: call.account.environments(), _environment_keys),
    "Query.infrastructureDefinition": by_id(
        lambda call: call.account.infrastructure_definitions(), "Infrastructure does not exist"
    ),
    "Query.infrastructureDefinitionByName": _infrastructure_by_name,
    "Query.infrastructureDefinitions": listing(
        lambda call: call.account.infrastructure_definitions(), _infrastructure_keys
    ),
    "Query.artifact": by_id(lambda call: call.account.artifacts()),
    "Query.artifacts": listing(lambda call: call.account.artifacts(), _artifact_keys),
    **{f"Application.{name}": part(name) for name in ("services", "workflows", "pipelines", "environments")},
    "Environment.infrastructureDefinitions": _definitions_of,
    **{f"{type_name}.artifacts": part("artifacts") for type_name in TYPES},
}
