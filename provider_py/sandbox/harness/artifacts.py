"""The checks on artifacts and manifests of the services an execution deploys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provider_py.sandbox.harness.catalog import Application, Artifact, ArtifactSource, Entity, Service
from provider_py.sandbox.harness.errors import ApiError, invalid
from provider_py.sandbox.harness.inputs import ArtifactValueInput, BuildInput, ManifestValueInput, ServiceInput
from provider_py.sandbox.harness.variables import Resolved


def services_of(application: Application, entity: Entity, resolved: Resolved) -> list[Service]:
    """The services an execution deploys: the entity's own, and those its variables name."""
    values = {value.value for value in resolved.values}
    by_variable = [service for service in application.services if service.id in values]
    return list({service.id: service for service in [*entity.services, *by_variable]}.values())


def needing_artifacts(services: Iterable[Service]) -> list[Service]:
    """The services that need an artifact."""
    return [service for service in services if service.artifact_sources]


def needing_manifests(services: Iterable[Service]) -> list[Service]:
    """The services that need a manifest."""
    return [service for service in services if service.charts]


def choose(services: Sequence[Service], inputs: Sequence[ServiceInput]) -> list[Artifact]:
    """The artifacts of an execution; raises ApiError for the first input that is wrong.

    Inputs for other services are ignored.
    """
    by_name = {item.name: item for item in inputs}
    artifacts = []
    for service in needing_artifacts(services):
        value = _input_for(by_name, service).artifact_value_input
        if value is None:
            raise ApiError(f"ArtifactValueInput is required for the service Input: {service.name}")
        artifacts.append(_artifact(service, value))
    for service in needing_manifests(services):
        manifest = _input_for(by_name, service).manifest_value_input
        if manifest is None:
            raise ApiError(f"ManifestValueInput is required for the service Input: {service.name}")
        _check_manifest(service, manifest)
    return artifacts


def _input_for(inputs: dict[str, ServiceInput], service: Service) -> ServiceInput:
    try:
        return inputs[service.name]
    except KeyError:
        raise ApiError(f"ServiceInput required for service: {service.name}") from None


def _artifact(service: Service, value: ArtifactValueInput) -> Artifact:
    if value.value_type == "ARTIFACT_ID":
        if value.artifact_id is None:
            raise _missing("ArtifactIdInput", service)
        return _by_id(service, value.artifact_id.artifact_id)
    if value.value_type == "BUILD_NUMBER":
        if value.build_number is None:
            raise _missing("BuildNumberInput", service)
        return _by_build(_source(service, value.build_number), value.build_number)
    if value.parameterized_artifact_source is None:
        raise _missing("ParameterizedArtifactSourceInput", service)
    return _by_parameters(service, value.parameterized_artifact_source)


def _missing(member: str, service: Service) -> ApiError:
    return ApiError(f"{member} is required for the service Input: {service.name}")


def _by_id(service: Service, artifact_id: str) -> Artifact:
    if not artifact_id:
        raise invalid(f"Artifact Id cannot be empty for serviceInput: {service.name}")
    for artifact in service.artifacts:
        if artifact.id == artifact_id:
            return artifact
    raise ApiError(f"Cannot find artifact for specified Id: {artifact_id}. Might be deleted")


def check_owner(application: Application, service: Service, artifact_id: str) -> None:
    """Raise ApiError for the id of an artifact of another service."""
    others = (other for other in application.services if other is not service)
    if any(artifact.id == artifact_id for other in others for artifact in other.artifacts):
        raise invalid(f"Artifact Id: {artifact_id} does not belong to specified service: {service.name}")


def _source(service: Service, build: BuildInput) -> ArtifactSource:
    if not build.artifact_source_name:
        raise invalid(f"Artifact Source Name cannot be empty for serviceInput: {service.name}")
    if not build.build_number:
        raise invalid(f"Build Number cannot be empty for serviceInput: {service.name}")
    for source in service.artifact_sources:
        if source.name == build.artifact_source_name:
            return source
    raise ApiError(f"Cannot find artifact Source: {build.artifact_source_name} in specified service: {service.name}")


def _by_build(source: ArtifactSource, build: BuildInput) -> Artifact:
    for artifact in source.artifacts:
        if artifact.build_no == build.build_number:
            return artifact
    raise ApiError(f"Cannot find or collect artifact for specified Build Number: {build.build_number}")


def _by_parameters(service: Service, build: BuildInput) -> Artifact:
    source = _source(service, build)
    if not source.parameters:
        raise invalid("Parameterized Artifact Source valueType cannot be used for non-parameterized artifact source")
    names = {parameter.name for parameter in build.parameter_value_inputs or []}
    missing = [name for name in source.parameters if name not in names]
    if missing:
        raise invalid(f"Parameters {', '.join(missing)} not provided for artifact source: {source.name}")
    return _by_build(source, build)


def _check_manifest(service: Service, value: ManifestValueInput) -> None:
    versions = {version for charts in service.charts.values() for version in charts}
    if value.value_type == "HELM_CHART_ID":
        if not value.helm_chart_id:
            raise invalid(f"Helm Chart Id cannot be empty for serviceInput: {service.name}")
        if value.helm_chart_id not in versions:
            raise ApiError(f"Cannot find helm chart for specified Id: {value.helm_chart_id}. Might be deleted")
        return
    if value.version_number is None:
        raise _missing("VersionNumberInput", service)
    source, version = value.version_number.app_manifest_name, value.version_number.version_number
    if source not in service.charts:
        raise ApiError(f"App manifest with name {source} doesn't exist in specified service: {service.name}")
    if version not in service.charts[source]:
        raise ApiError(f"Cannot find helm chart for specified version number: {version} and service: {service.name}")
