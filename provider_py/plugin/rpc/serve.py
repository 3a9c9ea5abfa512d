"""The plugin process: from its start by Terraform to its end.

What Terraform waits for comes first: the handshake is printed before the provider is imported.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from provider_py.plugin.rpc.handshake import BY_HAND, handshake, private_socket, reattach, started_by_host, wants_tls

if TYPE_CHECKING:
    import grpc

    from provider_py.plugin.resource import Provider, ProviderFactory
    from provider_py.plugin.rpc.dispatch import Calls

Loader: TypeAlias = "Callable[[], ProviderFactory]"
"""Imports the provider and returns its factory."""

_MESSAGE_LIMIT: Final = 256 * 1024 * 1024
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
    ("grpc.max_send_message_length", _MESSAGE_LIMIT),
)
_CALLS_END: Final = 0.8
"""Seconds; go-plugin kills the process two seconds after it asked for the end."""
_PROVIDER_ENDS: Final = 0.5

log = logging.getLogger(__name__)


def serve(load: Loader, *, address: str, support: str) -> None:
    """Serve until Terraform asks for the end, then leave the process.

    `address` is the provider's source address, `support` a sentence that says where to report bugs.
    """
    debugging = "--debug" in sys.argv[1:]
    if not debugging and not started_by_host(os.environ):
        sys.stderr.write(BY_HAND)
        sys.exit(1)
    if not debugging:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; Terraform says what it means
    gc.disable()  # imports make only what stays; collecting in between costs a twentieth of the start
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    asyncio.new_event_loop().run_until_complete(_Process(load, address, support, debugging=debugging).run())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that still waits for the network must not hold up the end


class _Process:
    """One life of the plugin process."""

    def __init__(self, load: Loader, address: str, support: str, *, debugging: bool) -> None:
        self._load = load
        self._address = address
        self._support = support
        self._debugging = debugging
        self._shutdown = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Announce, load, serve, end."""
        import grpc.aio  # lazy: the cookie is checked first

        for number in (signal.SIGTERM, signal.SIGINT) if self._debugging else (signal.SIGTERM,):
            asyncio.get_running_loop().add_signal_handler(number, self._shutdown.set)
        with private_socket(os.environ) as socket:
            server = grpc.aio.server(options=_OPTIONS)
            certificate = self._listen(server, socket)
            handlers = _handlers()
            server.add_generic_rpc_handlers((handlers,))
            await server.start()
            self._announce(socket, certificate)
            provider, calls = self._prepare(handlers.by_name)
            gc.freeze()
            gc.enable()
            await self._shutdown.wait()
            self._stop.set()
            await server.stop(_CALLS_END)
            await _end(provider, calls)

    def _listen(self, server: grpc.aio.Server, socket: Path) -> str:
        """Bind the server and return the certificate it shows, as the handshake has it."""
        if self._debugging or not wants_tls(os.environ):
            server.add_insecure_port(f"unix:{socket}")
            return ""
        import grpc

        from provider_py.plugin.rpc.certificate import fresh_certificate  # lazy: needed with TLS only

        certificate = fresh_certificate()
        credentials = grpc.ssl_server_credentials([(certificate.key, certificate.chain)])
        server.add_secure_port(f"unix:{socket}", credentials)
        return certificate.handshake

    def _announce(self, socket: Path, certificate: str) -> None:
        line = reattach(socket, self._address) if self._debugging else handshake(socket, certificate)
        sys.stdout.write(line)
        sys.stdout.flush()

    def _prepare(self, handlers: dict[str, Any]) -> tuple[Provider | None, Calls]:
        """Import what serves calls; those that come meanwhile wait, since the loop does not turn."""
        from provider_py.plugin.logging import configure_logging
        from provider_py.plugin.rpc.dispatch import Calls
        from provider_py.plugin.rpc.go_plugin import Host
        from provider_py.plugin.rpc.provider_service import failing, methods

        configure_logging(fallback="INFO" if self._debugging else "WARN")
        provider: Provider | None = None
        try:
            provider = self._load()(self._stop)
            table = methods(provider, self._stop, restartable=self._debugging)
        except Exception as fault:
            log.exception("The provider could not be loaded")
            table = failing(fault)
        calls = Calls(table, self._support)
        handlers.update(Host(self._shutdown).handlers())
        handlers.update(calls.handlers())
        return provider, calls


def _handlers() -> Any:
    import grpc  # lazy: as above

    class Handlers(grpc.GenericRpcHandler):
        """Handlers that are known only after the server has started."""

        def __init__(self) -> None:
            self.by_name: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

        def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
            return self.by_name.get(handler_call_details.method)

    return Handlers()


async def _end(provider: Provider | None, calls: Calls) -> None:
    """Let the provider put its files in order, within the time there is."""
    await calls.settle(seconds=0.2)
    if provider is None:
        return
    try:
        await asyncio.wait_for(provider.close(), _PROVIDER_ENDS)
    except Exception:
        log.exception("The provider did not close")
