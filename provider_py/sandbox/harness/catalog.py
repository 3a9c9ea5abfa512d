"""What an account defines: applications with services, environments, workflows and pipelines.

Attributes are named like the GraphQL fields, in snake case, so that most fields need no resolver.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

CREATED = 1_588_243_374.775
"""When everything in a new account was created, in epoch seconds."""


def new_id() -> str:
    """A new id: 22 characters of URL-safe base64."""
    return _short(uuid.uuid4().bytes)


def fixed_id(*names: str) -> str:
    """The id of an object in a new account, the same in every sandbox."""
    return _short(hashlib.blake2b("/".join(names).encode(), digest_size=16).digest())


def _short(number: bytes) -> str:
    return base64.urlsafe_b64encode(number).decode().rstrip("=")


class GraphQLObject:
    """An object of the GraphQL answer, whose fields are mostly those of an input."""

    def __init__(self, graphql_type: str, **fields: object) -> None:
        self.graphql_type = graphql_type
        self.__dict__.update(fields)


@dataclass(slots=True)
class Variable:
    """A variable of a workflow or pipeline; `type` is the vendor's word."""

    name: str
    type: str = "Text"
    required: bool = True
    allowed_values: tuple[str, ...] | None = None
    default_value: str | None = None
    fixed: bool = False
    allow_multiple_values: bool = False


@dataclass(slots=True)
class Artifact:
    """A collected build."""

    id: str
    build_no: str
    collected_at: float
    artifact_source: ArtifactSource = field(repr=False)


@dataclass(slots=True)
class ArtifactSource:
    """Where a service's artifacts come from."""

    id: str
    name: str
    created_at: float
    artifacts: list[Artifact] = field(default_factory=list)
    parameters: tuple[str, ...] = ()
    collection_enabled: bool = True
    graphql_type: str = "DockerArtifactSource"
    """The implementation of the GraphQL interface."""
    details: Mapping[str, object] = field(default_factory=dict)
    """The fields only this type has."""

    def __getattr__(self, name: str) -> object:
        """A field only this type has; raises AttributeError for any other."""
        if name != "details" and name in self.details:
            return self.details[name]
        raise AttributeError(name)


@dataclass(slots=True)
class Service:
    """A service; one with charts needs a manifest rather than an artifact."""

    id: str
    name: str
    created_at: float
    artifact_type: str = "DOCKER"
    deployment_type: str = "KUBERNETES"
    artifact_sources: list[ArtifactSource] = field(default_factory=list)
    charts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Versions by the display name of their manifest source."""
    description: str | None = None

    @property
    def artifacts(self) -> list[Artifact]:
        """The artifacts of all its sources."""
        return [artifact for source in self.artifact_sources for artifact in source.artifacts]


@dataclass(slots=True)
class InfrastructureDefinition:
    """A place in an environment that services are deployed to."""

    id: str
    name: str
    created_at: float
    environment: Environment = field(repr=False)
    deployment_type: str = "Kubernetes"
    scoped_to_services: tuple[str, ...] = ()


@dataclass(slots=True)
class Environment:
    """An environment; `type` is PROD or NON_PROD."""

    id: str
    name: str
    type: str
    created_at: float
    application: Application = field(repr=False)
    infrastructure_definitions: list[InfrastructureDefinition] = field(default_factory=list)
    description: str | None = None


@dataclass(slots=True)
class Workflow:
    """A workflow and the services it deploys."""

    label: ClassVar[str] = "Workflow"
    id: str
    name: str
    created_at: float
    workflow_variables: tuple[Variable, ...] = ()
    services: tuple[Service, ...] = ()
    orchestration_workflow_type: str = "BASIC"
    environment: Environment | None = None
    """The environment it always deploys to, unless that is a variable."""
    description: str | None = None

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Its variables, under a name common to workflows and pipelines."""
        return self.workflow_variables


@dataclass(slots=True)
class Stage:
    """A stage of a pipeline: it runs a workflow or, without one, waits for an approval."""

    element_id: str
    name: str
    step_name: str
    workflow: Workflow | None = None
    runtime_variables: tuple[Variable, ...] = ()
    """Variables whose values it requests when it is reached."""


@dataclass(slots=True)
class Pipeline:
    """A pipeline and its stages, in order."""

    label: ClassVar[str] = "Pipeline"
    id: str
    name: str
    created_at: float
    pipeline_variables: tuple[Variable, ...] = ()
    stages: tuple[Stage, ...] = ()
    environment: Environment | None = None
    description: str | None = None

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Its variables, under a name common to workflows and pipelines."""
        return self.pipeline_variables

    @property
    def services(self) -> tuple[Service, ...]:
        """The services its stages deploy, without duplicates."""
        workflows = [stage.workflow for stage in self.stages if stage.workflow]
        return tuple({service.id: service for workflow in workflows for service in workflow.services}.values())


Entity = Workflow | Pipeline


@dataclass(slots=True)
class GitSyncConfig:
    """The Git repository an application is synchronized with."""

    git_connector: GraphQLObject
    branch: str
    sync_enabled: bool
    repository_name: str | None = None


@dataclass(slots=True)
class Application:
    """An application and everything in it."""

    id: str
    name: str
    created_at: float
    description: str | None = None
    services: list[Service] = field(default_factory=list)
    environments: list[Environment] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    is_manual_trigger_authorized: bool = False
    are_web_hook_secrets_mandated: bool = False
    disable_triggers: bool = False
    git_sync_config: GitSyncConfig | None = None

    def entity(self, entity_id: str, execution_type: str) -> Entity | None:
        """The workflow or pipeline with that id."""
        entities: list[Workflow] | list[Pipeline] = self.workflows if execution_type == "WORKFLOW" else self.pipelines
        return next((entity for entity in entities if entity.id == entity_id), None)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger."""

    id: str
    name: str
    description: str | None
    application: Application
    condition: GraphQLObject
    action: GraphQLObject
    created_at: float
    exclude_hosts_with_same_artifact: bool | None
    execution_type: str
