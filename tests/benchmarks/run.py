"""`make bench`: the provider beside a minimal one written with the PyPI framework `tf`, as ratios.

Measured in turns: start of the process until its handshake; plan and apply of 1 and 100 runs that are started and not
waited for, against the sandbox's Cloud Director. Then, in requests, what a hundred waited-for runs cost, and what a
thousand cost in time and memory.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from provider_py.cli import terraform
from provider_py.cli.install import MIRROR, install
from provider_py.cli.sandbox import SandboxProcess
from tests.benchmarks import many, requests
from tests.benchmarks.measuring import HEADING, compare, seconds
from tests.support.stack import HEADER, Result, Stack

COOKIE = {"TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"}
OURS = """
resource "workflow_vcd_execution" "run" {{
  count      = {count}
  workflow   = "Onboard tenant"
  parameters = {{ vmName = "web-${{count.index}}", size = 2, notify = true, tags = ["a", "b"] }}
  wait       = false
}}
"""
REFERENCE = """
terraform {{
  required_providers {{
    bench = {{ source = "benchmarks/bench" }}
  }}
}}
resource "bench_run" "run" {{
  count       = {count}
  workflow_id = "{workflow_id}"
}}
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference-python", type=Path, required=True, help="a Python that has the framework `tf`")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with bench(options.reference_python.absolute()) as measured:
        print(HEADING, flush=True)
        print(measured.handshake(options.rounds * 3), flush=True)
        for count in (1, 100):
            for line in measured.stacks(count, options.rounds):
                print(line, flush=True)
        requests.measure(measured.directory)
        many.measure(measured.directory)


class Bench:
    """Two installed providers, a sandbox and a place for stacks."""

    def __init__(self, directory: Path, sandbox: SandboxProcess, reference_python: Path) -> None:
        """Install both providers into a private HOME."""
        self.directory = directory
        self.sandbox = sandbox
        home = directory / "home"
        self.ours = install(home / MIRROR)[0].path
        self.reference = _install_reference(home / MIRROR, reference_python)
        self.binary = terraform.find()
        self.environment = terraform.environment(home, TMPDIR=str(directory), **sandbox.environment)

    def handshake(self, rounds: int) -> str:
        """Compare how long a process takes until Terraform can talk to it."""
        variables = self.environment | COOKIE | {"PLUGIN_CLIENT_CERT": _certificate(), "PLUGIN_PROTOCOL_VERSIONS": "6"}

        def start(launcher: Path) -> float:
            process = subprocess.Popen(
                [launcher], env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert process.stdout is not None
            took = seconds(process.stdout.readline)
            process.kill()
            process.communicate()
            return took

        return compare("start to handshake", rounds, lambda: start(self.ours), lambda: start(self.reference)).line

    def stacks(self, count: int, rounds: int) -> Iterator[str]:
        """Compare plans and applies of `count` new runs."""
        ours = self._stack(f"ours-{count}", HEADER + OURS.format(count=count))
        workflow_id, parameters = self._example_run(ours)
        self.environment["BENCH_PARAMETERS"] = json.dumps(parameters)
        reference = self._stack(f"reference-{count}", REFERENCE.format(count=count, workflow_id=workflow_id))
        reference.environment = self.environment
        yield compare(f"plan, {count} new", rounds, _plan(ours), _plan(reference)).line
        yield compare(f"apply, {count} new", rounds, _apply(ours), _apply(reference)).line
        ours.applied()
        reference.applied()
        self.sandbox.ask("POST", "/clock", {"advance": 60})
        ours.applied()  # sees that the runs have ended, so that nothing is left to look at
        yield compare(f"plan, {count} unchanged", rounds, _plan(ours), _plan(reference)).line

    def _stack(self, name: str, configuration: str) -> Stack:
        directory = self.directory / name
        directory.mkdir()
        stack = Stack(self.binary, directory, self.environment)
        (directory / "main.tf").write_text(configuration)
        stack.init()
        return stack

    def _example_run(self, ours: Stack) -> tuple[str, list[dict[str, Any]]]:
        """Return what the provider under test sends, for the reference to send the same."""
        self.sandbox.forget_requests()
        ours.applied()
        posted = next(request for request in self.sandbox.requests("vcd") if request["path"].endswith("/executions"))
        ours.destroy()
        return posted["path"].split("/")[-2], posted["body"]["parameters"]


def _plan(stack: Stack) -> Callable[[], float]:
    def plan() -> float:
        return seconds(lambda: _worked(stack.plan()))

    return plan


def _apply(stack: Stack) -> Callable[[], float]:
    def apply() -> float:
        took = seconds(stack.applied)
        stack.destroy()
        return took

    return apply


def _worked(result: Result) -> None:
    if result.status == 1:
        raise SystemExit(result.stdout + result.stderr)


def _install_reference(mirror: Path, python: Path) -> Path:
    place = f"registry.terraform.io/benchmarks/bench/1.0.0/{terraform.platform_name()}/terraform-provider-bench_v1.0.0"
    launcher = mirror / place
    launcher.parent.mkdir(parents=True)
    toy = shutil.copy(Path(__file__).with_name("toy_provider.py"), mirror / "toy_provider.py")
    launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} -I {shlex.quote(str(toy))} "$@"\n')
    launcher.chmod(0o755)
    return launcher


def _certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@contextmanager
def bench(reference_python: Path) -> Iterator[Bench]:
    """Start a sandbox and make a bench in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="workflow-bench-") as directory, SandboxProcess() as sandbox:
        yield Bench(Path(directory), sandbox, reference_python)


if __name__ == "__main__":
    main()
