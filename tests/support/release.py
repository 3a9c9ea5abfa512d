"""The release of Terraform or OpenTofu under test, from which tests decide what it can do."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest


@dataclass(frozen=True, slots=True)
class Release:
    """A product and its version, such as Terraform 1.15.5."""

    product: str
    version: str

    @classmethod
    def of(cls, executable: Path, environment: Mapping[str, str]) -> Self:
        """Ask an executable."""
        command = [str(executable), "version"]
        completed = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(environment))
        product, version = completed.stdout.split()[:2]
        return cls(product, version.removeprefix("v"))

    def __str__(self) -> str:
        """Return the product and its version."""
        return f"{self.product} {self.version}"

    def has(self, minimum: str) -> bool:
        """Return whether this is the minor version `minimum`, such as 1.11, or a later one."""
        return _minor(self.version) >= _minor(minimum)

    def require(self, minimum: str, feature: str) -> None:
        """Skip the test on an older release."""
        if not self.has(minimum):
            pytest.skip(f"{feature} needs Terraform or OpenTofu {minimum}; this is {self}")


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
