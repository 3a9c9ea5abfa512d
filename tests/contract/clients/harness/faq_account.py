"""What the questions about cloud providers, users, tags, secrets and connectors come to."""

from __future__ import annotations

import pytest
from harness_client import (
    AccountPermissionInput,
    AddAccountPermissionInput,
    AddAppPermissionInput,
    AddUserToUserGroupInput,
    AppFilterInput,
    ApplicationPermissionInput,
    AttachTagInput,
    CloudProviderFilter,
    CloudProviderTypeFilter,
    CreateCloudProviderInput,
    CreateConnectorInput,
    CreateSecretInput,
    CreateUserGroupInput,
    CreateUserInput,
    DeleteCloudProviderInput,
    DeleteConnectorInput,
    DeleteSecretInput,
    DeleteUserGroupInput,
    DeleteUserInput,
    DetachTagInput,
    EncryptedFileInput,
    EncryptedTextInput,
    GitConnectorInput,
    InlineSSHKey,
    Permissions,
    PhysicalDataCenterCloudProviderInput,
    RemoveUserFromUserGroupInput,
    SpotInstCloudProviderInput,
    SSHAuthenticationInput,
    SSHAuthenticationMethod,
    SSHCredentialInput,
    UpdateCloudProviderInput,
    UpdateConnectorInput,
    UpdateEncryptedText,
    UpdateGitConnectorInput,
    UpdatePhysicalDataCenterCloudProviderInput,
    UpdateSecretInput,
    UpdateUserGroupInput,
    UpdateUserGroupPermissionsInput,
    UpdateUserInput,
    WinRMCredentialInput,
)
from harness_client.enums import (
    AccountPermissionType,
    Actions,
    AppPermissionType,
    CloudProviderType,
    ConnectorType,
    EnumOperator,
    FilterAppType,
    SecretType,
    SSHAuthenticationScheme,
    SSHCredentialType,
    TagEntityType,
    UrlType,
)
from harness_client.exceptions import GraphQLClientGraphQLMultiError

from tests.contract.clients.harness.conftest import APPLICATION, Account, several

DATA_CENTER = CreateCloudProviderInput(
    cloudProviderType=CloudProviderType.PHYSICAL_DATA_CENTER,
    physicalDataCenterCloudProvider=PhysicalDataCenterCloudProviderInput(name="Berlin"),
)


async def data_center(account: Account) -> str:
    made = (await account.client.create_cloud_provider(DATA_CENTER)).create_cloud_provider
    assert made
    assert made.cloud_provider
    assert made.cloud_provider.id
    return made.cloud_provider.id


async def cloud_providers(account: Account) -> None:
    client = account.client
    key = await data_center(account)
    changed = UpdateCloudProviderInput(
        cloudProviderId=key,
        cloudProviderType=CloudProviderType.PHYSICAL_DATA_CENTER,
        physicalDataCenterCloudProvider=UpdatePhysicalDataCenterCloudProviderInput(name="Bonn"),
    )
    await client.update_cloud_provider(changed)
    shown = (await client.cloud_provider(key)).cloud_provider
    assert shown
    assert (shown.name, shown.type_) == ("Bonn", "PHYSICAL_DATA_CENTER")
    await client.delete_cloud_provider(DeleteCloudProviderInput(cloudProviderId=key))
    left = (await client.cloud_providers(limit=10)).cloud_providers
    assert left
    assert left.page_info
    assert left.page_info.total == 1


async def cloud_provider_by_id(account: Account) -> None:
    shown = (await account.client.cloud_provider(await data_center(account))).cloud_provider
    assert shown
    assert shown.name == "Berlin"


async def cloud_provider_by_name(account: Account) -> None:
    key = await data_center(account)
    shown = (await account.client.cloud_provider_by_name("Berlin")).cloud_provider_by_name
    assert shown
    assert shown.id == key


