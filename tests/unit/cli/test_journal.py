"""`workflow-provider journal`, on a file; the journal itself is tested on both databases."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from provider_py.cli.main import app, main
from provider_py.execution.journal import Journal
from provider_py.execution.life import Place, Wish
from provider_py.execution.scope import Scope
from provider_py.execution.store import FILE, SqliteStore, schema_sql

UNSENT = Wish(
    "vcd_execution", "https://vcd.example.com acme", "here", "hash-1", {"inputs": "hash-2"}, workflow="resize"
)
KEYED = Wish("harness_execution", "acme", "here", "hash-3", key="release \x1b[31m42", workflow="deploy")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a working directory whose journal is yet to be written."""
    monkeypatch.delenv("WORKFLOW_JOURNAL", raising=False)
    monkeypatch.delenv("TF_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".terraform").mkdir()
    return tmp_path / ".terraform" / FILE


class Command:
    """The command, run in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> str:
        """Return what a call that succeeds prints."""
        app(["journal", *arguments], standalone_mode=False)
        return self._capsys.readouterr().out

    def fails(self, *arguments: str) -> str:
        """Return the one line of a call that fails."""
        with pytest.raises(SystemExit) as raised:
            main(lambda: app(["journal", *arguments], standalone_mode=False))
        assert raised.value.code == 1
        captured = self._capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        return line.removeprefix("error: ")


@pytest.fixture
def command(path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def written(path: Path, wish: Wish, *runs: str | None, parts: int = 1, age: float = 0.0) -> str:
    """Write an attempt of a process that was killed, and return its token. None is a part without an answer."""

    async def write() -> str:
        journal = Journal(SqliteStore(path), lambda: time.time() - age, Scope("here"))
        attempt = (await journal.claim(wish, parts)).attempt
        for part, run in enumerate(runs):
            if part:
                await journal.sending(attempt, part)
            if run is not None:
                await journal.named(attempt, part, run)
        await journal.close()
        return attempt.token

    return asyncio.run(write())


def test_attempts_are_listed_with_what_a_reader_needs(path: Path, command: Command) -> None:
    first = written(path, UNSENT, None, age=2 * 86400 + 5)
    second = written(path, KEYED, "run-1", "run-2", "run-3", parts=3, age=7200 + 5)
    heading, *rows = [line.split("  ") for line in command("list").splitlines()]
    cells = [[cell.strip() for cell in row if cell] for row in rows]
    assert [word.strip() for word in heading if word] == [
        *("TOKEN", "TYPE", "SCOPE", "WORKFLOW", "KEY", "ATTEMPT", "PLACE", "END", "RUNS", "AGE")
    ]
    assert cells == [
        [first[:8], "vcd_execution", "here", "resize", "-", "1", "intended", "open", "unanswered", "2d"],
        [
            *(second[:8], "harness_execution", "here", "deploy", "release \N{REPLACEMENT CHARACTER}[31m42", "1"),
            *("started", "open", "run-1, run-2 and 1 more", "2h"),
        ],
    ]
    assert "hash" not in command("list")


def test_an_attempt_is_shown_by_the_beginning_of_its_token(path: Path, command: Command) -> None:
    token = written(path, UNSENT, "w/1", None, parts=3)
    shown = command("show", token[:4])
    for line in (f"token:        {token}", "part 1 of 3:  w/1", "part 2 of 3:  unanswered", "key:          -"):
        assert f"{line}\n" in shown
    assert "hash" not in shown


def test_a_run_that_started_is_taken_up_by_the_next_apply(path: Path, command: Command) -> None:
    token = written(path, UNSENT, None)
    run = "7d6c1f43-5b0c-4dd3-9c9b-1f0b5c2f8a11/0e0b2c4e-3f7e-4a70-8b3c-5a6e7c1f9d22"
    assert command.fails("settle", token, "--started", "0e0b2c4e") == (
        "The ID of this run has the form <workflow id>/<execution id>."
    )
    printed = command("settle", token, "--started", run)
    assert printed == (
        f"Recorded. The next apply of this state that asks for it waits for {run}, or returns it, and starts none.\n"
    )
    assert f"part 1 of 1:  {run}\n" in command("show", token)
    assert command.fails("settle", token, "--not-started") == (
        f"Attempt {token} is settled: every request of it was answered."
    )


def test_a_run_that_did_not_start_is_started_by_the_next_apply(path: Path, command: Command) -> None:
    token = written(path, KEYED, None)
    assert command("settle", token, "--not-started") == (
        f"Nothing is left of attempt {token}: the next apply that asks for it starts attempt 1 at the key "
        f"{KEYED.key!r}.\n"
    )
    assert command("list").count("\n") == 1


def test_parts_are_settled_one_by_one(path: Path, command: Command) -> None:
    token = written(path, KEYED, None, None, "run-3", parts=4)
    assert command.fails("settle", token, "--not-started") == "Say which part with --part: 1, 2 are unanswered."
    assert "not unanswered" in command.fails("settle", token, "--not-started", "--part", "3")
    assert (
        "the run run-3 is that of another request"
        in command.fails("settle", token, "--started", "run-3", "--part", "1").lower()
    )
    assert "is still unanswered" in command("settle", token, "--started", "run-1", "--part", "1")
    printed = command("settle", token, "--not-started")
    assert printed == (
        "Recorded. The next apply that asks for it sends the missing parts and waits for them and run-1, run-3.\n"
    )


def test_a_run_with_a_key_is_waited_for_by_all_that_have_the_key(path: Path, command: Command) -> None:
    token = written(path, KEYED, None)
    assert "The next apply with the key" in command("settle", token, "--started", "run-1")


def test_a_request_of_a_process_that_runs_is_left_to_it(path: Path, command: Command) -> None:
    store = SqliteStore(path)
    store.process = "living"
    token = written(path, UNSENT, None)
    store.run(lambda session: session.execute("UPDATE workflow_attempt SET process = 'living'"))
    assert command.fails("settle", token, "--not-started") == (
        f"The process that sent the attempt {token} still runs, and may still get the answer."
    )
    store.close()


def test_an_attempt_that_is_closed_is_not_settled(path: Path, command: Command) -> None:
    token = written(path, UNSENT, "w/1", None, parts=2)
    store = SqliteStore(path)
    store.run(lambda session: session.execute("UPDATE workflow_attempt SET place = ?", Place.CLOSED))
    store.close()
    assert "is waiting for an answer" in command.fails("settle", token, "--not-started")


def test_a_working_directory_without_a_journal_is_an_error(path: Path, command: Command) -> None:
    assert command.fails("list") == (
        f"There is no journal '.terraform/{FILE}'. Run this where Terraform runs, or name one with --journal."
    )
    assert not path.exists()


def test_a_token_names_one_attempt(path: Path, command: Command) -> None:
    for wish in (KEYED, UNSENT):
        written(path, wish, "run-1")
    assert command.fails("show", "") == "Several attempts have a token that begins with ''."
    assert command.fails("show", "x") == "No attempt has a token that begins with 'x'."


def test_one_answer_is_given(path: Path, command: Command) -> None:
    token = written(path, UNSENT, None)
    for arguments in ((), ("--started", "run-1", "--not-started")):
        assert command.fails("settle", token, *arguments).startswith("Say either --started")


def test_a_journal_is_named_by_option_or_variable(
    path: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    written(other, UNSENT, None)
    assert "resize" in command("list", "--journal", str(other))
    monkeypatch.setenv("WORKFLOW_JOURNAL", str(other))
    assert "resize" in command("list")


@pytest.mark.parametrize(
    "address", ["postgresql://ann:hunter2-x@127.0.0.1:1/runs", "postgresql://ann:hunter2-x@y@127.0.0.1/runs"]
)
def test_an_address_that_cannot_be_used_is_an_error_without_its_password(command: Command, address: str) -> None:
    problem = command.fails("list", "--journal", address)
    assert "hunter2" not in problem
    assert "journal" in problem


def test_the_sql_of_the_schema_is_printed(command: Command) -> None:
    assert command("schema") == schema_sql()
