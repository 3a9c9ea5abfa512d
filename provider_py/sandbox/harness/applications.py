"""Resolvers that create, update and delete applications, and synchronize them with Git."""

from __future__ import annotations

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.catalog import Application, GitSyncConfig, GraphQLObject, new_id
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.registry import Input, payload
from provider_py.sandbox.harness.resolvers import Resolver
from provider_py.sandbox.harness.tags import entity_ids

_SETTINGS = ("description", "is_manual_trigger_authorized", "are_web_hook_secrets_mandated", "disable_triggers")


def _require_free(call: Call, name: str | None, own_id: str = "") -> None:
    if name is None:
        return
    if not name.strip():
        raise invalid("Application name cannot be empty")
    if any(other.name == name and other.id != own_id for other in call.account.applications):
        raise invalid(f"Duplicate name {name}")


def _fill(application: Application, input_: Input) -> None:
    for setting in _SETTINGS:
        if input_.get(setting) is not None:
            setattr(application, setting, input_[setting])


def _create(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    _require_free(call, input_["name"])
    application = Application(new_id(), input_["name"], call.account.now)
    _fill(application, input_)
    call.account.applications.append(application)
    return payload(input_, application=application)


def _update(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    application = call.account.application(input_["application_id"])
    _require_free(call, input_.get("name"), application.id)
    application.name = input_.get("name") or application.name
    _fill(application, input_)
    return payload(input_, application=application)


def _delete(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    account = call.account
    application = account.application(input_["application_id"])
    account.applications.remove(application)
    for trigger in list(account.triggers.values()):
        if trigger.application is application:
            account.triggers.pop(trigger.id)
    account.tags.forget(entity_id for ids in entity_ids(application).values() for entity_id in ids)
    return payload(input_)


def _set_sync(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    application = call.account.application(input_["application_id"])
    connector = call.account.administration.connectors.get(input_["git_connector_id"])
    if connector.graphql_type != "GitConnector":
        raise invalid("Git connector does not exist")
    application.git_sync_config = GitSyncConfig(
        connector, input_["branch"], input_["sync_enabled"], input_.get("repository_name")
    )
    return payload(input_, git_sync_config=application.git_sync_config)


def _enable_sync(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    application = call.account.application(input_["application_id"])
    if application.git_sync_config is None:
        raise invalid("Git sync is not configured for the application")
    application.git_sync_config.sync_enabled = input_["sync_enabled"]
    return payload(input_, git_sync_config=application.git_sync_config)


def _remove_sync(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    application = call.account.application(input_["application_id"])
    application.git_sync_config = None
    return payload(input_, application=application)


RESOLVERS: dict[str, Resolver] = {
    "Mutation.createApplication": _create,
    "Mutation.updateApplication": _update,
    "Mutation.deleteApplication": _delete,
    "Mutation.updateApplicationGitSyncConfig": _set_sync,
    "Mutation.updateApplicationGitSyncConfigStatus": _enable_sync,
    "Mutation.removeApplicationGitSyncConfig": _remove_sync,
}
