"""Calls of the host: every one gets an answer, whatever happens, and none is lost when the host hangs up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import grpc
from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.diagnostics import DiagnosticError, error
from provider_py.plugin.rpc.diagnostics import encode, unexpected
from provider_py.plugin.rpc.provider_service import Method

log = logging.getLogger(__name__)

_INTERRUPTED: Final = error(
    "The operation was interrupted",
    "It did not come to an end, and the state is what it was before. Run Terraform again to see how things stand.",
)

_KEPT: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {
    "ApplyResourceChange": lambda request: {"new_state": request.prior_state, "private": request.planned_private},
    "ReadResource": lambda request: {"new_state": request.current_state, "private": request.private},
}
"""What a failed call answers besides diagnostics, so that the host's state stays what it was."""


class Calls:
    """Runs the methods of the service, each in a task of its own."""

    def __init__(self, methods: Mapping[str, Method], support: str) -> None:
        self._methods = methods
        self._support = support
        self._running: set[asyncio.Task[Any]] = set()

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        """Return the handlers by the names that gRPC knows."""
        return {f"/tfplugin6.Provider/{name}": self._handler(name) for name in self._methods}

    async def settle(self, seconds: float) -> None:
        """Wait for the calls that the host no longer waits for, then cancel them."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()

    def _handler(self, name: str) -> grpc.RpcMethodHandler[Any, Any]:
        message = getattr(pb, name)

        async def handle(request: Any, _context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            task = asyncio.create_task(self._answer(name, request), name=name)
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return await asyncio.shield(task)

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=message.Request.FromString,
            response_serializer=message.Response.SerializeToString,
        )

    async def _answer(self, name: str, request: Any) -> Any:
        try:
            return await self._methods[name](request)
        except DiagnosticError as given_up:
            diagnostics = given_up.diagnostics
        except asyncio.CancelledError:
            diagnostics = (_INTERRUPTED,)
        except Exception as fault:  # the host has to get an answer to every call
            log.exception("%s failed unexpectedly", name)
            diagnostics = (unexpected(fault, self._support),)
        kept = _KEPT.get(name, _nothing)(request)
        return getattr(pb, name).Response(diagnostics=encode(diagnostics), **kept)


def _nothing(_request: Any) -> dict[str, Any]:
    return {}
