"""The methods of Terraform's provider service that concern data sources: decode, delegate, encode."""

from __future__ import annotations

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.defaults import with_defaults
from provider_py.plugin.diagnostics import has_error
from provider_py.plugin.resource import AnyDataSource, Registered
from provider_py.plugin.validation import validate_config
from provider_py.rpc import blocks
from provider_py.rpc.diagnostics import encode, missing_state, not_served


class DataSourceService:
    """Serves the data sources, by their full names."""

    def __init__(self, provider: str, data_sources: Registered[AnyDataSource]) -> None:
        self._names = {f"{provider}_{name}": name for name in data_sources.names}
        self._data_sources = data_sources

    async def validate(self, request: pb.ValidateDataResourceConfig.Request) -> pb.ValidateDataResourceConfig.Response:
        """Validate a configuration."""
        source = self._named(request.type_name)
        config = blocks.required(source.model, request.config)
        return pb.ValidateDataResourceConfig.Response(diagnostics=encode(validate_config(source, config)))

    async def read(self, request: pb.ReadDataSource.Request) -> pb.ReadDataSource.Response:
        """Read the data source."""
        source = self._named(request.type_name)
        config = with_defaults(source.model, blocks.required(source.model, request.config))
        result = await source.read(blocks.known(source.model, config))
        diagnostics = list(result.diagnostics)
        if result.state is None and not has_error(diagnostics):
            diagnostics.append(missing_state(request.type_name))
        written = blocks.write_model(source.model, result.state, config)
        return pb.ReadDataSource.Response(state=written.value, diagnostics=encode([*diagnostics, *written.diagnostics]))

    def _named(self, type_name: str) -> AnyDataSource:
        if type_name not in self._names:
            raise not_served("data source", type_name)
        return self._data_sources[self._names[type_name]]
