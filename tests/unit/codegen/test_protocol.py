"""Protocol buffers become a typed package that serves and calls over a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import protocol
from codegen.errors import SpecError
from tests.unit.codegen import project

SERVE = """
import asyncio, sys
import grpc.aio
from greeter import greeter_pb2, greeter_pb2_grpc

class Servicer(greeter_pb2_grpc.GreeterServicer):
    async def Greet(self, request, context):
        return greeter_pb2.Name(name=request.name.upper())

async def main():
    server = grpc.aio.server()
    greeter_pb2_grpc.add_GreeterServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(
            "/greeter.Greeter/Greet", greeter_pb2.Name.SerializeToString, greeter_pb2.Name.FromString
        )
        print((await call(greeter_pb2.Name(name="ann"))).name)
        print((await greeter_pb2_grpc.GreeterStub(channel).Greet(greeter_pb2.Name(name="bob"))).name)
    await server.stop(None)

asyncio.run(main())
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project.make(tmp_path)


def test_a_service_answers_under_its_wire_name(root: Path) -> None:
    protocol.generate(project.spec(root, "greeter"), root, root / "out" / "greeter")
    assert project.python(SERVE, root / "out").split() == ["ANN", "BOB"]


def test_generated_code_does_not_need_the_compiler(root: Path) -> None:
    package = root / "out" / "greeter"
    protocol.generate(project.spec(root, "greeter"), root, package)
    assert all("grpc_tools" not in file.read_text("utf-8") for file in package.iterdir())
    names = {file.name for file in package.iterdir()}
    assert {"greeter_pb2.py", "greeter_pb2.pyi", "greeter_pb2_grpc.py", "greeter_pb2_grpc.pyi", "py.typed"} <= names
    assert not list((root / "out").glob(".*"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("string name = 1", "string name 1", "greeter.proto: line 6, column 15: Missing field number"),
        ("returns (Name)", "returns (Title)", 'greeter.proto: line 10, column 28: "Title" is not defined'),
    ],
)
def test_a_fault_is_reported_with_its_line(root: Path, old: str, new: str, message: str) -> None:
    project.change(root, "greeter/greeter.proto", old, new)
    with pytest.raises(SpecError) as raised:
        protocol.generate(project.spec(root, "greeter"), root, root / "out" / "greeter")
    assert message in str(raised.value)
    assert str(raised.value).startswith("specs/greeter/greeter.proto: ")


def test_a_folder_without_protocols_is_rejected(root: Path) -> None:
    greeter = project.spec(root, "greeter")
    (root / "specs/greeter/greeter.proto").unlink()
    with pytest.raises(SpecError, match=r"specs/greeter: holds no \.proto file"):
        protocol.generate(greeter, root, root / "out" / "greeter")
