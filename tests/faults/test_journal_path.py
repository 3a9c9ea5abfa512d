"""Where the journal is to be: a path that cannot hold it is reported before anything is started."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from provider_py.plugin import Decoded, DiagnosticError
from provider_py.provider import ProviderConfig, WorkflowProvider
from provider_py.sandbox.server import Sandbox
from provider_py.systems.vcd.execution import VcdExecution


async def configured(journal: str | None) -> WorkflowProvider:
    provider = WorkflowProvider(asyncio.Event())
    await provider.configure(Decoded(ProviderConfig(journal=journal)))
    return provider


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home directory, and another one to work in."""
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("WORKFLOW_JOURNAL", raising=False)
    return tmp_path / "home"


@pytest.mark.parametrize("by_environment", [False, True])
async def test_the_home_directory_is_expanded(
    home: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    if by_environment:
        monkeypatch.setenv("WORKFLOW_JOURNAL", "~/journal.sqlite3")
    async with Sandbox(run_seconds=0.1) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        provider = await configured(None if by_environment else "~/journal.sqlite3")
        (resource,) = (resource for resource in provider.resources if resource.model is VcdExecution)
        result = await resource.create(VcdExecution(workflow="Refresh inventory", wait=False), b"")
        assert list(result.diagnostics) == []
        await provider.close()
    assert (home / "journal.sqlite3").is_file()
    assert list(Path.cwd().iterdir()) == []


async def test_a_relative_path_is_relative_to_the_working_directory(home: Path) -> None:
    provider = await configured("journal.sqlite3")
    assert provider._journal.store.name == repr("journal.sqlite3")


@pytest.mark.parametrize("by_environment", [False, True])
@pytest.mark.parametrize(
    ("journal", "words"),
    [
        ("~/workflow/journal.sqlite3", ["/home/workflow'", "does not exist"]),
        ("missing/journal.sqlite3", ["'missing'", "does not exist"]),
        ("~", ["/home'", "is a directory"]),
        ("../work", ["'../work'", "is a directory"]),
        ("/dev/null/journal.sqlite3", ["'/dev/null'", "is not a directory"]),
        ("", None),
    ],
)
async def test_a_path_that_cannot_hold_a_journal_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch, journal: str, words: list[str] | None, by_environment: bool
) -> None:
    if by_environment:
        monkeypatch.setenv("WORKFLOW_JOURNAL", journal)
    configuring = configured(None if by_environment else journal)
    if words is None:  # unset
        assert not (await configuring)._journal.store.shared
        return
    with pytest.raises(DiagnosticError) as caught:
        await configuring
    (problem,) = caught.value.diagnostics
    assert problem.path == ("journal",)
    for word in (*words, "`journal` (WORKFLOW_JOURNAL)"):
        assert word in problem.detail
    assert sorted(entry.name for entry in home.parent.iterdir()) == ["home", "work"]
    assert [*home.iterdir(), *Path.cwd().iterdir()] == []  # noqa: ASYNC240
