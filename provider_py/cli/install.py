"""`workflow-provider install`: put the provider where `terraform init` finds it without any configuration.

Terraform reads providers from an implied local mirror in the user's home directory. A copy of a Python environment
would not run there, so the mirror gets a two-line script that starts the provider from the environment it was
installed in; upgrading that environment upgrades the provider.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from provider_py.cli.errors import CommandError
from provider_py.cli.terraform import platform_name

DISTRIBUTION: Final = "terraform-provider-workflow"
SOURCE: Final = "workflow-trigger/workflow"
HOSTS: Final = ("registry.terraform.io", "registry.opentofu.org")
"""The default registries of Terraform and OpenTofu: one of them completes a source without a host."""
MIRROR: Final = Path(".terraform.d/plugins")


@dataclass(frozen=True, slots=True)
class Installed:
    """Path of a launcher, and whether this call wrote it."""

    path: Path
    written: bool


def launchers(mirror: Path) -> Sequence[Path]:
    """Return the paths of this version's launchers in a mirror."""
    release = version(DISTRIBUTION)
    relative = Path(SOURCE) / release / platform_name() / f"terraform-provider-workflow_v{release}"
    return [mirror / host / relative for host in HOSTS]


def install(mirror: Path) -> Sequence[Installed]:
    """Write the launchers of this version that are missing or outdated."""
    content = _launcher(Path(sys.executable))
    return [Installed(path, _write(path, content)) for path in launchers(mirror)]


def requirement() -> str:
    """Return the `terraform` block that a configuration needs."""
    return f"""terraform {{
  required_providers {{
    workflow = {{
      source  = "{SOURCE}"
      version = "{version(DISTRIBUTION)}"
    }}
  }}
}}"""


def _launcher(python: Path) -> str:
    # Through sh: a "#!" line is cut at 127 or 255 bytes and cannot hold spaces. -I ignores PYTHON* variables.
    start = "from provider_py.__main__ import main; main()"
    return f'#!/bin/sh\nexec {shlex.quote(str(python))} -I -c {shlex.quote(start)} "$@"\n'


def _write(path: Path, content: str) -> bool:
    try:
        if path.is_file() and path.read_text() == content and os.access(path, os.X_OK):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_text(content)
        partial.chmod(0o755)
        partial.replace(path)
    except OSError as error:
        message = f"Cannot write {path}: {error.strerror}. Choose another directory with --directory."
        raise CommandError(message) from error
    return True
