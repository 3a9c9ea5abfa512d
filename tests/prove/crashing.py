"""The provider, in a process that counts its effects and kills itself at one of them.

An effect is what others can see of a process: a transaction that writes, a request, an answer to Terraform. None is
listed by hand. The libraries through which every effect leaves the process are wrapped at their outermost edge:
connections of `sqlite3` and psycopg, the transport of httpx2, the server of gRPC. Whatever the provider does through
them later is found by itself.

    PROVE_LOG     the file to which each stage of each effect is appended, in the form of `Stage`
    PROVE_ROLE    what the process is started for; a part of the names of its effects
    PROVE_KILL    the stage at which the process kills itself by SIGKILL
    PROVE_VICTIM  "host": its parent is killed instead
    PROVE_TIMES   how many processes come to that stage until one does so, 1 if it is not set
    PROVE_CLOCK   seconds since the epoch, the monotonic time at which they were true, and how fast time passes

`python -m tests.prove.crashing` is a provider for the real Terraform. With the argument `--fork` it forks providers for
`tests.prove.processes` instead: what a provider imports is then imported once.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import pkgutil
import re
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC reads them when it is imported
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc.aio
import httpx2
import msgpack  # type: ignore[import-untyped]
from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.__main__ import ADDRESS
from provider_py.plugin import DiagnosticError
from provider_py.provider import WorkflowProvider
from provider_py.rpc.provider_service import methods
from provider_py.rpc.serve import serve

BEFORE, SENT, AFTER = "before", "sent", "after"
"""The stages of an effect: about to happen; a request that has left, and is not answered; done, or answered."""
_WRITTEN: Final = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|REPLACE)\s+(?:(?:INTO|FROM|TABLE|IF|NOT|EXISTS|UNIQUE|INDEX)\s+)*(\w+)",
    re.IGNORECASE,
)
"""A statement that writes: what it does, and to what."""
_IDENTIFIER: Final = re.compile(r"[^/:]*\d[^/:]*")
_OPERATION: Final = re.compile(r"\b(?:query|mutation)\s+(\w+)")
_PRELOADED: Final = (
    "anyio",
    "graphql",
    "harness_client",
    "httpcore2",
    "nexthink_client",
    "provider_py.execution",
    "provider_py.plugin",
    "provider_py.rpc",
    "provider_py.systems",
    "psycopg",
    "vcd_client",
)
"""The packages of which a provider imports modules when it needs them."""


class Effects:
    """The effects of this process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._role = environment.get("PROVE_ROLE", "")
        self._fatal = environment.get("PROVE_KILL", "")
        self._victim = os.getppid() if environment.get("PROVE_VICTIM") == "host" else os.getpid()
        self._times = int(environment.get("PROVE_TIMES") or 1)
        self._file = Path(environment.get("PROVE_LOG") or os.devnull)
        self._log = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._numbers: Counter[str] = Counter()
        self._lock = threading.Lock()

    def begin(self, name: str) -> str:
        """Return the name of an effect with its number among those of the same name."""
        with self._lock:
            self._numbers[name] += 1
            return f"{self._role} {name} #{self._numbers[name]}".lstrip()

    def reach(self, effect: str, stage: str) -> None:
        """Note that an effect has come to a stage, and die if this is the one to die at."""
        reached = f"{effect} {stage}"
        os.write(self._log, f"{reached}\n".encode())
        if reached == self._fatal and self._file.read_text().splitlines().count(reached) == self._times:
            os.kill(self._victim, signal.SIGKILL)


