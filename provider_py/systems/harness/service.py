"""`workflow_harness_service`: the query `service`, by an ID found among the application's services."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Final

import harness_client as gql

from provider_py.execution import DataSourceType, Missing
from provider_py.plugin import Decoded, Diagnostic, computed, exactly_one, model, not_empty, optional
from provider_py.systems.harness import lookup
from provider_py.systems.harness.application import InHarnessApplication, one_application
from provider_py.systems.harness.config import SYSTEM
from provider_py.systems.harness.connection import Harness, timestamp

MAX_ARTIFACTS: Final = 100
"""The maximum number of artifacts of one source that Harness returns at once."""


def _count(value: int) -> str | None:
    return None if 0 <= value <= MAX_ARTIFACTS else f"{value} is out of range; write a number from 0 to {MAX_ARTIFACTS}"


@model
class HarnessArtifact:
    """An artifact that Harness has collected."""

    id: Annotated[str | None, computed("ID of the artifact.")] = None
    build_number: Annotated[str | None, computed("Build number or tag of the artifact.")] = None
    collected_at: Annotated[str | None, computed("Time at which Harness collected the artifact (RFC 3339).")] = None


@model
class HarnessArtifactSource:
    """An artifact source of a service."""

    id: Annotated[str | None, computed("ID of the artifact source.")] = None
    name: Annotated[str | None, computed("Name of the artifact source.")] = None
    type: Annotated[str | None, computed("Type of the artifact source, such as `DockerArtifactSource`.")] = None
    artifacts: Annotated[list[HarnessArtifact] | None, computed("Recent artifacts, in Harness' own order.")] = None


@model
class HarnessService(InHarnessApplication):
    """A service of a Harness FirstGen application."""

    service: Annotated[
        str | None, optional("Name of the service. Case-sensitive. Conflicts with `service_id`.", checks=(not_empty,))
    ] = None
    service_id: Annotated[str | None, optional("ID of the service.", checks=(not_empty,))] = None
    recent_artifacts: Annotated[
        int, optional("Maximum number of artifacts per source, up to 100.", checks=(_count,))
    ] = 10
    id: Annotated[str | None, computed("ID of the service.")] = None
    name: Annotated[str | None, computed("Name of the service.")] = None
    description: Annotated[str | None, computed("Description of the service.")] = None
    artifact_type: Annotated[str | None, computed("Type of the artifacts to deploy, such as `DOCKER`.")] = None
    deployment_type: Annotated[str | None, computed("Type of deployment, such as `KUBERNETES`.")] = None
    artifact_sources: Annotated[list[HarnessArtifactSource] | None, computed("Artifact sources of the service.")] = None


def validate(config: Decoded[HarnessService]) -> Iterable[Diagnostic]:
    """Validate arguments against each other."""
    yield from one_application(config)
    yield from exactly_one(config, ("service", "service_id"), meaning="service")


async def read(harness: Harness, config: HarnessService) -> HarnessService:
    """Look up the service in its application."""
    application = await lookup.application_id(harness, config)
    identifier = await lookup.service_id(harness, application, name=config.service, identifier=config.service_id)
    request = harness.client.service_artifacts(service_id=identifier, artifacts=config.recent_artifacts)
    service = (await harness.ask("service", request)).service
    if service is None:
        raise Missing(SYSTEM, f"there is no service {identifier!r}")
    return dataclasses.replace(
        config,
        id=service.id,
        name=service.name,
        description=service.description,
        artifact_type=service.artifact_type,
        deployment_type=service.deployment_type,
        artifact_sources=[_source(source) for source in service.artifact_sources or () if source is not None],
    )


def _source(source: gql.ServiceArtifactsServiceArtifactSources) -> HarnessArtifactSource:
    artifacts = [
        HarnessArtifact(id=artifact.id, build_number=artifact.build_no, collected_at=timestamp(artifact.collected_at))
        for artifact in (source.artifacts.nodes if source.artifacts else None) or ()
        if artifact is not None
    ]
    return HarnessArtifactSource(id=source.id, name=source.name, type=source.typename__, artifacts=artifacts)


TYPE: Final = DataSourceType(
    name="harness_service",
    title="Harness service",
    system="harness",
    model=HarnessService,
    description="Looks up a service of Harness FirstGen by its name or ID, including its recent artifacts.",
    read=read,
    validate=validate,
)
