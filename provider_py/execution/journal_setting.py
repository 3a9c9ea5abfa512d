"""What the setting `journal` names: a file, or a database that a team shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provider_py.execution.local_settings import writable_path
from provider_py.execution.scope import data_directory
from provider_py.execution.store import FILE, JournalError, SqliteStore, Store
from provider_py.plugin import DiagnosticError, error

JOURNAL: Final = ("journal",)
VARIABLE: Final = "WORKFLOW_JOURNAL"
_SCHEMES: Final = ("postgresql", "postgres")
_NEITHER: Final = (
    "`journal` is neither the path of a file nor an address of the form postgresql://user:password@host:port/database."
)
_NO_PSYCOPG: Final = (
    "A journal in PostgreSQL needs psycopg: pip install 'terraform-provider-workflow[postgres]' into the Python "
    "environment of the provider."
)


def open_store(setting: str | None, environment: Mapping[str, str]) -> Store:
    """Return the store of a journal; None means the file in Terraform's data directory. Nothing is opened yet.

    Raises DiagnosticError for a path that cannot be used, an address that is none, or without psycopg. What may hold a
    password is not part of its message.
    """
    if setting is None:
        return SqliteStore(data_directory(environment) / FILE)
    scheme, separator, rest = setting.partition("://")
    if separator and scheme.lower() in _SCHEMES:
        return _postgres(f"{scheme.lower()}://{rest}", environment)
    if separator or "password=" in setting:
        raise DiagnosticError(error("Invalid journal", _NEITHER, JOURNAL))
    return SqliteStore(writable_path(setting, JOURNAL, VARIABLE), shared=True)


def _postgres(address: str, environment: Mapping[str, str]) -> Store:
    try:
        from provider_py.execution.postgres import PostgresStore  # psycopg may be missing, and takes 100 ms
    except ImportError as fault:
        raise DiagnosticError(error("psycopg is missing", _NO_PSYCOPG, JOURNAL)) from fault
    try:
        return PostgresStore(address, data_directory(environment))
    except JournalError as fault:
        raise DiagnosticError(error("Invalid journal", str(fault), JOURNAL)) from fault