class _Answers(grpc.aio.ServerInterceptor):
    """Each answer is an effect."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """Wrap a handler that gives one answer."""
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        name = f"answer {details.method.rpartition('/')[2]}"

        async def answer(request: object, context: Any) -> object:
            response = await handler.unary_unary(request, context)
            effect = self._effects.begin(name)
            self._effects.reach(effect, BEFORE)
            context.add_done_callback(lambda _: self._effects.reach(effect, AFTER))
            return response

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)


def _wrap_answers(effects: Effects) -> None:
    module: Any = grpc.aio
    make = module.server

    def server(*arguments: Any, interceptors: Sequence[Any] = (), **options: Any) -> Any:
        return make(*arguments, interceptors=[*interceptors, _Answers(effects)], **options)

    module.server = server


def _wrap_requests(effects: Effects) -> None:
    class_: Any = httpx2.AsyncHTTPTransport
    send = class_.handle_async_request

    async def handle(transport: object, request: httpx2.Request) -> Any:
        effect = effects.begin(f"request {_name(request)}")
        effects.reach(effect, BEFORE)

        async def trace(event: str, _details: object) -> None:
            if event.endswith("send_request_body.complete"):
                effects.reach(effect, SENT)
            elif event.endswith("receive_response_body.complete"):
                effects.reach(effect, AFTER)

        request.extensions = {**request.extensions, "trace": trace}
        return await send(transport, request)

    class_.handle_async_request = handle


def _name(request: httpx2.Request) -> str:
    """Return a request's name, in which nothing differs from one run to the next."""
    path = _IDENTIFIER.sub("*", request.url.path.replace("/v1", "/v").replace("/v2", "/v"))
    operation = _OPERATION.search(request.content.decode(errors="replace")) if path.endswith("/graphql") else None
    return f"{request.method} {operation[1] if operation else path}"


class _Transactions:
    """What a database connection has written since its last commit."""

    def __init__(self, effects: Effects, database: str) -> None:
        self._effects = effects
        self._database = database
        self._written: str | None = None

    def around(self, statement: str, run: Callable[[], Any], *, is_open: Callable[[], bool]) -> Any:
        """Run a statement, which is an effect if it commits what was written."""
        word = statement.split(maxsplit=1)[0].upper() if statement.strip() else ""
        if word == "ROLLBACK":
            self._written = None
        if word in {"COMMIT", "END"}:
            return self.commit(run)
        found = _WRITTEN.match(statement)
        if found is None:
            return run()
        self._written = self._written or f"{found[1].upper()} {found[2]}"
        return run() if is_open() else self.commit(run)

    def commit(self, run: Callable[[], Any]) -> Any:
        """Commit, which is an effect if anything was written."""
        written, self._written = self._written, None
        if written is None:
            return run()
        effect = self._effects.begin(f"commit {self._database} ({written})")
        self._effects.reach(effect, BEFORE)
        result = run()
        self._effects.reach(effect, AFTER)
        return result


def _wrap_sqlite(effects: Effects) -> None:
    module: Any = sqlite3
    connect = module.connect

    class Connection(sqlite3.Connection):
        def __init__(self, database: Any, *arguments: Any, **options: Any) -> None:
            super().__init__(database, *arguments, **options)
            name = Path(str(database)).stem.partition("-")[0]
            self._transactions = None if str(database) == ":memory:" else _Transactions(effects, name)

        def _around(self, statement: str, run: Callable[[], Any]) -> Any:
            if self._transactions is None:
                return run()
            return self._transactions.around(statement, run, is_open=lambda: self.in_transaction)

        def execute(self, statement: str, *values: Any) -> Any:
            """Run a statement."""
            return self._around(statement, lambda: super(Connection, self).execute(statement, *values))

        def executemany(self, statement: str, values: Any) -> Any:
            """Run a statement for each row."""
            rows = list(values)
            return self._around(statement if rows else "", lambda: super(Connection, self).executemany(statement, rows))

        def commit(self) -> None:
            """Commit."""
            self._around("COMMIT", super().commit)

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
        ) -> Any:
            """Commit, or roll back."""
            leave = super().__exit__
            return self._around("ROLLBACK" if error else "COMMIT", lambda: leave(kind, error, trace))

    def connect_wrapped(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **{"factory": Connection, **options})

    module.connect = connect_wrapped