async def cloud_providers_by_type(account: Account) -> None:
    await data_center(account)
    spot = SpotInstCloudProviderInput(name="spot", accountId="a", tokenSecretId="t")
    made = CreateCloudProviderInput(cloudProviderType=CloudProviderType.SPOT_INST, spotInstCloudProvider=spot)
    await account.client.create_cloud_provider(made)
    kind = CloudProviderTypeFilter(operator=EnumOperator.EQUALS, values=[CloudProviderType.SPOT_INST])
    filters = several(CloudProviderFilter(cloudProviderType=kind))
    found = (await account.client.cloud_providers(filters=filters, limit=10)).cloud_providers
    assert found
    assert found.nodes
    assert [node.name for node in found.nodes if node] == ["spot"]


async def group(account: Account, name: str = "Developers") -> str:
    made = (await account.client.create_user_group(CreateUserGroupInput(name=name))).create_user_group
    assert made
    assert made.user_group
    assert made.user_group.id
    return made.user_group.id


async def invite(account: Account, *groups: str) -> str:
    wanted = CreateUserInput(name="Ann", email="Ann@Example.com", userGroupIds=list(groups))
    made = (await account.client.create_user(wanted)).create_user
    assert made
    assert made.user
    assert made.user.id
    return made.user.id


async def members(account: Account, group_id: str) -> list[str | None]:
    shown = (await account.client.user_group_members(group_id, limit=10)).user_group
    assert shown
    assert shown.users
    assert shown.users.nodes is not None
    return [node.name for node in shown.users.nodes if node]


async def ids_by_name(account: Account) -> None:
    group_id, client = await group(account), account.client
    user_id = await invite(account)
    app = (await client.application_by_name("Test App")).application_by_name
    user = (await client.user_by_name("Ann")).user_by_name
    named = (await client.user_group_by_name("Developers")).user_group_by_name
    assert app
    assert app.id == APPLICATION
    assert user
    assert user.id == user_id
    assert named
    assert named.id == group_id


async def user_by_email(account: Account) -> None:
    user_id = await invite(account)
    found = (await account.client.user_by_email("ANN@example.com")).user_by_email
    assert found
    assert (found.id, found.is_email_verified) == (user_id, False)


async def users(account: Account) -> None:
    client, first, second = account.client, await group(account), await group(account, "Testers")
    user_id = await invite(account, first)
    assert await members(account, first) == ["Ann"]
    await client.update_user(UpdateUserInput(id=user_id, name="Anna", userGroupIds=[second]))
    assert (await members(account, first), await members(account, second)) == ([], ["Anna"])
    await client.add_user_to_user_group(AddUserToUserGroupInput(userGroupId=first, userId=user_id))
    of_user = (await client.user_groups_of_user(user_id, limit=10)).user
    assert of_user
    assert of_user.user_groups
    assert of_user.user_groups.page_info
    assert of_user.user_groups.page_info.total == 2
    out = RemoveUserFromUserGroupInput(userGroupId=first, userId=user_id)
    await client.remove_user_from_user_group(out)
    assert await members(account, first) == []
    shown = (await client.user(user_id)).user
    assert shown
    assert shown.name == "Anna"
    await client.delete_user(DeleteUserInput(id=user_id))
    left = (await client.users(limit=10)).users
    assert left
    assert left.page_info
    assert left.page_info.total == 1
    assert await members(account, second) == []


