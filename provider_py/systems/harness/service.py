"""`workflow_harness_service`: the query `service`, found by name among the application's; with what it can deploy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Any, Final

from provider_py.execution.errors import Missing
from provider_py.execution.registry_types import DataSourceType
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness.models import InHarnessApplication, one_application
from provider_py.systems.harness.settings import SYSTEM
from provider_py.systems.harness.system import Harness, rfc3339

MOST_ARTIFACTS: Final = 100
"""The most artifacts of a source that Harness returns at once."""


def _count(value: int) -> str | None:
    return None if 0 <= value <= MOST_ARTIFACTS else f"{value} is not possible; write a number from 0 to 100"


@model
class HarnessArtifact:
    """A collected artifact."""

    id: Annotated[str | None, computed("The artifact's id.")] = None
    build_number: Annotated[str | None, computed("Its build number or tag.")] = None
    collected_at: Annotated[str | None, computed("When Harness collected it (RFC 3339).")] = None


@model
class HarnessArtifactSource:
    """Where a service's artifacts come from."""

    id: Annotated[str | None, computed("The source's id.")] = None
    name: Annotated[str | None, computed("The source's name.")] = None
    type: Annotated[str | None, computed("The kind of source, such as `DockerArtifactSource`.")] = None
    artifacts: Annotated[list[HarnessArtifact] | None, computed("Its recent artifacts, in the order of Harness.")] = (
        None
    )


@model
class HarnessService(InHarnessApplication):
    """A service of a Harness FirstGen application."""

    service: Annotated[str | None, optional("Name of the service, exact and case-sensitive.", checks=(not_empty,))] = (
        None
    )
    service_id: Annotated[str | None, optional("Id of the service, in place of its name.", checks=(not_empty,))] = None
    recent_artifacts: Annotated[int, optional("How many artifacts of each source to list.", checks=(_count,))] = 10
    id: Annotated[str | None, computed("The service's id.")] = None
    name: Annotated[str | None, computed("The service's name.")] = None
    description: Annotated[str | None, computed("What it is for.")] = None
    artifact_type: Annotated[str | None, computed("What it deploys, such as `DOCKER`.")] = None
    deployment_type: Annotated[str | None, computed("How it is deployed, such as `KUBERNETES`.")] = None
    artifact_sources: Annotated[list[HarnessArtifactSource] | None, computed("Where its artifacts come from.")] = None


def validate(config: Decoded[HarnessService]) -> Iterable[Diagnostic]:
    """Validate the arguments together."""
    yield from one_application(config)
    yield from exactly_one(config, ("service", "service_id"), meaning="service")


async def read(harness: Harness, config: HarnessService) -> HarnessService:
    """Look up the service in its application."""
    from provider_py.systems.harness import entities  # lazy: needs the generated client

    application = await entities.application_id(harness, config)
    identifier = await entities.service_id(harness, application, config)
    async with harness.asking("service"):
        answer = await harness.client.service_artifacts(service_id=identifier, artifacts=config.recent_artifacts)
    found = answer.service
    if found is None:
        raise Missing(SYSTEM, f"there is no service {identifier!r}")
    return dataclasses.replace(
        config,
        id=found.id,
        name=found.name,
        description=found.description,
        artifact_type=found.artifact_type,
        deployment_type=found.deployment_type,
        artifact_sources=[_source(each) for each in found.artifact_sources or () if each is not None],
    )


def _source(found: Any) -> HarnessArtifactSource:
    nodes = (found.artifacts.nodes if found.artifacts else None) or ()
    artifacts = [
        HarnessArtifact(id=each.id, build_number=each.build_no, collected_at=rfc3339(each.collected_at))
        for each in nodes
        if each is not None
    ]
    return HarnessArtifactSource(id=found.id, name=found.name, type=found.typename__, artifacts=artifacts)


KIND: Final = DataSourceType(
    name="harness_service",
    title="Harness service",
    system="harness",
    model=HarnessService,
    description="Looks up a service of Harness FirstGen by its name or id, with artifact sources and recent artifacts.",
    read=read,
    validate=validate,
)
