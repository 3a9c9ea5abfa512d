"""A fixture: a service with an artifact source of every type."""

from __future__ import annotations

from provider_py.sandbox.harness.catalog import Application, Artifact, ArtifactSource, GraphQLObject, Service, fixed_id

_PATHS = ["target/app.war"]
_ARTIFACTORY = GraphQLObject(
    "ArtifactoryDockerProps",
    artifactory_connector_id="artifactory",
    repository="docker-local",
    docker_image_name="app",
    docker_repository_server="docker.example.com",
)
_FIELDS: dict[str, dict[str, object]] = {
    "ACRArtifactSource": {
        "subscription_id": "subscription",
        "registry_name": "registry",
        "repository_name": "app",
        "azure_cloud_provider_id": "azure",
    },
    "AmazonS3ArtifactSource": {"aws_cloud_provider_id": "aws", "bucket": "builds", "artifact_paths": _PATHS},
    "AMIArtifactSource": {
        "aws_cloud_provider_id": "aws",
        "region": "eu-west-1",
        "aws_tags": [{"key": "team", "value": "billing"}],
        "ami_resource_filters": [{"key": "state", "value": "available"}],
    },
    "ArtifactoryArtifactSource": {"properties": _ARTIFACTORY},
    "AzureArtifactsArtifactSource": {
        "package_type": "maven",
        "scope": "project",
        "project": "billing",
        "feed_name": "releases",
        "package_name": "com.example:app",
        "azure_connector_id": "azure devops",
    },
    "AzureMachineImageArtifactSource": {
        "azure_cloud_provider_id": "azure",
        "image_type": "IMAGE_GALLERY",
        "subscription_id": "subscription",
        "image_definition": {
            "resource_group": "images",
            "image_gallery_name": "gallery",
            "image_definition_name": "app",
        },
    },
    "BambooArtifactSource": {"bamboo_connector_id": "bamboo", "plan_key": "APP-BUILD", "artifact_paths": _PATHS},
    "CustomArtifactSource": {},
    "DockerArtifactSource": {"image_name": "library/redis", "docker_connector_id": "docker"},
    "ECRArtifactSource": {"region": "eu-west-1", "image_name": "app", "aws_cloud_provider_id": "aws"},
    "GCRArtifactSource": {
        "gcp_cloud_provider_id": "gcp",
        "registry_host_name": "gcr.io",
        "docker_image_name": "project/app",
    },
    "GCSArtifactSource": {
        "gcp_cloud_provider_id": "gcp",
        "project_id": "project",
        "bucket": "builds",
        "artifact_paths": _PATHS,
    },
    "JenkinsArtifactSource": {"job_name": "app", "artifact_paths": _PATHS, "jenkins_connector_id": "jenkins"},
    "NexusArtifactSource": {
        "properties": GraphQLObject(
            "NexusMavenProps",
            nexus_connector_id="nexus",
            repository="releases",
            repository_format="MAVEN",
            group_id="com.example",
            artifact_id=["app"],
            extension="jar",
            classifier=None,
        )
    },
    "SFTPArtifactSource": {"artifact_paths": _PATHS, "sftp_connector_id": "sftp"},
    "SMBArtifactSource": {"artifact_paths": _PATHS, "smb_connector_id": "smb"},
}
"""The fields of each type besides those all sources share."""
TYPES = tuple(_FIELDS)


def service_with_every_type(app: Application, created_at: float) -> Service:
    """A service with a source of every type and one artifact per source."""
    service = Service(fixed_id(app.name, "service", "gallery"), "gallery", created_at, "OTHER", "SSH")
    service.artifact_sources = [_source(service, type_, fields, created_at) for type_, fields in _FIELDS.items()]
    return service


def _source(service: Service, type_: str, fields: dict[str, object], created_at: float) -> ArtifactSource:
    name = type_.removesuffix("ArtifactSource").lower()
    source = ArtifactSource(fixed_id(service.id, name), name, created_at, graphql_type=type_, details=fields)
    source.artifacts = [Artifact(fixed_id(source.id, "1.0"), "1.0", created_at, source)]
    return source
