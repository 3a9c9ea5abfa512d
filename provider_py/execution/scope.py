"""Which state a process works for: what keeps the runs of two states apart that share a journal.

Terraform tells a provider nothing of the state. What does not work is the working directory alone, since colleagues
have directories of their own for one state, and `init -reconfigure` gives one directory a second state. So the backend
is read from Terraform's data directory, of which an allow-list of settings per type says which state it is, together
with the variables that the backend itself reads where a setting is null, as all are that were given to `init` as
partial configuration. The rest (credentials, locks, encryption) is never read.

A local state is a file: named from the working directory where the journal lies in that directory too, which may be
mounted elsewhere the next time, and by machine and full path where the journal is shared. `terraform test` has states
of its own in memory, which nothing may take runs from.

Not guaranteed: that two names of one state (an address and its alias) are recognized as the same. Runs of the other are
then not taken; `journal_scope` gives both a name.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_IDENTIFYING: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "azurerm": {
        "storage_account_name": ("ARM_STORAGE_ACCOUNT_NAME",),
        "container_name": (),
        "key": (),
    },
    "consul": {"address": ("CONSUL_HTTP_ADDR",), "path": ()},
    "cos": {"region": ("TENCENTCLOUD_REGION",), "bucket": (), "prefix": (), "key": ()},
    "gcs": {"bucket": (), "prefix": ()},
    "http": {"address": ("TF_HTTP_ADDRESS",)},
    "kubernetes": {"secret_suffix": (), "namespace": ("KUBE_NAMESPACE",), "host": ("KUBE_HOST",)},
    "oci": {"namespace": (), "bucket": (), "key": ()},
    "oss": {"region": ("ALICLOUD_REGION",), "bucket": (), "prefix": (), "key": ()},
    "pg": {"conn_str": ("PG_CONN_STR",), "schema_name": ("PG_SCHEMA_NAME",)},
    "s3": {
        "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT"),
        "bucket": (),
        "key": (),
        "workspace_key_prefix": (),
    },
}
"""The settings that say which state a backend keeps, each with the variables that the backend reads in its place."""
_REQUIRED: Final[Mapping[str, Sequence[str]]] = {
    "azurerm": ("storage_account_name", "container_name", "key"),
    "consul": ("path",),
    "cos": ("bucket",),
    "gcs": ("bucket",),
    "http": ("address",),
    "kubernetes": ("secret_suffix",),
    "oci": ("namespace", "bucket"),
    "oss": ("bucket",),
    "pg": ("conn_str",),
    "s3": ("bucket", "key"),
}
"""The settings without which a state cannot be told."""
_ADDRESSES: Final = frozenset({"address", "conn_str", "endpoint", "host"})
LOCAL_STATE: Final = "terraform.tfstate"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which state a process works for: its name, None where it cannot be told, and its file where it is a local one."""

    name: str | None
    state_file: Path | None = None


def data_directory(environment: Mapping[str, str]) -> Path:
    """Return the directory in which Terraform keeps what `init` has found."""
    return Path(environment.get("TF_DATA_DIR") or ".terraform")


def workspace(environment: Mapping[str, str]) -> str:
    """Return the name of the selected workspace, as Terraform itself finds it."""
    if environment.get("TF_WORKSPACE"):
        return environment["TF_WORKSPACE"]
    with contextlib.suppress(OSError):
        return (data_directory(environment) / "environment").read_text("utf-8").strip() or "default"
    return "default"


def host_is_testing() -> bool:
    """Whether this process was started by `terraform test`, as far as its command line can be read."""
    try:
        arguments = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return "test" in [argument for argument in arguments[1:] if not argument.startswith("-")][:2]


def state_scope(environment: Mapping[str, str], *, shared: bool, testing: bool = False) -> Scope:
    """Return the scope of the process's working directory.

    `shared`: the journal is used by other directories too. `testing`: the command is `terraform test`.
    """
    backend, settings = _backend(environment)
    selected = workspace(environment)
    if testing:
        return Scope(_named("test", {"directory": _place(Path(), shared=shared)}, selected))
    if backend == "local":
        file = _state_file(settings, selected)
        return Scope(_named("local", {"path": _place(file, shared=shared)}, selected), file)
    if backend in {"remote", "cloud"}:
        identity = _workspaces_of_organization(settings, environment)
    else:
        identity = _identity(backend, settings, environment)
    return Scope(_named(backend, identity, selected) if identity else None)


