"""The packages in generated/ as a user meets them: importable, typed, and loaded only as far as they are used."""

from __future__ import annotations

import ast

import pytest

from tests.unit.codegen import project

PACKAGES = ("harness_client", "nexthink_client", "tfplugin6", "vcd_client", "workflow_constructs")
GENERATED = project.REPOSITORY / "generated"
LAZY = {".".join(stub.parent.relative_to(GENERATED).parts): stub for stub in sorted(GENERATED.rglob("__init__.pyi"))}

IMPORT_ALL = """
import importlib, pkgutil
package = importlib.import_module(NAME)
count = 0
for module in pkgutil.walk_packages(package.__path__, f"{NAME}."):
    importlib.import_module(module.name)
    count += 1
print(count)
"""


@pytest.mark.parametrize("name", PACKAGES)
def test_every_module_is_importable_and_the_package_typed(name: str) -> None:
    modules = {path for path in (GENERATED / name).rglob("*.py") if path.name != "__init__.py"}
    folders = set((GENERATED / name).rglob("*/__init__.py"))
    assert int(project.python(f"NAME = {name!r}\n{IMPORT_ALL}", GENERATED)) == len(modules | folders)
    assert (GENERATED / name / "py.typed").is_file()


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import nexthink_client.constraints", "httpx2"),
        ("import workflow_constructs.models", "cdktf"),
        ("import workflow_constructs.validation", "provider_py.provider"),
    ],
)
def test_an_import_does_not_load_heavy_modules(statement: str, absent: str) -> None:
    assert project.python(f"import sys\n{statement}\nprint({absent!r} in sys.modules)", GENERATED) == "False\n"


def test_packages_load_nothing_on_import() -> None:
    code = """
import sys
import harness_client
from nexthink_client import api, models
from vcd_client import api, models
print(sorted({"httpx2", "pydantic", "attrs", "attr", "ssl", "asyncio"} & sys.modules.keys()))
print(*sorted(name for name in sys.modules if name.partition(".")[0].endswith("_client")))
"""
    assert project.python(code, GENERATED).splitlines() == [
        "[]",
        "harness_client nexthink_client nexthink_client.api nexthink_client.models"
        " vcd_client vcd_client.api vcd_client.models",
    ]


@pytest.mark.parametrize(
    ("package", "name", "loaded"),
    [
        ("harness_client", "StartExecutionInput.__name__", "harness_client.input_types"),
        ("harness_client", "batches.EXECUTION_STATE_LIMIT", "harness_client.batches"),
        ("harness_client", "enums.ExecutionStatus", "harness_client.enums"),
        ("harness_client", "exceptions.GraphQLClientError", "harness_client.exceptions"),
        ("nexthink_client", "Client", "httpx2"),
        ("nexthink_client", "api.nql", "nexthink_client.api.nql"),
        ("nexthink_client", "errors.UnexpectedStatus", "nexthink_client.errors"),
        ("nexthink_client.models", "Workflow", "nexthink_client.models.workflow"),
        ("nexthink_client.api", "workflows.execute_ea.asyncio_detailed", "nexthink_client.api.workflows.execute_ea"),
        ("vcd_client", "constraints.PATTERNS", "vcd_client.constraints"),
        ("vcd_client", "types.UNSET", "vcd_client.types"),
    ],
)
def test_a_name_loads_its_module_on_first_access(package: str, name: str, loaded: str) -> None:
    code = f"""
import sys
import {package} as package
before = {loaded!r} in sys.modules
first = package.{name}
print(before, {loaded!r} in sys.modules, package.{name} is first)
"""
    assert project.python(code, GENERATED) == "False True True\n"


def test_lazy_packages_have_every_name_of_their_stubs() -> None:
    stubbed = {
        name: {
            alias.name
            for node in ast.parse(stub.read_text("utf-8")).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for name, stub in LAZY.items()
    }
    assert {"harness_client", "nexthink_client.models", "vcd_client.api.workflows"} <= stubbed.keys()
    code = f"""
import importlib
for name, stubbed in {stubbed!r}.items():
    package = importlib.import_module(name)
    before = dir(package)
    assert {{item for item in before if not item.startswith("_")}} == stubbed, name
    assert package.__all__, name
    exec(f"from {{name}} import *", exported := {{}})
    assert exported.keys() - {{"__builtins__"}} == set(package.__all__) <= stubbed, name
    for item in stubbed:
        getattr(package, item)
    assert dir(package) == before, name
    try:
        package.Nothing
    except AttributeError as error:
        assert str(error) == f"module {{name!r}} has no attribute 'Nothing'"
    else:
        raise AssertionError(name)
"""
    project.python(code, GENERATED)


def test_services_have_the_names_that_terraform_calls() -> None:
    code = """
from tfplugin6 import goplugin_pb2, health_pb2, tfplugin6_pb2
for module in (tfplugin6_pb2, goplugin_pb2, health_pb2):
    for service in module.DESCRIPTOR.services_by_name.values():
        print(service.full_name, len(service.methods))
"""
    assert project.python(code, GENERATED).splitlines() == [
        "tfplugin6.Provider 36",
        "plugin.GRPCController 1",
        "plugin.GRPCStdio 1",
        "plugin.GRPCBroker 1",
        "grpc.health.v1.Health 2",
    ]
