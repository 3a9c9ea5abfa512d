"""Refreshing a specification: changes are reported by the operations they touch, and only `--write` changes files."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from graphql import build_schema, graphql_sync

from codegen import sources
from provider_py.sandbox.server import Sandbox
from tests.unit.codegen.project import REPOSITORY

KEY = "k3y-of-the-account"
HARNESS_SDL = (REPOSITORY / "specs/harness/schema.graphql").read_text()
CHANGES = (
    ("type Workflow {\n  tags: [Tag]\n  id: String\n  name: String\n  description: String\n", "Workflow.description"),
    ("enum WebhookSource {\n", "AZURE"),
    ("applications(filters: [ApplicationFilter], limit: Int!, offset: Int)", "offset"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the command printed, and its exit code."""

    status: int
    out: str
    err: str

    @property
    def touched(self) -> dict[str, list[str]]:
        """The changes with their operations."""
        lines = self.out.split("others:")[0].splitlines()
        pairs = zip(lines[1::2], lines[2::2], strict=True)
        return {text.strip(): operations.strip().removeprefix("in ").split(", ") for text, operations in pairs}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "specs", tmp_path / "specs")
    return tmp_path


async def refresh(root: Path, *arguments: str, **environment: str) -> Outcome:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "codegen", "refresh", *arguments, "--root", str(root)),
        cwd=REPOSITORY,
        env={"PATH": "", "HARNESS_KEY": KEY, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Outcome(process.returncode or 0, out.decode(), err.decode())


async def refresh_from(sandbox: Sandbox, root: Path) -> Outcome:
    environment = sandbox.environment()
    return await refresh(
        root,
        *("harness", "--endpoint", environment["HARNESS_ENDPOINT"], "--account-id", environment["HARNESS_ACCOUNT_ID"]),
        *("--api-key-env", "HARNESS_API_KEY"),
        HARNESS_API_KEY=environment["HARNESS_API_KEY"],
    )


@asynccontextmanager
async def endpoint(sdl: str) -> AsyncIterator[str]:
    """Serve introspection of a schema to clients that send the key."""
    schema = build_schema(sdl)

    async def respond(request: web.Request) -> web.Response:
        if request.headers.get("x-api-key") != KEY or request.query.get("accountId") != "acme":
            return web.json_response({"responseMessages": [{"message": "Token is not valid."}]}, status=401)
        result = graphql_sync(schema, (await request.json())["query"])
        return web.json_response(result.formatted)

    app = web.Application()
    app.router.add_post("/gateway/api/graphql", respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/gateway"
    finally:
        await runner.cleanup()


def endpoint_options(url: str) -> tuple[str, ...]:
    return ("harness", "--endpoint", url, "--account-id", "acme", "--api-key-env", "HARNESS_KEY")


def changed_schema() -> str:
    sdl = HARNESS_SDL
    for old, _ in CHANGES:
        assert sdl.count(old) == 1, old
    sdl = sdl.replace(CHANGES[0][0], CHANGES[0][0].replace("  description: String\n", ""))
    sdl = sdl.replace(CHANGES[1][0], "enum WebhookSource {\n  AZURE\n")
    return sdl.replace(CHANGES[2][0], CHANGES[2][0].replace("offset: Int)", "offset: Int!)"))


async def test_the_sandbox_serves_the_shipped_schema(root: Path) -> None:
    async with Sandbox() as sandbox:
        outcome = await refresh_from(sandbox, root)
    assert (outcome.status, outcome.out, outcome.err) == (0, "Harness: nothing has changed\n", "")


async def test_fields_missing_on_an_older_server_are_reported(root: Path) -> None:
    async with Sandbox() as sandbox:
        sandbox.world.behaviors.change({"harness": {"server_version": "2022-02"}})
        outcome = await refresh_from(sandbox, root)
    assert outcome.status == 1
    assert "executionState" in outcome.touched["Execution.executionUrl was removed."]
    assert "executionStateOlder" not in outcome.touched["Execution.executionUrl was removed."]


async def test_changes_are_reported_with_the_operations_they_touch(root: Path) -> None:
    before = (root / "specs/harness/schema.graphql").read_bytes()
    async with endpoint(changed_schema()) as url:
        outcome = await refresh(root, *endpoint_options(url))
    assert outcome.status == 1, outcome.err
    removed = "Workflow.description was removed."
    required = "Query.applications arg offset has changed type from Int to Int!."
    added = "AZURE was added to enum type WebhookSource."
    assert set(outcome.touched) == {removed, required, added}
    assert outcome.touched[removed] == ["workflow", "workflowByName"]
    assert outcome.touched[required] == ["applications"]
    touched = set(outcome.touched[added])
    assert {"trigger", "triggers", "createTrigger"} <= touched
    assert not {"deleteTrigger", "startExecution", "workflow"} & touched
    assert "others:" not in outcome.out
    assert (root / "specs/harness/schema.graphql").read_bytes() == before


async def test_write_adopts_the_schema(root: Path) -> None:
    async with endpoint(changed_schema()) as url:
        first = await refresh(root, *endpoint_options(url), "--write")
        assert (first.status, "codegen pin" in first.out, "codegen generate" in first.out) == (1, True, True)
        sources.pin(root)
        second = await refresh(root, *endpoint_options(url))
    assert (second.status, second.out) == (0, "Harness: nothing has changed\n")
    introspection = json.loads((root / "specs/harness/introspection.json").read_text())
    names = {named["name"] for named in introspection["data"]["__schema"]["types"]}
    assert {"Workflow", "WebhookSource"} <= names


async def test_an_added_field_touches_no_operation(root: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.graphql"
    newer.write_text(HARNESS_SDL.replace("type PageInfo {\n", "type PageInfo {\n  cursor: String\n"))
    outcome = await refresh(root, "harness", "--from", str(newer))
    assert outcome.status == 0
    assert "PageInfo.cursor was added." in outcome.out


Edit = Callable[[Any], None]


def drop_status(document: Any) -> None:
    del document["components"]["schemas"]["Workflow"]["properties"]["status"]


def require_parameter(document: Any) -> None:
    item = document["paths"]["/api/v1/workflows"]["get"]
    item.setdefault("parameters", []).append(
        {"in": "query", "name": "tenant", "required": True, "schema": {"type": "string"}}
    )


def add_enum_value(document: Any) -> None:
    document["components"]["schemas"]["Workflow.Status"]["enum"].append("RETIRED")


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (drop_status, ".status was removed"),
        (require_parameter, "query parameter tenant was added"),
        (add_enum_value, ".status = RETIRED was added"),
    ],
)
async def test_a_rest_change_is_reported_with_its_operations(root: Path, tmp_path: Path, edit: Edit, text: str) -> None:
    document = json.loads((root / "specs/nexthink/openapi.json").read_text())
    edit(document)
    newer = tmp_path / "newer.json"
    newer.write_text(json.dumps(document))
    outcome = await refresh(root, "nexthink", "--from", str(newer))
    assert outcome.status == 1, outcome.out + outcome.err
    places = [place for place in outcome.touched if place.endswith(text)]
    assert places
    assert "getAllWorkflows" in outcome.touched[places[0]]


async def test_the_published_documents_merge_into_the_shipped_one(root: Path) -> None:
    parts = map(str, sorted((root / "specs/nexthink/published").glob("*.json")))
    outcome = await refresh(root, "nexthink", "--from", *parts)
    assert (outcome.status, outcome.out) == (0, "Nexthink: nothing has changed\n")


async def test_write_adopts_a_rest_document(root: Path, tmp_path: Path) -> None:
    document = yaml.safe_load((root / "specs/vcd/openapi.yaml").read_text())
    path = next(iter(document["paths"]))
    del document["paths"][path]
    newer = tmp_path / "newer.yaml"
    newer.write_text(yaml.safe_dump(document, sort_keys=False))
    first = await refresh(root, "vcd", "--from", str(newer), "--write")
    assert (first.status, f"{path} was removed" in first.out) == (1, True)
    sources.pin(root)
    assert (await refresh(root, "vcd", "--from", str(newer))).status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("harness", "--endpoint", "not an address", "--account-id", "a", "--api-key-env", "HARNESS_KEY"), "address"),
        (
            ("harness", "--endpoint", "http://127.0.0.1:1", "--account-id", "a", "--api-key-env", "NO_KEY"),
            "api-key-env",
        ),
        (
            ("harness", "--endpoint", "http://127.0.0.1:1", "--account-id", "a", "--api-key-env", "HARNESS_KEY"),
            "answer",
        ),
        (("harness", "--from", "/nowhere.graphql"), "cannot be read"),
        (("vcd", "--endpoint", "http://127.0.0.1:1"), "--from"),
        (("vcd", "--from", "specs/sources.toml"), "is not YAML"),
        (("terraform", "--from", "x"), "not a specification"),
        (("acme", "--from", "x"), "not a specification"),
    ],
)
async def test_a_failed_comparison_takes_one_line(root: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = await refresh(root, *arguments)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert message in outcome.err, outcome.err
    assert KEY not in outcome.err + outcome.out


async def test_a_rejected_key_is_reported_without_the_key(root: Path) -> None:
    async with endpoint(HARNESS_SDL) as url:
        outcome = await refresh(root, *endpoint_options(url), HARNESS_KEY="wr0ng")
    assert outcome.status == 2
    assert "401" in outcome.err
    assert "wr0ng" not in outcome.err
