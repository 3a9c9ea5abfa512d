from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from provider_py.execution.journal import FILE, Entry, Journal, JournalError, default_path, workspace
from tests.support.clock import EPOCH, Clock

Opener = Callable[[], Journal]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opened(tmp_path: Path, clock: Clock) -> AsyncIterator[Opener]:
    """Open journals on one file, each as a process would; they are closed afterwards."""
    journals: list[Journal] = []

    def open_one() -> Journal:
        journals.append(Journal(tmp_path / "kept" / FILE, clock.time))
        return journals[-1]

    yield open_one
    for journal in journals:
        await journal.close()


async def test_an_unanswered_start_is_left_to_the_next_process(opened: Opener, clock: Clock) -> None:
    first, second, third = opened(), opened(), opened()
    entry = await first.intend("same")
    assert (entry.run, entry.intended_at) == (None, EPOCH)
    await first.close()
    await clock.advance(60)
    assert await second.take_over("other") is None
    assert await second.take_over("same") == entry
    assert await third.take_over("same") is None, "the second process owns it now"


async def test_known_runs_are_taken_over_before_unanswered_starts(opened: Opener) -> None:
    first, second = opened(), opened()
    unanswered, started = await first.intend("same"), await first.intend("same")
    await first.record_run(started, "run-1")
    await first.close()
    taken = [await second.take_over("same") for _ in range(3)]
    assert taken == [Entry(started.token, "run-1", EPOCH), unanswered, None]


async def test_starts_of_a_running_process_are_not_taken_over(opened: Opener) -> None:
    first, second = opened(), opened()
    entry = await first.intend("same")
    assert await second.take_over("same") is None
    await first.record_run(entry, "run-1")
    assert await second.take_over("same") is None
    assert await first.take_over("same") is None
    assert await second.known_runs() == {"run-1"}


async def test_a_start_is_taken_over_by_one_process_only(opened: Opener) -> None:
    first, others = opened(), [opened() for _ in range(8)]
    entry = await first.intend("same")
    await first.close()
    taken = await asyncio.gather(*(journal.take_over("same") for journal in others))
    assert [entry for entry in taken if entry is not None] == [entry]


