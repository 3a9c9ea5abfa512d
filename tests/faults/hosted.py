"""The provider's process as Terraform runs it, driven through the protocol, two of them at once where need be."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tfplugin6 import tfplugin6_pb2 as pb

from tests.protocol import host

DETACHED: Final = {"workflow": "Refresh inventory", "wait": False}
"""The arguments of a Cloud Director run that is not waited for."""


@dataclass(frozen=True)
class Process:
    """A provider process that is configured by its environment."""

    plugin: host.Plugin

    @functools.cached_property
    def schemas(self) -> Mapping[str, Mapping[str, bool]]:
        """By resource type, the attributes and whether each is a result only."""
        answer = self.plugin.stub.GetProviderSchema(pb.GetProviderSchema.Request())
        return {
            name: {each.name: each.computed and not each.optional for each in schema.block.attributes}
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

    def create(self, kind: str, **arguments: Any) -> pb.ApplyResourceChange.Response:
        """Plan and apply a creation."""
        answer: pb.ApplyResourceChange.Response = self.begin(kind, **arguments).result()
        return answer

    def begin(self, kind: str, **arguments: Any) -> Any:
        """Plan a creation and begin to apply it; `result` of the answer waits for its end."""
        config = {**dict.fromkeys(self.schemas[kind]), **arguments}
        planned = self.plugin.plan(None, config, kind=kind)
        assert [each for each in planned.diagnostics if each.severity == pb.Diagnostic.ERROR] == []
        request = self.plugin.apply_request(None, planned, config, kind=kind)
        return self.plugin.stub.ApplyResourceChange.future(request)

    def refresh(self, kind: str, created: pb.ApplyResourceChange.Response) -> None:
        """Show the provider that a state holds what was created."""
        self.plugin.stub.ReadResource(
            pb.ReadResource.Request(type_name=kind, current_state=created.new_state, private=created.private)
        )


@contextlib.contextmanager
def process(environment: Mapping[str, str]) -> Iterator[Process]:
    """Run the provider."""
    with host.started(module="provider_py", environment=environment) as plugin:
        made = Process(plugin)
        made.configure()
        yield made


def state(answer: pb.ApplyResourceChange.Response) -> Mapping[str, Any]:
    """Return the new state; there are no errors."""
    assert errors(answer) == []
    tree: Mapping[str, Any] = host.tree(answer.new_state)
    return tree


def errors(answer: pb.ApplyResourceChange.Response) -> Sequence[str]:
    """Return the texts of the errors."""
    return [f"{each.summary}\n{each.detail}" for each in answer.diagnostics if each.severity == pb.Diagnostic.ERROR]


def warnings(answer: pb.ApplyResourceChange.Response) -> Sequence[str]:
    """Return the texts of the warnings."""
    return [f"{each.summary}\n{each.detail}" for each in answer.diagnostics if each.severity == pb.Diagnostic.WARNING]
