"""`workflow-provider report`: what a bug report should say about this installation."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from provider_py.cli.errors import CommandError
from provider_py.cli.install import DISTRIBUTION, launchers
from provider_py.cli.terraform import NAMES, Terraform

PACKAGES: Final = ("grpcio", "protobuf", "httpx2", "pydantic", "attrs", "aiohttp", "cdktf", "cdktn", "jsii")
SETTINGS: Final = ("HARNESS_", "NEXTHINK_", "VCD_", "WORKFLOW_", "TF_", "JSII_")


def report(mirror: Path) -> str:
    """Return the report; of environment variables it has the names, never the values."""
    return "\n".join(
        [
            f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}",
            f"Python {platform.python_version()} ({sys.executable})",
            f"Platform {platform.platform()}",
            *_terraform(),
            *_installed(mirror),
            *(f"Package {name} {_version(name)}" for name in PACKAGES),
            *(f"Variable {name} is set" for name in sorted(os.environ) if name.startswith(SETTINGS)),
        ]
    )


def _terraform() -> Iterator[str]:
    for name in NAMES:
        if found := shutil.which(name):
            yield f"{_terraform_version(Path(found))} ({found})"
        else:
            yield f"{name} is not on PATH"


def _terraform_version(binary: Path) -> str:
    try:
        told = Terraform(binary, Path.cwd(), os.environ | {"CHECKPOINT_DISABLE": "1"}).output("version")
    except CommandError as error:
        return str(error)
    return told.partition("\n")[0]


def _installed(mirror: Path) -> Iterator[str]:
    for path in launchers(mirror):
        yield f"Launcher {path} {'is installed' if path.exists() else 'is missing: workflow-provider install'}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "is not installed"
