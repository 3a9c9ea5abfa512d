"""The services that go-plugin, the library on Terraform's side, expects of any plugin.

The host's death is noticed by its streams: it keeps one open for as long as it lives. A closed stream alone proves
nothing, since a host that ends in order closes it too, and at that moment the kernel may not have given this process
another parent yet. So the parent is checked repeatedly for a while after a stream was closed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from tfplugin6 import goplugin_pb2, health_pb2

_ORPHAN_CHECK_SECONDS: Final = 0.1
_ORPHAN_CHECKS: Final = 100
_SERVED: Final = frozenset({"", "plugin"})
_SERVING: Final = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


class GoPluginServices:
    """Serves the host process; `shutdown` is set when the host asks for the end, or has died."""

    def __init__(self, shutdown: asyncio.Event) -> None:
        self._shutdown = shutdown
        self._parent = os.getppid()

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        """Return the handlers by their gRPC method names."""
        return {
            "/plugin.GRPCController/Shutdown": grpc.unary_unary_rpc_method_handler(
                self._shut_down, goplugin_pb2.Empty.FromString, goplugin_pb2.Empty.SerializeToString
            ),
            "/plugin.GRPCStdio/StreamStdio": grpc.unary_stream_rpc_method_handler(
                self._stream_stdio, empty_pb2.Empty.FromString, goplugin_pb2.StdioData.SerializeToString
            ),
            "/plugin.GRPCBroker/StartStream": grpc.stream_stream_rpc_method_handler(
                self._start_stream, goplugin_pb2.ConnInfo.FromString, goplugin_pb2.ConnInfo.SerializeToString
            ),
            "/grpc.health.v1.Health/Check": grpc.unary_unary_rpc_method_handler(
                self._check, health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString
            ),
            "/grpc.health.v1.Health/Watch": grpc.unary_stream_rpc_method_handler(
                self._watch, health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString
            ),
        }

    async def _shut_down(self, _request: goplugin_pb2.Empty, _context: Any) -> goplugin_pb2.Empty:
        self._shutdown.set()
        return goplugin_pb2.Empty()

    async def _stream_stdio(self, _request: empty_pb2.Empty, _context: Any) -> None:
        """Send nothing, and notice when the host dies."""
        try:
            await self._shutdown.wait()
        except asyncio.CancelledError:
            self._end_if_orphaned(_ORPHAN_CHECKS)
            raise

    def _end_if_orphaned(self, checks: int) -> None:
        if os.getppid() != self._parent:
            self._shutdown.set()
        elif checks:
            asyncio.get_running_loop().call_later(_ORPHAN_CHECK_SECONDS, self._end_if_orphaned, checks - 1)

    async def _start_stream(self, _requests: AsyncIterator[goplugin_pb2.ConnInfo], _context: Any) -> None:
        """Offer no further connections, and keep the stream open as the host expects."""
        await self._shutdown.wait()

    async def _check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in _SERVED:
            await context.abort(grpc.StatusCode.NOT_FOUND, f'unknown service "{request.service}"')
        return _SERVING

    async def _watch(
        self, _request: health_pb2.HealthCheckRequest, _context: Any
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        yield _SERVING
        await self._shutdown.wait()
