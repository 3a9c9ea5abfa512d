"""Resolvers of connectors, cloud providers and deployment freeze windows."""

from __future__ import annotations

from collections.abc import Mapping

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.behaviors import SYSTEM
from provider_py.sandbox.harness.catalog import GraphQLObject, fixed_id, new_id
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.filters import Connection, Keys, page
from provider_py.sandbox.harness.registry import Input, Record, Registry, payload
from provider_py.sandbox.harness.resolvers import Resolver, delete, get, get_named, listing

_CONNECTORS = {
    "GIT": ("GitConnector", "git_connector"),
    "DOCKER": ("DockerConnector", "docker_connector"),
    "NEXUS": ("NexusConnector", "nexus_connector"),
    "HTTP_HELM_REPO": ("HttpHelmRepoConnector", "helm_connector"),
    "AMAZON_S3_HELM_REPO": ("AmazonS3HelmRepoConnector", "helm_connector"),
    "GCS_HELM_REPO": ("GCSHelmRepoConnector", "helm_connector"),
    "OCI_HELM_REPO": ("OciHelmRepoConnector", "helm_connector"),
}
"""By type: the GraphQL type and the member of the input that is read. Other types are read-only."""
_CLOUD_PROVIDERS = {
    "PHYSICAL_DATA_CENTER": ("PhysicalDataCenterCloudProvider", "physical_data_center_cloud_provider"),
    "AWS": ("AwsCloudProvider", "aws_cloud_provider"),
    "AZURE": ("AzureCloudProvider", "azure_cloud_provider"),
    "GCP": ("GcpCloudProvider", "gcp_cloud_provider"),
    "KUBERNETES_CLUSTER": ("KubernetesCloudProvider", "k8s_cloud_provider"),
    "PCF": ("PcfCloudProvider", "pcf_cloud_provider"),
    "SPOT_INST": ("SpotInstCloudProvider", "spot_inst_cloud_provider"),
    "RANCHER": ("RancherCloudProvider", "rancher_cloud_provider"),
}


def _connectors(call: Call) -> Registry[Record]:
    return call.account.administration.connectors


def _cloud_providers(call: Call) -> Registry[Record]:
    return call.account.administration.cloud_providers


def _details(types: Mapping[str, tuple[str, str]], type_: str, input_: Input) -> tuple[str, Input]:
    if type_ not in types:
        raise invalid(f"Connector type {type_} is not supported")
    graphql_type, member = types[type_]
    details: Input | None = input_.get(member)
    if details is None:
        raise invalid(f"No input provided with the request for type {type_}")
    return graphql_type, details


def _create(registry: Registry[Record], call: Call, graphql_type: str, details: Input, **fields: object) -> Record:
    fields = {key: value for key, value in details.items() if key not in {"name", *fields}} | fields
    return registry.add(Record(graphql_type, new_id(), details["name"], call.account.now, **fields))


def _update(registry: Registry[Record], item_id: str, graphql_type: str, details: Input) -> Record:
    item = registry.get(item_id)
    if item.graphql_type != graphql_type:
        raise invalid("The existing type cannot be changed")
    registry.require_free(details.get("name"), item.id)
    item.change(details)
    return item


def _add_webhook(connector: Record, call: Call) -> None:
    if vars(connector).get("generate_webhook_url") and not vars(connector).get("webhook_url"):
        connector.change({"webhook_url": f"{call.gateway}/setup-as-code/webhooks/{new_id()}"})


def _create_connector(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    type_ = input_["connector_type"]
    graphql_type, details = _details(_CONNECTORS, type_, input_)
    connector = _create(_connectors(call), call, graphql_type, details, connector_type=type_)
    _add_webhook(connector, call)
    return payload(input_, connector=connector)


def _update_connector(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    graphql_type, details = _details(_CONNECTORS, input_["connector_type"], input_)
    connector = _update(_connectors(call), input_["connector_id"], graphql_type, details)
    _add_webhook(connector, call)
    return payload(input_, connector=connector)


def _connector_keys(connector: Record) -> Keys:
    type_ = vars(connector)["connector_type"]
    return {"connector": connector.id, "connector_type": type_, "created_at": connector.created_at}


def _create_cloud_provider(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    type_ = input_["cloud_provider_type"]
    graphql_type, details = _details(_CLOUD_PROVIDERS, type_, input_)
    return payload(input_, cloud_provider=_create(_cloud_providers(call), call, graphql_type, details, type=type_))


def _update_cloud_provider(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    graphql_type, details = _details(_CLOUD_PROVIDERS, input_["cloud_provider_type"], input_)
    provider = _update(_cloud_providers(call), input_["cloud_provider_id"], graphql_type, details)
    return payload(input_, cloud_provider=provider)


def _cloud_provider_keys(provider: Record) -> Keys:
    type_ = vars(provider)["type"]
    return {"cloud_provider": provider.id, "cloud_provider_type": type_, "created_at": provider.created_at}


def _all_freezes(call: Call) -> list[Record]:
    """The windows of the account and the one the behavior activates."""
    active = call.account.world.behaviors.text(SYSTEM, "freeze_window")
    windows = [Record("", fixed_id("freeze", active), active, call.account.now, applicable=True)] if active else []
    return [*call.account.administration.freezes.all(), *windows]


def _freeze_by(attribute: str) -> Resolver:
    def resolve(_: object, call: Call, **argument: str) -> Record:
        for window in _all_freezes(call):
            if getattr(window, attribute) == argument[attribute]:
                return window
        raise invalid("Deployment Freeze Window does not exist")

    return resolve


def _freezes(
    _: object, call: Call, *, limit: int, offset: int | None = None, list_enabled: bool | None = None
) -> Connection:
    windows = [window for window in _all_freezes(call) if not list_enabled or vars(window)["applicable"]]
    return page(windows, limit, offset)


RESOLVERS: dict[str, Resolver] = {
    "Query.connector": get(_connectors),
    "Query.connectors": listing(lambda call: _connectors(call).all(), _connector_keys),
    "Query.cloudProvider": get(_cloud_providers),
    "Query.cloudProviderByName": get_named(_cloud_providers),
    "Query.cloudProviders": listing(lambda call: _cloud_providers(call).all(), _cloud_provider_keys),
    "Query.deploymentFreezeWindow": _freeze_by("id"),
    "Query.deploymentFreezeWindowByName": _freeze_by("name"),
    "Query.listDeploymentFreezeWindows": _freezes,
    "Mutation.createConnector": _create_connector,
    "Mutation.updateConnector": _update_connector,
    "Mutation.deleteConnector": delete(_connectors, "connector_id"),
    "Mutation.createCloudProvider": _create_cloud_provider,
    "Mutation.updateCloudProvider": _update_cloud_provider,
    "Mutation.deleteCloudProvider": delete(_cloud_providers, "cloud_provider_id"),
}
