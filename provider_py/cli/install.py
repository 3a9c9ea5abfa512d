"""`workflow-provider install`: a launcher where `terraform init` looks without any configuration.

Terraform reads providers from an implied local mirror under the user's home. What is put there is not a copy of the
provider but a two-line script that starts it from this environment, so an upgrade of the environment needs no copying.
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
"""A source without a host means the first to Terraform and the second to OpenTofu."""
MIRROR: Final = Path(".terraform.d/plugins")


@dataclass(frozen=True, slots=True)
class Installed:
    """A launcher's path, and whether this call had to write it."""

    path: Path
    written: bool


def launchers(mirror: Path) -> Sequence[Path]:
    """Return where the launchers of this version belong in a mirror."""
    release = version(DISTRIBUTION)
    place = Path(SOURCE) / release / platform_name() / f"terraform-provider-workflow_v{release}"
    return [mirror / host / place for host in HOSTS]


def install(mirror: Path) -> Sequence[Installed]:
    """Write the launchers of this version that are missing or differ."""
    content = _launcher(Path(sys.executable))
    return [Installed(path, _write(path, content)) for path in launchers(mirror)]


def requirement() -> str:
    """Return the block that a configuration needs."""
    return f"""terraform {{
  required_providers {{
    workflow = {{
      source  = "{SOURCE}"
      version = "{version(DISTRIBUTION)}"
    }}
  }}
}}"""


def _launcher(python: Path) -> str:
    # Through sh: a "#!" line ends at 127 or 255 bytes and cannot hold spaces. -I keeps the user's PYTHON* settings out.
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
        message = f"{path} could not be written ({error.strerror}). Name another place with --directory."
        raise CommandError(message) from error
    return True
