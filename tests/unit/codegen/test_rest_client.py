"""The REST client of a small document: overlay applied, enums open, constraints readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import openapi
from codegen.errors import SpecError
from tests.unit.codegen import project


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project.make(tmp_path_factory.mktemp("pets"))
    openapi.generate(project.spec(root, "pets"), root, root / "out" / "pets_client")
    return root / "out"


def test_a_parameter_removed_by_the_overlay_is_not_an_argument(packages: Path) -> None:
    code = "import inspect, pets_client.api.pets.get_pet as m; print(*inspect.signature(m.sync).parameters)"
    assert project.python(code, packages).split() == ["pet_id", "client"]


def test_an_unknown_enum_value_is_read(packages: Path) -> None:
    code = """
from pets_client.models import Mood, Pet
pet = Pet.from_dict({"name": "rex", "mood": "sleepy"})
assert pet.mood == "sleepy" and isinstance(pet.mood, Mood) and str(pet.mood) == "sleepy"
assert Pet.from_dict({"name": "rex", "mood": "calm"}).mood is Mood.CALM
print(pet.to_dict()["mood"])
"""
    assert project.python(code, packages) == "sleepy\n"


def test_an_enum_value_that_is_not_a_string_is_rejected(packages: Path) -> None:
    code = """
from pets_client.models import Mood
try:
    Mood(3)
except ValueError as error:
    print(error)
"""
    assert project.python(code, packages) == "3 is not a string\n"


def test_constraints_are_importable_without_the_http_library(packages: Path) -> None:
    code = """
import sys
from pets_client.constraints import MAX_ITEMS, PATTERNS
print(dict(PATTERNS), dict(MAX_ITEMS), "httpx2" in sys.modules)
"""
    assert project.python(code, packages) == "{'Pet.name': '^[a-z]+$', 'Pet.tags[]': '^#'} {'Pet.tags': 3} False\n"


def test_a_generator_warning_is_an_error(tmp_path: Path) -> None:
    root = project.make(tmp_path)
    project.change(root, "pets/openapi.yaml", "application/json", "application/x-strange")
    with pytest.raises(SpecError, match=r"specs/pets/openapi\.yaml: openapi-python-client: "):
        openapi.generate(project.spec(root, "pets"), root, root / "out" / "pets_client")
