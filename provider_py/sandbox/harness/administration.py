"""What an account administers outside of applications: users, secrets, connectors, freezes; and its initial state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provider_py.sandbox.harness.catalog import CREATED, GraphQLObject, fixed_id
from provider_py.sandbox.harness.registry import Record, Registry

ADMINISTRATOR = fixed_id("user", "Administrator")
SECRET_MANAGER = fixed_id("secret manager", "Harness Secrets Manager")


@dataclass(slots=True)
class User:
    """A user; one that was just invited has not verified the address."""

    id: str
    name: str
    email: str
    external_user_id: str | None = None
    is_email_verified: bool = False
    is_two_factor_authentication_enabled: bool = False
    is_user_locked: bool = False
    is_password_expired: bool = False
    is_imported_from_identity_provider: bool = False
    is_disabled: bool = False


@dataclass(slots=True)
class UserGroup:
    """A user group, its members by id, and its permissions."""

    id: str
    name: str
    description: str | None = None
    user_ids: list[str] = field(default_factory=list)
    account_permissions: list[str] = field(default_factory=list)
    app_permissions: list[Mapping[str, object]] = field(default_factory=list)
    notification_settings: Mapping[str, object] | None = None
    sso_setting: GraphQLObject | None = None
    imported_by_scim: bool = False

    @property
    def is_ssolinked(self) -> bool:
        """Whether it is linked to a group of an identity provider; the schema spells it isSSOLinked."""
        return self.sso_setting is not None

    @property
    def permissions(self) -> Mapping[str, object]:
        """Its permissions as GraphQL shows them."""
        return {
            "account_permissions": {"account_permission_types": self.account_permissions},
            "app_permissions": self.app_permissions,
        }


def _users() -> list[User]:
    return [User(ADMINISTRATOR, "Administrator", "admin@example.com", is_email_verified=True)]


def _user_groups() -> list[UserGroup]:
    all_applications = {
        "permission_type": "ALL",
        "applications": {"filter_type": "ALL"},
        "actions": ["CREATE", "READ", "UPDATE", "DELETE", "EXECUTE_WORKFLOW", "EXECUTE_PIPELINE"],
    }
    administrators = UserGroup(fixed_id("user group", "Account Administrator"), "Account Administrator")
    administrators.user_ids = [ADMINISTRATOR]
    administrators.account_permissions = ["CREATE_AND_DELETE_APPLICATION", "MANAGE_USERS_AND_GROUPS", "MANAGE_SECRETS"]
    administrators.app_permissions = [all_applications]
    return [administrators]


def _record(graphql_type: str, item: str, name: str, **fields: object) -> Record:
    return Record(graphql_type, fixed_id(item, name), name, CREATED, **fields)


def _connectors() -> list[Record]:
    return [
        _record("DockerConnector", "connector", "Docker Hub", connector_type="DOCKER"),
        _record("JenkinsConnector", "connector", "Build server", connector_type="JENKINS"),
        _record(
            "GitConnector",
            "connector",
            "Configuration",
            connector_type="GIT",
            url="https://git.example.com/configuration.git",
            url_type="REPO",
            branch="main",
            user_name="harness",
        ),
    ]


def _cloud_providers() -> list[Record]:
    return [_record("KubernetesCloudProvider", "cloud provider", "Production cluster", type="KUBERNETES_CLUSTER")]


def _freezes() -> list[Record]:
    freezes = {"app_filter": "ALL", "env_filter_type": "ALL", "serv_filter_type": "ALL"}
    setup = {"is_duration_based": True, "duration": 86_400_000, "time_zone": "UTC"}
    return [_record("", "freeze", "Year end", applicable=False, freeze_windows=[freezes], setup=setup)]


def _secret_managers() -> list[Record]:
    return [_record("", "secret manager", "Harness Secrets Manager", type="GOOGLE_KMS")]


class Administration:
    """Everything of an account that belongs to no application."""

    def __init__(self) -> None:
        self.users = Registry("User does not exist", _users())
        self.user_groups = Registry("User Group does not exist", _user_groups())
        self.secrets: Registry[Record] = Registry("Secret does not exist")
        self.secret_managers = Registry("Secret Manager does not exist", _secret_managers())
        self.connectors = Registry("Connector does not exist", _connectors())
        self.cloud_providers = Registry("Cloud Provider does not exist", _cloud_providers())
        self.freezes = Registry("Deployment Freeze Window does not exist", _freezes())
