"""Resolvers that make, change and remove applications, and keep them in step with Git."""

from __future__ import annotations

from collections.abc import Callable

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.catalog import Application, GitSyncConfig, Shown, new_id
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.register import Given, payload
from provider_py.sandbox.harness.tagging import entity_ids

_SETTINGS = ("description", "is_manual_trigger_authorized", "are_web_hook_secrets_mandated", "disable_triggers")


def _require_free(call: Call, name: str | None, own_id: str = "") -> None:
    if name is None:
        return
    if not name.strip():
        raise invalid("Application name cannot be empty")
    if any(other.name == name and other.id != own_id for other in call.account.applications):
        raise invalid(f"Duplicate name {name}")


def _fill(application: Application, given: Given) -> None:
    for setting in _SETTINGS:
        if given.get(setting) is not None:
            setattr(application, setting, given[setting])


def _create(_: object, call: Call, *, given: Given) -> Shown:
    _require_free(call, given["name"])
    application = Application(new_id(), given["name"], call.account.now)
    _fill(application, given)
    call.account.applications.append(application)
    return payload(given, application=application)


def _update(_: object, call: Call, *, given: Given) -> Shown:
    application = call.account.application(given["application_id"])
    _require_free(call, given.get("name"), application.id)
    application.name = given.get("name") or application.name
    _fill(application, given)
    return payload(given, application=application)


def _delete(_: object, call: Call, *, given: Given) -> Shown:
    account = call.account
    application = account.application(given["application_id"])
    account.applications.remove(application)
    for trigger in list(account.triggers.values()):
        if trigger.application is application:
            account.triggers.pop(trigger.id)
    account.tagging.forget(entity_id for ids in entity_ids(application).values() for entity_id in ids)
    return payload(given)


def _set_sync(_: object, call: Call, *, given: Given) -> Shown:
    application = call.account.application(given["application_id"])
    connector = call.account.administration.connectors.get(given["git_connector_id"])
    if connector.graphql_type != "GitConnector":
        raise invalid("Git connector does not exist")
    application.git_sync_config = GitSyncConfig(
        connector, given["branch"], given["sync_enabled"], given.get("repository_name")
    )
    return payload(given, git_sync_config=application.git_sync_config)


def _switch_sync(_: object, call: Call, *, given: Given) -> Shown:
    application = call.account.application(given["application_id"])
    if application.git_sync_config is None:
        raise invalid("Git sync is not configured for the application")
    application.git_sync_config.sync_enabled = given["sync_enabled"]
    return payload(given, git_sync_config=application.git_sync_config)


def _end_sync(_: object, call: Call, *, given: Given) -> Shown:
    application = call.account.application(given["application_id"])
    application.git_sync_config = None
    return payload(given, application=application)


RESOLVERS: dict[str, Callable[..., object]] = {
    "Mutation.createApplication": _create,
    "Mutation.updateApplication": _update,
    "Mutation.deleteApplication": _delete,
    "Mutation.updateApplicationGitSyncConfig": _set_sync,
    "Mutation.updateApplicationGitSyncConfigStatus": _switch_sync,
    "Mutation.removeApplicationGitSyncConfig": _end_sync,
}
