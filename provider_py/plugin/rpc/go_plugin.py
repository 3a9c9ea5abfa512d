"""The services that go-plugin, the library on Terraform's side, asks of any plugin besides its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from tfplugin6 import goplugin_pb2, health_pb2

_REPARENTED_AFTER: Final = 0.1
"""Seconds; a dying process closes its connections shortly before its children get another parent."""
_SERVED: Final = frozenset({"", "plugin"})
_SERVING: Final = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


class Host:
    """Serves the host process; `shutdown` is set when it wants the plugin to end, or is gone itself."""

    def __init__(self, shutdown: asyncio.Event) -> None:
        self._shutdown = shutdown
        self._parent = os.getppid()

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        """Return the handlers by the names that gRPC knows."""
        return {
            "/plugin.GRPCController/Shutdown": grpc.unary_unary_rpc_method_handler(
                self._end, goplugin_pb2.Empty.FromString, goplugin_pb2.Empty.SerializeToString
            ),
            "/plugin.GRPCStdio/StreamStdio": grpc.unary_stream_rpc_method_handler(
                self._print, empty_pb2.Empty.FromString, goplugin_pb2.StdioData.SerializeToString
            ),
            "/plugin.GRPCBroker/StartStream": grpc.stream_stream_rpc_method_handler(
                self._connect, goplugin_pb2.ConnInfo.FromString, goplugin_pb2.ConnInfo.SerializeToString
            ),
            "/grpc.health.v1.Health/Check": grpc.unary_unary_rpc_method_handler(
                self._check, health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString
            ),
            "/grpc.health.v1.Health/Watch": grpc.unary_stream_rpc_method_handler(
                self._watch, health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString
            ),
        }

    async def _end(self, _request: goplugin_pb2.Empty, _context: Any) -> goplugin_pb2.Empty:
        self._shutdown.set()
        return goplugin_pb2.Empty()

    async def _print(self, _request: empty_pb2.Empty, _context: Any) -> None:
        """Stay silent, and notice when the host dies: it keeps this stream open for as long as it lives."""
        try:
            await self._shutdown.wait()
        except asyncio.CancelledError:
            asyncio.get_running_loop().call_later(_REPARENTED_AFTER, self._end_if_orphaned)
            raise

    def _end_if_orphaned(self) -> None:
        if os.getppid() != self._parent:
            self._shutdown.set()

    async def _connect(self, _requests: AsyncIterator[goplugin_pb2.ConnInfo], _context: Any) -> None:
        """Offer no further connections, and keep the stream open as the host expects."""
        await self._shutdown.wait()

    async def _check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in _SERVED:
            await context.abort(grpc.StatusCode.NOT_FOUND, f'there is no service "{request.service}"')
        return _SERVING

    async def _watch(
        self, _request: health_pb2.HealthCheckRequest, _context: Any
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        yield _SERVING
        await self._shutdown.wait()
