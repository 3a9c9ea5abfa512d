"""The account: its applications, executions and triggers, and what it has used of its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from provider_py.sandbox.harness import first_state
from provider_py.sandbox.harness.administration import Administration
from provider_py.sandbox.harness.catalog import (
    Application,
    Artifact,
    Environment,
    InfrastructureDefinition,
    Service,
    Trigger,
)
from provider_py.sandbox.harness.executions import ApiKey, Execution, PipelineExecution, WorkflowExecution
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.tagging import Tagging
from provider_py.sandbox.world import World

SYSTEM = "harness"
ACCOUNT_ID = "kmpySmUISimoRrJL6NL73w"
API_KEY_NAME = "terraform"
API_KEY_ID = "Rk1bGQbVRQ2QnrzUTXH8ZA"
_DAY = 24 * 3600.0


@dataclass
class Account:
    """The state of the simulated system."""

    world: World
    api_key: ApiKey = field(default_factory=lambda: ApiKey(API_KEY_ID, API_KEY_NAME))
    applications: list[Application] = field(default_factory=first_state.applications)
    executions: dict[str, Execution] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    deployments: list[float] = field(default_factory=list)
    exports: list[float] = field(default_factory=list)
    tagging: Tagging = field(default_factory=Tagging)
    administration: Administration = field(default_factory=Administration)

    def reset(self) -> None:
        """Go back to the first state."""
        self.applications = first_state.applications()
        for used in (self.executions, self.triggers, self.deployments, self.exports):
            used.clear()
        self.tagging.reset()
        self.administration.reset()

    @property
    def now(self) -> float:
        """The world's time."""
        return self.world.clock()

    def application(self, application_id: str) -> Application:
        """The application, or the refusal the server answers."""
        for application in self.applications:
            if application.id == application_id:
                return application
        raise invalid("Application does not exist")

    def execution(self, execution_id: str) -> Execution | None:
        """The execution, unless it never was or its record is purged."""
        found = self.executions.get(execution_id)
        if found is None or self.world.runs.get(found.run.id) is None:
            return None
        top = found.pipeline_execution if isinstance(found, WorkflowExecution) else found
        if isinstance(top, PipelineExecution):
            top.settle()
        return found

    def all_executions(self) -> list[Execution]:
        """Every execution that is still known, newest first."""
        known = [execution for key in self.executions if (execution := self.execution(key))]
        return known[::-1]

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

    def used_today(self, used: list[float], seconds: float = _DAY) -> int:
        """How much of a limit was used in the last day, or the last so many seconds."""
        since = self.now - seconds
        return sum(moment > since for moment in used)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the account, as resolvers see it."""

    account: Account
    portal: str
    """The web interface's address, for links."""
    upload: bytes | None = None
    """The file of a multipart body."""
