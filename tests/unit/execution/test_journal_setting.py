"""What the setting `journal` names, and that nothing of it that may be a secret is ever said."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provider_py.execution.journal_setting import open_store
from provider_py.execution.postgres import PostgresStore
from provider_py.execution.store import FILE, JournalError, SqliteStore
from provider_py.plugin import DiagnosticError
from tests.support.postgres import STRANGER, Server, free_port

SECRET = "hunter2-of-the-journal"


def said(fault: BaseException) -> str:
    """Return all that an error and what led to it says."""
    texts = []
    cause: BaseException | None = fault
    while cause is not None:
        texts += [str(cause), repr(cause)]
        if isinstance(cause, DiagnosticError):
            texts += [f"{diagnostic.summary} {diagnostic.detail}" for diagnostic in cause.diagnostics]
        cause = cause.__cause__ or cause.__context__
    return "\n".join(texts)


def detail_of(setting: str) -> str:
    """Return the one detail of the error that a setting is refused with."""
    with pytest.raises(DiagnosticError) as raised:
        open_store(setting, {})
    assert SECRET not in said(raised.value)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.path == ("journal",)
    return diagnostic.detail


@pytest.mark.parametrize(
    ("environment", "path"), [({}, f".terraform/{FILE}"), ({"TF_DATA_DIR": "/data"}, f"/data/{FILE}")]
)
def test_the_default_is_a_file_in_the_data_directory_of_terraform(environment: dict[str, str], path: str) -> None:
    store = open_store(None, environment)
    assert isinstance(store, SqliteStore)
    assert (store.name, store.shared) == (repr(path), False)


def test_a_path_names_a_file_that_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    store = open_store("~/kept", {})
    assert isinstance(store, SqliteStore)
    assert (store.name, store.shared, store.exists()) == (repr(f"{tmp_path}/kept"), True, False)


def test_a_path_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    assert "is a directory" in detail_of(str(tmp_path))
    assert "does not exist" in detail_of(str(tmp_path / "absent" / "kept"))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "PostgreSQL"])
def test_an_address_names_a_database_that_is_shared(scheme: str) -> None:
    store = open_store(f"{scheme}://ann:{SECRET}@db.example.com:5433/runs?sslmode=require&sslpassword={SECRET}", {})
    assert isinstance(store, PostgresStore)
    assert (store.name, store.shared) == ("'postgresql://db.example.com:5433/runs'", True)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("postgresql://", "'postgresql:///'"),
        ("postgresql:///runs?host=/run/postgresql", "'postgresql://%2Frun%2Fpostgresql/runs'"),
        ("postgresql://a.example.com:1,b.example.com:2/runs", "'postgresql://a.example.com,b.example.com:1,2/runs'"),
        ("postgresql://[::1]/runs", "'postgresql://::1/runs'"),
    ],
)
def test_a_database_is_named_by_its_place(address: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGHOST", "PGPORT", "PGDATABASE"):
        monkeypatch.delenv(variable, raising=False)
    assert open_store(address, {}).name == name


def test_what_an_address_leaves_out_comes_from_the_variables_of_libpq(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres", "PGDATABASE": "postgres"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    store = open_store("postgresql://", {"TF_DATA_DIR": "/absent"})
    try:
        assert store.run(lambda session: session.execute("SELECT current_database()")) == [("postgres",)]
        assert store.name == f"'postgresql://127.0.0.1:{postgres.port}/postgres'"
    finally:
        store.close()


@pytest.mark.parametrize(
    "setting",
    [
        f"mysql://ann:{SECRET}@db.example.com/runs",
        f"postgresql+psycopg://ann:{SECRET}@db.example.com/runs",
        f"host=db.example.com user=ann password={SECRET}",
    ],
)
def test_what_is_neither_is_refused_in_one_sentence(setting: str) -> None:
    assert detail_of(setting) == (
        "`journal` is neither the path of a file nor an address of the form "
        "postgresql://user:password@host:port/database."
    )


@pytest.mark.parametrize(
    "password",
    [f"{SECRET}@x", f"x@{SECRET}", f"{SECRET}/x", f"1/{SECRET}", f"12/{SECRET}@", f"{SECRET}%zz"],
)
def test_a_password_that_is_not_encoded_is_refused_and_not_quoted(password: str) -> None:
    detail = detail_of(f"postgresql://ann:{password}@db.example.com/runs")
    assert "percent-encoded" in detail


@pytest.mark.parametrize("query", [f"sslpassword={SECRET}%zz", f"unknown={SECRET}", SECRET, f"port={SECRET}"])
def test_a_query_that_cannot_be_read_is_refused_and_not_quoted(query: str) -> None:
    detail_of(f"postgresql://db.example.com/runs?{query}")


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


@pytest.mark.parametrize("query", ["", f"?sslpassword={SECRET}", "?sslmode=require", "?sslcert=/absent"])
def test_a_password_is_in_no_message_and_no_log(
    postgres: Server, everything_logged: pytest.LogCaptureFixture, query: str
) -> None:
    for user, port in ((STRANGER, postgres.port), ("ann", free_port()), ("ann", postgres.port)):
        store = open_store(f"postgresql://{user}:{SECRET}@127.0.0.1:{port}/absent{query}", {})
        with pytest.raises(JournalError, match=r"^the journal 'postgresql://127.0.0.1:\d+/absent' cannot be") as raised:
            store.run(lambda session: session.execute("SELECT 1"))
        assert SECRET not in said(raised.value)
        assert "\n" not in str(raised.value)
    assert SECRET not in everything_logged.text
    assert SECRET not in repr(vars(everything_logged.records[0]) if everything_logged.records else "")


def test_a_password_that_the_server_rejects_is_an_error(postgres: Server) -> None:
    postgres.execute(f"CREATE ROLE {STRANGER} LOGIN PASSWORD 'other'")
    store = open_store(f"postgresql://{STRANGER}:{SECRET}@127.0.0.1:{postgres.port}/postgres", {})
    with pytest.raises(JournalError, match="password authentication failed") as raised:
        store.run(lambda session: session.execute("SELECT 1"))
    assert SECRET not in said(raised.value)


def test_a_secret_in_an_error_of_the_server_is_masked(postgres: Server, tmp_path: Path) -> None:
    store = open_store(
        f"postgresql://postgres:{SECRET}@127.0.0.1:{postgres.port}/{postgres.make_database()}",
        {"TF_DATA_DIR": str(tmp_path)},
    )
    with pytest.raises(JournalError, match=r"\(sensitive\)") as raised:
        store.run(lambda session: session.execute(f'SELECT "{SECRET}" FROM workflow_attempt'))
    assert SECRET not in str(raised.value)
    store.close()


def test_without_psycopg_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "provider_py.execution.postgres")
    assert detail_of(f"postgresql://ann:{SECRET}@db.example.com/runs") == (
        "A journal in PostgreSQL needs psycopg: pip install 'terraform-provider-workflow[postgres]' into the Python "
        "environment of the provider."
    )


def test_psycopg_is_imported_for_an_address_only() -> None:
    script = """if True:
        import sys
        from provider_py.execution.journal_setting import open_store
        open_store(None, {})
        sys.exit("psycopg" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
