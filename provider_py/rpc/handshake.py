"""The handshake of a plugin process with its host: a cookie, a private socket, one line on standard output."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_COOKIE: Final = "TF_PLUGIN_MAGIC_COOKIE"
_COOKIE_VALUE: Final = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
_CLIENT_CERTIFICATE: Final = "PLUGIN_CLIENT_CERT"
_CORE_PROTOCOL: Final = 1
_PROTOCOL: Final = 6
_LONGEST_SOCKET: Final = 100
"""The kernel takes 103 bytes at least; temporary directories can be deep."""

STARTED_BY_HAND: Final = """\
This binary is a Terraform provider. It is started by Terraform and is not meant to be run directly.

To install it where `terraform init` finds it, run:   workflow-provider install
To serve it under a debugger, run:                    terraform-provider-workflow --debug
"""


def started_by_host(environment: Mapping[str, str]) -> bool:
    """Whether Terraform started the process; the cookie is no secret and guards only against mistakes."""
    return environment.get(_COOKIE) == _COOKIE_VALUE


def wants_tls(environment: Mapping[str, str]) -> bool:
    """Whether the host requires TLS.

    Its own certificate is not asked for: it is on P-521, which gRPC does not take from a client. What keeps others out
    is the socket's directory.
    """
    return bool(environment.get(_CLIENT_CERTIFICATE))


@contextlib.contextmanager
def private_socket(environment: Mapping[str, str]) -> Iterator[Path]:
    """Give the path of a socket in a directory that only this user can enter; it is gone afterwards."""
    name = f"terraform-provider-{os.urandom(8).hex()}"
    directory = Path(environment.get("TMPDIR") or "/tmp", name)  # noqa: S108  # tempfile costs start-up; mode is 0700
    if len(os.fsencode(directory)) > _LONGEST_SOCKET - len("/socket"):
        directory = Path("/tmp", name)  # noqa: S108  # as above
    directory.mkdir(mode=0o700)
    socket = directory / "socket"
    try:
        yield socket
    finally:
        socket.unlink(missing_ok=True)
        directory.rmdir()


def handshake(socket: Path, certificate: str) -> str:
    """Return the line that tells the host where to connect; `certificate` is empty without TLS."""
    return f"{_CORE_PROTOCOL}|{_PROTOCOL}|unix|{socket}|grpc|{certificate}\n"


def reattach(socket: Path, address: str) -> str:
    """Return what to set so that Terraform uses this process instead of starting one."""
    provider = {
        "Protocol": "grpc",
        "ProtocolVersion": _PROTOCOL,
        "Pid": os.getpid(),
        "Test": True,
        "Addr": {"Network": "unix", "String": str(socket)},
    }
    return f"TF_REATTACH_PROVIDERS='{json.dumps({address: provider})}'\n"
