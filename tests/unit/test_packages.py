"""The house rules that no other tool checks: packages state their boundary, public names change on purpose only."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from provider_py.provider import DATA_SOURCES, RESOURCES

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(
    ".".join(init.parent.relative_to(ROOT).parts)
    for folder in ("codegen", "provider_py")
    for init in (ROOT / folder).rglob("__init__.py")
)
MODULES = sorted(path for folder in ("codegen", "provider_py") for path in (ROOT / folder).rglob("*.py"))
EXPORTS = {
    "provider_py.plugin": """
        AnyDataSource AnyResource ApplyResult Attribute Change Check DataSource Declaration Decoded Diagnostic
        DiagnosticError Dynamic Key ListOf MapOf Object Path Plan Primitive Provider ProviderFactory ReadResult
        Registered Resource Severity Type TypeName at_most_one attributes computed duration error exactly_one
        format_path has_error max_length model not_empty one_of optional parse_duration pattern protect quoted redact
        required required_together resolve setting shorten url warning
    """,
    "provider_py.execution": """
        Cancelling Clock Connection Connector DataSourceType Execution ExecutionType Indistinct Interrupted Journal
        LONGEST_KEY LOOKING_SECONDS Launcher LookupDataSource Lookups Marking Missing NotStarted Once Phase PollSource
        RateLimited Refused Remembering ResourceType Run Runtime Searching Started SystemFault Timeouts Unanswered
        Unauthorized Unreachable Unsettled Wording did_you_mean from_fault local_path optional_path readable require
        require_encryption rfc3339 run_preflight settling unknown_name
    """,
    "provider_py.sandbox": """
        Behavior Contract Fault FaultKind InvalidResponseError Match Phase RecordedRequest Run Sandbox Script World
        corrected observer spec_file
    """,
    "provider_py.sandbox.harness": "ACCOUNT_ID Account BEHAVIORS CREDENTIALS application",
    "provider_py.sandbox.nexthink": """
        BEHAVIORS CREDENTIALS TOKEN_PATH WORKFLOWS application directory workflow
    """,
    "provider_py.sandbox.vcd": "BEHAVIORS CREDENTIALS ENDPOINT_TYPE REPORTS WORKFLOWS Workflow application",
}
"""The names that packages export. A change here is a change for everyone who imports them."""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_states_its_boundary(package: str) -> None:
    assert importlib.import_module(package).__doc__


@pytest.mark.parametrize("package", EXPORTS)
def test_exported_names_are_locked(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == sorted(EXPORTS[package].split())
    assert all(hasattr(module, name) for name in module.__all__)


def test_every_package_that_exports_names_is_locked() -> None:
    exporting = {package for package in PACKAGES if hasattr(importlib.import_module(package), "__all__")}
    assert exporting == EXPORTS.keys()


def late_imports(path: Path) -> Iterator[str]:
    """Return the lines with an import inside a function."""
    text = path.read_text()
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield lines[inner.lineno - 1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_import_inside_a_function_has_its_reason_on_the_line(path: Path) -> None:
    assert [line for line in late_imports(path) if "#" not in line] == []


def loaded(statements: str, *, among: Collection[str]) -> list[str]:
    """Return which modules a fresh process has loaded after some statements."""
    script = f"import sys\n{statements}\nprint(*sorted({set(among)!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.split()


def test_the_registry_loads_neither_clients_nor_the_http_library() -> None:
    everything = "from provider_py.provider import *; list(RESOURCES); list(DATA_SOURCES)"
    heavy = {"httpx2", "pydantic", "attrs", "attr", "tenacity", "aiohttp", "harness_client.client"}
    assert loaded(everything, among=heavy | {"nexthink_client.models.workflow", "vcd_client.client"}) == []


def test_a_type_is_loaded_when_it_is_asked_for() -> None:
    vcd = "provider_py.systems.vcd.execution"
    executions = {vcd, "provider_py.systems.harness.execution", "provider_py.systems.nexthink.execution"}
    create = "import asyncio; from provider_py.provider import create; provider = create(asyncio.Event())"
    assert loaded(create, among=executions) == []
    assert loaded(f"{create}; provider.resources['vcd_execution']", among=executions) == [vcd]


def test_types_have_the_names_they_are_registered_by() -> None:
    for registered in (RESOURCES, DATA_SOURCES):
        assert [type_.name for type_ in registered] == list(registered.names)


def test_the_way_in_loads_nothing_that_the_handshake_does_not_need() -> None:
    assert loaded("import provider_py.__main__, provider_py.rpc.process", among={"provider_py.plugin"}) == []
