"""The journal as a file: unwritable, damaged, shared by processes, and its contents."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.cli.sandbox import SandboxProcess
from tests.support import host
from tests.support.host import Plugin, errors, state, warnings
from tests.support.scenarios import ids, inject_fault, sent
from tests.support.systems import STARTS
from tests.support.waiting import wait_until

TYPE = "workflow_vcd_execution"
DETACHED: dict[str, Any] = {"workflow": "Refresh inventory", "wait": False}
"""A run that is not waited for."""


@contextmanager
def process(environment: Mapping[str, str]) -> Iterator[Plugin]:
    """Run the provider, configured by its environment."""
    with host.started(module="provider_py", environment=environment) as provider:
        provider.configure()
        yield provider


def create(provider: Plugin, kind: str = TYPE, **arguments: Any) -> pb.ApplyResourceChange.Response:
    """Create a run, by default one that is not waited for."""
    answer: pb.ApplyResourceChange.Response = provider.begin(kind, **(arguments or DETACHED)).result()
    return answer


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return the path of a journal that does not exist yet, in a directory that does."""
    (tmp_path / "kept").mkdir()
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


def rows(journal: Path) -> list[tuple[str, str]]:
    """Return the runs that the journal holds, each with its place."""
    with sqlite3.connect(journal) as connection:
        return connection.execute("SELECT run, place FROM workflow_part JOIN workflow_attempt USING (token)").fetchall()


def contents(journal: Path) -> bytes:
    """Return the bytes of the journal and the files beside it."""
    return b"".join(file.read_bytes() for file in journal.parent.glob(f"{journal.name}*"))


def test_a_run_is_answered_by_an_end_in_order_and_seen_by_a_refresh(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess
) -> None:
    with process(environment) as provider:
        created = create(provider)
        run = state(created)["import_id"]
        assert rows(journal) == [(run, "started")]
        assert provider.shutdown() == 0
    assert rows(journal) == [(run, "answered")]
    with process(environment) as provider:
        provider.refresh(TYPE, created)
        assert provider.shutdown() == 0
    assert rows(journal) == [(run, "seen")]
    assert not list(journal.parent.glob("*.lock"))
    assert len(ids(sandbox)) == 1


def test_a_run_of_a_killed_process_is_taken_over_once(environment: Mapping[str, str], sandbox: SandboxProcess) -> None:
    with process(environment) as provider:
        first = state(create(provider))
        provider.process.kill()
    with process(environment) as provider:
        second = state(create(provider))
        third = state(create(provider))
    assert second["id"] == first["id"]
    assert third["id"] != first["id"]
    assert ids(sandbox) == [first["id"], third["id"]]


def test_a_start_of_a_killed_process_is_searched_for(environment: Mapping[str, str], sandbox: SandboxProcess) -> None:
    inject_fault(sandbox, "vcd", STARTS["vcd"], "delay", after=True, seconds=60)
    with process(environment) as provider:
        unanswered = provider.begin(TYPE, **DETACHED)
        wait_until(lambda: len(ids(sandbox)) == 1, "start")
        provider.process.kill()
        assert unanswered.exception() is not None
    with process(environment) as provider:
        assert [state(create(provider))["id"]] == ids(sandbox)
    assert len(sent(sandbox, "vcd", STARTS["vcd"])) == 1


def test_running_processes_do_not_take_over_each_others_starts(
    environment: Mapping[str, str], sandbox: SandboxProcess
) -> None:
    with process(environment) as one, process(environment) as other:
        inject_fault(sandbox, "vcd", STARTS["vcd"], "delay", after=True, seconds=2)
        slow = one.begin(TYPE, **DETACHED)
        wait_until(lambda: len(ids(sandbox)) == 1, "first start")
        quick = create(other)
        assert {state(slow.result())["id"], state(quick)["id"]} == set(ids(sandbox))
        assert state(slow.result())["id"] == ids(sandbox)[0]


def test_equal_runs_of_two_workspaces_are_two_runs(environment: Mapping[str, str], sandbox: SandboxProcess) -> None:
    with process({**environment, "TF_WORKSPACE": "blue"}) as provider:
        state(create(provider))
        provider.process.kill()
    with process({**environment, "TF_WORKSPACE": "green"}) as provider:
        state(create(provider))
    assert len(set(ids(sandbox))) == 2


@pytest.mark.parametrize("obstacle", ["a file for a directory", "a directory", "read-only"])
def test_nothing_is_started_when_the_journal_is_unusable(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess, obstacle: str
) -> None:
    """What is in the way before the provider is configured is reported then; here it comes between."""
    with process(environment) as provider:
        if obstacle == "a directory":
            journal.mkdir()
        elif obstacle == "a file for a directory":
            journal.parent.rmdir()
            journal.parent.write_text("in the way")
        else:
            journal.parent.chmod(0o500)
            if os.access(journal.parent, os.W_OK):
                pytest.skip("this user may write everywhere")
        (error,) = errors(create(provider))
    assert error.startswith("Cloud Director execution was not started\n")
    assert str(journal) in error
    assert "WORKFLOW_JOURNAL" in error
    assert ids(sandbox) == []


@pytest.mark.parametrize("content", [b"no database at all, and long enough to be one" * 100, b"SQLite format 3\0" * 9])
def test_a_damaged_file_is_renamed(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess, content: bytes
) -> None:
    journal.write_bytes(content)
    with process(environment) as provider:
        created = create(provider)
        (warning,) = warnings(created)
        assert "Damaged journal of started runs" in warning
        assert warnings(create(provider, **DETACHED, triggers={"number": "2"})) == []
    assert state(created)["id"] == ids(sandbox)[0]
    (renamed,) = journal.parent.glob(f"{journal.name}.damaged-*")
    assert renamed.read_bytes() == content
    assert str(renamed) in warning
    assert len(rows(journal)) == 2


def test_the_file_contains_neither_inputs_nor_secrets(
    environment: Mapping[str, str], journal: Path, sandbox: SandboxProcess
) -> None:
    arguments: dict[str, Any] = {
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
        run = state(create(provider, "workflow_harness_execution", **arguments))["id"]
        written = contents(journal)
    assert run.encode() in written
    assert b"configured" in written, "the name of the workflow is for whoever lists the journal"
    texts = (*sandbox.environment.values(), "medium", "Test App", "hunter2", "version-of", "notes-of")
    assert [text for text in (*texts, "of-trigger") if text.encode() in written] == []
