"""Models behave as the frozen, keyword-only dataclasses that type checkers take them for."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import pytest

from provider_py.plugin import attributes, model, optional, required


def name(_value: object) -> str | None:
    """A check that is called like an attribute."""
    return None


@model
class Part:
    """A model."""

    name: Annotated[str, required("Name.", checks=(name,))]
    size: Annotated[int, optional("Size.", checks=(name,))] = 1


@model
class Special(Part):
    """A model that adds to another."""

    note: Annotated[str | None, optional("Note.")] = None


def test_models_are_compared_by_type_and_values() -> None:
    assert Part(name="a") == Part(size=1, name="a")
    assert Part(name="a") != Part(name="b")
    assert Part(name="a") != Special(name="a")
    assert hash(Part(name="a")) == hash(Part(size=1, name="a"))


def test_models_show_their_values() -> None:
    assert repr(Special(note="n", name="a")) == "Special(name='a', size=1, note='n')"


@pytest.mark.parametrize(("arguments", "wrong"), [({}, "name"), ({"name": "a", "colour": "red"}, "colour")])
def test_arguments_are_complete_and_known(arguments: dict[str, Any], wrong: str) -> None:
    with pytest.raises(TypeError, match=f"^Part .* {wrong}$"):
        Part(**arguments)


def test_models_are_immutable() -> None:
    part: Any = Part(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        part.name = "b"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del part.name
    assert dataclasses.replace(part, name="b") == Part(name="b")
    assert part == Part(name="a")


def test_inherited_attributes_come_first() -> None:
    assert list(attributes(Special)) == ["name", "size", "note"]
    assert attributes(Special)["name"] is attributes(Part)["name"]
    assert attributes(Part)["size"].default == 1