async def permissions(account: Account) -> None:
    client, group_id = account.client, await group(account)
    await client.update_user_group(UpdateUserGroupInput(userGroupId=group_id, description="who develop"))
    deploy = ApplicationPermissionInput(
        permissionType=AppPermissionType.DEPLOYMENT,
        applications=AppFilterInput(filterType=FilterAppType.SELECTED, appIds=[APPLICATION]),
        actions=[Actions.READ, Actions.EXECUTE_WORKFLOW],
    )
    granted = Permissions(
        accountPermissions=AccountPermissionInput(accountPermissionTypes=[AccountPermissionType.VIEW_AUDITS]),
        appPermissions=[deploy],
    )
    await client.update_user_group_permissions(
        UpdateUserGroupPermissionsInput(userGroupId=group_id, permissions=granted)
    )
    tags = AddAccountPermissionInput(userGroupId=group_id, accountPermission=AccountPermissionType.MANAGE_TAGS)
    await client.add_account_permission(tags)
    await client.add_app_permission(AddAppPermissionInput(userGroupId=group_id, appPermission=deploy))
    shown = (await client.user_group(group_id)).user_group
    assert shown
    assert shown.permissions
    assert shown.permissions.account_permissions
    assert shown.permissions.app_permissions
    assert shown.description == "who develop"
    assert shown.permissions.account_permissions.account_permission_types == ["VIEW_AUDITS", "MANAGE_TAGS"]
    assert [each.actions for each in shown.permissions.app_permissions if each] == [["READ", "EXECUTE_WORKFLOW"]] * 2
    await client.delete_user_group(DeleteUserGroupInput(userGroupId=group_id))
    left = (await client.user_groups(limit=10)).user_groups
    assert left
    assert left.page_info
    assert left.page_info.total == 1


async def tags(account: Account) -> None:
    client = account.client
    kind = TagEntityType.APPLICATION
    await client.attach_tag(AttachTagInput(entityId=APPLICATION, entityType=kind, name="team", value="x"))
    by_name = (await client.tag_by_name("team")).tag_by_name
    assert by_name
    assert by_name.id
    by_id = (await client.tag(by_name.id)).tag
    listed = (await client.tags(limit=10)).tags
    usages = (await client.tag_usages("team", limit=10)).tag_by_name
    assert by_id
    assert by_id.name == "team"
    assert listed
    assert listed.page_info
    assert listed.page_info.total == 1
    assert usages
    assert usages.usages
    assert usages.usages.nodes
    assert usages.usages.nodes[0]
    assert (usages.usages.nodes[0].entity_id, usages.usages.nodes[0].value) == (APPLICATION, "x")
    await client.detach_tag(DetachTagInput(entityId=APPLICATION, entityType=kind, name="team"))
    left = (await client.tag_usages("team", limit=10)).tag_by_name
    assert left
    assert left.usages
    assert left.usages.nodes == []


async def encrypted_text(account: Account) -> None:
    client, kind = account.client, SecretType.ENCRYPTED_TEXT
    text = EncryptedTextInput(name="token", value="s3cret")
    made = (await client.create_secret(CreateSecretInput(secretType=kind, encryptedText=text))).create_secret
    assert made
    assert made.secret
    assert made.secret.id
    key = made.secret.id
    await client.update_secret(
        UpdateSecretInput(secretId=key, secretType=kind, encryptedText=UpdateEncryptedText(name="key", value="n"))
    )
    by_id = (await client.secret(key, kind)).secret
    by_name = (await client.secret_by_name("key", kind)).secret_by_name
    assert by_id
    assert by_name
    assert by_id.id == by_name.id == key
    assert by_id.typename__ == "EncryptedText"
    assert "s3cret" not in by_id.model_dump_json()
    await client.delete_secret(DeleteSecretInput(secretId=key, secretType=kind))
    with pytest.raises(GraphQLClientGraphQLMultiError, match="Secret does not exist"):
        await client.secret(key, kind)


async def upload(account: Account) -> str:
    wanted = CreateSecretInput(secretType=SecretType.ENCRYPTED_FILE, encryptedFile=EncryptedFileInput(name="id_rsa"))
    made = (await account.client.create_secret(wanted, file=("id_rsa", b"key"))).create_secret
    assert made
    assert made.secret
    assert made.secret.id
    assert made.secret.typename__ == "EncryptedFile"
    return made.secret.id


async def encrypted_file(account: Account) -> None:
    found = (await account.client.secret(await upload(account), SecretType.ENCRYPTED_FILE)).secret
    assert found
    assert found.name == "id_rsa"


