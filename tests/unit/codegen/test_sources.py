"""sources.toml says where specifications come from and refuses files that are not the ones recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import sources
from codegen.errors import SpecError
from tests.unit.codegen import project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project.make(tmp_path)


def edit(root: Path, old: str, new: str) -> None:
    path = root / "specs/sources.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_paths_of_a_specification_are_relative_to_the_root(root: Path) -> None:
    pets = project.spec(root, "pets")
    assert (pets.kind, pets.package, pets.vendor) == ("openapi", "pets_client", "Pets")
    assert pets.files(root) == ["specs/pets/openapi.yaml", "specs/pets/overlay.yaml"]


def test_a_folder_of_operations_contributes_every_file(root: Path) -> None:
    files = project.spec(root, "library").files(root)
    assert files == ["specs/library/operations/books.graphql", "specs/library/schema.graphql"]


def test_a_changed_file_is_rejected_with_the_command_to_run(root: Path) -> None:
    (root / "specs/pets/openapi.yaml").write_text("openapi: 3.0.3\n", "utf-8")
    with pytest.raises(SpecError, match=r"pets\.sha256.*specs/pets/openapi\.yaml has sha256.*codegen pin"):
        sources.load(root)


def test_pin_records_current_hashes_and_returns_what_changed(root: Path) -> None:
    (root / "specs/pets/openapi.yaml").write_text("openapi: 3.0.3\n", "utf-8")
    assert sources.pin(root) == ["specs/pets/openapi.yaml"]
    assert sources.pin(root) == []
    assert sources.load(root)


def test_pin_changes_nothing_but_hashes(root: Path) -> None:
    before = (root / "specs/sources.toml").read_text("utf-8").splitlines()
    (root / "specs/pets/openapi.yaml").write_text("openapi: 3.0.3\n", "utf-8")
    sources.pin(root)
    after = (root / "specs/sources.toml").read_text("utf-8").splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert changed[0].startswith('"pets/openapi.yaml" = ')


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "openapi"', 'kind = "soap"', "[pets].kind: soap is not one of openapi, graphql, protobuf"),
        ('vendor = "Pets"\n', "", "[pets]: vendor is missing"),
        ('vendor = "Pets"', 'seller = "Pets"\nvendor = "Pets"', "[pets]: seller is not a setting"),
        ('overlay = "pets/overlay.yaml"', 'overlay = "pets/gone.yaml"', "specs/pets/gone.yaml does not exist"),
        ("[pets]", "[pets", "specs/sources.toml: is not TOML"),
    ],
)
def test_an_invalid_entry_is_reported_with_its_place(root: Path, old: str, new: str, message: str) -> None:
    edit(root, old, new)
    with pytest.raises(SpecError) as raised:
        sources.load(root)
    assert message in str(raised.value)


def test_a_missing_specification_is_reported(root: Path) -> None:
    (root / "specs/pets/openapi.yaml").unlink()
    with pytest.raises(SpecError, match=r"specs/pets/openapi\.yaml does not exist"):
        sources.load(root)


def test_a_missing_sources_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"specs/sources\.toml: does not exist"):
        sources.load(tmp_path)


def test_a_file_that_is_not_utf8_is_rejected(root: Path) -> None:
    (root / "specs/pets/openapi.yaml").write_bytes(b"a: \xff")
    with pytest.raises(SpecError, match=r"specs/pets/openapi\.yaml: byte 3: is not UTF-8"):
        sources.read_text(root, "specs/pets/openapi.yaml")
