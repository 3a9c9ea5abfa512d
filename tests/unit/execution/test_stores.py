"""The two databases of the journal where things break: processes, files, servers and what lies between."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provider_py.execution import postgres as postgres_store
from provider_py.execution.journal import Journal
from provider_py.execution.life import Wait
from provider_py.execution.postgres import CONNECT_SECONDS, RECONNECT_SECONDS, Limits, PostgresStore
from provider_py.execution.scope import Scope
from provider_py.execution.store import MIGRATIONS, JournalError, Session, SqliteStore, Store, schema_sql
from tests.support.journals import Database, decided, started, wish
from tests.support.postgres import Proxy, Server, free_port, wait_until

CHILD = """
    import asyncio, os, pathlib, signal, sys, time
    from provider_py.execution.journal import Journal
    from provider_py.execution.life import Wish
    from provider_py.execution.postgres import Limits, PostgresStore
    from provider_py.execution.scope import Scope
    from provider_py.execution.store import SqliteStore

    def store(address, directory, lease=60.0):
        limits = Limits(lease=lease, renew=lease / 4)
        if "://" in address:
            return PostgresStore(address, pathlib.Path(directory), limits=limits)
        return SqliteStore(pathlib.Path(address))

    WISH = Wish("vcd_execution", "account", "here", "same")
