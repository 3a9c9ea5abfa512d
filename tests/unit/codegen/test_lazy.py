"""Client packages load nothing until a name is used, and then behave like packages that loaded everything."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.unit.codegen import project

GENERATED = project.REPOSITORY / "generated"
STUBS = sorted(GENERATED.rglob("__init__.pyi"))


def package_name(stub: Path) -> str:
    return ".".join(stub.parent.relative_to(GENERATED).parts)


def test_packages_import_without_what_they_hold() -> None:
    code = """
import sys
import harness_client
from nexthink_client import api, models
from vcd_client import api, models
heavy = {"httpx2", "pydantic", "attrs", "attr", "ssl", "asyncio"}
print(sorted(heavy & sys.modules.keys()))
print(*sorted(name for name in sys.modules if name.partition(".")[0].endswith("_client")))
"""
    assert project.python(code, GENERATED).splitlines() == [
        "[]",
        "harness_client nexthink_client nexthink_client.api nexthink_client.models"
        " vcd_client vcd_client.api vcd_client.models",
    ]


@pytest.mark.parametrize(
    ("statement", "expression", "loaded"),
    [
        ("import harness_client", "harness_client.StartExecutionInput.__name__", "harness_client.input_types"),
        ("import harness_client", "harness_client.batches.EXECUTION_STATE_LIMIT", "harness_client.batches"),
        ("import harness_client", "harness_client.enums.ExecutionStatus", "harness_client.enums"),
        ("import harness_client", "harness_client.exceptions.GraphQLClientError", "harness_client.exceptions"),
        ("import nexthink_client", "nexthink_client.Client", "nexthink_client.client"),
        ("import nexthink_client", "nexthink_client.errors.UnexpectedStatus", "nexthink_client.errors"),
        ("from nexthink_client import models", "models.Workflow", "nexthink_client.models.workflow"),
        (
            "from nexthink_client import api",
            "api.workflows.execute_ea.asyncio_detailed",
            "nexthink_client.api.workflows.execute_ea",
        ),
        ("import vcd_client", "vcd_client.constraints.PATTERNS", "vcd_client.constraints"),
        ("from vcd_client import types", "types.UNSET", "vcd_client.types"),
    ],
)
def test_a_name_loads_its_module_on_first_access(statement: str, expression: str, loaded: str) -> None:
    code = f"""
import sys
{statement}
before = {loaded!r} in sys.modules
first = {expression}
print(before, {loaded!r} in sys.modules, {expression} is first)
"""
    before = loaded == "vcd_client.types"  # imported by the statement
    assert project.python(code, GENERATED) == f"{before} True True\n"


@pytest.mark.parametrize("stub", STUBS, ids=package_name)
def test_a_package_has_every_name_of_its_stub(stub: Path) -> None:
    imports = (node for node in ast.parse(stub.read_text("utf-8")).body if isinstance(node, ast.ImportFrom))
    stubbed = {alias.name for node in imports for alias in node.names}
    code = f"""
import {package_name(stub)} as package
before = dir(package)
names = {{name for name in before if not name.startswith("_")}} - {{"import_module"}}
print(*sorted(names))
assert [getattr(package, name) for name in names] and dir(package) == before and names >= set(package.__all__)
try:
    package.Nothing
except AttributeError as error:
    print(error)
"""
    names, error = project.python(code, GENERATED).splitlines()
    assert set(names.split()) == stubbed
    assert error == f"module '{package_name(stub)}' has no attribute 'Nothing'"


def test_a_star_import_brings_the_names() -> None:
    code = """
from vcd_client import *
from nexthink_client.api import *
print(Client.__name__, nql.__name__, "types" in globals())
"""
    assert project.python(code, GENERATED) == "Client nexthink_client.api.nql False\n"
