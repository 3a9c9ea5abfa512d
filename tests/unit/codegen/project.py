"""A small repository to generate from: three specifications of a few lines each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from codegen import sources
from codegen.sources import Spec

GOLDEN = Path(__file__).parents[2] / "golden"
REPOSITORY = GOLDEN.parents[1]


def make(root: Path) -> Path:
    """Copy the specifications under a root and record their hashes."""
    shutil.copytree(GOLDEN / "specs", root / "specs")
    sources.pin(root)
    return root


def spec(root: Path, name: str) -> Spec:
    """Return one of the specifications."""
    return next(spec for spec in sources.load(root) if spec.name == name)


def change(root: Path, file: str, old: str, new: str) -> None:
    """Change a specification as a vendor would, and pin the change."""
    path = root / "specs" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    sources.pin(root)


def run(root: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line on a root."""
    call = [sys.executable, "-m", "codegen", command, "--root", str(root)]
    return subprocess.run(
        call, cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def python(code: str, *paths: Path, **environment: str) -> str:
    """Run code in a fresh interpreter, in the first path, that finds packages under all; return what it prints."""
    search_path = os.pathsep.join(map(str, (*paths, REPOSITORY)))
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=paths[0],
        env={**os.environ, "PYTHONPATH": search_path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
