"""Terraform's provider service as a whole: the table of its methods, and those that concern the provider itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.defaults import with_defaults
from provider_py.plugin.models import decoded
from provider_py.plugin.resource import Provider
from provider_py.plugin.validation import validate_config
from provider_py.rpc import blocks
from provider_py.rpc.data_source_service import DataSourceService
from provider_py.rpc.diagnostics import encode
from provider_py.rpc.resource_service import ResourceService
from provider_py.rpc.schemas import schema

Method: TypeAlias = Callable[[Any], Awaitable[object]]
"""Takes the request of one method and returns its response."""

_CAPABILITIES: Final = pb.ServerCapabilities(plan_destroy=True, get_provider_schema_optional=True)


def methods(provider: Provider, stop: asyncio.Event, *, restartable: bool) -> Mapping[str, Method]:
    """Return the methods of the service by name; `stop` is the event that the provider's waits observe.

    A `restartable` provider outlives the Terraform command that stopped it, so configuring it again clears the event.
    """
    whole = ProviderService(provider, stop, restartable=restartable)
    managed = ResourceService(provider.name, provider.resources)
    data = DataSourceService(provider.name, provider.data_sources)
    return {
        "GetMetadata": whole.metadata,
        "GetProviderSchema": whole.schema,
        "ValidateProviderConfig": whole.validate,
        "ConfigureProvider": whole.configure,
        "StopProvider": whole.stop,
        "GetFunctions": whole.functions,
        "GetResourceIdentitySchemas": whole.identities,
        "ValidateResourceConfig": managed.validate,
        "UpgradeResourceState": managed.upgrade,
        "ReadResource": managed.read,
        "PlanResourceChange": managed.plan,
        "ApplyResourceChange": managed.apply,
        "ImportResourceState": managed.import_state,
        "ValidateDataResourceConfig": data.validate,
        "ReadDataSource": data.read,
    }


def failing(fault: Exception) -> Mapping[str, Method]:
    """Return the methods of a provider that could not be loaded: the first call of any host reports why."""

    async def fail(_request: object) -> object:
        raise fault

    return dict.fromkeys(("GetMetadata", "GetProviderSchema"), fail)


class ProviderService:
    """Serves the provider itself."""

    def __init__(self, provider: Provider, stop: asyncio.Event, *, restartable: bool) -> None:
        self._provider = provider
        self._stop = stop
        self._restartable = restartable

    async def metadata(self, _request: pb.GetMetadata.Request) -> pb.GetMetadata.Response:
        """List the resources and data sources."""
        name = self._provider.name
        return pb.GetMetadata.Response(
            server_capabilities=_CAPABILITIES,
            resources=[
                pb.GetMetadata.ResourceMetadata(type_name=f"{name}_{resource}")
                for resource in self._provider.resources.names
            ],
            data_sources=[
                pb.GetMetadata.DataSourceMetadata(type_name=f"{name}_{source}")
                for source in self._provider.data_sources.names
            ],
        )

    async def schema(self, _request: pb.GetProviderSchema.Request) -> pb.GetProviderSchema.Response:
        """Return the schemas of the provider, its resources and its data sources."""
        name = self._provider.name
        return pb.GetProviderSchema.Response(
            server_capabilities=_CAPABILITIES,
            provider=schema(self._provider.model, self._provider.description),
            resource_schemas={
                f"{name}_{resource.name}": schema(resource.model, resource.description, resource.version)
                for resource in self._provider.resources
            },
            data_source_schemas={
                f"{name}_{source.name}": schema(source.model, source.description)
                for source in self._provider.data_sources
            },
        )

    async def validate(self, request: pb.ValidateProviderConfig.Request) -> pb.ValidateProviderConfig.Response:
        """Validate the provider block."""
        config = blocks.required(self._provider.model, request.config)
        return pb.ValidateProviderConfig.Response(diagnostics=encode(validate_config(self._provider, config)))

    async def configure(self, request: pb.ConfigureProvider.Request) -> pb.ConfigureProvider.Response:
        """Configure the provider."""
        if self._restartable:
            self._stop.clear()
        model = self._provider.model
        config = decoded(model, with_defaults(model, blocks.required(model, request.config)))
        return pb.ConfigureProvider.Response(diagnostics=encode(await self._provider.configure(config)))

    async def stop(self, _request: pb.StopProvider.Request) -> pb.StopProvider.Response:
        """Ask every wait to end; the host still takes the responses of calls in flight."""
        self._stop.set()
        return pb.StopProvider.Response()

    async def functions(self, _request: pb.GetFunctions.Request) -> pb.GetFunctions.Response:
        return pb.GetFunctions.Response()

    async def identities(
        self, _request: pb.GetResourceIdentitySchemas.Request
    ) -> pb.GetResourceIdentitySchemas.Response:
        return pb.GetResourceIdentitySchemas.Response()
