"""Provider processes as Terraform runs them, driven through the protocol."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tfplugin6 import tfplugin6_pb2 as pb

from tests.protocol import host

Answer: TypeAlias = pb.ApplyResourceChange.Response | pb.PlanResourceChange.Response
DETACHED: Final = {"workflow": "Refresh inventory", "wait": False}
"""The arguments of a Cloud Director run that is not waited for."""


@dataclass(frozen=True)
class Process:
    """A provider process that is configured by its environment."""

    plugin: host.Plugin

    @functools.cached_property
    def schemas(self) -> Mapping[str, Mapping[str, bool]]:
        """The attributes by resource type, and whether they are results only."""
        answer = self.plugin.stub.GetProviderSchema(pb.GetProviderSchema.Request())
        return {
            name: {
                attribute.name: attribute.computed and not attribute.optional for attribute in schema.block.attributes
            }
            for name, schema in answer.resource_schemas.items()
        }

    def configure(self) -> None:
        """Configure with an empty block."""
        schema = self.plugin.stub.GetProviderSchema(pb.GetProviderSchema.Request()).provider
        empty = {attribute.name: None for attribute in schema.block.attributes}
        answer = self.plugin.stub.ConfigureProvider(
            pb.ConfigureProvider.Request(terraform_version="1.11.4", config=host.value(empty))
        )
        assert list(answer.diagnostics) == []

    def create(self, type_name: str, **arguments: Any) -> pb.ApplyResourceChange.Response:
        """Plan and apply a create."""
        answer: pb.ApplyResourceChange.Response = self.begin(type_name, **arguments).result()
        return answer

    def begin(self, type_name: str, **arguments: Any) -> Any:
        """Plan a create and begin to apply it; `result` of the answer waits for its end."""
        config = {**dict.fromkeys(self.schemas[type_name]), **arguments}
        planned = self.plugin.plan(None, config, kind=type_name)
        assert errors(planned) == []
        request = self.plugin.apply_request(None, planned, config, kind=type_name)
        return self.plugin.stub.ApplyResourceChange.future(request)

    def refresh(self, type_name: str, created: pb.ApplyResourceChange.Response) -> None:
        """Refresh what was created, as Terraform does with what its state holds."""
        self.plugin.stub.ReadResource(
            pb.ReadResource.Request(type_name=type_name, current_state=created.new_state, private=created.private)
        )


@contextlib.contextmanager
def process(environment: Mapping[str, str]) -> Iterator[Process]:
    """Run the provider."""
    with host.started(module="provider_py", environment=environment) as plugin:
        provider = Process(plugin)
        provider.configure()
        yield provider


def state(answer: pb.ApplyResourceChange.Response) -> Mapping[str, Any]:
    """Return the new state; there are no errors."""
    assert errors(answer) == []
    tree: Mapping[str, Any] = host.tree(answer.new_state)
    return tree


def errors(answer: Answer) -> Sequence[str]:
    """Return the texts of the errors."""
    return _texts(answer, pb.Diagnostic.ERROR)


def warnings(answer: Answer) -> Sequence[str]:
    """Return the texts of the warnings."""
    return _texts(answer, pb.Diagnostic.WARNING)


def _texts(answer: Answer, severity: pb.Diagnostic.Severity.ValueType) -> Sequence[str]:
    return [
        f"{diagnostic.summary}\n{diagnostic.detail}"
        for diagnostic in answer.diagnostics
        if diagnostic.severity == severity
    ]
