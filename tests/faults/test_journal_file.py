"""The journal as a file: unwritable, damaged, shared by processes, and its contents."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from provider_py.cli.sandbox import SandboxProcess
from tests.faults.processes import DETACHED, errors, process, state, warnings
from tests.faults.scenarios import ids, inject_fault, sent, wait_until
from tests.support.requests import STARTS

TYPE = "workflow_vcd_execution"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return the path of a journal that does not exist yet."""
    return tmp_path / "kept" / "journal.sqlite3"


@pytest.fixture
def environment(sandbox: SandboxProcess, journal: Path) -> Mapping[str, str]:
    """Point a provider process at the sandbox and the journal."""
    cache = str(journal.parents[1] / "cache")
    return {
        **sandbox.environment,
        "WORKFLOW_JOURNAL": str(journal),
        "XDG_CACHE_HOME": cache,
        "NO_PROXY": "127.0.0.1",
    }


def rows(journal: Path) -> list[tuple[object, ...]]:
    """Return what the journal holds."""
    with sqlite3.connect(journal) as connection:
        return connection.execute("SELECT * FROM start").fetchall()


def contents(journal: Path) -> bytes:
    """Return the bytes of the journal and the files beside it."""
    return b"".join(file.read_bytes() for file in journal.parent.glob(f"{journal.name}*"))


def test_a_row_is_kept_until_a_later_process_is_shown_the_run(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess
) -> None:
    with process(environment) as provider:
        created = provider.create(TYPE, **DETACHED)
        run = state(created)["import_id"]
        assert [row[2] for row in rows(journal)] == [run]
        assert provider.plugin.shutdown() == 0
    assert [row[2] for row in rows(journal)] == [run]
    with process(environment) as provider:
        provider.refresh(TYPE, created)
        assert provider.plugin.shutdown() == 0
    assert rows(journal) == []
    assert not list(journal.parent.glob("*.lock"))
    assert len(ids(sandbox)) == 1


def test_a_run_of_a_killed_process_is_taken_over_once(environment: Mapping[str, str], sandbox: SandboxProcess) -> None:
    with process(environment) as provider:
        first = state(provider.create(TYPE, **DETACHED))
        provider.plugin.process.kill()
    with process(environment) as provider:
        second = state(provider.create(TYPE, **DETACHED))
        third = state(provider.create(TYPE, **DETACHED))
    assert second["id"] == first["id"]
    assert third["id"] != first["id"]
    assert ids(sandbox) == [first["id"], third["id"]]


def test_a_start_of_a_killed_process_is_searched_for(environment: Mapping[str, str], sandbox: SandboxProcess) -> None:
    inject_fault(sandbox, "vcd", STARTS["vcd"], "delay", after=True, seconds=60)
    with process(environment) as provider:
        unanswered = provider.begin(TYPE, **DETACHED)
        wait_until(lambda: len(ids(sandbox)) == 1, "start")
        provider.plugin.process.kill()
        assert unanswered.exception() is not None
    with process(environment) as provider:
        assert [state(provider.create(TYPE, **DETACHED))["id"]] == ids(sandbox)
    assert len(sent(sandbox, "vcd", STARTS["vcd"])) == 1


def test_running_processes_do_not_take_over_each_others_starts(
    environment: Mapping[str, str], sandbox: SandboxProcess
) -> None:
    with process(environment) as one, process(environment) as other:
        inject_fault(sandbox, "vcd", STARTS["vcd"], "delay", after=True, seconds=2)
        slow = one.begin(TYPE, **DETACHED)
        wait_until(lambda: len(ids(sandbox)) == 1, "first start")
        quick = other.create(TYPE, **DETACHED)
        assert {state(slow.result())["id"], state(quick)["id"]} == set(ids(sandbox))
        assert state(slow.result())["id"] == ids(sandbox)[0]


def test_equal_runs_of_two_workspaces_are_two_runs(environment: Mapping[str, str], sandbox: SandboxProcess) -> None:
    with process({**environment, "TF_WORKSPACE": "blue"}) as provider:
        state(provider.create(TYPE, **DETACHED))
        provider.plugin.process.kill()
    with process({**environment, "TF_WORKSPACE": "green"}) as provider:
        state(provider.create(TYPE, **DETACHED))
    assert len(set(ids(sandbox))) == 2


@pytest.mark.parametrize("obstacle", ["a file for a directory", "a directory", "read-only"])
def test_nothing_is_started_when_the_journal_is_unusable(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess, obstacle: str
) -> None:
    if obstacle == "a directory":
        journal.mkdir(parents=True)
    elif obstacle == "a file for a directory":
        journal.parent.write_text("in the way")
    else:
        journal.parent.mkdir(mode=0o500)
        if os.access(journal.parent, os.W_OK):
            pytest.skip("this user may write everywhere")
    with process(environment) as provider:
        (error,) = errors(provider.create(TYPE, **DETACHED))
    assert error.startswith("Cloud Director execution was not started\n")
    assert str(journal) in error
    assert "WORKFLOW_JOURNAL" in error
    assert ids(sandbox) == []


@pytest.mark.parametrize("content", [b"no database at all, and long enough to be one" * 100, b"SQLite format 3\0" * 9])
def test_a_damaged_file_is_renamed(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess, content: bytes
) -> None:
    journal.parent.mkdir()
    journal.write_bytes(content)
    with process(environment) as provider:
        created = provider.create(TYPE, **DETACHED)
        (warning,) = warnings(created)
        assert "Damaged journal of started runs" in warning
        assert warnings(provider.create(TYPE, **DETACHED, triggers={"number": "2"})) == []
    assert state(created)["id"] == ids(sandbox)[0]
    (renamed,) = journal.parent.glob(f"{journal.name}.damaged-*")
    assert renamed.read_bytes() == content
    assert str(renamed) in warning
    assert len(rows(journal)) == 2


def test_the_file_contains_neither_inputs_nor_secrets(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess
) -> None:
    arguments = {
        "application": "Test App",
        "workflow": "configured",
        "variables": {"size": "medium"},
        "sensitive_variables": {"password": "hunter2-password"},
        "sensitive_variables_version": "version-of-the-password",
        "notes": "notes-of-the-run",
        "triggers": {"key-of-trigger": "value-of-trigger"},
        "wait": False,
    }
    with process(environment) as provider:
        run = state(provider.create("workflow_harness_execution", **arguments))["id"]
        written = contents(journal)
    assert run.encode() in written
    texts = (*sandbox.environment.values(), "medium", "configured", "Test App", "hunter2", "version-of", "notes-of")
    assert [text for text in (*texts, "of-trigger") if text.encode() in written] == []
