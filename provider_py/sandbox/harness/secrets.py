"""Resolvers of secrets and secret managers; the value of a secret is never answered."""

from __future__ import annotations

from collections.abc import Mapping

from provider_py.sandbox.harness.account import Call
from provider_py.sandbox.harness.administration import SECRET_MANAGER
from provider_py.sandbox.harness.catalog import GraphQLObject, new_id
from provider_py.sandbox.harness.errors import invalid
from provider_py.sandbox.harness.registry import Input, Record, Registry, payload
from provider_py.sandbox.harness.resolvers import Resolver, get, get_named, listing

_TYPES = {
    "ENCRYPTED_TEXT": ("EncryptedText", "encrypted_text"),
    "ENCRYPTED_FILE": ("EncryptedFile", "encrypted_file"),
    "SSH_CREDENTIAL": ("SSHCredential", "ssh_credential"),
    "WINRM_CREDENTIAL": ("WinRMCredential", "win_rmcredential"),
}
"""By type: the GraphQL type and the member of the input that is read."""
_STORED = ("ENCRYPTED_TEXT", "ENCRYPTED_FILE")
_HIDDEN = ("value", "parameters", "password_secret_id")


def _managers(call: Call) -> Registry[Record]:
    return call.account.administration.secret_managers


def _details(input_: Input) -> Input:
    type_: str = input_["secret_type"]
    details: Input | None = input_.get(_TYPES[type_][1])
    if details is None:
        raise invalid(f"No {type_.lower().replace('_', ' ')} input provided with the request")
    return details


def _fields(call: Call, type_: str, details: Input) -> dict[str, object]:
    hidden = _HIDDEN if type_ in _STORED else _HIDDEN[-1:]
    fields = {key: value for key, value in details.items() if key not in hidden}
    if fields.get("secret_manager_id"):
        _managers(call).get(fields["secret_manager_id"])
    if type_ == "SSH_CREDENTIAL" and "authentication_scheme" in fields:
        fields["authentication_type"] = _authentication(fields)
    return fields


def _authentication(details: Mapping[str, object]) -> GraphQLObject:
    is_ssh = details["authentication_scheme"] == "SSH"
    authentication = details.get("ssh_authentication" if is_ssh else "kerberos_authentication")
    if not isinstance(authentication, Mapping):
        raise invalid(f"No {'ssh' if is_ssh else 'kerberos'} authentication provided with the request")
    return GraphQLObject("SSHAuthentication" if is_ssh else "KerberosAuthentication", **authentication)


def _defaults(type_: str) -> dict[str, object]:
    if type_ in _STORED:
        return {"secret_manager_id": SECRET_MANAGER, "scoped_to_account": False, "inherit_scopes_from_sm": False}
    if type_ == "WINRM_CREDENTIAL":
        return {"authentication_scheme": "NTLM", "port": 5986, "use_ssl": True, "skip_cert_check": True}
    return {}


def _create(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    type_, details = input_["secret_type"], _details(input_)
    if type_ == "ENCRYPTED_TEXT" and not (details.get("value") or details.get("secret_reference")):
        raise invalid("Either a value or a secret reference must be provided")
    if type_ == "ENCRYPTED_FILE" and call.upload is None:
        raise invalid("No file provided with the request")
    fields = _defaults(type_) | _fields(call, type_, details)
    name = str(fields.pop("name"))
    secret = Record(_TYPES[type_][0], new_id(), name, call.account.now, secret_type=type_, **fields)
    _store_file(secret, call)
    return payload(input_, secret=call.account.administration.secrets.add(secret))


def _store_file(secret: Record, call: Call) -> None:
    if secret.graphql_type == "EncryptedFile" and call.upload is not None:
        secret.change({"content": call.upload})


def _secret(_: object, call: Call, *, secret_id: str, secret_type: str) -> Record:
    secret = call.account.administration.secrets.get(secret_id)
    if secret.graphql_type != _TYPES[secret_type][0]:
        raise invalid("Secret does not exist")
    return secret


def _secret_by_name(_: object, call: Call, *, name: str, secret_type: str) -> Record:
    secret_id = call.account.administration.secrets.named(name).id
    return _secret(None, call, secret_id=secret_id, secret_type=secret_type)


def _update(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    type_, details = input_["secret_type"], _details(input_)
    secret = _secret(None, call, secret_id=input_["secret_id"], secret_type=type_)
    call.account.administration.secrets.require_free(details.get("name"), secret.id)
    secret.change(_fields(call, type_, details))
    _store_file(secret, call)
    return payload(input_, secret=secret)


def _delete(_: object, call: Call, *, input_: Input) -> GraphQLObject:
    secret = _secret(None, call, secret_id=input_["secret_id"], secret_type=input_["secret_type"])
    call.account.administration.secrets.remove(secret.id)
    return payload(input_)


RESOLVERS: dict[str, Resolver] = {
    "Query.secret": _secret,
    "Query.secretByName": _secret_by_name,
    "Query.secretManager": get(_managers),
    "Query.secretManagerByName": get_named(_managers),
    "Query.secretManagers": listing(
        lambda call: _managers(call).all(),
        lambda manager: {"secret_manager": manager.id, "type": vars(manager).get("type")},
    ),
    "Mutation.createSecret": _create,
    "Mutation.updateSecret": _update,
    "Mutation.deleteSecret": _delete,
}
