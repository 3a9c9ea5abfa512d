"""The system of the model as a provider of its own, which writes down Terraform's calls: `python -m` this module.

The runs of this system need no memory: their IDs say what they run, and their targets how they end.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Final

from provider_py.execution.journal import Journal
from provider_py.execution.lifecycle import ExecutionResource
from provider_py.execution.runtime import Runtime
from provider_py.execution.scope import data_directory, state_scope
from provider_py.execution.store import FILE, SqliteStore
from provider_py.plugin import Decoded, Diagnostic, ProviderFactory, model
from provider_py.plugin.resource import Registered
from provider_py.rpc.resource_service import ResourceService
from provider_py.rpc.serve import serve
from tests.prove.acme import Clock, Job, MarkedLauncher, Record, System, execution_type

CALLS: Final = "ACME_CALLS"
"""The variable that names the file for the calls."""
RECORDED: Final = {
    "read": "ReadResource",
    "plan": "PlanResourceChange",
    "apply": "ApplyResourceChange",
    "import_state": "ImportResourceState",
}


class TellingSystem(System):
    """A system whose IDs tell everything of its runs: `workflow.target.number`."""

    def new_id(self, config: Job) -> str:
        self.created += 1
        return f"{config.workflow}.{config.target}.{self.created}-{os.getpid()}"

    def start(self, config: Job, mark: str, account: str, process: Any) -> Record | None:
        return self.find(self.new_id(config))

    def find(self, identifier: str) -> Record | None:
        workflow, target, _ = identifier.split(".")
        ending = {"fails": "failed", "hangs": ""}.get(target, "succeeded")
        config = Job(workflow=workflow, target=target)
        return Record(identifier, "first", config, "", 0.0, 0.0 if ending else None, ending, None)


class _Process:
    """A process that nothing kills."""

    clock: Clock

    async def passing(self, _effect: str) -> None:
        return


@model
class Config:
    """Nothing is to be configured."""


class Provider:
    """The provider `acme`."""

    name = "acme"
    model = Config
    description = "A provider of the tests."

    def __init__(self, stop: asyncio.Event) -> None:
        launcher = MarkedLauncher(TellingSystem(asyncio.get_running_loop(), "marked"), "first", _Process())
        store = SqliteStore(data_directory(os.environ) / FILE)
        self._journal = Journal(store, time.time, state_scope(os.environ, shared=False))
        resource: Any = ExecutionResource(
            execution_type(lambda _connection: launcher),
            lambda: launcher,
            lambda: self._journal,
            Runtime(stop),
            lambda: "first",
        )
        self.resources = Registered(["job"], lambda _name: resource)
        self.data_sources: Registered[Any] = Registered([], lambda _name: None)

    def validate(self, config: Decoded[Config]) -> Iterable[Diagnostic]:
        return ()

    async def configure(self, config: Decoded[Config]) -> Iterable[Diagnostic]:
        return ()

    async def abandon(self) -> None:
        await self._journal.abandon()

    async def close(self, *, orderly: bool) -> None:
        await self._journal.close(orderly=orderly)


def _recorded(name: str, method: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def recorded(service: Any, request: Any) -> Any:
        _write(
            {"process": os.getpid(), "call": name, "request": base64.b64encode(request.SerializeToString()).decode()}
        )
        return await method(service, request)

    return recorded


def _write(line: object) -> None:
    with Path(os.environ[CALLS]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _load() -> ProviderFactory:
    for method, name in RECORDED.items():
        setattr(ResourceService, method, _recorded(name, getattr(ResourceService, method)))
    return Provider


if __name__ == "__main__":
    serve(_load, address="registry.terraform.io/example/acme", support="")
