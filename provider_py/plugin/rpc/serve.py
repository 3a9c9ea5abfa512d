"""The plugin process: from its start by Terraform to its end.

Terraform starts the process three times for a plan and waits for the handshake each time, so the handshake is printed
before the provider is imported; calls that arrive meanwhile wait in the socket. That is why imports are spread over
the functions here.
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

from provider_py.plugin.rpc.handshake import (
    STARTED_BY_HAND,
    handshake,
    private_socket,
    reattach,
    started_by_host,
    wants_tls,
)

if TYPE_CHECKING:
    import grpc

    from provider_py.plugin.resource import Provider, ProviderFactory
    from provider_py.plugin.rpc.dispatch import Dispatcher

Loader: TypeAlias = "Callable[[], ProviderFactory]"
"""Imports the provider and returns its factory."""

_MESSAGE_LIMIT: Final = 256 * 1024 * 1024
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
    ("grpc.max_send_message_length", _MESSAGE_LIMIT),
)
_CALLS_SECONDS: Final = 0.8
"""Seconds; go-plugin kills the process two seconds after it asked for the end."""
_CLOSE_SECONDS: Final = 0.5

log = logging.getLogger(__name__)


def serve(load: Loader, *, address: str, support: str) -> None:
    """Serve until Terraform asks for the end, then leave the process.

    `address` is the provider's source address, `support` a sentence that says where to report bugs.
    """
    debugging = "--debug" in sys.argv[1:]
    if not debugging and not started_by_host(os.environ):
        sys.stderr.write(STARTED_BY_HAND)
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
    """The plugin process and its state."""

    def __init__(self, load: Loader, address: str, support: str, *, debugging: bool) -> None:
        self._load = load
        self._address = address
        self._support = support
        self._debugging = debugging
        self._shutdown = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Print the handshake, load the provider, serve until the host asks for the end."""
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
            provider, dispatcher = self._prepare(handlers.by_name)
            gc.freeze()
            gc.enable()
            await self._shutdown.wait()
            self._stop.set()
            await server.stop(_CALLS_SECONDS)
            await _end(provider, dispatcher)

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

    def _prepare(self, handlers: dict[str, Any]) -> tuple[Provider | None, Dispatcher]:
        """Import what serves calls; those that arrive meanwhile wait, since the event loop is busy."""
        from provider_py.plugin.logging import configure_logging
        from provider_py.plugin.rpc.dispatch import Dispatcher
        from provider_py.plugin.rpc.go_plugin import GoPluginServices
        from provider_py.plugin.rpc.provider_service import failing, methods

        configure_logging(fallback="INFO" if self._debugging else "WARN")
        provider: Provider | None = None
        try:
            provider = self._load()(self._stop)
            table = methods(provider, self._stop, restartable=self._debugging)
        except Exception as fault:
            log.exception("The provider could not be loaded")
            table = failing(fault)
        dispatcher = Dispatcher(table, self._support)
        handlers.update(GoPluginServices(self._shutdown).handlers())
        handlers.update(dispatcher.handlers())
        return provider, dispatcher


def _handlers() -> Any:
    import grpc  # lazy: as above

    class Handlers(grpc.GenericRpcHandler):
        """Handlers that are known only after the server has started."""

        def __init__(self) -> None:
            self.by_name: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

        def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
            return self.by_name.get(handler_call_details.method)

    return Handlers()


async def _end(provider: Provider | None, dispatcher: Dispatcher) -> None:
    """Let calls finish and the provider close its files, within the time the host allows."""
    await dispatcher.settle(seconds=0.2)
    if provider is None:
        return
    try:
        await asyncio.wait_for(provider.close(), _CLOSE_SECONDS)
    except Exception:
        log.exception("The provider did not close")
