"""What our own templates make, compared with what was read and found good.

After a meant change: `UPDATE_GOLDEN=1 python -m pytest tests/golden`, then read the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codegen import constructs, docs, graphql, openapi
from tests.golden import registry
from tests.unit.codegen import project

EXPECTED = Path(__file__).parent / "expected"
FILES = (
    "docs/index.md",
    "docs/data-sources/pets_box.md",
    "docs/resources/pets_toy.md",
    "library_client/async_base_client.py",
    "library_client/batches.py",
    "library_client/enums.py",
    "library_client/__init__.py",
    "library_client/__init__.pyi",
    "pets_client/__init__.py",
    "pets_client/__init__.pyi",
    "pets_client/api/pets/__init__.py",
    "pets_client/constraints.py",
    "pets_client/models/__init__.py",
    "pets_client/models/mood.py",
    "workflow_constructs/cdktf.py",
    "workflow_constructs/models.py",
)
USAGE = """
from typing import assert_type
import library_client
from pets_client import Client, api, models
from pets_client.types import Response

def get(client: Client) -> None:
    assert_type(api.pets.get_pet.sync_detailed("rex", client=client), Response[models.Pet])

async def ask(client: library_client.Client) -> None:
    assert_type(await client.book_state("atlas"), library_client.book_state.BookState)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project.make(tmp_path_factory.mktemp("golden"))
    out = root / "out"
    openapi.generate(project.spec(root, "pets"), root, out / "pets_client")
    graphql.generate(project.spec(root, "library"), root, out / "library_client")
    constructs.generate(registry.REGISTRY, out / "workflow_constructs")
    docs.generate(registry.REGISTRY, root, out / "docs", {"pets": "Pet shop"})
    return out


@pytest.mark.parametrize("name", FILES)
def test_output_is_as_expected(made: Path, name: str) -> None:
    # Kept under another suffix, so that no linter takes it for a source.
    expected = EXPECTED / f"{name}.txt"
    text = (made / name).read_text("utf-8")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


def test_nothing_is_expected_that_is_not_compared() -> None:
    kept = {path.relative_to(EXPECTED).as_posix().removesuffix(".txt") for path in EXPECTED.rglob("*.txt")}
    assert kept == set(FILES)


def test_the_packages_are_strictly_typed(made: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(made / ".cache")]
    (made / "usage.py").write_text(USAGE, "utf-8")
    packages = ["pets_client", "library_client", "workflow_constructs", "usage.py"]
    configuration = ["--config-file", str(project.REPOSITORY / "pyproject.toml")]
    result = subprocess.run(
        [*command, *configuration, *packages],
        cwd=made,
        env={**os.environ, "MYPYPATH": str(project.REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
