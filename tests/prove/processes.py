"""Provider processes for a test that starts thousands: forked from one that has imported everything."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import grpc
from tfplugin6 import goplugin_pb2, goplugin_pb2_grpc
from tfplugin6 import tfplugin6_pb2 as pb
from tfplugin6.tfplugin6_pb2_grpc import ProviderStub

from tests.support.host import COOKIE, ROOT, channel_to, socket_of

_PATIENCE: Final = 60.0
"""Real seconds after which a process is considered hung."""


@dataclass
class ProviderProcess:
    """A provider process and the connection to it."""

    pid: int
    output: int
    stub: Any
    channel: grpc.Channel
    ended: bool = False

    def shut_down(self) -> None:
        """Ask for the end as go-plugin does, and wait for it; a process that is gone already is no problem."""
        controller = _service(goplugin_pb2_grpc.GRPCControllerStub, self.channel)
        with contextlib.suppress(grpc.RpcError):
            controller.Shutdown(goplugin_pb2.Empty(), timeout=_PATIENCE)
        self.wait()

    def wait(self) -> None:
        """Wait until the process has ended."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            ready, _, _ = select.select([self.output], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "the provider does not end"
            if not os.read(self.output, 1 << 16):
                self.ended = True
                return

    def kill(self) -> None:
        """End the process, if it has not ended."""
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


class Forge:
    """Makes provider processes; one for each test process. `schema` is what a provider answers to GetProviderSchema."""

    schema: pb.GetProviderSchema.Response

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.prove.crashing", "--fork"], cwd=ROOT, stdin=theirs.fileno()
        )
        theirs.close()
        assert self._socket.recv(16) == b"ready"
        with tempfile.TemporaryDirectory() as directory:
            variables = {"TMPDIR": directory, "PATH": os.environ["PATH"]}
            with self.provider(Path(directory), variables, Path(directory, "stderr")) as provider:
                self.schema = provider.stub.GetProviderSchema(pb.GetProviderSchema.Request())
                provider.shut_down()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.wait(10)

    @contextlib.contextmanager
    def provider(self, directory: Path, environment: Mapping[str, str], stderr: Path) -> Iterator[ProviderProcess]:
        """Start a provider in a working directory; it is killed if it still runs in the end."""
        output, theirs = os.pipe()
        request = {"directory": str(directory), "environment": {**COOKIE, **environment}, "stderr": str(stderr)}
        socket.send_fds(self._socket, [json.dumps(request).encode()], [theirs])
        os.close(theirs)
        pid = int(self._socket.recv(16))
        try:
            line = _read_line(output)
            with channel_to(socket_of(line), line, None) as channel:
                process = ProviderProcess(pid, output, _service(ProviderStub, channel), channel)
                try:
                    yield process
                finally:
                    process.kill()
        finally:
            os.close(output)


def _service(stub: Any, channel: grpc.Channel) -> Any:
    """Return a service; the generated types know asynchronous channels only."""
    return stub(channel)


def _read_line(output: int) -> str:
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([output], [], [], _PATIENCE)
        more = os.read(output, 1) if ready else b""
        assert more, "the provider printed no handshake"
        line += more
    return line.decode()