def _wrap_psycopg(effects: Effects) -> None:
    """Wrap psycopg; its database gets the name of SQLite's file, so that points have the same names."""
    psycopg: Any = importlib.import_module("psycopg")
    execute, commit = psycopg.Connection.execute, psycopg.Connection.commit

    def transactions(connection: Any) -> _Transactions:
        if not hasattr(connection, "prove_transactions"):
            connection.prove_transactions = _Transactions(effects, "workflow")
        found: _Transactions = connection.prove_transactions
        return found

    def execute_wrapped(connection: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        def is_open() -> bool:
            return bool(connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS)

        def run() -> Any:
            return execute(connection, query, *arguments, **options)

        return transactions(connection).around(query.decode(), run, is_open=is_open)

    psycopg.Connection.execute = execute_wrapped
    psycopg.Connection.commit = lambda connection: transactions(connection).commit(lambda: commit(connection))


class PacedClock:
    """Time that passes faster, in which all processes of a test agree."""

    def __init__(self, setting: str) -> None:
        self._epoch, self._began, self._pace = map(float, setting.split())

    def time(self) -> float:
        """Return seconds since the epoch."""
        return self._epoch + self.monotonic()

    def monotonic(self) -> float:
        """Return seconds since the setting was made."""
        return (time.monotonic() - self._began) * self._pace

    def origin(self) -> str:
        """Return the setting, which all processes of a test have in common."""
        return f"{self._epoch} {self._began}"

    async def sleep(self, seconds: float) -> None:
        """Sleep at this clock's pace."""
        await asyncio.sleep(max(0.0, seconds) / self._pace)


def _make_provider(stop: asyncio.Event) -> WorkflowProvider:
    provider = WorkflowProvider(stop)
    if setting := os.environ.get("PROVE_CLOCK"):
        provider._runtime.clock = PacedClock(setting)
    return provider


def run() -> None:
    """Be a provider process."""
    effects = Effects(os.environ)
    for wrap in (_wrap_answers, _wrap_requests, _wrap_sqlite, _wrap_psycopg):
        wrap(effects)
    serve(lambda: _make_provider, address=ADDRESS, support="")


def fork_providers(requests: socket.socket) -> None:
    """Fork a provider for each request, until the other end is closed."""
    _preload()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    requests.send(b"ready")
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 1)
        if not message:
            return
        child = os.fork()
        if child == 0:
            requests.close()
            _become_provider(json.loads(message), *descriptors)
        os.close(descriptors[0])
        requests.send(str(child).encode())


def _preload() -> None:
    """Import, and compute once, what every provider would: most of the time of a short process."""
    for name in _PRELOADED:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            with contextlib.suppress(ImportError):  # of what is for other libraries than ours
                importlib.import_module(module.name)
    asyncio.run(_validate_everything())


async def _validate_everything() -> None:
    stop = asyncio.Event()
    served = methods(WorkflowProvider(stop), stop, restartable=False)
    schema = await served["GetProviderSchema"](pb.GetProviderSchema.Request())
    assert isinstance(schema, pb.GetProviderSchema.Response)
    for kind, described in schema.resource_schemas.items():
        config = msgpack.packb({attribute.name: None for attribute in described.block.attributes})
        request = pb.ValidateResourceConfig.Request(type_name=kind, config=pb.DynamicValue(msgpack=config))
        with contextlib.suppress(DiagnosticError):
            await served["ValidateResourceConfig"](request)


def _become_provider(request: Mapping[str, Any], stdout: int) -> None:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(request["environment"])
        os.dup2(stdout, 1)
        os.close(stdout)
        stderr = os.open(request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(stderr, 2)
        sys.argv[1:] = []
        run()
    finally:
        os._exit(1)


if __name__ == "__main__":
    if "--fork" in sys.argv:
        fork_providers(socket.socket(fileno=0))
    else:
        run()