"""


def run_child(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script after CHILD in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(CHILD) + textwrap.dedent(script), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def count(session: Session) -> int:
    """Count the attempts."""
    return int(session.execute("SELECT COUNT(*) FROM workflow_attempt")[0][0] or 0)


def locks(directory: Path) -> list[Path]:
    """Return the locks of processes."""
    return [file for file in directory.glob("*.lock") if file.name != "journal.sqlite3.lock"]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the path of a new file, or the address of a new database."""
    if request.param == "sqlite":
        return str(tmp_path / "journal.sqlite3")
    server: Server = request.getfixturevalue("postgres")
    return server.address(server.make_database())


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Open stores as further processes would."""
    stores: list[Store] = []

    def open_one(address: str, limits: Limits | None = None, directory: Path = tmp_path) -> Store:
        if "://" in address:
            stores.append(PostgresStore(address, directory, limits=limits or Limits()))
        else:
            stores.append(SqliteStore(Path(address)))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


Opener = Callable[..., Store]


class TestProcesses:
    """Whether the process that wrote a row lives."""

    def test_a_process_lives_until_it_closes(self, opened: Opener, address: str) -> None:
        first, second = opened(address), opened(address)
        assert first.run(lambda session: session.alive(first.process))
        assert second.run(lambda session: session.alive(first.process))
        assert not second.run(lambda session: session.alive("unknown") or session.alive(""))
        first.close()
        assert not second.run(lambda session: session.alive(first.process))

    async def test_a_killed_process_is_dead_at_once_where_it_ran(
        self, opened: Opener, address: str, tmp_path: Path
    ) -> None:
        script = """
            async def main():
                journal = Journal(store(*sys.argv[1:]), lambda: 5.0, Scope("here"))
                await journal.claim(WISH, 1)
                os.kill(os.getpid(), signal.SIGKILL)
            asyncio.run(main())
        """
        assert run_child(script, address, str(tmp_path)).returncode == -signal.SIGKILL
        assert len(locks(tmp_path)) == 1
        journal = Journal(opened(address), lambda: 6.0, Scope("here"))
        claim = await journal.claim(wish(), 1)
        assert (decided(claim), claim.attempt.sent_at) == ("Take ?", 5)
        await journal.close()
        assert locks(tmp_path) == []

    def test_elsewhere_a_killed_process_is_dead_when_its_lease_has_expired(
        self, opened: Opener, postgres: Server, tmp_path: Path
    ) -> None:
        address = postgres.address(postgres.make_database())
        script = """
            opened = store(*sys.argv[1:3], lease=1.0)
            opened.run(lambda session: None)
            time.sleep(1.5)
            print(opened.process, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        """
        (tmp_path / "there").mkdir()
        process = run_child(script, address, str(tmp_path / "there")).stdout.strip()
        store = opened(address)
        wait_until(lambda: not store.run(lambda session: session.alive(process)))

    def test_the_lease_of_a_process_without_work_is_renewed(self, opened: Opener, postgres: Server) -> None:
        name = postgres.make_database()
        store = opened(postgres.address(name), Limits(renew=0.01))
        store.run(count)
        postgres.execute("UPDATE workflow_process SET expires_at = 0", name)
        expired = "SELECT count(*) FROM workflow_process WHERE expires_at = 0"
        wait_until(lambda: postgres.execute(expired, name) == [(0,)])

    def test_a_lease_is_renewed_after_the_connection_broke(self, opened: Opener, postgres: Server) -> None:
        name = postgres.make_database()
        store = opened(postgres.address(name), Limits(renew=0.01))
        store.run(count)
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        postgres.execute("DELETE FROM workflow_process", name)
        wait_until(lambda: postgres.execute("SELECT process FROM workflow_process", name) == [(store.process,)])

    async def test_no_second_run_is_started_while_a_killed_process_may_live(
        self, postgres: Server, tmp_path: Path
    ) -> None:
        database = Database(tmp_path, postgres)
        first, second = database.open(), database.open()
        await started(first, wish(), "run-1")
        for _ in range(2):
            claim = await second.claim(wish(), 1)
            assert isinstance(claim.decision, Wait)
            assert claim.attempt.runs == ("run-1",)
        assert decided(await second.claim(wish("other"), 1)) == "Start ?"
        postgres.execute(
            f"UPDATE workflow_process SET expires_at = 0 WHERE process = '{first.store.process}'", database.name
        )
        assert decided(await second.claim(wish(), 1)) == "Take run-1"
        await database.close()

    async def test_a_process_whose_lease_expired_does_not_act_on_what_was_taken(
        self, postgres: Server, tmp_path: Path
    ) -> None:
        database = Database(tmp_path, postgres)
        first, second = database.open(), database.open()
        attempt = (await first.claim(wish(), 2)).attempt
        postgres.execute(
            f"UPDATE workflow_process SET expires_at = 0 WHERE process = '{attempt.process}'", database.name
        )
        assert decided(await second.claim(wish(), 2)) == "Take ?"
        with pytest.raises(JournalError, match="another process has taken this run over"):
            await first.sending(attempt, 1)
        alive = await database.open().attempts()
        assert {row.process for row in alive} == {second.store.process}
        await database.close()

    async def test_a_process_whose_lease_expired_goes_on_with_what_was_not_taken(
        self, postgres: Server, tmp_path: Path
    ) -> None:
        database = Database(tmp_path, postgres)
        first, second = database.open(), database.open()
        attempt = (await first.claim(wish(), 1)).attempt
        postgres.execute("UPDATE workflow_process SET expires_at = 0", database.name)
        await first.named(attempt, 0, "run-1")
        assert decided(await database.claim(second, wish())) == "Start ?", "its work has renewed the lease"
        await database.close()


class TestFirstOpen:
    """A database that is not prepared, of another version, or damaged."""

    def test_twenty_processes_open_it_at_once(self, opened: Opener, address: str, tmp_path: Path) -> None:
        script = """
            children = []
            for number in range(20):
                if (child := os.fork()) == 0:
                    async def main():
                        journal = Journal(store(*sys.argv[1:]), time.time, Scope("here"))
                        await journal.claim(WISH, 1)
                        await journal.close(orderly=True)
                    try:
                        asyncio.run(main())
                        os._exit(0)
                    finally:
                        os._exit(1)
                children.append(child)
            sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
        """
        assert run_child(script, address, str(tmp_path)).returncode == 0
        # Each is a wish of its own; those that ended without an answer were taken by later ones.
        assert 1 <= opened(address).run(count) <= 20

    def test_a_later_version_is_refused(self, opened: Opener, address: str) -> None:
        first = opened(address)
        first.run(lambda session: session.execute("UPDATE workflow_schema SET version = 99"))
        first.close()
        expected = f"its schema is version 99, and this version of the provider knows {len(MIGRATIONS)} at most"
        with pytest.raises(JournalError, match=expected):
            opened(address).run(count)

    def test_a_damaged_file_is_set_aside_and_reported_once(self, opened: Opener, tmp_path: Path) -> None:
        path = tmp_path / "journal.sqlite3"
        path.write_bytes(b"damaged " * 1000)
        store = opened(str(path))
        assert store.run(count) == 0
        (warning,) = store.warnings()
        (renamed,) = tmp_path.glob("*.damaged-*")
        assert str(renamed) in warning
        assert store.warnings() == []

    def test_a_file_in_the_place_of_a_directory_is_an_error(self, opened: Opener, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match=str(tmp_path)):
            opened(str(tmp_path)).run(count)

    def test_a_file_of_the_schema_before_versions_is_used(self, opened: Opener, tmp_path: Path) -> None:
        store = opened(str(tmp_path / "journal.sqlite3"))
        store.run(lambda session: session.execute("CREATE TABLE start (token TEXT)"))
        store.close()
        assert store.run(lambda session: session.execute("SELECT name FROM sqlite_master WHERE name = 'start'")) == []

    def test_tables_of_others_are_left_alone(self, opened: Opener, postgres: Server) -> None:
        name = postgres.make_database()
        postgres.execute("CREATE TABLE start (token TEXT)", name)
        assert opened(postgres.address(name)).run(count) == 0
        assert postgres.execute("SELECT * FROM start", name) == []

    def test_a_role_that_may_not_create_tables_needs_a_prepared_database(
        self, opened: Opener, postgres: Server
    ) -> None:
        name = postgres.make_database()
        postgres.execute("CREATE ROLE writer LOGIN")
        address = postgres.address(name, user="writer")
        with pytest.raises(JournalError, match=r"is not prepared.*run what `workflow-provider journal schema` prints"):
            opened(address).run(count)
        postgres.execute(schema_sql(), name)
        with pytest.raises(JournalError, match=r"cannot be used \(permission denied for table"):
            opened(address).run(count)
        postgres.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO writer", name)
        assert opened(address).run(count) == 0

    def test_a_database_with_other_defaults_serves_all_the_same(self, opened: Opener, postgres: Server) -> None:
        name = postgres.make_database()
        postgres.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        first, second = opened(postgres.address(name)), opened(postgres.address(name))
        for store in (first, second) * 2:
            store.run(lambda session: session.execute("UPDATE workflow_schema SET version = version"))


class TestServer:
    """A server that is restarted, cannot be reached or does not answer."""

    @pytest.fixture
    def proxy(self, postgres: Server) -> Iterator[Proxy]:
        with Proxy(postgres.port) as proxy:
            yield proxy

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["orderly", "crash"])
    async def test_a_restart_within_a_transaction_repeats_it(
        self, postgres: Server, tmp_path: Path, how: signal.Signals
    ) -> None:
        database = Database(tmp_path, postgres)
        store = database.store()
        tries = 0

        def work(session: Session) -> int:
            nonlocal tries
            tries += 1
            session.execute("INSERT INTO workflow_part (token, part, run) VALUES ('token', 0, NULL)")
            if tries == 1:
                postgres.restart(how)
            return len(session.execute("SELECT part FROM workflow_part"))

        assert (store.run(work), tries) == (1, 2)
        store.close()

    async def test_an_answer_to_a_commit_that_is_lost_does_nothing_twice(
        self, postgres: Server, proxy: Proxy, tmp_path: Path
    ) -> None:
        database = Database(tmp_path, postgres)
        address = postgres.address(database.name, port=proxy.port)
        journal = database.open(store=PostgresStore(address, tmp_path))
        await journal.attempts()
        proxy.cut_at = b"COMMIT"
        claim = await journal.claim(wish(), 1)
        assert (decided(claim), proxy.cuts) == ("Start ?", 1)
        proxy.cut_at = b"COMMIT"
        await journal.named(claim.attempt, 0, "run-1")
        proxy.cut_at = b"COMMIT"
        assert await journal.offer(wish(), ["run-1"], 0, handed_over=True)
        proxy.cut_at = b"COMMIT"
        taken = await journal.claim(wish(), 1)
        assert (decided(taken), taken.attempt.tenure, proxy.cuts) == ("Take run-1", 1, 4)
        await database.close()
        assert database.rows("token, tenure") == [(claim.attempt.token, 1)]

    def test_a_server_that_was_never_reached_is_an_error_at_once(self, opened: Opener) -> None:
        port = free_port()
        with pytest.raises(JournalError, match=f"postgresql://127.0.0.1:{port}/kept' cannot be reached .*refused"):
            opened(f"postgresql://127.0.0.1:{port}/kept").run(count)

    def test_a_server_that_does_not_answer_is_an_error_in_time(self, postgres: Server, proxy: Proxy) -> None:
        proxy.silent.set()
        store = PostgresStore(f"{postgres.address(port=proxy.port)}?connect_timeout=2", Path("/"))
        with pytest.raises(JournalError, match=r"cannot be reached .*timeout expired"):
            store.run(count)
        assert store._parameters["connect_timeout"] == "2"
        assert PostgresStore(postgres.address(), Path("/"))._parameters["connect_timeout"] == str(CONNECT_SECONDS)

    def test_a_server_that_stays_away_is_an_error_after_a_while(self, postgres: Server, tmp_path: Path) -> None:
        now, slept = 0.0, []

        def sleep(seconds: float) -> None:
            nonlocal now
            slept.append(seconds)
            now += seconds

        name = postgres.make_database()
        store = PostgresStore(postgres.address(name), tmp_path, monotonic=lambda: now, sleep=sleep)
        store.run(count)
        postgres.stop()
        try:
            with pytest.raises(JournalError, match="cannot be reached"):
                store.run(count)
            assert RECONNECT_SECONDS <= now <= RECONNECT_SECONDS + 1
            assert max(slept) == 1
        finally:
            postgres.start()
        assert store.run(count) == 0
        store.close()

    def test_a_connection_that_hangs_is_cut(self, postgres: Server, proxy: Proxy, opened: Opener) -> None:
        store = opened(postgres.address(postgres.make_database(), port=proxy.port), Limits(answer=0.2))
        store.run(count)
        tries = 0

        def work(session: Session) -> int:
            nonlocal tries
            tries += 1
            if tries == 1:
                proxy.silent.set()
                try:
                    return count(session)
                finally:
                    proxy.silent.clear()
            return 7

        assert (store.run(work), tries) == (7, 2)

    def test_a_process_that_stops_within_a_transaction_does_not_stop_others(
        self, opened: Opener, postgres: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("provider_py.execution.postgres._BEGIN", postgres_store._BEGIN.replace("'10s'", "'100ms'"))
        address = postgres.address(postgres.make_database())
        first, second = opened(address), opened(address)
        second.run(count)
        tries = 0

        def work(session: Session) -> int:
            nonlocal tries
            tries += 1
            return second.run(count) if tries == 1 else count(session)

        assert first.run(work) == 0

    def test_work_that_fails_leaves_nothing(self, opened: Opener, address: str) -> None:
        store = opened(address)

        def work(session: Session) -> None:
            session.execute("INSERT INTO workflow_part (token, part, run) VALUES ('token', 0, NULL)")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.run(work)
        assert store.run(lambda session: session.execute("SELECT part FROM workflow_part")) == []

    def test_what_a_database_refuses_is_an_error_that_names_the_journal(self, opened: Opener, address: str) -> None:
        store = opened(address)
        with pytest.raises(JournalError, match=r"the journal .* cannot be used"):
            store.run(lambda session: session.execute("SELECT nothing FROM workflow_attempt"))
        assert store.run(count) == 0

    @pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed")
    async def test_it_works_behind_a_pooler_of_transactions(self, postgres: Server, tmp_path: Path) -> None:
        database = Database(tmp_path, postgres)
        with postgres.pooled() as port:
            address = postgres.address(database.name, port=port)
            journals = [database.open(f"{n}", store=PostgresStore(address, tmp_path)) for n in range(6)]
            for number, journal in enumerate(journals):
                await started(journal, wish(scope=f"{number}"), f"run-{number}")
                assert decided(await database.claim(journal, wish(scope="0"))) == "Start ?"
            await journals[0].close()
            assert decided(await journals[1].claim(wish(scope="0"), 1)) == "Take run-0"
            await database.close()