def _backend(environment: Mapping[str, str]) -> tuple[str, Mapping[str, object]]:
    """Return the type of the backend and its settings; without a record of one it is a local file by default."""
    try:
        content = json.loads((data_directory(environment) / LOCAL_STATE).read_text("utf-8"))
        backend = content.get("backend") or {}
        return str(backend.get("type") or "local"), backend.get("config") or {}
    except (OSError, ValueError, AttributeError):
        return "local", {}


def _state_file(settings: Mapping[str, object], selected: str) -> Path:
    """Return the file of a local state, as the local backend finds it."""
    if selected == "default":
        return Path(str(settings.get("path") or LOCAL_STATE))
    return Path(str(settings.get("workspace_dir") or "terraform.tfstate.d"), selected, LOCAL_STATE)


def _identity(backend: str, settings: Mapping[str, object], environment: Mapping[str, str]) -> Mapping[str, str] | None:
    """Return what tells a state from others of the same backend; None if a required setting is not to be found."""
    identity = {}
    for name, variables in _IDENTIFYING.get(backend, {}).items():
        configured = settings.get(name) or (_nested_endpoint(settings) if name == "endpoint" else None)
        value = configured or next((environment[name] for name in variables if environment.get(name)), None)
        if value:
            identity[name] = _without_credentials(str(value)) if name in _ADDRESSES else str(value)
    if not identity or any(name not in identity for name in _REQUIRED.get(backend, ())):
        return None
    return identity


def _nested_endpoint(settings: Mapping[str, object]) -> object:
    endpoints = settings.get("endpoints")
    return endpoints.get("s3") if isinstance(endpoints, Mapping) else None


def _workspaces_of_organization(
    settings: Mapping[str, object], environment: Mapping[str, str]
) -> Mapping[str, str] | None:
    """Return the identity of a workspace in HCP Terraform, or None without an organization or any name."""
    organization = settings.get("organization") or environment.get("TF_CLOUD_ORGANIZATION")
    workspaces = settings.get("workspaces")
    listed = workspaces if isinstance(workspaces, list) else [workspaces]
    name = {key: value for item in listed if isinstance(item, Mapping) for key, value in item.items() if value}
    project = environment.get("TF_CLOUD_PROJECT")
    if project and "project" not in name:
        name["project"] = project
    if not organization or not (name or environment.get("TF_WORKSPACE")):
        return None
    hostname = settings.get("hostname") or environment.get("TF_CLOUD_HOSTNAME") or "app.terraform.io"
    return {
        "hostname": str(hostname).lower(),
        "organization": str(organization),
        "workspaces": json.dumps(name, sort_keys=True),
    }


def _without_credentials(address: str) -> str:
    """Return an address or connection string without user, password and fragment, with the host in lower case.

    Of a query only `options`-like parts that name a database remain, since any other may hold a password.
    """
    if "://" not in address:
        words = (word for word in address.split() if word.partition("=")[0] in {"host", "hostaddr", "port", "dbname"})
        return " ".join(sorted(words)) if "=" in address else address.lower()
    parts = urlsplit(address)
    named = [f"{name}={value}" for name, value in parse_qsl(parts.query) if name in {"host", "port", "dbname"}]
    port = f":{parts.port}" if parts.port else ""
    query = f"?{'&'.join(sorted(named))}" if named else ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}{port}{parts.path.rstrip('/')}{query}"


def _place(path: Path, *, shared: bool) -> str:
    """Return how a path is named: from the working directory, or for all machines."""
    return f"{platform.node()}:{path.resolve()}" if shared else str(path)


def _named(backend: str, identity: Mapping[str, str], selected: str) -> str:
    settings = " ".join(f"{name}={value}" for name, value in sorted(identity.items()))
    return f"{backend} {settings} workspace={selected}"