async def test_a_discarded_start_is_not_taken_over(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.discard(await first.intend("same"))
    await first.close()
    assert await second.take_over("same") is None


async def test_a_run_in_a_state_is_not_taken_over(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.record_run(await first.intend("same"), "run-1")
    await first.close()
    await second.confirm_stored(["run-1", "run-2"])
    assert await second.take_over("same") is None
    assert await second.known_runs() == set()


async def test_a_run_in_a_state_stays_known_while_a_start_of_the_same_inputs_is_unanswered(opened: Opener) -> None:
    first, second, third = opened(), opened(), opened()
    await first.record_run(await first.intend("same"), "run-1")
    unanswered = await first.intend("same")
    await first.close()
    await second.confirm_stored(["run-1"])
    assert await second.known_runs() == {"run-1"}, "a search for the lost run must not return it"
    assert await second.take_over("same") == unanswered
    assert await second.take_over("same") is None
    await second.record_run(unanswered, "run-2")
    await second.close()
    await third.confirm_stored(["run-1", "run-2"])
    assert await third.known_runs() == set()


async def test_a_row_is_kept_until_a_later_process_is_shown_its_run(opened: Opener) -> None:
    first = opened()
    await first.record_run(await first.intend("same"), "run-1")
    await first.confirm_stored(["run-1"])
    assert await first.known_runs() == {"run-1"}
    await first.forget("run-1")
    assert await first.known_runs() == set()


async def test_one_unanswered_start_is_discarded_at_a_time(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.intend("same")
    left = await first.intend("same")
    await first.close()
    await second.discard_unanswered("same")
    assert await second.take_over("same") == left
    assert await second.take_over("same") is None


async def test_an_unanswered_start_of_a_running_process_is_not_discarded(opened: Opener) -> None:
    first, second, third = opened(), opened(), opened()
    entry = await first.intend("same")
    await second.discard_unanswered("same")
    await first.close()
    assert await third.take_over("same") == entry


async def test_a_run_that_is_handed_over_is_taken_over_by_a_later_process(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.record_run(await first.intend("old"), "run-1")
    handed_over = await first.hand_over("new", "run-1")
    await first.close()
    assert await second.take_over("old") is None
    assert await second.take_over("new") == handed_over


async def test_a_key_belongs_to_one_start(opened: Opener) -> None:
    journal = opened()
    await journal.record_run(await journal.intend("one"), "run-1")
    with pytest.raises(JournalError, match="cannot be used"):
        await journal.record_run(await journal.intend("other"), "run-1")


async def test_no_file_is_created_before_a_start(opened: Opener) -> None:
    journal = opened()
    assert await journal.take_over("same") is None
    await journal.confirm_stored(["run-1"])
    await journal.forget("run-1")
    await journal.discard_unanswered("same")
    assert not journal.path.parent.exists()


async def test_closed_journals_leave_no_lock_files(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.intend("one")
    await second.intend("other")
    assert len(list(first.path.parent.glob("*.lock"))) == 2
    await first.close()
    await second.close()
    assert not list(first.path.parent.glob("*.lock"))


async def test_the_lock_file_of_a_killed_process_does_not_keep_its_starts(opened: Opener) -> None:
    second = opened()
    script = """
        import asyncio, os, pathlib, signal, sys
        from provider_py.execution.journal import Journal
        asyncio.run(Journal(pathlib.Path(sys.argv[1]), lambda: 5.0).intend("same"))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(second.path)]
    await asyncio.to_thread(subprocess.run, command, check=False)
    assert len(list(second.path.parent.glob("*.lock"))) == 1
    entry = await second.take_over("same")
    assert entry is not None
    assert entry.intended_at == 5
    await second.close()
    assert not list(second.path.parent.glob("*.lock"))


async def test_a_damaged_file_is_renamed_and_reported_once(opened: Opener) -> None:
    journal = opened()
    journal.path.parent.mkdir()
    journal.path.write_bytes(b"damaged " * 1000)
    await journal.intend("same")
    (warning,) = journal.warnings()
    (renamed,) = journal.path.parent.glob("*.damaged-*")
    assert str(renamed) in warning
    assert journal.warnings() == []


async def test_an_unusable_file_fails_a_start_and_is_only_logged_otherwise(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    journal = opened()
    journal.path.mkdir(parents=True)
    with pytest.raises(JournalError, match=FILE):
        await journal.intend("same")
    await journal.confirm_stored(["run-1"])
    assert FILE in caplog.text


def test_the_default_path_is_in_the_data_directory_of_terraform() -> None:
    assert default_path({}) == Path(".terraform") / FILE
    assert default_path({"TF_DATA_DIR": "/data"}) == Path("/data") / FILE


@pytest.mark.parametrize(
    ("selected", "variable", "name"),
    [(None, None, "default"), ("blue\n", None, "blue"), ("blue", "green", "green"), ("", None, "default")],
)
def test_the_workspace_is_found_as_terraform_finds_it(
    tmp_path: Path, selected: str | None, variable: str | None, name: str
) -> None:
    if selected is not None:
        (tmp_path / "environment").write_text(selected)
    environment = {"TF_DATA_DIR": str(tmp_path)} | ({"TF_WORKSPACE": variable} if variable else {})
    assert workspace(environment) == name


class TestOrderlyEnd:
    """A process that ended in order has answered its runs: they are nobody's but their state's."""

    async def test_answered_runs_are_not_taken_over(self, opened: Opener) -> None:
        first, second = opened(), opened()
        answered, unanswered = await first.intend("same"), await first.intend("same")
        await first.record_run(answered, "run-1")
        await first.close(orderly=True)
        assert await second.take_over("same") == unanswered
        assert await second.take_over("same") is None
        assert await second.known_runs() == {"run-1"}, "a search must not find it"

    async def test_kept_runs_are_taken_over(self, opened: Opener) -> None:
        first, second = opened(), opened()
        for run in ("run-1", "run-2"):
            await first.record_run(await first.intend(run), run)
        first.keep(["run-1", "run-2"])
        first.release(["run-2"])
        await first.close(orderly=True)
        assert await second.take_over("run-2") is None
        entry = await second.take_over("run-1")
        assert entry is not None
        assert entry.run == "run-1"

    async def test_parked_runs_are_forgotten_unless_taken(self, opened: Opener) -> None:
        first, second, third = opened(), opened(), opened()
        for run in ("run-1", "run-2"):
            await first.record_run(await first.intend(run), run)
        await first.close()
        second.park(["run-1", "run-2"])
        assert await second.take_over("run-2") is not None
        second.keep(["run-2"])
        await second.close(orderly=True)
        assert await third.take_over("run-1") is None
        assert await third.take_over("run-2") is not None

    async def test_answered_runs_are_taken_over_where_the_state_was_not_written(
        self, opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        first, second = opened(), opened()
        await first.record_run(await first.intend("same"), "run-1")
        await first.close(orderly=True)
        (tmp_path / "errored.tfstate").write_text("{}")
        entry = await second.take_over("same")
        assert entry is not None
        assert entry.run == "run-1"

    async def test_rows_of_answered_runs_are_kept_for_thirty_days(self, opened: Opener, clock: Clock) -> None:
        first, second, third = opened(), opened(), opened()
        await first.record_run(await first.intend("same"), "run-1")
        await first.close(orderly=True)
        await clock.advance(29 * 86400)
        assert await second.known_runs() == {"run-1"}
        await second.close(orderly=True)
        await clock.advance(2 * 86400)
        await third.known_runs()
        await third.close(orderly=True)
        assert await opened().known_runs() == frozenset()
