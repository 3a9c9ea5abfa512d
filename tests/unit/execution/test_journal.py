from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from provider_py.execution.journal import FILE, Entry, Journal, JournalError, default_path, workspace
from tests.support.clock import EPOCH, VirtualClock

Opener = Callable[[], Journal]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def opened(tmp_path: Path, clock: VirtualClock) -> AsyncIterator[Opener]:
    """Open journals on one file, each as a process would; they are closed afterwards."""
    journals: list[Journal] = []

    def open_one() -> Journal:
        journals.append(Journal(tmp_path / "kept" / FILE, clock.time))
        return journals[-1]

    yield open_one
    for journal in journals:
        await journal.close()


async def test_a_start_without_an_answer_is_left_to_the_next_process(opened: Opener, clock: VirtualClock) -> None:
    first, second, third = opened(), opened(), opened()
    entry = await first.intend("same")
    assert (entry.run, entry.intended_at) == (None, EPOCH)
    await first.close()
    await clock.advance(60)
    assert await second.take_over("other") is None
    assert await second.take_over("same") == entry
    assert await third.take_over("same") is None, "it is the second process's now"


async def test_a_run_is_left_to_the_next_process_before_starts_without_an_answer(opened: Opener) -> None:
    first, second = opened(), opened()
    doubtful, started = await first.intend("same"), await first.intend("same")
    await first.started(started, "run-1")
    await first.close()
    taken = [await second.take_over("same") for _ in range(3)]
    assert taken == [Entry(started.token, "run-1", EPOCH), doubtful, None]


async def test_what_a_living_process_does_is_its_own(opened: Opener) -> None:
    first, second = opened(), opened()
    entry = await first.intend("same")
    assert await second.take_over("same") is None
    await first.started(entry, "run-1")
    assert await second.take_over("same") is None
    assert await first.take_over("same") is None
    assert await second.known_runs() == {"run-1"}


async def test_two_processes_do_not_take_over_the_same_start(opened: Opener) -> None:
    first, others = opened(), [opened() for _ in range(8)]
    entry = await first.intend("same")
    await first.close()
    taken = await asyncio.gather(*(journal.take_over("same") for journal in others))
    assert [each for each in taken if each is not None] == [entry]


async def test_a_start_that_did_not_happen_is_forgotten(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.drop(await first.intend("same"))
    await first.close()
    assert await second.take_over("same") is None


async def test_a_run_in_the_state_is_not_taken_over(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.started(await first.intend("same"), "run-1")
    await first.close()
    await second.claim(["run-1", "run-2"])
    assert await second.take_over("same") is None
    assert await second.known_runs() == set()


async def test_a_run_in_the_state_is_known_while_a_start_like_it_is_in_doubt(opened: Opener) -> None:
    first, second, third = opened(), opened(), opened()
    await first.started(await first.intend("same"), "run-1")
    doubtful = await first.intend("same")
    await first.close()
    await second.claim(["run-1"])
    assert await second.known_runs() == {"run-1"}, "a search for the other must not find it"
    assert await second.take_over("same") == doubtful
    assert await second.take_over("same") is None
    await second.started(doubtful, "run-2")
    await second.close()
    await third.claim(["run-1", "run-2"])
    assert await third.known_runs() == set()


async def test_an_own_run_is_kept_until_another_process_sees_it(opened: Opener) -> None:
    first = opened()
    await first.started(await first.intend("same"), "run-1")
    await first.claim(["run-1"])
    assert await first.known_runs() == {"run-1"}
    await first.forget("run-1")
    assert await first.known_runs() == set()


async def test_a_run_that_was_found_by_hand_settles_one_start_in_doubt(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.intend("same")
    left = await first.intend("same")
    await first.close()
    await second.settle("same")
    assert await second.take_over("same") == left
    assert await second.take_over("same") is None


async def test_a_start_of_a_living_process_is_not_settled(opened: Opener) -> None:
    first, second, third = opened(), opened(), opened()
    entry = await first.intend("same")
    await second.settle("same")
    await first.close()
    assert await third.take_over("same") == entry


async def test_a_run_that_is_left_is_taken_over_by_a_later_process(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.started(await first.intend("old"), "run-1")
    left = await first.leave("new", "run-1")
    await first.close()
    assert await second.take_over("old") is None
    assert await second.take_over("new") == left


async def test_a_key_belongs_to_one_start(opened: Opener) -> None:
    journal = opened()
    await journal.started(await journal.intend("one"), "run-1")
    with pytest.raises(JournalError, match="cannot be used"):
        await journal.started(await journal.intend("other"), "run-1")


async def test_no_file_is_made_before_something_is_started(opened: Opener) -> None:
    journal = opened()
    assert await journal.take_over("same") is None
    await journal.claim(["run-1"])
    await journal.forget("run-1")
    await journal.settle("same")
    assert not journal.path.parent.exists()


async def test_processes_leave_no_locks_behind(opened: Opener) -> None:
    first, second = opened(), opened()
    await first.intend("one")
    await second.intend("other")
    assert len(list(first.path.parent.glob("*.lock"))) == 2
    await first.close()
    await second.close()
    assert not list(first.path.parent.glob("*.lock"))


async def test_the_lock_of_a_killed_process_is_no_sign_of_life(opened: Opener) -> None:
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


async def test_a_damaged_file_is_set_aside_and_told_of_once(opened: Opener) -> None:
    journal = opened()
    journal.path.parent.mkdir()
    journal.path.write_bytes(b"damaged " * 1000)
    await journal.intend("same")
    (said,) = journal.warnings()
    (aside,) = journal.path.parent.glob("*.damaged-*")
    assert str(aside) in said
    assert journal.warnings() == []


async def test_a_file_that_cannot_be_used_is_an_error_for_a_start_and_a_warning_for_the_rest(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    journal = opened()
    journal.path.mkdir(parents=True)
    with pytest.raises(JournalError, match=FILE):
        await journal.intend("same")
    await journal.claim(["run-1"])
    assert FILE in caplog.text


def test_the_file_is_with_terraforms_own_data() -> None:
    assert default_path({}) == Path(".terraform") / FILE
    assert default_path({"TF_DATA_DIR": "/data"}) == Path("/data") / FILE


@pytest.mark.parametrize(
    ("chosen", "variable", "name"),
    [(None, None, "default"), ("blue\n", None, "blue"), ("blue", "green", "green"), ("", None, "default")],
)
def test_the_workspace_is_the_one_terraform_takes(
    tmp_path: Path, chosen: str | None, variable: str | None, name: str
) -> None:
    if chosen is not None:
        (tmp_path / "environment").write_text(chosen)
    environment = {"TF_DATA_DIR": str(tmp_path)} | ({"TF_WORKSPACE": variable} if variable else {})
    assert workspace(environment) == name
