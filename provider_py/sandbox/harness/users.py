"""Resolvers of users, user groups and their permissions."""

from __future__ import annotations

from collections.abc import Iterable

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.administration import User, UserGroup
from provider_py.sandbox.harness.catalog import GraphQLObject, new_id
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.filters import Connection, Filters, page
from provider_py.sandbox.harness.registry import Input, Registry, payload
from provider_py.sandbox.harness.resolvers import Resolver, delete, get, get_named, listing


def _all_users(call: Call) -> Registry[User]:
    return call.account.administration.users


def _all_groups(call: Call) -> Registry[UserGroup]:
    return call.account.administration.user_groups


def _user_by_email(_: object, call: Call, *, email: str) -> User:
    user = _with_email(call, email)
    if user is None:
        raise invalid("User does not exist")
    return user


def _with_email(call: Call, email: str) -> User | None:
    return next((user for user in _all_users(call).all() if user.email == email.strip().lower()), None)


def _users(_: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None) -> Connection:
    with_disabled = any(entry.get("include_disabled") for entry in filters or [])
    users = [user for user in _all_users(call).all() if with_disabled or not user.is_disabled]
    return page(users, limit, offset)


def _groups_of(user: User, call: Call, *, limit: int, offset: int | None = None) -> Connection:
    groups = [group for group in _all_groups(call).all() if user.id in group.user_ids]
    return page(groups, limit, offset)


def _create_user(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    email = input_["email"].strip().lower()
    if "@" not in email:
        raise invalid("The email is invalid")
    if _with_email(call, email):
        raise invalid(f"User already exists with email {email}")
    groups = _groups(call, input_.get("user_group_ids"))
    user = _all_users(call).add(User(new_id(), input_["name"], email, input_.get("external_user_id")))
    for group in groups:
        group.user_ids.append(user.id)
    return payload(input_, user=user)


def _groups(call: Call, group_ids: Iterable[str] | None) -> list[UserGroup]:
    return [_all_groups(call).get(group_id) for group_id in group_ids or []]


def _update_user(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    user = _all_users(call).get(input_["id"])
    _all_users(call).require_free(input_.get("name"), user.id)
    groups = _groups(call, input_.get("user_group_ids"))
    user.name = input_.get("name") or user.name
    user.external_user_id = input_.get("external_user_id", user.external_user_id)
    if input_.get("user_group_ids") is not None:
        for group in _all_groups(call).all():
            _set_member(group, user, present=group in groups)
    return payload(input_, user=user)


def _set_member(group: UserGroup, user: User, *, present: bool) -> None:
    others = [user_id for user_id in group.user_ids if user_id != user.id]
    group.user_ids = [*others, user.id] if present else others


def _delete_user(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    user = _all_users(call).remove(input_["id"])
    for group in _all_groups(call).all():
        _set_member(group, user, present=False)
    return payload(input_)


def _members(group: UserGroup, call: Call, *, limit: int, offset: int | None = None) -> Connection:
    return page([_all_users(call).get(user_id) for user_id in group.user_ids], limit, offset)


def _fill(group: UserGroup, call: Call, input_: Input) -> None:
    for user_id in input_.get("user_ids") or []:
        _all_users(call).get(user_id)
    group.name = input_.get("name") or group.name
    group.description = input_.get("description", group.description)
    group.notification_settings = input_.get("notification_settings", group.notification_settings)
    group.user_ids = list(input_.get("user_ids") or group.user_ids)
    if input_.get("permissions") is not None:
        _set_permissions(group, input_["permissions"])
    if input_.get("sso_setting") is not None:
        group.sso_setting = _sso(input_["sso_setting"])


def _sso(input_: Input) -> GraphQLObject:
    ldap, saml = input_.get("ldap_settings"), input_.get("saml_settings")
    if (ldap is None) is (saml is None):
        raise invalid("Exactly one of ldapSettings and samlSettings must be input_")
    return GraphQLObject("LDAPSettings", **ldap) if ldap is not None else GraphQLObject("SAMLSettings", **(saml or {}))


def _set_permissions(group: UserGroup, input_: Input) -> None:
    account = input_.get("account_permissions") or {}
    group.account_permissions = list(account.get("account_permission_types") or [])
    group.app_permissions = list(input_.get("app_permissions") or [])


def _create_group(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    group = UserGroup(new_id(), input_["name"])
    _all_groups(call).require_free(group.name)
    _fill(group, call, input_)
    return payload(input_, user_group=_all_groups(call).add(group))


def _update_group(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    group = _all_groups(call).get(input_["user_group_id"])
    _all_groups(call).require_free(input_.get("name"), group.id)
    _fill(group, call, input_)
    return payload(input_, user_group=group)


def _membership(*, present: bool) -> Resolver:
    def resolve(_: object, call: Call, *, input_: Input) -> GraphQLObject:
        group = _all_groups(call).get(input_["user_group_id"])
        _set_member(group, _all_users(call).get(input_["user_id"]), present=present)
        return payload(input_, user_group=group)

    return resolve


def _update_permissions(_: object, call: Call, *, input_: Input | None = None) -> GraphQLObject:
    if input_ is None:
        raise invalid("Input cannot be empty")
    group = _all_groups(call).get(input_["user_group_id"])
    _set_permissions(group, input_["permissions"])
    return payload(input_, permissions=group.permissions)


def _add_account_permission(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    group = _all_groups(call).get(input_["user_group_id"])
    permission = input_.get("account_permission")
    if permission and permission not in group.account_permissions:
        group.account_permissions.append(permission)
    return payload(input_, user_group=group)


def _add_app_permission(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    group = _all_groups(call).get(input_["user_group_id"])
    if input_.get("app_permission") is not None:
        group.app_permissions.append(input_["app_permission"])
    return payload(input_, user_group=group)


RESOLVERS: dict[str, Resolver] = {
    "Query.user": get(_all_users),
    "Query.userByName": get_named(_all_users),
    "Query.userByEmail": _user_by_email,
    "Query.users": _users,
    "Query.userGroup": get(_all_groups),
    "Query.userGroupByName": get_named(_all_groups),
    "Query.userGroups": listing(lambda call: _all_groups(call).all(), lambda _: {}),
    "User.userGroups": _groups_of,
    "UserGroup.users": _members,
    "Mutation.createUser": _create_user,
    "Mutation.updateUser": _update_user,
    "Mutation.deleteUser": _delete_user,
    "Mutation.createUserGroup": _create_group,
    "Mutation.updateUserGroup": _update_group,
    "Mutation.deleteUserGroup": delete(_all_groups, "user_group_id"),
    "Mutation.addUserToUserGroup": _membership(present=True),
    "Mutation.removeUserFromUserGroup": _membership(present=False),
    "Mutation.updateUserGroupPermissions": _update_permissions,
    "Mutation.addAccountPermission": _add_account_permission,
    "Mutation.addAppPermission": _add_app_permission,
}
