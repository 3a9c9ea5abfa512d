"""The provider's connection to a simulated Harness account on a real socket; pauses take no time."""

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

from provider_py.execution.runtime import Runtime
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
    """The machine's time, but for pauses, which take none; `slept` are the pauses."""

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
    """A simulated account, and the connection to it."""

    world: World
    harness: Harness
    clock: HurriedClock

    def harness_application(self) -> Application:
        """Return the simulated account's first application, to be filled further."""
        owners = (getattr(restore, "__self__", None) for restore in self.world._on_reset)
        (simulated,) = (owner for owner in owners if isinstance(owner, SimulatedAccount))
        return simulated.applications[0]

    def behave(self, **switches: object) -> None:
        """Have Harness behave differently."""
        self.world.behaviours.change({"harness": switches})

    def strike(self, fault: Fault) -> None:
        """Prepare a fault."""
        self.world.faults.add(fault)

    def sent(self) -> list[Mapping[str, Any]]:
        """Return the GraphQL requests that arrived."""
        return [each.body for each in self.world.requests if isinstance(each.body, dict) and "query" in each.body]

    def operations(self) -> list[str]:
        """Return the names of the operations that arrived."""
        return [str(body["operationName"]) for body in self.sent()]

    def refused_by_schema(self) -> list[object]:
        """Return what is wrong with the requests that arrived, by the schema alone."""
        schema = build_schema(spec_file("harness", "schema.graphql").read_text())
        found: list[object] = []
        for body in self.sent():
            document = parse(body["query"])
            found.extend(validate(schema, document))
            operation = get_operation_ast(document, body["operationName"])
            assert operation is not None
            coerced = get_variable_values(
                schema, operation.variable_definitions, json.loads(json.dumps(body["variables"]))
            )
            found.extend(coerced if isinstance(coerced, list) else ())
        return found


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Account]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    async with Sandbox(run_seconds=0.0) as sandbox:
        sandbox.world.behaviours.change({"harness": {"requests_per_minute": 0}})
        given = sandbox.environment()
        settings = HarnessSettings(
            endpoint=given["HARNESS_ENDPOINT"],
            account_id=given["HARNESS_ACCOUNT_ID"],
            api_key=given["HARNESS_API_KEY"],
            requests_per_minute=10_000,
            request_timeout="5s",
        )
        clock = HurriedClock()
        harness = Harness(settings, Runtime(asyncio.Event(), clock))
        yield Account(sandbox.world, harness, clock)
        await harness.close()
