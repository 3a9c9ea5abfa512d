"""What an account administers: people, secrets, connections and freezes, as they are at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provider_py.sandbox.harness.catalog import Shown, fixed_id
from provider_py.sandbox.harness.register import Record, Register

_CREATED = 1_588_243_374.775
ADMINISTRATOR = fixed_id("user", "Administrator")
SECRET_MANAGER = fixed_id("secret manager", "Harness Secrets Manager")


@dataclass(slots=True)
class User:
    """A user; one that was invited has yet to verify the address."""

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
    """A user group, its members by id and what it may do."""

    id: str
    name: str
    description: str | None = None
    user_ids: list[str] = field(default_factory=list)
    account_permissions: list[str] = field(default_factory=list)
    app_permissions: list[Mapping[str, object]] = field(default_factory=list)
    notification_settings: Mapping[str, object] | None = None
    sso_setting: Shown | None = None
    imported_by_scim: bool = False

    @property
    def is_ssolinked(self) -> bool:
        """Whether it is linked to a group of an identity provider."""
        return self.sso_setting is not None

    @property
    def permissions(self) -> Mapping[str, object]:
        """What it may do, as it is shown."""
        return {
            "account_permissions": {"account_permission_types": self.account_permissions},
            "app_permissions": self.app_permissions,
        }


def _users() -> list[User]:
    return [User(ADMINISTRATOR, "Administrator", "admin@example.com", is_email_verified=True)]


def _user_groups() -> list[UserGroup]:
    everything = {
        "permission_type": "ALL",
        "applications": {"filter_type": "ALL"},
        "actions": ["CREATE", "READ", "UPDATE", "DELETE", "EXECUTE_WORKFLOW", "EXECUTE_PIPELINE"],
    }
    administrators = UserGroup(fixed_id("user group", "Account Administrator"), "Account Administrator")
    administrators.user_ids = [ADMINISTRATOR]
    administrators.account_permissions = ["CREATE_AND_DELETE_APPLICATION", "MANAGE_USERS_AND_GROUPS", "MANAGE_SECRETS"]
    administrators.app_permissions = [everything]
    return [administrators]


def _record(graphql_type: str, kind: str, name: str, **fields: object) -> Record:
    return Record(graphql_type, fixed_id(kind, name), name, _CREATED, **fields)


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
    kind = "KUBERNETES_CLUSTER"
    return [_record("KubernetesCloudProvider", "cloud provider", "Production cluster", type=kind)]


def _freezes() -> list[Record]:
    freezes = {"app_filter": "ALL", "env_filter_type": "ALL", "serv_filter_type": "ALL"}
    setup = {"is_duration_based": True, "duration": 86_400_000, "time_zone": "UTC"}
    window = _record("", "freeze", "Year end", applicable=False, freeze_windows=[freezes], setup=setup)
    return [window]


@dataclass
class Administration:
    """Everything of an account that is in no application."""

    users: Register[User] = field(default_factory=lambda: Register("User does not exist", _users))
    user_groups: Register[UserGroup] = field(
        default_factory=lambda: Register("User Group does not exist", _user_groups)
    )
    secrets: Register[Record] = field(default_factory=lambda: Register("Secret does not exist"))
    secret_managers: Register[Record] = field(
        default_factory=lambda: Register(
            "Secret Manager does not exist",
            lambda: [_record("", "secret manager", "Harness Secrets Manager", type="GOOGLE_KMS")],
        )
    )
    connectors: Register[Record] = field(default_factory=lambda: Register("Connector does not exist", _connectors))
    cloud_providers: Register[Record] = field(
        default_factory=lambda: Register("Cloud Provider does not exist", _cloud_providers)
    )
    freezes: Register[Record] = field(
        default_factory=lambda: Register("Deployment Freeze Window does not exist", _freezes)
    )

    def reset(self) -> None:
        """Go back to the first state."""
        for register in (self.users, self.user_groups, self.secrets, self.secret_managers):
            register.reset()
        for records in (self.connectors, self.cloud_providers, self.freezes):
            records.reset()
