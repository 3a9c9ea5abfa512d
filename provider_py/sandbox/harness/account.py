"""The account: its applications, executions and triggers, and its usage of the limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from provider_py.sandbox.harness import fixtures
from provider_py.sandbox.harness.administration import Administration
from provider_py.sandbox.harness.catalog import (
    Application,
    Artifact,
    Environment,
    InfrastructureDefinition,
    Service,
    Trigger,
)
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.executions import ApiKey, Execution, PipelineExecution, WorkflowExecution
from provider_py.sandbox.harness.tags import Tags
from provider_py.sandbox.world import World

ACCOUNT_ID = "kmpySmUISimoRrJL6NL73w"
DAY = 24 * 3600.0


@dataclass
class Account:
    """The state of the simulated system."""

    world: World
    api_key: ApiKey = field(default_factory=lambda: ApiKey("Rk1bGQbVRQ2QnrzUTXH8ZA", "terraform"))
    applications: list[Application] = field(default_factory=fixtures.applications)
    executions: dict[str, Execution] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    deployments: list[float] = field(default_factory=list)
    exports: list[float] = field(default_factory=list)
    tags: Tags = field(default_factory=Tags)
    administration: Administration = field(default_factory=Administration)

    def reset(self) -> None:
        """Return to the initial state."""
        self.applications = fixtures.applications()
        for used in (self.executions, self.triggers, self.deployments, self.exports):
            used.clear()
        self.tags = Tags()
        self.administration = Administration()

    @property
    def now(self) -> float:
        """The world's time."""
        return self.world.clock()

    def application(self, application_id: str) -> Application:
        """The application; raises ApiError if there is none."""
        for application in self.applications:
            if application.id == application_id:
                return application
        raise invalid("Application does not exist")

    def execution(self, execution_id: str) -> Execution | None:
        """The execution; None if there never was one or its record has been purged."""
        execution = self.executions.get(execution_id)
        if execution is None or self.world.runs.get(execution.run.id) is None:
            return None
        top = execution.pipeline_execution if isinstance(execution, WorkflowExecution) else execution
        if isinstance(top, PipelineExecution):
            top.settle()
        return execution

    def all_executions(self) -> list[Execution]:
        """Every execution with a record, newest first; of those created at the same time, the last one added first."""
        executions = [execution for key in reversed(self.executions) if (execution := self.execution(key))]
        return sorted(executions, key=lambda execution: execution.run.started_at, reverse=True)

    def services(self) -> list[tuple[Application, Service]]:
        """Every service with its application."""
        return [(application, service) for application in self.applications for service in application.services]

    def environments(self) -> list[Environment]:
        """Every environment."""
        return [environment for application in self.applications for environment in application.environments]

    def infrastructure_definitions(self) -> list[InfrastructureDefinition]:
        """Every infrastructure definition."""
        return [
            definition for environment in self.environments() for definition in environment.infrastructure_definitions
        ]

    def artifacts(self) -> list[Artifact]:
        """Every collected artifact."""
        return [artifact for _, service in self.services() for artifact in service.artifacts]

    def used(self, moments: list[float], seconds: float = DAY) -> int:
        """How many of a limit's uses lie in the last so many seconds."""
        since = self.now - seconds
        return sum(moment > since for moment in moments)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the account, as resolvers receive it."""

    account: Account
    portal: str
    """Address of the web interface, for links."""
    upload: bytes | None = None
    """The file of a multipart body."""

    @property
    def gateway(self) -> str:
        """Address of the API, for webhooks."""
        return f"{self.portal.split('/#')[0]}/gateway/api"
