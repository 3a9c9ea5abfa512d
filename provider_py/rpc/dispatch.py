"""Dispatch of the host's calls.

Every call gets a response, whatever happens: a call that fails without one loses the state of a run that was started.
Each runs in a task of its own, because gRPC cancels the handler of a host that hangs up, and a start that is half sent
must still reach the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import grpc
from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.diagnostics import DiagnosticError, error
from provider_py.rpc.diagnostics import encode, unexpected
from provider_py.rpc.go_plugin import RpcHandler
from provider_py.rpc.provider_service import Method

log = logging.getLogger(__name__)

_INTERRUPTED: Final = error(
    "Operation interrupted",
    "It did not finish, and the state is unchanged. Run Terraform again to refresh it.",
)

_UNCHANGED: Final[Mapping[str, Callable[[Any], dict[str, object]]]] = {
    "ApplyResourceChange": lambda request: {"new_state": request.prior_state, "private": request.planned_private},
    "ReadResource": lambda request: {"new_state": request.current_state, "private": request.private},
}
"""What the response of a failed call holds besides diagnostics, so that the host's state is unchanged."""


class Dispatcher:
    """Runs the methods of the service, each call in a task of its own."""

    def __init__(self, methods: Mapping[str, Method], support: str) -> None:
        self._methods = methods
        self._support = support
        self._running: set[asyncio.Task[object]] = set()

    @property
    def idle(self) -> bool:
        """Whether no call is in flight."""
        return not self._running

    def handlers(self) -> dict[str, RpcHandler]:
        """Return the handlers by their gRPC method names."""
        return {f"/tfplugin6.Provider/{name}": self._handler(name) for name in self._methods}

    async def settle(self, seconds: float) -> None:
        """Wait for the calls that the host no longer waits for, then cancel them."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()

    def _handler(self, name: str) -> RpcHandler:
        message = getattr(pb, name)

        async def handle(request: object, _context: object) -> object:
            task = asyncio.create_task(self._respond(name, request), name=name)
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return await asyncio.shield(task)

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=message.Request.FromString,
            response_serializer=message.Response.SerializeToString,
        )

    async def _respond(self, name: str, request: object) -> object:
        try:
            return await self._methods[name](request)
        except DiagnosticError as fault:
            diagnostics = fault.diagnostics
        except asyncio.CancelledError:
            diagnostics = (_INTERRUPTED,)
        except Exception as fault:  # the host must get a response to every call
            log.exception("%s failed unexpectedly", name)
            diagnostics = (unexpected(fault, self._support),)
        unchanged = _UNCHANGED.get(name, _nothing)(request)
        return getattr(pb, name).Response(diagnostics=encode(diagnostics), **unchanged)


def _nothing(_request: object) -> dict[str, object]:
    return {}
