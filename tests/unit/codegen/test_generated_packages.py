"""The packages in generated/ as a user meets them: importable, typed, light until used."""

from __future__ import annotations

import pytest

from tests.unit.codegen import project

PACKAGES = ("harness_client", "nexthink_client", "tfplugin6", "vcd_client", "workflow_constructs")
GENERATED = project.REPOSITORY / "generated"

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
def test_every_module_can_be_imported(name: str) -> None:
    modules = {path for path in (GENERATED / name).rglob("*.py") if path.name != "__init__.py"}
    folders = set((GENERATED / name).rglob("*/__init__.py"))
    assert int(project.python(f"NAME = {name!r}\n{IMPORT_ALL}", GENERATED)) == len(modules | folders)


@pytest.mark.parametrize("name", PACKAGES)
def test_it_is_typed(name: str) -> None:
    assert (GENERATED / name / "py.typed").is_file()


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import harness_client", "pydantic"),
        ("import harness_client", "httpx2"),
        ("import nexthink_client.constraints", "httpx2"),
        ("import vcd_client.models", "attrs"),
        ("import workflow_constructs.models", "cdktf"),
        ("import workflow_constructs.validation", "provider_py.provider"),
    ],
)
def test_an_import_brings_nothing_heavy_along(statement: str, absent: str) -> None:
    assert project.python(f"import sys\n{statement}\nprint({absent!r} in sys.modules)", GENERATED) == "False\n"


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_it_promises_is_there(name: str) -> None:
    code = f"""
import {name}
names = getattr({name}, "__all__", ())
print(len([getattr({name}, item) for item in names]) == len(names))
"""
    assert project.python(code, GENERATED) == "True\n"


def test_the_protocol_is_named_as_terraform_calls_it() -> None:
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
