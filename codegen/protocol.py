"""Protocol buffers -> messages, stubs and servicers of the Terraform plugin protocol, with types."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from codegen.errors import SpecError
from codegen.output import finish_package
from codegen.sources import Spec

_GRPC_STUBS: Final = "quiet,only_async,generate_concrete_servicer_stubs"
_MESSAGE: Final = re.compile(
    r"^(?P<file>[^:\s]+\.proto)(?::(?P<line>\d+):(?P<column>\d+))?: (?P<reason>.+)$", re.MULTILINE
)


def generate(spec: Spec, root: Path, package: Path) -> None:
    """Compile every .proto file of the folder into one package.

    The compiler sees the files under the package's name, so that generated imports name the package.
    """
    protos = sorted((root / spec.document).glob("*.proto"))
    if not protos:
        raise SpecError(spec.document, "", "holds no .proto file")
    include = package.parent / f".{package.name}-include"
    inputs = include / package.name
    inputs.mkdir(parents=True)
    package.parent.mkdir(parents=True, exist_ok=True)
    for proto in protos:
        shutil.copyfile(proto, inputs / proto.name)
    _compile(spec, include, package.parent, [f"{package.name}/{proto.name}" for proto in protos])
    shutil.rmtree(include)
    finish_package(package, spec.document)


def _compile(spec: Spec, include: Path, target: Path, names: list[str]) -> None:
    bin_folder = Path(sys.executable).parent
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc", f"-I{include}"),
        f"--plugin=protoc-gen-mypy={bin_folder / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={bin_folder / 'protoc-gen-mypy_grpc'}",
        *(f"--python_out={target}", f"--grpc_python_out={target}"),
        *(f"--mypy_out=quiet:{target}", f"--mypy_grpc_out={_GRPC_STUBS}:{target}"),
        *names,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise _error(spec, result.stderr)


def _error(spec: Spec, stderr: str) -> SpecError:
    match = _MESSAGE.search(stderr)
    if match is None:
        return SpecError(spec.document, "", stderr or "protoc failed without a message")
    location = f"line {match['line']}, column {match['column']}" if match["line"] else ""
    return SpecError(f"{spec.document}/{Path(match['file']).name}", location, match["reason"])
