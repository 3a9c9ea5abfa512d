"""The services that go-plugin, the library on Terraform's side, expects of any plugin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf import empty_pb2
from tfplugin6 import goplugin_pb2, health_pb2

_SERVED: Final = frozenset({"", "plugin"})
_SERVING: Final = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


RpcHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic for type checkers only
RpcContext: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class GoPluginServices:
    """Serves the host process; `shutdown` is set when the host asks for the end."""

    def __init__(self, shutdown: asyncio.Event) -> None:
        self._shutdown = shutdown

    def handlers(self) -> dict[str, RpcHandler]:
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

    async def _shut_down(self, _request: goplugin_pb2.Empty, _context: object) -> goplugin_pb2.Empty:
        self._shutdown.set()
        return goplugin_pb2.Empty()

    async def _stream_stdio(self, _request: empty_pb2.Empty, _context: object) -> None:
        """Send nothing, and keep the stream open as the host expects."""
        await self._shutdown.wait()

    async def _start_stream(self, _requests: AsyncIterator[goplugin_pb2.ConnInfo], _context: object) -> None:
        """Offer no further connections, and keep the stream open as the host expects."""
        await self._shutdown.wait()

    async def _check(
        self, request: health_pb2.HealthCheckRequest, context: RpcContext
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in _SERVED:
            await context.abort(grpc.StatusCode.NOT_FOUND, f'unknown service "{request.service}"')
        return _SERVING

    async def _watch(
        self, _request: health_pb2.HealthCheckRequest, _context: object
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        yield _SERVING
        await self._shutdown.wait()
