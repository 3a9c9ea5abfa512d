"""The plugin process: from the handshake to its end.

Terraform starts the process three times for a plan and waits for the handshake each time, so the handshake is printed
before the provider is imported; calls that arrive meanwhile wait in the socket.

What does not work at its end:

- *Ending on a signal.* Ctrl-C, a CI runner's SIGTERM and a closed terminal's SIGHUP reach the whole process group. The
  host that is still handling it waits for the responses of calls in flight, and a run whose start was sent is lost.
- *Ending with the connection.* A host that is killed tells nobody. Its connections close, but a closed connection
  proves nothing, and a stream that is cancelled before its handler ran is never seen at all.
- *Ending at once when the host is gone.* A start whose answer is on its way would not reach the journal.

So signals are ignored (except under a debugger, where nobody else ends the process), and the parent is checked once a
second: a process whose parent died gets another. Then every wait is stopped, the provider is told, since the next apply
may begin at once, and the process leaves when the calls in flight have returned. While the host lives, it kills the
process two seconds after it asked for the end: what is being sent then is cut off, and the journal has its intent only.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from provider_py.rpc.certificate import fresh_certificate
from provider_py.rpc.handshake import handshake, private_socket, reattach, wants_tls

if TYPE_CHECKING:  # lazy: the handshake comes first
    from provider_py.plugin import Provider, ProviderFactory
    from provider_py.rpc.dispatch import Dispatcher

_MESSAGE_LIMIT: Final = 256 * 1024 * 1024
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
    ("grpc.max_send_message_length", _MESSAGE_LIMIT),
)
_CALLS_SECONDS: Final = 0.8
"""Time for calls to finish; go-plugin kills the process two seconds after it asked for the end."""
_LATE_CALLS_SECONDS: Final = 0.2
"""Further time for calls that the host no longer waits for."""
_ORPHANED_CALLS_SECONDS: Final = 120.0
"""Time for calls when the host is gone: longer than a system takes to answer a request, if it ever does."""
_PARENT_SECONDS: Final = 1.0
"""Time between two checks of the parent."""
_CLOSE_SECONDS: Final = 0.5
"""Time for the provider to close its files and connections."""

log = logging.getLogger(__name__)


class PluginProcess:
    """The process and its state."""

    def __init__(self, load: Callable[[], ProviderFactory], address: str, support: str, *, debugging: bool) -> None:
        self._load = load
        self._address = address
        self._support = support
        self._debugging = debugging
        self._shutdown = asyncio.Event()
        self._stop = asyncio.Event()
        self._parent = os.getppid()
        self._interrupted = False

    async def run(self) -> None:
        """Print the handshake, load the provider, serve until the host asks for the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = self._shutdown.set if self._debugging else self._note_interrupt
            asyncio.get_running_loop().add_signal_handler(number, handler)
        with private_socket(os.environ) as socket:
            server = grpc.aio.server(options=_OPTIONS)
            certificate = self._listen(server, socket)
            handlers = _Handlers()
            server.add_generic_rpc_handlers((handlers,))
            await server.start()
            self._announce(socket, certificate)
            provider, dispatcher = self._prepare(handlers)
            gc.freeze()
            gc.enable()
            if not self._debugging:
                self._watch_parent()
            await self._shutdown.wait()
            # At a second interrupt the host drops the answers in flight and those it has not written yet. It need not
            # show: the signals may have gone to the host alone, and the answers may have left before its Shutdown came.
            interrupted = self._interrupted or self._stop.is_set()
            orderly = dispatcher.idle and not self._orphaned() and not interrupted
            self._stop.set()
            if provider is not None and self._orphaned():
                await _in_time("be told that the host is gone", provider.abandon())
            await server.stop(_CALLS_SECONDS)
            await dispatcher.settle(_ORPHANED_CALLS_SECONDS if self._orphaned() else _LATE_CALLS_SECONDS)
            if provider is not None:
                seconds = _ORPHANED_CALLS_SECONDS if self._orphaned() else _CLOSE_SECONDS
                await _in_time("close", provider.close(orderly=orderly), seconds)

    def _note_interrupt(self) -> None:
        """Leave a signal to the host, which got it too and says what it means."""
        self._interrupted = True

    def _watch_parent(self) -> None:
        """End when the host is gone."""
        if self._orphaned():
            self._shutdown.set()
        else:
            asyncio.get_running_loop().call_later(_PARENT_SECONDS, self._watch_parent)

    def _orphaned(self) -> bool:
        return os.getppid() != self._parent

    def _listen(self, server: grpc.aio.Server, socket: Path) -> str:
        """Bind the server and return its certificate, as the handshake has it."""
        if self._debugging or not wants_tls(os.environ):
            server.add_insecure_port(f"unix:{socket}")
            return ""
        certificate = fresh_certificate()
        credentials = grpc.ssl_server_credentials([(certificate.key, certificate.chain)])
        server.add_secure_port(f"unix:{socket}", credentials)
        return certificate.handshake

    def _announce(self, socket: Path, certificate: str) -> None:
        line = reattach(socket, self._address) if self._debugging else handshake(socket, certificate)
        sys.stdout.write(line)
        sys.stdout.flush()

    def _prepare(self, handlers: _Handlers) -> tuple[Provider | None, Dispatcher]:
        """Import what serves calls; those that arrive meanwhile wait, since the event loop is busy."""
        from provider_py.plugin.logging import configure_logging  # lazy: the handshake comes first
        from provider_py.rpc.dispatch import Dispatcher  # lazy: as above
        from provider_py.rpc.go_plugin import GoPluginServices  # lazy: as above
        from provider_py.rpc.provider_service import failing, methods  # lazy: as above

        configure_logging(fallback="INFO" if self._debugging else "WARN")
        provider: Provider | None = None
        try:
            provider = self._load()(self._stop)
            table = methods(provider, self._stop, restartable=self._debugging)
        except Exception as fault:
            log.exception("The provider could not be loaded")
            table = failing(fault)
        dispatcher = Dispatcher(table, self._support)
        handlers.by_name.update(GoPluginServices(self._shutdown).handlers())
        handlers.by_name.update(dispatcher.handlers())
        return provider, dispatcher


class _Handlers(grpc.GenericRpcHandler):
    """Handlers that are known only after the server has started."""

    def __init__(self) -> None:
        self.by_name: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        return self.by_name.get(handler_call_details.method)


async def _in_time(what: str, work: Coroutine[object, object, None], seconds: float = _CLOSE_SECONDS) -> None:
    """Let the provider do its last work, within the time the host allows; where it is gone, what is left is written."""
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.warning("The provider could not %s within %g s: another process may hold one of its files", what, seconds)
    except Exception:
        log.exception("The provider could not %s", what)