async def ssh_credential(account: Account) -> None:
    key = InlineSSHKey(sshKeySecretFileId=await upload(account))
    method = SSHAuthenticationMethod(sshCredentialType=SSHCredentialType.SSH_KEY, inlineSSHKey=key)
    login = SSHAuthenticationInput(userName="ubuntu", port=22, sshAuthenticationMethod=method)
    credential = SSHCredentialInput(
        name="ubuntu", authenticationScheme=SSHAuthenticationScheme.SSH, sshAuthentication=login
    )
    wanted = CreateSecretInput(secretType=SecretType.SSH_CREDENTIAL, sshCredential=credential)
    made = (await account.client.create_secret(wanted)).create_secret
    assert made
    assert made.secret
    assert made.secret.typename__ == "SSHCredential"
    authentication = made.secret.authentication_type
    assert authentication
    assert authentication.typename__ == "SSHAuthentication"
    assert authentication.ssh_authentication_method
    assert authentication.ssh_authentication_method.inline_ssh_key
    shown = authentication.ssh_authentication_method.inline_ssh_key
    assert shown.ssh_key_secret_file_id == key.ssh_key_secret_file_id


async def winrm_credential(account: Account) -> None:
    credential = WinRMCredentialInput(name="admin", userName="Administrator", passwordSecretId="p")
    wanted = CreateSecretInput(secretType=SecretType.WINRM_CREDENTIAL, winRMCredential=credential)
    made = (await account.client.create_secret(wanted)).create_secret
    assert made
    assert made.secret
    assert made.secret.typename__ == "WinRMCredential"
    assert (made.secret.user_name, made.secret.port, made.secret.authentication_scheme) == (
        "Administrator",
        5986,
        "NTLM",
    )


async def secret_managers(account: Account) -> None:
    client = account.client
    listed = (await client.secret_managers(limit=10)).secret_managers
    assert listed
    assert listed.nodes
    assert listed.nodes[0]
    assert listed.nodes[0].id
    by_id = (await client.secret_manager(listed.nodes[0].id)).secret_manager
    by_name = (await client.secret_manager_by_name("Harness Secrets Manager")).secret_manager_by_name
    assert by_id
    assert by_name
    assert by_id.id == by_name.id


async def git_connectors(account: Account) -> None:
    client = account.client
    git = GitConnectorInput(
        name="repo",
        URL="https://git.example.com/x.git",
        urlType=UrlType.REPO,
        branch="main",
        generateWebhookUrl=True,
    )
    made = (
        await client.create_connector(CreateConnectorInput(connectorType=ConnectorType.GIT, gitConnector=git))
    ).create_connector
    assert made
    assert made.connector
    assert made.connector.id
    key = made.connector.id
    changed = UpdateGitConnectorInput(branch="next")
    await client.update_connector(
        UpdateConnectorInput(connectorId=key, connectorType=ConnectorType.GIT, gitConnector=changed)
    )
    shown = (await client.connector(key)).connector
    assert shown
    assert shown.typename__ == "GitConnector"
    assert (shown.url, shown.branch, shown.name) == ("https://git.example.com/x.git", "next", "repo")
    assert shown.webhook_url
    await client.delete_connector(DeleteConnectorInput(connectorId=key))
    left = (await client.connectors(limit=10)).connectors
    assert left
    assert left.page_info
    assert left.page_info.total == 3


async def freezes(account: Account) -> None:
    account.world.behaviors.change({"harness": {"freeze_window": "Launch"}})
    listed = await account.client.deployment_freeze_windows(limit=10, list_enabled=True)
    windows = listed.list_deployment_freeze_windows
    assert windows
    assert windows.nodes
    assert windows.nodes[0]
    assert windows.nodes[0].id
    by_id = (await account.client.deployment_freeze_window(windows.nodes[0].id)).deployment_freeze_window
    by_name = (await account.client.deployment_freeze_window_by_name("Launch")).deployment_freeze_window_by_name
    assert by_id
    assert by_name
    assert by_id.name == by_name.name == "Launch"
