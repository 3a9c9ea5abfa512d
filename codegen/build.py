"""All generators, run in parallel into a staging folder.

Clients come first: constructs and documentation are made from the provider's registry, and the provider imports them.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Final

from codegen import output, sources
from codegen.errors import CodegenError
from codegen.sources import SOURCES, Spec

_GENERATORS: Final = (
    *("ariadne-codegen", "graphql-core", "grpcio-tools", "jinja2", "mypy-protobuf"),
    *("openapi-python-client", "python-jsonpath", "ruff"),
)
_IMPORTING: Final = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        importlib.import_module(module.name)
"""


def build(root: Path, staged: Path) -> None:
    """Generate everything from the specifications of `root` into `staged`."""
    specs = sources.load(root)
    packages = staged / "generated"
    packages.mkdir()
    # Spawned, not forked: a fork copies the locks of whatever threads the caller has.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        clients = [pool.submit(_client, spec, root, packages / spec.package) for spec in specs]
        for client in clients:
            client.result()
        rest = [
            pool.submit(_import_clients, packages, [spec.package for spec in specs]),
            pool.submit(_from_registry, root, staged, {spec.name: spec.vendor for spec in specs}),
        ]
        for part in rest:
            part.result()
    files = {file for spec in specs for file in spec.files(root)} | {SOURCES}
    hashes = [(file, sources.sha256(root / file)) for file in files]
    output.write_manifest(staged, hashes, {name: version(name) for name in _GENERATORS}, SOURCES)


def _client(spec: Spec, root: Path, package: Path) -> None:
    from codegen import graphql, openapi, protocol  # lazy: 0.5 s that `pin` and `--help` do not need

    generators: Mapping[str, Callable[[Spec, Path, Path], None]] = {
        "openapi": openapi.generate,
        "graphql": graphql.generate,
        "protobuf": protocol.generate,
    }
    generators[spec.kind](spec, root, package)


def _import_clients(packages: Path, names: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", _IMPORTING, *names]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        message = f"a generated client cannot be imported: {result.stderr.strip().splitlines()[-1]}"
        raise CodegenError(message)


def _from_registry(root: Path, staged: Path, vendors: Mapping[str, str]) -> None:
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(staged / "generated"))
    from codegen import constructs, docs, registry  # lazy: the provider needs the clients just generated

    registered = registry.load()
    constructs.generate(registered, staged / "generated" / constructs.PACKAGE)
    docs.generate(registered, root, staged / "docs", vendors)
