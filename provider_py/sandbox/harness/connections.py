"""Resolvers of what an account is connected to: connectors and cloud providers; and of freezes of deployments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provider_py.sandbox.harness.account import SYSTEM, Call
from provider_py.sandbox.harness.catalog import Shown, fixed_id, new_id
from provider_py.sandbox.harness.filters import Connection, page
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.register import Given, Record, Register, payload
from provider_py.sandbox.harness.selection import Filters, meets

_CONNECTORS = {
    "GIT": ("GitConnector", "git_connector"),
    "DOCKER": ("DockerConnector", "docker_connector"),
    "NEXUS": ("NexusConnector", "nexus_connector"),
    "HTTP_HELM_REPO": ("HttpHelmRepoConnector", "helm_connector"),
    "AMAZON_S3_HELM_REPO": ("AmazonS3HelmRepoConnector", "helm_connector"),
    "GCS_HELM_REPO": ("GCSHelmRepoConnector", "helm_connector"),
    "OCI_HELM_REPO": ("OciHelmRepoConnector", "helm_connector"),
}
"""By the type that is given: the GraphQL type and the input that counts; other types can only be read."""
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


def _details(kinds: Mapping[str, tuple[str, str]], kind: str, given: Given) -> tuple[str, Given]:
    if kind not in kinds:
        raise invalid(f"Connector type {kind} is not supported")
    graphql_type, key = kinds[kind]
    details: Given | None = given.get(key)
    if details is None:
        raise invalid(f"No input provided with the request for type {kind}")
    return graphql_type, details


def _made(register: Register[Record], call: Call, graphql_type: str, details: Given, **fields: object) -> Record:
    rest = {key: value for key, value in details.items() if key != "name"}
    return register.add(Record(graphql_type, new_id(), details["name"], call.account.now, **rest, **fields))


def _changed(register: Register[Record], item_id: str, graphql_type: str, details: Given) -> Record:
    item = register.get(item_id)
    if item.graphql_type != graphql_type:
        raise invalid("The existing type cannot be changed")
    register.require_free(details.get("name"), item.id)
    item.change(details)
    return item


def _give_webhook(connector: Record, call: Call) -> None:
    if vars(connector).get("generate_webhook_url") and not vars(connector).get("webhook_url"):
        connector.change({"webhook_url": f"{call.portal.split('/#')[0]}/gateway/api/setup-as-code/webhooks/{new_id()}"})


def _create_connector(_: object, call: Call, *, given: Given) -> Shown:
    kind = given["connector_type"]
    graphql_type, details = _details(_CONNECTORS, kind, given)
    connector = _made(call.account.administration.connectors, call, graphql_type, details, connector_type=kind)
    _give_webhook(connector, call)
    return payload(given, connector=connector)


def _update_connector(_: object, call: Call, *, given: Given) -> Shown:
    graphql_type, details = _details(_CONNECTORS, given["connector_type"], given)
    connector = _changed(call.account.administration.connectors, given["connector_id"], graphql_type, details)
    _give_webhook(connector, call)
    return payload(given, connector=connector)


def _delete_connector(_: object, call: Call, *, given: Given) -> Shown:
    call.account.administration.connectors.remove(given["connector_id"])
    return payload(given)


def _connector(_: object, call: Call, *, connector_id: str) -> Record:
    return call.account.administration.connectors.get(connector_id)


def _connectors(_: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
    def shown(item: Record) -> dict[str, object]:
        kind = vars(item)["connector_type"]
        return {"connector": item.id, "connector_type": kind, "created_at": item.created_at}

    connectors = call.account.administration.connectors.all()
    return page([item for item in connectors if meets(call, shown(item), filters)], limit, offset)


def _create_cloud_provider(_: object, call: Call, *, given: Given) -> Shown:
    kind = given["cloud_provider_type"]
    graphql_type, details = _details(_CLOUD_PROVIDERS, kind, given)
    fields = {key: value for key, value in details.items() if key != "type"}
    made = _made(call.account.administration.cloud_providers, call, graphql_type, fields, type=kind)
    return payload(given, cloud_provider=made)


def _update_cloud_provider(_: object, call: Call, *, given: Given) -> Shown:
    graphql_type, details = _details(_CLOUD_PROVIDERS, given["cloud_provider_type"], given)
    providers = call.account.administration.cloud_providers
    return payload(given, cloud_provider=_changed(providers, given["cloud_provider_id"], graphql_type, details))


def _delete_cloud_provider(_: object, call: Call, *, given: Given) -> Shown:
    call.account.administration.cloud_providers.remove(given["cloud_provider_id"])
    return payload(given)


def _cloud_provider(_: object, call: Call, *, cloud_provider_id: str) -> Record:
    return call.account.administration.cloud_providers.get(cloud_provider_id)


def _cloud_provider_by_name(_: object, call: Call, *, name: str) -> Record:
    return call.account.administration.cloud_providers.named(name)


def _cloud_providers(
    _: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None
) -> Connection:
    def shown(item: Record) -> dict[str, object]:
        kind = vars(item)["type"]
        return {"cloud_provider": item.id, "cloud_provider_type": kind, "created_at": item.created_at}

    providers = call.account.administration.cloud_providers.all()
    return page([item for item in providers if meets(call, shown(item), filters)], limit, offset)


def _all_freezes(call: Call) -> list[Record]:
    """The windows of the account, with the one that the behaviour switches on."""
    active = call.account.world.behaviours.text(SYSTEM, "freeze_window")
    named = [Record("", fixed_id("freeze", active), active, call.account.now, applicable=True)] if active else []
    return [*call.account.administration.freezes.all(), *named]


def _freeze_with(attribute: str) -> Callable[..., Record]:
    def resolve(_: object, call: Call, **wanted: str) -> Record:
        for window in _all_freezes(call):
            if getattr(window, attribute) == wanted[attribute]:
                return window
        raise invalid("Deployment Freeze Window does not exist")

    return resolve


def _freezes(
    _: object, call: Call, *, limit: int, offset: int | None = None, list_enabled: bool | None = None
) -> Connection:
    windows = [window for window in _all_freezes(call) if not list_enabled or vars(window)["applicable"]]
    return page(windows, limit, offset)


RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.connector": _connector,
    "Query.connectors": _connectors,
    "Query.cloudProvider": _cloud_provider,
    "Query.cloudProviderByName": _cloud_provider_by_name,
    "Query.cloudProviders": _cloud_providers,
    "Query.deploymentFreezeWindow": _freeze_with("id"),
    "Query.deploymentFreezeWindowByName": _freeze_with("name"),
    "Query.listDeploymentFreezeWindows": _freezes,
    "Mutation.createConnector": _create_connector,
    "Mutation.updateConnector": _update_connector,
    "Mutation.deleteConnector": _delete_connector,
    "Mutation.createCloudProvider": _create_cloud_provider,
    "Mutation.updateCloudProvider": _update_cloud_provider,
    "Mutation.deleteCloudProvider": _delete_cloud_provider,
}
