"""The Terraform binary: found on PATH, else a pinned release fetched and checked; and how it is run here."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from provider_py.cli.errors import CommandError

VERSION: Final = "1.11.4"
"""The release that is fetched where no Terraform is on PATH."""
RELEASES: Final = "https://releases.hashicorp.com/terraform"
NAMES: Final = ("terraform", "tofu")

_FOREIGN: Final = ("TF_", "HARNESS_", "NEXTHINK_", "VCD_", "WORKFLOW_")
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def platform_name() -> str:
    """Return Terraform's name of this platform, such as `linux_amd64`."""
    machine = platform.machine().lower()
    if sys.platform not in {"linux", "darwin"} or machine not in _MACHINES:
        message = (
            f"{sys.platform} on {machine} is not supported: use Linux or macOS, on x86-64 or ARM64 (on Windows, WSL)."
        )
        raise CommandError(message)
    return f"{sys.platform}_{_MACHINES[machine]}"


def find(tools: Path) -> Path:
    """Return `terraform` or `tofu` from PATH, else the pinned release, which is fetched into `tools` once."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    return fetch(tools)


def fetch(tools: Path, releases: str = RELEASES) -> Path:
    """Fetch the pinned release into `tools`, checked against its published SHA-256 sums."""
    binary = tools / f"terraform-{VERSION}" / "terraform"
    if binary.exists():
        return binary
    archive = f"terraform_{VERSION}_{platform_name()}.zip"
    try:
        sums = _get(f"{releases}/{VERSION}/terraform_{VERSION}_SHA256SUMS").decode()
        content = _get(f"{releases}/{VERSION}/{archive}")
    except httpx2.HTTPError as error:
        message = (
            f"No terraform or tofu is on PATH, and Terraform {VERSION} could not be fetched from {releases} ({error}). "
            "Install Terraform 1.11 or newer, or OpenTofu, and put it on PATH."
        )
        raise CommandError(message) from error
    _check(archive, content, sums)
    _unpack(content, binary)
    return binary


def _get(url: str) -> bytes:
    answer = httpx2.get(url, follow_redirects=True, timeout=httpx2.Timeout(60, connect=10))
    return answer.raise_for_status().content


def _check(archive: str, content: bytes, sums: str) -> None:
    published = {name: digest for digest, name in (line.split() for line in sums.splitlines() if line.strip())}
    if published.get(archive) != hashlib.sha256(content).hexdigest():
        message = (
            f"{archive} does not match its published SHA-256 sum and was thrown away. "
            "Try again, or install Terraform yourself and put it on PATH."
        )
        raise CommandError(message)


def _unpack(content: bytes, binary: Path) -> None:
    binary.parent.mkdir(parents=True, exist_ok=True)
    partial = binary.with_name(f".{binary.name}.{os.getpid()}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        partial.write_bytes(archive.read("terraform"))
    partial.chmod(partial.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    partial.replace(binary)


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment in which nothing of the user's reaches Terraform or the provider.

    Settings of Terraform and of the three systems are dropped, HOME is private, nothing asks for updates.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    private = {"HOME": str(home), "XDG_DATA_HOME": str(home / ".local/share"), "CHECKPOINT_DISABLE": "1"}
    return {**kept, **private, "TF_IN_AUTOMATION": "1", **variables}


@dataclass(frozen=True, slots=True)
class Terraform:
    """A Terraform working directory with the environment its commands run in."""

    binary: Path
    directory: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> int:
        """Run a command with its output on the terminal; return its exit status."""
        command = [str(self.binary), *arguments]
        return _wait(subprocess.Popen(command, cwd=self.directory, env=self.environment))  # noqa: S603 - Terraform

    def must(self, *arguments: str) -> None:
        """Run a command with its output on the terminal; it has to succeed."""
        if status := self.run(*arguments):
            message = f"`terraform {' '.join(arguments)}` failed with exit status {status}; its output is above."
            raise CommandError(message)

    def output(self, *arguments: str) -> str:
        """Run a command that has to succeed and return what it prints."""
        command = [str(self.binary), *arguments]
        done = subprocess.run(  # noqa: S603 - Terraform
            command, cwd=self.directory, env=self.environment, check=False, capture_output=True, text=True
        )
        if done.returncode:
            message = f"`terraform {' '.join(arguments)}` failed: {done.stderr.strip()}"
            raise CommandError(message)
        return done.stdout


def _wait(process: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the terminal told Terraform too, which ends in good order if it is left alone
        except SystemExit:
            process.terminate()
            process.wait()
            raise
