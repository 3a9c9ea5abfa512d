"""Resolvers of secrets and secret managers; the value of a secret is never answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.administration import SECRET_MANAGER
from provider_py.sandbox.harness.catalog import Shown, new_id
from provider_py.sandbox.harness.filters import Connection, page
from provider_py.sandbox.harness.refusal import invalid
from provider_py.sandbox.harness.register import Given, Record, payload
from provider_py.sandbox.harness.selection import Filters, meets

_KINDS = {
    "ENCRYPTED_TEXT": ("EncryptedText", "encrypted_text"),
    "ENCRYPTED_FILE": ("EncryptedFile", "encrypted_file"),
    "SSH_CREDENTIAL": ("SSHCredential", "ssh_credential"),
    "WINRM_CREDENTIAL": ("WinRMCredential", "win_rmcredential"),
}
"""By the type that is given: the GraphQL type and the input that counts."""
_STORED = ("ENCRYPTED_TEXT", "ENCRYPTED_FILE")
_UNSHOWN = ("value", "parameters", "password_secret_id")


def _details(given: Given) -> Given:
    kind: str = given["secret_type"]
    details: Given | None = given.get(_KINDS[kind][1])
    if details is None:
        raise invalid(f"No {kind.lower().replace('_', ' ')} input provided with the request")
    return details


def _fields(call: Call, kind: str, details: Given) -> dict[str, object]:
    hidden = _UNSHOWN if kind in _STORED else _UNSHOWN[-1:]
    fields = {key: value for key, value in details.items() if key not in hidden}
    if fields.get("secret_manager_id"):
        call.account.administration.secret_managers.get(fields["secret_manager_id"])
    if kind == "SSH_CREDENTIAL" and "authentication_scheme" in fields:
        fields["authentication_type"] = _authentication(fields)
    return fields


def _authentication(details: Mapping[str, object]) -> Shown:
    is_ssh = details["authentication_scheme"] == "SSH"
    chosen = details.get("ssh_authentication" if is_ssh else "kerberos_authentication")
    if not isinstance(chosen, Mapping):
        raise invalid(f"No {'ssh' if is_ssh else 'kerberos'} authentication provided with the request")
    return Shown("SSHAuthentication" if is_ssh else "KerberosAuthentication", **chosen)


def _defaults(kind: str) -> dict[str, object]:
    if kind in _STORED:
        return {"secret_manager_id": SECRET_MANAGER, "scoped_to_account": False, "inherit_scopes_from_sm": False}
    if kind == "WINRM_CREDENTIAL":
        return {"authentication_scheme": "NTLM", "port": 5986, "use_ssl": True, "skip_cert_check": True}
    return {}


def _create(_: object, call: Call, *, given: Given) -> Shown:
    kind, details = given["secret_type"], _details(given)
    if kind == "ENCRYPTED_TEXT" and not (details.get("value") or details.get("secret_reference")):
        raise invalid("Either a value or a secret reference must be provided")
    if kind == "ENCRYPTED_FILE" and call.upload is None:
        raise invalid("No file provided with the request")
    fields = _defaults(kind) | _fields(call, kind, details)
    name = str(fields.pop("name"))
    secret = Record(_KINDS[kind][0], new_id(), name, call.account.now, secret_type=kind, **fields)
    _keep_file(secret, call)
    return payload(given, secret=call.account.administration.secrets.add(secret))


def _keep_file(secret: Record, call: Call) -> None:
    if secret.graphql_type == "EncryptedFile" and call.upload is not None:
        secret.change({"content": call.upload})


def _find(call: Call, secret_id: str, kind: str) -> Record:
    secret = call.account.administration.secrets.get(secret_id)
    if secret.graphql_type != _KINDS[kind][0]:
        raise invalid("Secret does not exist")
    return secret


def _update(_: object, call: Call, *, given: Given) -> Shown:
    kind, details = given["secret_type"], _details(given)
    secret = _find(call, given["secret_id"], kind)
    call.account.administration.secrets.require_free(details.get("name"), secret.id)
    secret.change(_fields(call, kind, details))
    _keep_file(secret, call)
    return payload(given, secret=secret)


def _delete(_: object, call: Call, *, given: Given) -> Shown:
    call.account.administration.secrets.remove(_find(call, given["secret_id"], given["secret_type"]).id)
    return payload(given)


def _secret(_: object, call: Call, *, secret_id: str, secret_type: str) -> Record:
    return _find(call, secret_id, secret_type)


def _secret_by_name(_: object, call: Call, *, name: str, secret_type: str) -> Record:
    return _find(call, call.account.administration.secrets.named(name).id, secret_type)


def _secret_manager(_: object, call: Call, *, secret_manager_id: str) -> Record:
    return call.account.administration.secret_managers.get(secret_manager_id)


def _secret_manager_by_name(_: object, call: Call, *, name: str) -> Record:
    return call.account.administration.secret_managers.named(name)


def _secret_managers(
    _: object, call: Call, *, limit: int, offset: int | None = None, filters: Filters = None
) -> Connection:
    def shown(manager: Record) -> dict[str, object]:
        return {"secret_manager": manager.id, "type": vars(manager).get("type")}

    managers: Sequence[Record] = call.account.administration.secret_managers.all()
    return page([manager for manager in managers if meets(call, shown(manager), filters)], limit, offset)


RESOLVERS: dict[str, Callable[..., object]] = {
    "Query.secret": _secret,
    "Query.secretByName": _secret_by_name,
    "Query.secretManager": _secret_manager,
    "Query.secretManagerByName": _secret_manager_by_name,
    "Query.secretManagers": _secret_managers,
    "Mutation.createSecret": _create,
    "Mutation.updateSecret": _update,
    "Mutation.deleteSecret": _delete,
}
