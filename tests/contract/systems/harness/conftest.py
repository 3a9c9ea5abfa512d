"""A connection to the simulated Harness account on a real socket; pauses take no time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, get_operation_ast, parse, validate
from graphql.execution.values import get_variable_values

from provider_py.execution import Runtime
from provider_py.sandbox.faults import Fault
from provider_py.sandbox.harness.account import Account as SimulatedAccount
from provider_py.sandbox.harness.catalog import Application
from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.specs import spec_file
from provider_py.sandbox.world import World
from provider_py.systems.harness.config import HarnessSettings
from provider_py.systems.harness.connection import Harness

APPLICATION = "naNJDKrUTZKKdKycL5Tx4g"


class HurriedClock:
    """The machine's time, except that pauses take none; `slept` records them."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Account:
    """A simulated account and the connection to it."""

    world: World
    harness: Harness
    clock: HurriedClock

    def harness_application(self) -> Application:
        """Return the first application of the simulated account, for tests to add to."""
        owners = (getattr(restore, "__self__", None) for restore in self.world._on_reset)
        (simulated,) = (owner for owner in owners if isinstance(owner, SimulatedAccount))
        return simulated.applications[0]

    def behave(self, **switches: object) -> None:
        """Change how the simulated Harness behaves."""
        self.world.behaviors.change({"harness": switches})

    def inject_fault(self, fault: Fault) -> None:
        """Have the next matching request fail."""
        self.world.faults.add(fault)

    def sent(self) -> list[Mapping[str, Any]]:
        """Return the GraphQL requests that arrived."""
        bodies = (request.body for request in self.world.requests)
        return [body for body in bodies if isinstance(body, dict) and "query" in body]

    def operations(self) -> list[str]:
        """Return the names of the operations that arrived."""
        return [str(body["operationName"]) for body in self.sent()]

    def schema_errors(self) -> list[object]:
        """Return what the schema objects to in the requests that arrived."""
        schema = build_schema(spec_file("harness", "schema.graphql").read_text())
        errors: list[object] = []
        for body in self.sent():
            document = parse(body["query"])
            errors.extend(validate(schema, document))
            operation = get_operation_ast(document, body["operationName"])
            assert operation is not None
            coerced = get_variable_values(
                schema, operation.variable_definitions, json.loads(json.dumps(body["variables"]))
            )
            errors.extend(coerced if isinstance(coerced, list) else ())
        return errors


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    async with Sandbox(run_seconds=0.0) as sandbox:
        sandbox.world.behaviors.change({"harness": {"requests_per_minute": 0}})
        environment = sandbox.environment()
        settings = HarnessSettings(
            endpoint=environment["HARNESS_ENDPOINT"],
            account_id=environment["HARNESS_ACCOUNT_ID"],
            api_key=environment["HARNESS_API_KEY"],
            requests_per_minute=10_000,
            request_timeout="5s",
        )
        clock = HurriedClock()
        harness = Harness(settings, Runtime(asyncio.Event(), clock))
        yield Account(sandbox.world, harness, clock)
        await harness.close()
