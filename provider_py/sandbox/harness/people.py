"""Resolvers of users, user groups and their permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.administration import User, UserGroup
from provider_py.sandbox.harness.catalog import Shown, new_id
from provider_py.sandbox.harness.filters import Connection, page
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.register import Given, payload


def _user(_: object, call: Call, *, id: str) -> User:  # noqa: A002  # the argument's name in the schema
    return call.account.administration.users.get(id)


def _user_by_name(_: object, call: Call, *, name: str) -> User:
    return call.account.administration.users.named(name)


def _user_by_email(_: object, call: Call, *, email: str) -> User:
    found = _with_email(call, email)
    if found is None:
        raise invalid("User does not exist")
    return found


def _with_email(call: Call, email: str) -> User | None:
    users = call.account.administration.users.all()
    return next((user for user in users if user.email == email.strip().lower()), None)


def _users(
    _: object,
    call: Call,
    *,
    limit: int,
    offset: int | None = None,
    filters: Sequence[Mapping[str, bool]] | None = None,
) -> Connection:
    with_disabled = any(entry.get("include_disabled") for entry in filters or [])
    users = call.account.administration.users.all()
    return page([user for user in users if with_disabled or not user.is_disabled], limit, offset)


def _groups_of(user: User, call: Call, *, limit: int, offset: int | None = None) -> Connection:
    groups = call.account.administration.user_groups.all()
    return page([group for group in groups if user.id in group.user_ids], limit, offset)


def _create_user(_: object, call: Call, *, given: Given) -> Shown:
    email, users = given["email"].strip().lower(), call.account.administration.users
    if "@" not in email:
        raise invalid("The email is invalid")
    if _with_email(call, email):
        raise invalid(f"User already exists with email {email}")
    wanted = _groups(call, given.get("user_group_ids"))
    user = User(new_id(), given["name"], email, given.get("external_user_id"))
    users.add(user)
    for group in wanted:
        group.user_ids.append(user.id)
    return payload(given, user=user)


def _groups(call: Call, group_ids: Iterable[str] | None) -> list[UserGroup]:
    return [call.account.administration.user_groups.get(group_id) for group_id in group_ids or []]


def _update_user(_: object, call: Call, *, given: Given) -> Shown:
    administration = call.account.administration
    user = administration.users.get(given["id"])
    administration.users.require_free(given.get("name"), user.id)
    wanted = _groups(call, given.get("user_group_ids"))
    user.name = given.get("name") or user.name
    user.external_user_id = given.get("external_user_id", user.external_user_id)
    if given.get("user_group_ids") is not None:
        for group in administration.user_groups.all():
            _set_member(group, user, present=group in wanted)
    return payload(given, user=user)


def _set_member(group: UserGroup, user: User, *, present: bool) -> None:
    others = [user_id for user_id in group.user_ids if user_id != user.id]
    group.user_ids = [*others, user.id] if present else others


def _delete_user(_: object, call: Call, *, given: Given) -> Shown:
    administration = call.account.administration
    user = administration.users.remove(given["id"])
    for group in administration.user_groups.all():
        _set_member(group, user, present=False)
    return payload(given)


def _user_group(_: object, call: Call, *, user_group_id: str) -> UserGroup:
    return call.account.administration.user_groups.get(user_group_id)


def _user_group_by_name(_: object, call: Call, *, name: str) -> UserGroup:
    return call.account.administration.user_groups.named(name)


def _user_groups(_: object, call: Call, *, limit: int, offset: int | None = None) -> Connection:
    return page(call.account.administration.user_groups.all(), limit, offset)


def _members(group: UserGroup, call: Call, *, limit: int, offset: int | None = None) -> Connection:
    users = call.account.administration.users
    return page([users.get(user_id) for user_id in group.user_ids], limit, offset)


def _fill(group: UserGroup, call: Call, given: Given) -> None:
    for user_id in given.get("user_ids") or []:
        call.account.administration.users.get(user_id)
    group.name = given.get("name") or group.name
    group.description = given.get("description", group.description)
    group.notification_settings = given.get("notification_settings", group.notification_settings)
    group.user_ids = list(given.get("user_ids") or group.user_ids)
    if given.get("permissions") is not None:
        _set_permissions(group, given["permissions"])
    if given.get("sso_setting") is not None:
        group.sso_setting = _sso(given["sso_setting"])


def _sso(given: Given) -> Shown:
    ldap, saml = given.get("ldap_settings"), given.get("saml_settings")
    if (ldap is None) is (saml is None):
        raise invalid("Exactly one of ldapSettings and samlSettings must be given")
    return Shown("LDAPSettings", **ldap) if ldap is not None else Shown("SAMLSettings", **(saml or {}))


def _set_permissions(group: UserGroup, given: Given) -> None:
    account = given.get("account_permissions") or {}
    group.account_permissions = list(account.get("account_permission_types") or [])
    group.app_permissions = list(given.get("app_permissions") or [])


def _create_group(_: object, call: Call, *, given: Given) -> Shown:
    group = UserGroup(new_id(), given["name"])
    call.account.administration.user_groups.require_free(group.name)
    _fill(group, call, given)
    return payload(given, user_group=call.account.administration.user_groups.add(group))


def _update_group(_: object, call: Call, *, given: Given) -> Shown:
    group = call.account.administration.user_groups.get(given["user_group_id"])
    call.account.administration.user_groups.require_free(given.get("name"), group.id)
    _fill(group, call, given)
    return payload(given, user_group=group)


def _delete_group(_: object, call: Call, *, given: Given) -> Shown:
    call.account.administration.user_groups.remove(given["user_group_id"])
    return payload(given)


def _membership(*, present: bool) -> Callable[..., Shown]:
    def resolve(_: object, call: Call, *, given: Given) -> Shown:
        group = call.account.administration.user_groups.get(given["user_group_id"])
        _set_member(group, call.account.administration.users.get(given["user_id"]), present=present)
        return payload(given, user_group=group)

    return resolve


def _update_permissions(_: object, call: Call, *, given: Given | None = None) -> Shown:
    if given is None:
        raise invalid("Input cannot be empty")
    group = call.account.administration.user_groups.get(given["user_group_id"])
    _set_permissions(group, given["permissions"])
    return payload(given, permissions=group.permissions)


def _add_account_permission(_: object, call: Call, *, given: Given) -> Shown:
    group = call.account.administration.user_groups.get(given["user_group_id"])
    permission = given.get("account_permission")
    if permission and permission not in group.account_permissions:
        group.account_permissions.append(permission)
    return payload(given, user_group=group)


def _add_app_permission(_: object, call: Call, *, given: Given) -> Shown:
    group = call.account.administration.user_groups.get(given["user_group_id"])
    if given.get("app_permission") is not None:
        group.app_permissions.append(given["app_permission"])
    return payload(given, user_group=group)


RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.user": _user,
    "Query.userByName": _user_by_name,
    "Query.userByEmail": _user_by_email,
    "Query.users": _users,
    "Query.userGroup": _user_group,
    "Query.userGroupByName": _user_group_by_name,
    "Query.userGroups": _user_groups,
    "User.userGroups": _groups_of,
    "UserGroup.users": _members,
    "Mutation.createUser": _create_user,
    "Mutation.updateUser": _update_user,
    "Mutation.deleteUser": _delete_user,
    "Mutation.createUserGroup": _create_group,
    "Mutation.updateUserGroup": _update_group,
    "Mutation.deleteUserGroup": _delete_group,
    "Mutation.addUserToUserGroup": _membership(present=True),
    "Mutation.removeUserFromUserGroup": _membership(present=False),
    "Mutation.updateUserGroupPermissions": _update_permissions,
    "Mutation.addAccountPermission": _add_account_permission,
    "Mutation.addAppPermission": _add_app_permission,
}
